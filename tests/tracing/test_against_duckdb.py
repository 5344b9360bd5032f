"""The kernel against the same definition in SQL, on more visits than pairs in Python can bear."""

from __future__ import annotations

from unittest import mock

import duckdb
import numpy as np
import pytest
from numpy.typing import NDArray

from tianfu.lake.layout import DAY_MINUTES, partition
from tianfu.tracing import copresence, earliest, lineage
from tianfu.tracing.model import VENUE_TYPES_MAX, Reach, Sources

Numbers = NDArray[np.int64]

DAYS = (19_000, 19_001, 19_001, 19_003)
VISITS_A_DAY = 6_000
PEOPLE = 1_500
VENUES = 90
CASES = 12

ORACLE = """
WITH source_visit AS (
    SELECT visit.venue, visit.minute, visit.person, kind.before, kind.after, kind.crowd
    FROM visit JOIN source USING (person) JOIN kind USING (venue)
    WHERE source.since <= visit.minute AND visit.minute < source.until
), opened AS (SELECT DISTINCT venue, minute, before, after, crowd FROM source_visit),
naming AS (
    SELECT opened.venue, opened.minute FROM opened JOIN visit
    ON visit.venue = opened.venue AND visit.minute > opened.minute - before AND visit.minute < opened.minute + after
    GROUP BY opened.venue, opened.minute, crowd HAVING crowd = 0 OR count(*) <= crowd
)
SELECT visit.person, min([greatest(visit.minute, source_visit.minute), source_visit.person, visit.venue]) AS first
FROM source_visit JOIN naming USING (venue, minute) JOIN visit
ON visit.venue = source_visit.venue
AND visit.minute > source_visit.minute - before AND visit.minute < source_visit.minute + after
WHERE visit.person NOT IN (SELECT person FROM source)
GROUP BY visit.person ORDER BY visit.person
"""


@pytest.mark.parametrize("crowd", [0, 9])
@pytest.mark.parametrize("seed", [1, 2])
def test_people_minutes_sources_and_venues_are_those_that_duckdb_finds(seed: int, crowd: int) -> None:
    rng = np.random.default_rng(seed)
    columns = [(day, *_visits(rng)) for day in DAYS]
    kind = rng.integers(0, 4, VENUES).astype(np.uint8)
    reach = _reach([(20, 20, crowd), (0, 45, crowd), (30, 5, 0), (0, 0, crowd)])
    since = rng.integers(DAYS[0], DAYS[-1], CASES) * DAY_MINUTES
    person = rng.permutation(PEOPLE)[:CASES]
    sources = Sources(person.astype(np.uint32), since.astype(np.int32), (since + 3_000).astype(np.int32))
    parts = [partition(*column) for column in columns]

    with mock.patch.object(earliest, "SHARE_SCANS", 500), mock.patch.object(lineage, "PEOPLE_PER_SCAN", 0):
        found = copresence.hop(parts, sources, reach=reach, venue_type=kind, people=PEOPLE)
        source, venue = copresence.parents(parts, sources, found.reached, reach=reach, venue_type=kind)

    ours = zip(*(column.tolist() for column in (*found.reached, source, venue)), strict=True)
    assert list(ours) == _oracle(columns, sources, kind, reach)
    assert len(found.reached.person) > 50
    assert bool(found.announcements) == bool(crowd)


def _visits(rng: np.random.Generator) -> tuple[Numbers, Numbers, Numbers]:
    """Venues of all sizes, minutes half of which are near midnight, people."""
    venues = (rng.random(VISITS_A_DAY) ** 3 * VENUES).astype(np.int64)
    near = rng.integers(-60, 60, VISITS_A_DAY) % DAY_MINUTES
    minutes = np.where(rng.random(VISITS_A_DAY) < 0.5, near, rng.integers(0, DAY_MINUTES, VISITS_A_DAY))
    return venues, minutes, rng.integers(0, PEOPLE, VISITS_A_DAY)


def _reach(rules: list[tuple[int, int, int]]) -> Reach:
    tables = np.zeros((3, VENUE_TYPES_MAX), np.int32)
    tables[:, : len(rules)] = np.array(rules).T
    return Reach(*tables)


def _oracle(
    columns: list[tuple[int, Numbers, Numbers, Numbers]],
    sources: Sources,
    kind: NDArray[np.uint8],
    reach: Reach,
) -> list[tuple[int, int, int, int]]:
    given = {
        "visit": {
            "venue": np.concatenate([venues for _, venues, _, _ in columns]),
            "minute": np.concatenate([minutes + day * DAY_MINUTES for day, _, minutes, _ in columns]),
            "person": np.concatenate([people for *_, people in columns]),
        },
        "source": {"person": sources.person, "since": sources.since, "until": sources.until},
        "kind": {
            "venue": np.arange(len(kind)),
            **{name: table[kind] for name, table in reach._asdict().items()},
        },
    }
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, table in given.items():
            connection.register(name, table)
        rows = connection.execute(ORACLE).fetchall()
    return [(person, *first) for person, first in rows]
