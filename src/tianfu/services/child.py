"""Runs one service module as a child that dies with its supervisor: `python -m tianfu.services.child MODULE [ARG …]`.

The kernel sends SIGTERM when the parent is gone (PR_SET_PDEATHSIG), so a supervisor that is killed outright leaves
nobody behind holding a port or a lease. It is set here, in the child, because code between fork and exec is unsafe.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PARENT_VARIABLE: Final = "SUPERVISOR_PID"


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM on the parent's death; leave at once when it died before it could be asked."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    expected = os.environ.get(PARENT_VARIABLE)
    if expected is not None and str(os.getppid()) != expected:
        sys.exit(1)


if __name__ == "__main__":
    die_with_parent()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
