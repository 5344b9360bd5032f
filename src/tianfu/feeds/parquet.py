"""Reading a Parquet file: flat columns as texts, within bounds.

The bytes are handed to the library in memory (Linux): what a department sends never touches a disk. Instants without an
offset stay local, those with one are written as UTC; numbers are written as they are, so that what a program made of a
long one (5.1e+17) is found and refused where its cell is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import duckdb
import msgspec

from tianfu.errors import Fault
from tianfu.feeds.sheet import COLUMNS_MAX, Sheet, UnreadableError, unreadable

MAGIC: Final = b"PAR1"
# Decoding one group of rows of the largest file that a batch may have; the file itself comes on top.
MEMORY_MIB: Final = 512
# A file of 64 MiB whose columns repeat themselves unpacks to a multiple; four times is what a real one needs at most.
UNPACKED_BYTES_MAX: Final = 4 * 64 * 1024 * 1024
_ROWS_AT_ONCE: Final = 2_000

_TEXT: Final = 'cast("{}" as varchar)'
_LOCAL: Final = "strftime(cast(\"{}\" as timestamp), '%Y-%m-%d %H:%M:%S')"
_UTC: Final = "strftime(make_timestamp(epoch_us(\"{}\")), '%Y-%m-%dT%H:%M:%SZ')"
_DAY: Final = "strftime(\"{}\", '%Y-%m-%d')"
_READERS: Final[dict[str, str]] = {
    **dict.fromkeys(("varchar", "boolean", "float", "double", "decimal", "uuid", "enum"), _TEXT),
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint", "hugeint"), _TEXT),
    **dict.fromkeys(("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"), _TEXT),
    **dict.fromkeys(("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns"), _LOCAL),
    "timestamp with time zone": _UTC,
    "date": _DAY,
    # A column in which every cell is empty.
    '"null"': _TEXT,
}


class _Column(msgspec.Struct, frozen=True):
    name: str
    type: str


def read(data: bytes, *, rows_max: int, characters_max: int) -> Sheet:
    """What the file holds; texts are cut to one more than `characters_max`, and no more than `rows_max` + 1 rows come.

    Raises `UnreadableError`, also while the rows are read.
    """
    rows = _rows(data, rows_max, characters_max)
    # The first step opens the file and tells the columns.
    columns = next(rows)
    return Sheet(tuple(columns[1]), rows)


def _rows(data: bytes, rows_max: int, characters_max: int) -> Iterator[tuple[int, list[str]]]:
    """The names of the columns under number 0, then the rows from 1."""
    descriptor = os.memfd_create("feed", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        with closing(duckdb.connect(":memory:", config=_CONFIG)) as connection:
            path = f"/proc/self/fd/{descriptor}"
            columns = _columns(connection, path)
            yield 0, [column.name for column in columns]
            number = 0
            cursor = connection.execute(_query(columns, rows_max, characters_max), [path])
            while found := cursor.fetchmany(_ROWS_AT_ONCE):
                for row in found:
                    number += 1
                    yield number, list(row)
    except duckdb.Error as error:
        raise unreadable(
            code="parquet", zh="文件不是有效的 Parquet。", en="is not a Parquet file that can be read"
        ) from error
    finally:
        os.close(descriptor)


_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 1,
    "memory_limit": f"{MEMORY_MIB}MB",
    "temp_directory": "",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def _columns(connection: duckdb.DuckDBPyConnection, path: str) -> list[_Column]:
    unpacked = connection.execute("from parquet_metadata(?) select sum(total_uncompressed_size)", [path]).fetchone()
    if unpacked is not None and (unpacked[0] or 0) > UNPACKED_BYTES_MAX:
        raise unreadable(
            code="unpacked",
            zh="文件解压后过大，请拆分后再提交。",
            en="is too large once it is unpacked; split it into several",
        )
    described = connection.execute("describe from read_parquet(?, binary_as_string = true)", [path]).fetchall()
    if len(described) > COLUMNS_MAX:
        raise unreadable(code="columns", zh=f"超过 {COLUMNS_MAX} 列。", en=f"has more than {COLUMNS_MAX} columns")
    columns = [_Column(str(name), str(kind).lower().split("(")[0]) for name, kind, *_ in described]
    faults = [
        Fault(
            column.name,
            "column_type",
            "这一列是嵌套的，或类型无法读取；请改为文本。",
            "this column is nested or of a type that cannot be read; make it text",
        )
        for column in columns
        if column.type not in _READERS
    ]
    if faults:
        raise UnreadableError(*faults)
    return columns


def _query(columns: list[_Column], rows_max: int, characters_max: int) -> str:
    """Names are quoted, and everything comes as texts of a bounded length."""
    texts = (_READERS[column.type].format(column.name.replace('"', '""')) for column in columns)
    cut = ", ".join(f"left(coalesce({text}, ''), {characters_max + 1})" for text in texts)
    return f"from read_parquet(?, binary_as_string = true) select {cut} limit {rows_max + 1}"
