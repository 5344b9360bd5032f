"""Where a run works: a folder beside the result that is gone afterwards, and a DuckDB in memory that spills there.

The folder is beside the result because there is room for the result, and because the workers of a Spark cluster, which
must see the files of the job, see it too. Only its owner can look into it: what is in it names people.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from tianfu.tracing.files.refused import TraceOutputError, TraceTooLargeError

# Half of a machine's memory, so that sorting and what NumPy takes find room beside it; what does not fit is spilled.
MEMORY_SHARE: Final = 2
_MIB: Final = 1024 * 1024


class Workspace(NamedTuple):
    """`connection` is a database of this run alone; `folder`, an absolute path, is empty and ours."""

    folder: Path
    connection: duckdb.DuckDBPyConnection


@contextlib.contextmanager
def opened(out: Path) -> Iterator[Workspace]:
    """A workspace for a run whose result will be `out`; gone when the block ends, however it ends.

    Raises `TraceOutputError` when the folder of `out` takes no folder. What DuckDB cannot do inside the block for want
    of memory or disk raises `TraceTooLargeError`.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent.absolute()))
    except OSError as error:
        raise TraceOutputError(
            zh=f"无法在 {out.parent} 中写入。", en=f"There is no writing in {out.parent}: {error.strerror or error}."
        ) from error
    try:
        with contextlib.closing(duckdb.connect(":memory:", config=_config(folder))) as connection:
            yield Workspace(folder, connection)
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        raise TraceTooLargeError from error
    except duckdb.IOException as error:
        raise TraceOutputError(
            zh="读写文件失败：磁盘可能已满。", en="Files could not be read or written; the disk may be full."
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _config(folder: Path) -> dict[str, str | bool | int | float | list[str]]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEMORY_SHARE
    return {
        "memory_limit": f"{memory // _MIB}MB",
        "temp_directory": str(folder / "spill"),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
