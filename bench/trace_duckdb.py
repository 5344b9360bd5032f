"""The tracing definition as SQL, which DuckDB answers: hash join on the venue, BETWEEN, the earliest of each person."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import duckdb
import numpy as np

from tianfu.lake.layout import DAY_MINUTES, MINUTE_MASK, PERSON_BITS, PERSON_MASK, Partition, Words
from tianfu.tracing.model import Reached, Sources

THREADS: Final = 2
MEMORY: Final = "8GB"

_SOURCE_VISITS: Final = """
CREATE OR REPLACE TEMP TABLE source_visit AS
SELECT DISTINCT visit.venue, visit.minute FROM visit JOIN source USING (person) WHERE visit.minute >= source.since
"""
_WITHOUT_CROWDS: Final = """
CREATE OR REPLACE TEMP TABLE source_visit AS
SELECT source_visit.venue, source_visit.minute
FROM source_visit JOIN visit ON visit.venue = source_visit.venue
AND visit.minute BETWEEN source_visit.minute - $minutes AND source_visit.minute + $minutes
GROUP BY ALL HAVING count(*) <= $crowd
"""
_CONTACTS: Final = """
CREATE OR REPLACE TEMP TABLE contact AS
SELECT visit.person, min(greatest(visit.minute, source_visit.minute)) AS since
FROM visit JOIN source_visit ON visit.venue = source_visit.venue
AND visit.minute BETWEEN source_visit.minute - $minutes AND source_visit.minute + $minutes
WHERE visit.person NOT IN (SELECT person FROM known)
GROUP BY visit.person
"""


class DuckTrace:
    """A database file of the visits of `partitions` in `folder`. Loading takes a while; use as a context manager."""

    def __init__(self, folder: Path, partitions: Sequence[Partition]) -> None:
        config: dict[str, str | bool | float | list[str]] = {
            "threads": THREADS,
            "memory_limit": MEMORY,
            "temp_directory": str(folder / "spilled"),
        }
        self._connection = duckdb.connect(folder / "visits.duckdb", config=config)
        self._connection.execute("CREATE TABLE visit (venue INTEGER, minute INTEGER, person INTEGER)")
        for part in partitions:
            self._insert(part.by_venue, part.day * DAY_MINUTES)
        self._connection.execute("CHECKPOINT")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def trace(self, cases: Sources, window: int, *, crowd: int) -> tuple[list[Reached], list[float]]:
        """Two hops, and the seconds of each without reading the result. Cases are infectious on all days."""
        self._connection.register("given", {"person": cases.person.astype(np.int32), "since": cases.since})
        self._connection.execute("CREATE OR REPLACE TEMP TABLE source AS SELECT person, since FROM given")
        self._connection.execute("CREATE OR REPLACE TEMP TABLE known AS SELECT person FROM source")
        found, seconds = [], []
        for _ in range(2):
            began = time.perf_counter()
            self._connection.execute(_SOURCE_VISITS)
            if crowd:
                self._connection.execute(_WITHOUT_CROWDS, {"minutes": window - 1, "crowd": crowd})
            self._connection.execute(_CONTACTS, {"minutes": window - 1})
            seconds.append(time.perf_counter() - began)
            columns = self._connection.execute("SELECT person, since FROM contact ORDER BY person").fetchnumpy()
            found.append(Reached(columns["person"].astype(np.uint32), columns["since"].astype(np.int32)))
            self._connection.execute("INSERT INTO known SELECT person FROM contact")
            self._connection.execute("CREATE OR REPLACE TEMP TABLE source AS SELECT person, since FROM contact")
        return found, seconds

    def _insert(self, by_venue: Words, midnight: int) -> None:
        minute = (by_venue >> np.uint64(PERSON_BITS)).astype(np.int32) & MINUTE_MASK
        columns = {
            "venue": (by_venue >> np.uint64(39)).astype(np.int32),
            "minute": minute + np.int32(midnight),
            "person": (by_venue & np.uint64(PERSON_MASK)).astype(np.int32),
        }
        self._connection.register("day", columns)
        self._connection.execute("INSERT INTO visit SELECT venue, minute, person FROM day")
        self._connection.unregister("day")
