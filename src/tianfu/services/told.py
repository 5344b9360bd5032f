"""A process that works until somebody tells it to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def until_told() -> Iterator[threading.Event]:
    """An event that SIGTERM or SIGINT sets, for a loop to look at; what handled them before does so again afterwards.

    To be used in the main thread, by the edge.
    """
    stopping = threading.Event()
    before = [
        (number, signal.signal(number, lambda _number, _frame: stopping.set()))
        for number in (signal.SIGTERM, signal.SIGINT)
    ]
    try:
        yield stopping
    finally:
        for number, handler in before:
            signal.signal(number, handler)
