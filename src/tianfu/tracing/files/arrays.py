"""The engine of the lake: sorted arrays, one pair a day, and the tracing kernel."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tianfu.lake.layout import DAY_MINUTES, PERSON_BITS, VENUE_BITS, Minutes, Partition, Words, turned
from tianfu.tracing import copresence
from tianfu.tracing.files import numbering_store, writing_store
from tianfu.tracing.files.model import Job, Tell
from tianfu.tracing.files.numbering_store import Extent
from tianfu.tracing.files.refused import TraceTooLargeError
from tianfu.tracing.files.workspace import Workspace
from tianfu.tracing.model import VENUE_TYPES_MAX, Reach, Sources

PEOPLE_MAX: Final = 2**PERSON_BITS
VENUES_MAX: Final = 2**VENUE_BITS
# What int32 holds; minutes are counted from shortly before the first visit, so that is 4,000 years of visits.
MINUTES_MAX: Final = 2**31 - 1 - 2**20


def trace(workspace: Workspace, job: Job, tell: Tell) -> None:
    """Fill the table `found` from `visits` and `cases`. Raises `TraceTooLargeError`."""
    tell("numbering people and venues")
    extent = numbering_store.number(workspace.connection)
    writing_store.make_found(workspace.connection)
    if not extent.people:
        return
    zero = _zero(extent, job.dwell_minutes)
    _require_room(extent, zero)
    tell("sorting visits")
    partitions = partitioned(*numbering_store.packed(workspace.connection, zero))
    person, since, until = numbering_store.cases(workspace.connection)
    cases = Sources(person, _since_zero(since, zero), _since_zero(until, zero))
    end = int(_since_zero(np.array([extent.until]), zero)[0])
    reach = even_reach(job.dwell_minutes)
    types = np.zeros(0, np.uint8)
    sources, known = cases, np.unique(cases.person)
    for number in range(1, job.hops + 1):
        tell(f"hop {number}")
        reached = copresence.hop(
            partitions, sources, reach=reach, venue_type=types, people=extent.people, excluded=known
        ).reached
        tell(f"hop {number}: {len(reached.person):,} people; looking for their sources")
        if not len(reached.person):
            break
        source, venue = copresence.parents(partitions, sources, reached, reach=reach, venue_type=types)
        writing_store.add_numbered(workspace.connection, number, reached, source, venue, zero)
        sources = Sources(reached.person, reached.exposed_at, np.full(len(reached.person), end, np.int32))
        known = np.union1d(known, reached.person)


def partitioned(days: NDArray[np.int32], words: Words) -> tuple[Partition, ...]:
    """A partition for each day that occurs among `days`, of the `words` (venue order, any sequence) of that day."""
    order = np.argsort(days, kind="stable")
    numbers, begins = np.unique(days[order], return_index=True)
    parts = []
    for day, of_day in zip(numbers.tolist(), np.split(order, begins[1:]), strict=True):
        by_venue = words[of_day]
        by_venue.sort()
        parts.append(Partition(day, by_venue, turned(by_venue)))
    return tuple(parts)


def even_reach(dwell_minutes: int) -> Reach:
    """The plain definition: every venue alike, a stay of so many minutes, no crowd too large to name."""
    minutes = np.full(VENUE_TYPES_MAX, dwell_minutes, np.int32)
    return Reach(before=minutes, after=minutes, crowd=np.zeros(VENUE_TYPES_MAX, np.int32))


def _zero(extent: Extent, dwell_minutes: int) -> int:
    """A midnight (UTC) so long before the first visit that no stay reaches beyond it: minutes are never negative."""
    days_before = dwell_minutes // DAY_MINUTES + 2
    return (extent.first // DAY_MINUTES - days_before) * DAY_MINUTES


def _require_room(extent: Extent, zero: int) -> None:
    if extent.people > PEOPLE_MAX or extent.venues > VENUES_MAX:
        raise TraceTooLargeError(
            zh=f"超过 {PEOPLE_MAX:,} 人或 {VENUES_MAX:,} 个场所，请改用 --engine duckdb 或 spark。",
            en=f"More than {PEOPLE_MAX:,} people or {VENUES_MAX:,} venues; use --engine duckdb or spark.",
        )
    if extent.last - zero > MINUTES_MAX:
        raise TraceTooLargeError(
            zh="首末到访相隔超过 4,000 年，请改用 --engine duckdb 或 spark。",
            en="The first and the last visit are more than 4,000 years apart; use --engine duckdb or spark.",
        )


def _since_zero(minutes: NDArray[np.int64], zero: int) -> Minutes:
    """Minutes counted from `zero`; what lies outside of the visits is moved to the edge of what int32 holds."""
    return np.clip(minutes - zero, 0, MINUTES_MAX).astype(np.int32)
