"""Stopping a long command with a signal, so that what it has begun is put away."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What a shell says of a process that a signal ended.
EXIT_BY_SIGNAL: Final = 128


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """The block is left, its own clean-up included, at the first of `SIGNALS`; the process ends with 128 + its number.

    Further signals do not disturb the clean-up, and one that is ignored (`nohup`) stays ignored. To be used in the main
    thread, by the edge.
    """
    asked: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if not asked:
            asked.append(number)
            raise KeyboardInterrupt

    heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = [(number, signal.signal(number, stop)) for number in heeded]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
        # Whatever came of it: DuckDB makes an error of its own of an interrupted query.
        if asked:
            raise SystemExit(EXIT_BY_SIGNAL + asked[0])
