"""Runs one service module as a child that dies with its supervisor: `python -m tianfu.services.child MODULE [ARG …]`.

The kernel sends SIGTERM when the parent is gone (PR_SET_PDEATHSIG), so a supervisor that is killed outright leaves
nobody behind holding a port or a lease. It is set here, in the child, because code between fork and exec is unsafe.

What libraries log and what nobody caught becomes one JSON line: who said it, the kind of error, where in the code.
Never the text, which may hold values of somebody's row.
"""

from __future__ import annotations

import ctypes
import logging
import os
import runpy
import signal
import sys
import traceback
from types import TracebackType
from typing import Final

from tianfu.platform.observe import Log

PR_SET_PDEATHSIG: Final = 1
PARENT_VARIABLE: Final = "SUPERVISOR_PID"
FRAMES_LOGGED_MAX: Final = 3


class LibraryLines(logging.Handler):
    """Turns a library's log record into a line of ours."""

    def __init__(self, log: Log) -> None:
        """Write to `log`; warnings and worse."""
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write who said it and, for an exception, its kind and place."""
        kind, _, trace = record.exc_info or (None, None, None)
        self._log.warning(
            "a library reports", key=record.name, error=kind.__name__ if kind else "none", trace=place(trace)
        )


def place(trace: TracebackType | None) -> str:
    """The innermost frames as `file:line`, outermost first; empty without a traceback."""
    frames = traceback.extract_tb(trace)[-FRAMES_LOGGED_MAX:]
    return " ".join(f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in frames)  # noqa: PTH119


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM on the parent's death; leave at once when it died before it could be asked."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    expected = os.environ.get(PARENT_VARIABLE)
    if expected is not None and str(os.getppid()) != expected:
        sys.exit(1)


def main() -> None:
    """Run the module named first with the arguments after it."""
    die_with_parent()
    sys.argv = sys.argv[1:]
    log = Log(sys.argv[0].rpartition(".")[2])
    logging.basicConfig(handlers=[LibraryLines(log)], level=logging.WARNING, force=True)
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except Exception as error:  # noqa: BLE001 - whatever ends a process is one line in its log
        log.error("the process failed", error=type(error).__name__, trace=place(error.__traceback__))
        sys.exit(1)


if __name__ == "__main__":
    main()
