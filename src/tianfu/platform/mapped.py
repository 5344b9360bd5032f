"""Opening LMDB files so that a damaged one is an error and never a killed process.

LMDB reads through a memory map: a file that is shorter than its own table of contents says ends the process with
SIGBUS at the first read past its end. So the length is checked before anything is read. LMDB itself may leave out
pages at the end that were freed again before they were written: `extend_file` makes up for that. An LMDB file may be
open only once in a process; another process is no obstacle.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

import lmdb

_DATA_FILE: Final = "data.mdb"
# A process and its threads take one slot each per file; an operator's tools a few more.
_READERS_MAX: Final = 254
# What LMDB's errors carry when there is no room: no space, quota used up, file larger than allowed.
DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class MapUnreadableError(ValueError):
    """The folder holds no usable LMDB file: absent, damaged, of another format, or open already."""


def open_map(
    folder: Path,
    *,
    map_bytes: int,
    databases_max: int,
    writable: bool,
    may_be_short: bool = False,
    synced: bool = True,
) -> lmdb.Environment:
    """The LMDB file in `folder`; a writable one is created when absent.

    `map_bytes` is address space, not disk: the file grows as it is filled and never beyond it. With `may_be_short` the
    caller promises to call `extend_file` before anything is read. Unless `synced`, a commit is handed to the kernel and
    not to the disk (see `tianfu.platform.unsynced`). Raises `MapUnreadableError`; `OSError` when the folder cannot be
    made.
    """
    if writable:
        folder.mkdir(parents=True, exist_ok=True)
    elif not (folder / _DATA_FILE).is_file():
        message = f"no data file in {folder}"
        raise MapUnreadableError(message)
    try:
        environment = lmdb.open(
            str(folder),
            map_size=map_bytes,
            max_dbs=databases_max,
            max_readers=_READERS_MAX,
            max_spare_txns=4,
            readonly=not writable,
            create=writable,
            readahead=False,
            sync=synced,
        )
    except lmdb.Error as error:
        message = f"{folder}: {error}"
        raise MapUnreadableError(message) from error
    missing = _bytes_missing(environment, folder)
    if missing > 0 and not may_be_short:
        environment.close()
        message = f"{folder}: the data file is {missing} bytes short"
        raise MapUnreadableError(message)
    return environment


def extend_file(environment: lmdb.Environment, folder: Path) -> bool:
    """Give the file the length its table of contents promises; whether that was needed. Raises `OSError`.

    Pages added hold zeros: where they should have held data, LMDB or whoever reads the data finds them unreadable.
    """
    missing = _bytes_missing(environment, folder)
    if missing > 0:
        with (folder / _DATA_FILE).open("r+b") as handle:
            length = os.fstat(handle.fileno()).st_size
            # Never shortens: another process may be making the file longer at this moment.
            os.posix_fallocate(handle.fileno(), length, missing)
    return missing > 0


def file_bytes(folder: Path) -> int | None:
    """How long the data file is now; None when it is gone. An LMDB file never gets shorter by itself."""
    try:
        return (folder / _DATA_FILE).stat().st_size
    except OSError:
        return None


def _bytes_missing(environment: lmdb.Environment, folder: Path) -> int:
    pages = environment.info()["last_pgno"] + 1
    return int(pages * environment.stat()["psize"] - (folder / _DATA_FILE).stat().st_size)
