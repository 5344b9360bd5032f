"""Files that are written without being synced, and how a loss of power is noticed afterwards.

What a killed process wrote is still in the kernel; only a crash of the machine itself can lose it, and then in any
order. So whoever writes without syncing first leaves a mark that names the present run of the machine. A mark of
another run says: this was being written when the machine went down; nothing in it can be relied on.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Final

_MARK_FILE: Final = "unsynced"
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def mark(folder: Path) -> None:
    """Say, durably, that from now on files in `folder` are written without being synced. Raises `OSError`.

    The mark appears whole: a half of it, seen by somebody who looks meanwhile, would say that everything is lost.
    """
    made = folder / f"{_MARK_FILE}.new"
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, run_of_machine().encode("ascii"))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    made.replace(folder / _MARK_FILE)
    _sync_folder(folder)


def unmark(folder: Path) -> None:
    """Say that everything in `folder` is synced. Does nothing where nothing is marked. Raises `OSError`."""
    try:
        (folder / _MARK_FILE).unlink()
    except FileNotFoundError:
        return
    _sync_folder(folder)


def is_lost(folder: Path) -> bool:
    """Whether the machine went down while files in `folder` were not synced."""
    try:
        return (folder / _MARK_FILE).read_text(encoding="ascii") != run_of_machine()
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError):
        return True


@functools.cache
def run_of_machine() -> str:
    """A name for the time from one start of this machine to its next; empty where there is none: sync there."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
