"""How a process that cannot start says so: a line in its log, the sentence with every fault, exit code 1."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tianfu.errors import TianfuError
from tianfu.platform.observe import Log


@contextmanager
def explained(log: Log) -> Iterator[None]:
    """Turn an expected failure into words on standard error, in both languages, and leave with exit code 1."""
    try:
        yield
    except TianfuError as error:
        log.error("the process cannot start", code=error.code)
        lines = [error.en, *(f"  {fault.field}: {fault.en}" for fault in error.faults)]
        lines += [error.zh, *(f"  {fault.field}：{fault.zh}" for fault in error.faults)]
        sys.exit("\n".join(lines))
