"""Texts to numbers and back. Numbers follow the order of the texts, so that the smallest number is the smallest text.

DuckDB compares texts byte by byte in UTF-8, which is the order of their code points, whatever the locale.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from tianfu.lake.layout import DAY_MINUTES, MINUTE_BITS, PERSON_BITS

_NUMBERED: Final = """
create table people as
select person, (row_number() over (order by person) - 1)::uinteger as number from (select distinct person from visits);
create table venues as
select venue, (row_number() over (order by venue) - 1)::uinteger as number from (select distinct venue from visits);
"""
_PACKED: Final = f"""
select ((minute - $zero) // {DAY_MINUTES})::int as day,
       (venues.number::ubigint << {MINUTE_BITS + PERSON_BITS})
       | (((minute - $zero) % {DAY_MINUTES})::ubigint << {PERSON_BITS}) | people.number::ubigint as word
from visits join people using (person) join venues using (venue)
"""  # noqa: S608 - the numbers are constants
_CASES: Final = "select people.number as person, since, until from cases join people using (person)"


class Extent(NamedTuple):
    """How much there is: numbers of people and venues, first and last minute of a visit, latest `to` of a case.

    Without visits, or without cases, the minutes are 0.
    """

    people: int
    venues: int
    first: int
    last: int
    until: int


def number(connection: duckdb.DuckDBPyConnection) -> Extent:
    """Make the tables `people(person, number)` and `venues(venue, number)` from `visits`, numbered from 0."""
    connection.execute(_NUMBERED)
    row = connection.execute(
        "select (select count(*) from people), (select count(*) from venues), coalesce(min(minute), 0), "
        "coalesce(max(minute), 0), (select coalesce(max(until), 0) from cases) from visits"
    ).fetchone()
    return Extent(*(int(figure) for figure in row or (0, 0, 0, 0, 0)))


def packed(connection: duckdb.DuckDBPyConnection, zero: int) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
    """The visits as words of venue order (`tianfu.lake.layout.venue_words`), not sorted, and the day of each.

    Days are counted from the minute `zero`, which must not be after a visit.
    """
    columns = connection.execute(_PACKED, {"zero": zero}).fetchnumpy()
    return np.asarray(columns["day"]).astype(np.int32), np.asarray(columns["word"]).astype(np.uint64, copy=False)


def cases(connection: duckdb.DuckDBPyConnection) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
    """Person, since and until of each period of cases who have visits, empty periods too."""
    columns = connection.execute(_CASES).fetchnumpy()
    person, since, until = (np.asarray(columns[name]) for name in ("person", "since", "until"))
    return person.astype(np.uint32), since.astype(np.int64), until.astype(np.int64)
