"""Reading the two files, checked: what is not as it must be is refused, with the first lines and fields of it.

CSV is RFC 4180 in UTF-8, with or without a byte order mark, any line ends. DuckDB reads it fast; what it refuses or
finds wanting, and what it would read otherwise than it is meant, is read again by Python's `csv`, which either says
what is wrong in which line or, where DuckDB was too strict (line ends of two kinds), puts the file in plain order
first.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb

from tianfu.errors import Fault
from tianfu.tracing.files import reading_store, refused
from tianfu.tracing.files.instants import minute_of
from tianfu.tracing.files.model import CASE_COLUMNS, VISIT_COLUMNS, is_parquet
from tianfu.tracing.files.quotes import Quotes, quotes_of
from tianfu.tracing.files.reading_store import CASES, VISITS, Target
from tianfu.tracing.files.refused import TraceFileInvalidError
from tianfu.tracing.files.workspace import Workspace

FAULTS_SHOWN_MAX: Final = 5
# A spreadsheet has 16,384 columns at most; a file with more is something else.
COLUMNS_MAX: Final = 16_384


def load_visits(workspace: Workspace, path: Path) -> None:
    """Fill the table `visits` from `path`. Raises `TraceFileInvalidError`."""
    _load(workspace, path, VISITS, VISIT_COLUMNS)


def load_cases(workspace: Workspace, path: Path) -> None:
    """Fill the table `cases` from `path`. Raises `TraceFileInvalidError`, also for a period that ends too early."""
    _load(workspace, path, CASES, CASE_COLUMNS)
    if reading_store.backwards(workspace.connection):
        faults = () if is_parquet(path) else tuple(_faults(path, CASES, CASE_COLUMNS))
        raise TraceFileInvalidError.of(path, *(faults or (refused.backwards("from"),)))


def parquet_columns(workspace: Workspace, path: Path, target: Target, needed: tuple[str, ...]) -> dict[str, str]:
    """The types of the columns of a Parquet file or folder, all that are needed among them, all of fit types.

    Raises `TraceFileInvalidError`.
    """
    _require_present(path)
    try:
        types = reading_store.parquet_types(workspace.connection, path)
    except duckdb.Error as error:
        raise TraceFileInvalidError.of(path, _NOT_PARQUET) from error
    absent = [refused.missing(column) for column in needed if column not in types]
    if absent:
        raise TraceFileInvalidError.of(path, *absent)
    unfit = [
        Fault(column, "column_type", "这一列的类型无法使用", "a column of this type cannot be used")
        for column in reading_store.unfit_columns(types, target)
    ]
    if unfit:
        raise TraceFileInvalidError.of(path, *unfit)
    return types


_NOT_PARQUET: Final = refused.unreadable("file", "不是可读取的 Parquet 文件", "is no Parquet that can be read")
_NOT_UTF8: Final = refused.unreadable("file", "不是 UTF-8 编码的文本", "is not text in UTF-8")
_NOT_PLAIN: Final = refused.unreadable(
    "file", "不是普通文件（管道无法重复读取）", "is no plain file; a pipe cannot be read twice"
)
_EMPTY: Final = refused.unreadable("file", "文件为空", "is empty")


def _load(workspace: Workspace, path: Path, target: Target, needed: tuple[str, ...]) -> None:
    if is_parquet(path):
        types = parquet_columns(workspace, path, target, needed)
        try:
            wrong = reading_store.load_parquet(workspace.connection, path, target, types)
        except duckdb.InvalidInputException as error:
            raise TraceFileInvalidError.of(path, _NOT_PARQUET) from error
        if wrong:
            raise TraceFileInvalidError.of(path, in_rows(wrong))
        return
    _require_present(path)
    header = _header(path, needed)
    if _fits(workspace, path, target, header):
        return
    if faults := tuple(_faults(path, target, needed)):
        raise TraceFileInvalidError.of(path, *faults)
    plain = workspace.folder / f"{target.table}.csv"
    _put_in_order(path, plain, len(header))
    workspace.connection.execute(f"drop table if exists {target.table}")
    if reading_store.load_csv(workspace.connection, plain, target, header, parallel=False):
        message = f"{target.table}: the two readings of a file differ"
        raise RuntimeError(message)
    plain.unlink()


def _fits(workspace: Workspace, path: Path, target: Target, header: list[str]) -> bool:
    """Whether DuckDB has read the file as it is meant; if not, the table is there or not."""
    quotes = quotes_of(path)
    if quotes is Quotes.IRREGULAR:
        return False
    try:
        return not reading_store.load_csv(workspace.connection, path, target, header, parallel=quotes is Quotes.NONE)
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.NotImplementedException):
        # Either the file is at fault, which the second reading says, or DuckDB was too strict with it.
        return False


class _BrokenLineError(Exception):
    """The row that begins in line `line` cannot be taken apart."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def _broken(error: _BrokenLineError) -> Fault:
    return refused.unreadable(
        f"line {error.line}", "引号不配对，或内容过长", "has quotes that do not fit, or is too long"
    )


def in_rows(count: int) -> Fault:
    """So many rows of a Parquet file are not as they must be."""
    return refused.unreadable(
        "rows",
        f"{count} 行有空值或无效时刻",
        f"{count} of them with an empty field or without a valid instant",
    )


def _require_present(path: Path) -> None:
    if not path.exists():
        raise TraceFileInvalidError.of(path, refused.unreadable("file", "文件不存在", "does not exist"))
    # A pipe can be read once only, and a file is read for its header and then for its rows.
    if not path.is_file() and not path.is_dir():
        raise TraceFileInvalidError.of(path, _NOT_PLAIN)


def _header(path: Path, needed: tuple[str, ...]) -> list[str]:
    """The names of the columns; every one of `needed` is among them once."""
    try:
        _, header = next(_records(path), (1, []))
    except OSError as error:
        raise TraceFileInvalidError.of(path, refused.unreadable("file", "无法打开", "cannot be opened")) from error
    except UnicodeDecodeError as error:
        raise TraceFileInvalidError.of(path, _NOT_UTF8) from error
    except _BrokenLineError as error:
        raise TraceFileInvalidError.of(path, _broken(error)) from error
    if not header and path.stat().st_size == 0:
        raise TraceFileInvalidError.of(path, _EMPTY)
    faults = [refused.missing(column) for column in needed if column not in header]
    faults += [refused.doubled(column) for column in needed if header.count(column) > 1]
    if faults or len(header) > COLUMNS_MAX:
        raise TraceFileInvalidError.of(path, *faults)
    return header


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each row and the number of the line in which it begins, the first one included.

    Raises `_BrokenLineError` at a row that cannot be taken apart, and `UnicodeDecodeError`.
    """
    csv.field_size_limit(reading_store.LINE_BYTES_MAX)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        line = 1
        try:
            for record in reader:
                yield line, record
                line = reader.line_num + 1
        except csv.Error as error:
            raise _BrokenLineError(line) from error


def _faults(path: Path, target: Target, needed: tuple[str, ...]) -> Iterator[Fault]:
    """The first faults of a file, at most `FAULTS_SHOWN_MAX`."""
    shown = 0
    try:
        records = _records(path)
        _, header = next(records)
        at = {column: header.index(column) for column in needed}
        for line, record in records:
            for fault in _faults_of(line, record, len(header), at, target):
                yield fault
                shown += 1
                if shown == FAULTS_SHOWN_MAX:
                    return
    except UnicodeDecodeError:
        yield _NOT_UTF8
    except _BrokenLineError as error:
        yield _broken(error)


def _faults_of(line: int, record: list[str], width: int, at: dict[str, int], target: Target) -> Iterator[Fault]:
    if not record:
        return
    # DuckDB passes over commas too many at the end of a line; nothing is lost with them.
    if len(record) < width or any(record[width:]):
        yield refused.unreadable(
            f"line {line}",
            f"有 {len(record)} 个字段，首行有 {width} 个",
            f"has {len(record)} fields where the first line has {width}",
        )
        return
    for column in target.identifiers:
        if not record[at[column]]:
            yield refused.empty(f"line {line}, {column}")
    minutes = []
    for column, _ in target.instants:
        text = record[at[column]]
        minute = minute_of(text)
        if not text.strip(" "):
            yield refused.empty(f"line {line}, {column}")
        elif minute is None:
            yield refused.no_instant(f"line {line}, {column}")
        else:
            minutes.append(minute)
    if minutes != sorted(minutes) and len(minutes) == len(target.instants):
        yield refused.backwards(f"line {line}")


def _put_in_order(path: Path, plain: Path, width: int) -> None:
    """The same rows with every field quoted, `width` of them, and one sort of line end."""
    with plain.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows(record[:width] for _, record in _records(path) if record)
