"""Files into tables: `visits(person text, venue text, minute int)` and `cases(person text, since int, until int)`.

Instants are minutes since 1970-01-01T00:00Z. What is no instant or is empty becomes NULL and is counted, so that the
caller refuses the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from tianfu.tracing.files.instants import DUCKDB, SECONDS_MAX, minute_expression, minutes_of_seconds, within

# One row; texts of this length are no identifiers. What is longer is refused as a line that cannot be taken apart.
LINE_BYTES_MAX: Final = 2_000_000
# DuckDB's own figure. Its threads lose rows where a buffer's length is no multiple of 16 bytes: this keeps it one.
_BUFFER_LINES: Final = 16
_MICROSECONDS: Final = 1_000_000

# Spaces alone, as in Python and Spark: by itself DuckDB takes off every space that Unicode knows.
_SPACES_OFF: Final = "trim({}, ' ')"
_TEXT: Final = 'cast("{}" as varchar)'
_IDENTIFIERS: Final = dict.fromkeys(
    (
        *("varchar", "uuid", "enum", "tinyint", "smallint", "integer", "bigint", "hugeint"),
        *("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"),
    ),
    _TEXT,
)
_WHOLE: Final = ("tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint")
_DECIMAL: Final = ("float", "double", "decimal")
_LOCAL: Final = ("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "date")


class Target(NamedTuple):
    """A table to fill: which columns of the file are identifiers and which instants, and what these are called."""

    table: str
    identifiers: Sequence[str]
    instants: Sequence[tuple[str, str]]


VISITS: Final = Target("visits", ("person", "venue"), (("at", "minute"),))
CASES: Final = Target("cases", ("person",), (("from", "since"), ("to", "until")))


def load_csv(
    connection: duckdb.DuckDBPyConnection, path: Path, target: Target, header: Sequence[str], *, parallel: bool
) -> int:
    """Fill the table from a CSV file whose first line is `header`; how many rows are not as they must be.

    `parallel` lets several threads read, each from somewhere inside the file: only where no field is quoted does each
    of them know where a row begins. Raises `duckdb.Error` for a file that DuckDB cannot take apart.
    """
    columns = ", ".join(f"'c{number}': 'varchar'" for number in range(len(header)))
    names = {column: _SPACES_OFF.format(f'"c{header.index(column)}"') for column, _ in target.instants}
    texts = {column: f'"c{header.index(column)}"' for column in target.identifiers}
    source = (
        "read_csv(?, auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', strict_mode = true, "
        f"compression = 'none', parallel = {parallel}, max_line_size = {LINE_BYTES_MAX}, "
        f"buffer_size = {_BUFFER_LINES * LINE_BYTES_MAX}, columns = {{{columns}}})"
    )
    chosen = ", ".join(f'{text} as "{name}"' for name, text in (texts | names).items())
    instants = {name: minute_expression(f'"{column}"', DUCKDB) for column, name in target.instants}
    identifiers = {column: f"nullif(\"{column}\", '')" for column in target.identifiers}
    table = f"(select {chosen} from {source})"  # noqa: S608 - names of ours
    return _filled(connection, path, target.table, table, identifiers, instants)


def load_parquet(connection: duckdb.DuckDBPyConnection, path: Path, target: Target, types: dict[str, str]) -> int:
    """Fill the table from Parquet whose columns have these `types`; how many rows are not as they must be."""
    identifiers = {column: f"nullif({_TEXT.format(column)}, '')" for column in target.identifiers}
    instants = {name: _instant(f'"{column}"', types[column]) for column, name in target.instants}
    source = "read_parquet(?, binary_as_string = true)"
    return _filled(connection, path, target.table, source, identifiers, instants)


def parquet_types(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """Columns of a Parquet file or folder and their types in lower case, without parameters. Raises `duckdb.Error`."""
    described = connection.execute("describe from read_parquet(?, binary_as_string = true)", [pattern(path)]).fetchall()
    return {str(name): str(kind).lower().split("(")[0] for name, kind, *_ in described}


def unfit_columns(types: dict[str, str], target: Target) -> list[str]:
    """Columns of the target whose type says nothing of a person, a venue or an instant."""
    kinds = {"varchar", "timestamp with time zone", *_WHOLE, *_DECIMAL, *_LOCAL}
    unfit = [column for column in target.identifiers if types[column] not in _IDENTIFIERS]
    return unfit + [column for column, _ in target.instants if types[column] not in kinds]


def backwards(connection: duckdb.DuckDBPyConnection) -> int:
    """How many periods end before they begin."""
    return _number(connection, "select count(*) from cases where since > until")


def pattern(path: Path) -> str:
    """What DuckDB calls the file `path`, or all Parquet files under the folder `path`."""
    plain = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))
    return f"{plain}/**/*.parquet" if path.is_dir() else plain


def _filled(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    table: str,
    source: str,
    identifiers: dict[str, str],
    instants: dict[str, str],
) -> int:
    chosen = ", ".join(f'{expression} as "{name}"' for name, expression in (identifiers | instants).items())
    ranged = ", ".join([*(f'"{name}"' for name in identifiers), *(f'{within(name)} as "{name}"' for name in instants)])
    query = f"select {ranged} from (select {chosen} from {source})"  # noqa: S608 - names and expressions of ours
    connection.execute(f"create table {table} as {query}", [pattern(path)])
    nothing = " or ".join(f'"{name}" is null' for name in identifiers | instants)
    return _number(connection, f"select count(*) from {table} where {nothing}")  # noqa: S608


def _instant(column: str, kind: str) -> str:
    if kind == "varchar":
        return minute_expression(_SPACES_OFF.format(column), DUCKDB)
    if kind in _LOCAL:
        return f"cast(epoch(date_trunc('minute', {column})) as bigint) // 60"
    if kind == "timestamp with time zone":
        seconds = f"(epoch_us({column}) // {_MICROSECONDS} - cast(epoch_us({column}) % {_MICROSECONDS} < 0 as bigint))"
    else:
        # Seconds are floored first: a minute cannot begin between two of them.
        seconds = f"try_cast({column} as bigint)" if kind in _WHOLE else f"try_cast(floor({column}) as bigint)"
    bounded = f"(case when {seconds} between -{SECONDS_MAX} and {SECONDS_MAX} then {seconds} end)"
    return minutes_of_seconds(bounded, DUCKDB)


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
