"""The result as a table, `found`, and as a file.

`found` has the columns person, hop, minute (minutes since 1970-01-01T00:00Z), source, venue, texts as texts.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from tianfu.lake.layout import People
from tianfu.tracing.model import Reached


def make_found(connection: duckdb.DuckDBPyConnection) -> None:
    """An empty table `found`."""
    connection.execute("create table found (person varchar, hop int, minute int, source varchar, venue varchar)")


def add_numbered(
    connection: duckdb.DuckDBPyConnection,
    hop: int,
    reached: Reached,
    source: People,
    venue: NDArray[np.uint32],
    zero: int,
) -> None:
    """Add one hop's people, given as numbers and minutes since `zero`, to `found`."""
    connection.register(
        "reached_now", {"person": reached.person, "minute": reached.exposed_at, "source": source, "venue": venue}
    )
    connection.execute(
        "insert into found select one.person, $hop, reached_now.minute + $zero, other.person, venues.venue "
        "from reached_now join people one on one.number = reached_now.person "
        "join people other on other.number = reached_now.source join venues on venues.number = reached_now.venue",
        {"hop": hop, "zero": zero},
    )
    connection.unregister("reached_now")


def export(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Write `found` as CSV with a header, sorted by hop, time and person; how many rows there are."""
    literal = str(path).replace("'", "''")
    row = connection.execute(
        "copy (select person, hop, "  # noqa: S608 - the path is a literal, its quotes doubled
        "strftime(make_timestamp(minute * 60000000::bigint), '%Y-%m-%dT%H:%M:%SZ') as first_exposed_at, "
        "source as source_person, venue from found order by hop, minute, person) "
        f"to '{literal}' (format csv, header)"
    ).fetchone()
    return int(row[0]) if row else 0
