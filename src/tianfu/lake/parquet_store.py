"""Closed days as Parquet, written and read by DuckDB: in memory, one thread, nothing fetched, nothing spilled.

    scans-00000.parquet …    sorted by venue and minute through all files of a part; zstd

| Column | Type | |
| venue, person, checker | UINTEGER | as in the scan event |
| minute | USMALLINT | of the Shanghai day, 0 to 1,439 |
| kind, colour, flags | UTINYINT | |
| gate, checkpoint | USMALLINT | |
| happened_at, received_at | BIGINT | milliseconds since 1970 |
| nonce | UBIGINT | its eight bytes, little-endian |
"""

from __future__ import annotations

import errno
import os
from contextlib import closing
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from tianfu.lake import days, rows
from tianfu.lake.layout import DAY_MINUTES
from tianfu.lake.rows import EVENT, Rows
from tianfu.lake.state import LakeBrokenError, LakeFile, Part
from tianfu.scans.event import EVENT_VERSION

PATTERN: Final = "scans-*.parquet"
# 86 MB of columns at once; a day of 19 million scans is ten files.
FILE_SCANS_MAX: Final = 2_000_000
MEMORY_MIB: Final = 1_024
# In the order in which they lie in the file; `minute` is told by `happened_at` and there for those who ask by it.
_STORED: Final = tuple(name for name in (EVENT.names or ()) if name != "version")
COLUMNS: Final = ("venue", "minute", "person", *(name for name in _STORED if name not in {"venue", "person"}))
_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 1,
    "memory_limit": f"{MEMORY_MIB}MB",
    "temp_directory": "",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def write(folder: Path, found: Rows, order: NDArray[np.intp]) -> list[LakeFile]:
    """Write `found` in `order` (`rows.venue_order`) into `folder`, onto the disk. Raises `OSError`."""
    files = []
    with closing(duckdb.connect(":memory:", config=_CONFIG)) as connection:
        for number, first in enumerate(range(0, len(found), FILE_SCANS_MAX)):
            path = folder / f"scans-{number:05d}.parquet"
            columns = _columns(found[order[first : first + FILE_SCANS_MAX]])
            try:
                connection.register("scans", columns)
                connection.table("scans").write_parquet(str(path), compression="zstd")
                connection.unregister("scans")
            except duckdb.Error as error:
                raise OSError(errno.EIO, "Parquet cannot be written") from error
            with path.open("rb") as handle:
                os.fsync(handle.fileno())
            files.append(LakeFile(path.name, path.stat().st_size, days.file_digest(path)))
    return files


def read(folder: Path, part: Part) -> Rows:
    """The events of a closed part, checked against the state. Raises `LakeBrokenError`."""
    found = np.empty(part.scans, EVENT)
    found["version"] = EVENT_VERSION
    filled = 0
    try:
        with closing(duckdb.connect(":memory:", config=_CONFIG)) as connection:
            for file in part.files:
                if not file.name.endswith(".parquet"):
                    continue
                if days.file_digest(folder / file.name) != file.sha256:
                    raise LakeBrokenError
                columns = connection.read_parquet(str(folder / file.name)).select(*_STORED).fetchnumpy()
                size = len(columns["venue"])
                for name in _STORED:
                    found[name][filled : filled + size] = columns[name]
                filled += size
    except (duckdb.Error, OSError, ValueError) as error:
        raise LakeBrokenError from error
    if filled != part.scans:
        raise LakeBrokenError
    return found


def _columns(found: Rows) -> dict[str, np.ndarray]:
    columns = {name: np.ascontiguousarray(found[name]) for name in _STORED}
    columns["minute"] = (rows.minutes(found) % DAY_MINUTES).astype(np.uint16)
    return {name: columns[name] for name in COLUMNS}
