"""Which minutes of which venues sources make dangerous, and where those lie in the partitions. Pure.

Each source visit opens a window around its minute, by the type of its venue. Windows are unique by (venue, minute) and
ascend; as all windows of one venue are equally long, their begins and ends ascend too, and so do the places where they
lie in a partition's venue order. Everything here follows from that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.lake.layout import (
    DAY_MINUTES,
    MINUTE_BITS,
    MINUTE_MASK,
    PERSON_BITS,
    VENUE_BITS,
    VENUE_MASK,
    Minutes,
    Partition,
    People,
    Words,
)
from tianfu.tracing.model import Announcement, PerType, PerVenue, Reach, Sources

Places = NDArray[np.int64]
Venues = NDArray[np.uint32]

_PERSON_SHIFT: Final = np.uint64(MINUTE_BITS + VENUE_BITS)
_VENUE_SHIFT: Final = np.uint64(MINUTE_BITS + PERSON_BITS)
_KEY_SHIFT: Final = np.uint64(32)


class SourceVisits(NamedTuple):
    """Visits that begin in a period of their person, in no order: uint32, int32 absolute minutes, uint32."""

    venue: Venues
    minute: Minutes
    person: People


class Windows(NamedTuple):
    """Windows [`first`, `end`) around `minute` at `venue`, none empty, ascending by venue and minute.

    `venue` uint32, the others int32 absolute minutes.
    """

    venue: Venues
    minute: Minutes
    first: Minutes
    end: Minutes


class Found(NamedTuple):
    """The windows that have visits in one partition: their scans are `by_venue[low:high]`. Places ascend, int64.

    `window` are indices into the `Windows` looked for. Ranges of neighbouring windows overlap.
    """

    partition: Partition
    window: Places
    low: Places
    high: Places


def source_visits(partitions: Sequence[Partition], sources: Sources, pool: Executor) -> SourceVisits:
    """Every visit of a source that begins in one of its periods; twice if periods of one person overlap."""
    order = np.argsort(sources.person, kind="stable")
    ascending = Sources(sources.person[order], sources.since[order], sources.until[order])
    return _together(pool.map(lambda part: _of_sources(part, ascending), partitions))


def _of_sources(partition: Partition, sources: Sources) -> SourceVisits:
    """One search a source finds its first visit; then all step to their next visit together until nobody has one."""
    midnight = partition.day * DAY_MINUTES
    active = np.flatnonzero((sources.since < midnight + DAY_MINUTES) & (sources.until > midnight))
    place = np.searchsorted(partition.by_person, sources.person[active].astype(np.uint64) << _PERSON_SHIFT)
    steps: list[SourceVisits] = []
    while True:
        # Places ascend with the people, so whoever is past the end of the array stands last.
        inside = np.searchsorted(place, len(partition.by_person))
        active, place = active[:inside], place[:inside]
        words = partition.by_person[place]
        own = (words >> _PERSON_SHIFT).astype(np.uint32) == sources.person[active]
        active, place, words = active[own], place[own] + 1, words[own]
        if not len(active):
            break
        minute = (words >> np.uint64(VENUE_BITS)).astype(np.int32) & MINUTE_MASK
        minute += np.int32(midnight)
        chosen = (sources.since[active] <= minute) & (minute < sources.until[active])
        venue = (words[chosen] & np.uint64(VENUE_MASK)).astype(np.uint32)
        steps.append(SourceVisits(venue, minute[chosen], sources.person[active[chosen]]))
    return _together(steps)


def _together(parts: Iterable[SourceVisits]) -> SourceVisits:
    none = SourceVisits(np.zeros(0, np.uint32), np.zeros(0, np.int32), np.zeros(0, np.uint32))
    venues, minutes, people = zip(none, *parts, strict=True)
    return SourceVisits(np.concatenate(venues), np.concatenate(minutes), np.concatenate(people))


def keys(venue: Venues, minute: Minutes) -> Words:
    """Venue and absolute minute in one word that sorts by both."""
    return venue.astype(np.uint64) << _KEY_SHIFT | minute.astype(np.uint64)


def windows(visits: SourceVisits, reach: Reach, venue_type: PerVenue) -> Windows:
    """The windows that `visits` open. Visits of the same minute at the same venue open one."""
    unique = keys(visits.venue, visits.minute)
    unique.sort()
    unique = unique[firsts(unique)]
    venue, minute = (unique >> _KEY_SHIFT).astype(np.uint32), unique.astype(np.uint32).astype(np.int32)
    first = minute - per_venue(reach.before, venue_type, venue) + np.int32(1)
    end = minute + per_venue(reach.after, venue_type, venue)
    return chosen(Windows(venue, minute, first, end), first < end)


def per_venue(table: PerType, venue_type: PerVenue, venue: Venues) -> NDArray[np.int32]:
    """The entry of each venue's type; a venue that is not in `venue_type` has type 0."""
    known = venue < len(venue_type)
    kind = np.zeros(len(venue), np.uint8)
    kind[known] = venue_type[venue[known]]
    return table[kind]


def chosen(of: Windows, those: NDArray[np.bool_]) -> Windows:
    """Only those."""
    return Windows(of.venue[those], of.minute[those], of.first[those], of.end[those])


def find(partitions: Sequence[Partition], wanted: Windows, pool: Executor) -> list[Found]:
    """Where `wanted` lie in each of `partitions`, whatever days they are of: a window may reach over midnight."""
    return list(pool.map(lambda part: _find(part, wanted), partitions))


def _find(partition: Partition, wanted: Windows) -> Found:
    midnight = np.int32(partition.day * DAY_MINUTES)
    window = np.flatnonzero((wanted.end > midnight) & (wanted.first < midnight + DAY_MINUTES))
    venue = wanted.venue[window].astype(np.uint64) << _VENUE_SHIFT
    first = np.maximum(wanted.first[window] - midnight, 0).astype(np.uint64) << np.uint64(PERSON_BITS)
    end = np.minimum(wanted.end[window] - midnight, DAY_MINUTES).astype(np.uint64) << np.uint64(PERSON_BITS)
    low = np.searchsorted(partition.by_venue, venue | first)
    high = np.searchsorted(partition.by_venue, venue | end)
    return _those(Found(partition, window, low, high), low < high)


def _those(of: Found, those: NDArray[np.bool_]) -> Found:
    return Found(of.partition, of.window[those], of.low[those], of.high[those])


def scans(found: Sequence[Found], count: int) -> Places:
    """How many scans each of `count` windows has in all partitions together: a subtraction each, nothing is read."""
    total = np.zeros(count, np.int64)
    for part in found:
        total[part.window] += part.high - part.low
    return total


class Uncrowded(NamedTuple):
    """The windows that may name people, where they lie, and the announcements that the others became."""

    windows: Windows
    found: list[Found]
    announcements: tuple[Announcement, ...]


def uncrowded(
    partitions: Sequence[Partition], opened: Windows, reach: Reach, venue_type: PerVenue, pool: Executor
) -> Uncrowded:
    """Apply the crowd rule: a window with more scans than its venue's type allows names nobody."""
    found = find(partitions, opened, pool)
    limit = per_venue(reach.crowd, venue_type, opened.venue)
    crowds = (limit > 0) & (scans(found, len(opened.venue)) > limit)
    if not crowds.any():
        return Uncrowded(opened, found, ())
    renumbered = np.cumsum(~crowds) - 1
    few = [_those(part, ~crowds[part.window]) for part in found]
    few = [part._replace(window=renumbered[part.window]) for part in few]
    announced = _merged(chosen(opened, crowds))
    withheld = scans(find(partitions, announced, pool), len(announced.venue))
    columns = (announced.venue, announced.first, announced.end, withheld)
    announcements = tuple(Announcement(*one) for one in zip(*(column.tolist() for column in columns), strict=True))
    return Uncrowded(chosen(opened, ~crowds), few, announcements)


def _merged(crowds: Windows) -> Windows:
    """Windows of one venue that overlap or touch, as one; its `minute` is that of the first."""
    apart = (crowds.venue[1:] != crowds.venue[:-1]) | (crowds.first[1:] > crowds.end[:-1])
    begins, ends = np.append(True, apart), np.append(apart, True)
    return Windows(crowds.venue[begins], crowds.minute[begins], crowds.first[begins], crowds.end[ends])


def firsts(ascending: NDArray[np.unsignedinteger]) -> NDArray[np.bool_]:
    """Of equal neighbours the first."""
    different = np.ones(len(ascending), bool)
    np.not_equal(ascending[1:], ascending[:-1], out=different[1:])
    return different
