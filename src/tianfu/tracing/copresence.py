"""Who was where a source was, soon enough before or after: the tracing kernel. Pure.

A source visit is a visit that begins in one of its person's periods. At minute t it meets each visit of another person
at the same venue that begins in (t - before, t + after); the exposure begins at the later of the two
(`tianfu.tracing.model.Reach`). Source people are never reached themselves. The same visits as several partitions, or
as one, give the same answer; so does any number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.lake.layout import (
    DAY_MINUTES,
    MINUTE_BITS,
    MINUTE_MASK,
    PERSON_BITS,
    PERSON_MASK,
    VENUE_BITS,
    VENUE_MASK,
    Partition,
    People,
)
from tianfu.tracing.model import Announcement, Hop, Meeting, PerVenue, Reach, Reached, Sources

Numbers = NDArray[np.int64]


class _Visits(NamedTuple):
    venue: Numbers
    minute: Numbers
    person: Numbers


def hop(
    partitions: Sequence[Partition],
    sources: Sources,
    *,
    reach: Reach,
    venue_type: PerVenue,
    people: int,
    excluded: People | None = None,
    threads: int = 2,
) -> Hop:
    """Everybody whom the visits of `sources` reach, each with the earliest exposure.

    `venue_type` has a code for each venue; a venue beyond its end has type 0. `people` is the highest person number of
    the partitions and one. `excluded`, sorted, are never reached, nor are the sources.
    """
    del threads
    visits = _source_visits(partitions, sources)
    windows = np.unique(np.stack([visits.venue, visits.minute], axis=1), axis=0)
    earliest = np.full(people, np.iinfo(np.int64).max)
    crowds: list[tuple[int, int, int]] = []
    scanned = 0
    for venue, minute in windows.tolist():
        before, after, crowd = _reach_at(reach, venue_type, venue)
        first, end = minute - before + 1, minute + after
        if first >= end:
            continue
        found = _at(partitions, venue, first, end)
        if crowd and len(found.person) > crowd:
            crowds.append((venue, first, end))
            continue
        scanned += len(found.person)
        np.minimum.at(earliest, found.person, np.maximum(found.minute, minute))
    earliest[sources.person] = np.iinfo(np.int64).max
    if excluded is not None:
        earliest[excluded] = np.iinfo(np.int64).max
    person = np.flatnonzero(earliest < np.iinfo(np.int64).max)
    reached = Reached(person.astype(np.uint32), earliest[person].astype(np.int32))
    return Hop(reached, _announced(partitions, crowds), scanned)


def trace(
    partitions: Sequence[Partition],
    cases: Sources,
    *,
    reaches: Sequence[Reach],
    venue_type: PerVenue,
    people: int,
    until: int,
    threads: int = 2,
) -> list[Hop]:
    """One hop for each of `reaches`; whom a hop reached is the source of the next from the exposure to `until`.

    Cases are never reached; everybody stands in one hop, the lowest.
    """
    hops: list[Hop] = []
    sources, known = cases, np.unique(cases.person)
    for reach in reaches:
        found = hop(
            partitions,
            sources,
            reach=reach,
            venue_type=venue_type,
            people=people,
            excluded=known,
            threads=threads,
        )
        hops.append(found)
        reached = found.reached
        sources = Sources(reached.person, reached.exposed_at, np.full(len(reached.person), until, np.int32))
        known = np.union1d(known, reached.person)
    return hops


def parents(
    partitions: Sequence[Partition],
    sources: Sources,
    reached: Reached,
    *,
    reach: Reach,
    venue_type: PerVenue,
    threads: int = 2,
) -> tuple[People, NDArray[np.uint32]]:
    """The source and the venue of each person's earliest exposure; of ties the smallest source, then venue."""
    del threads
    source = np.zeros(len(reached.person), np.uint32)
    venue = np.zeros(len(reached.person), np.uint32)
    for n, (person, exposed_at) in enumerate(zip(reached.person.tolist(), reached.exposed_at.tolist(), strict=True)):
        met = why(partitions, sources, person, reach=reach, venue_type=venue_type)
        first = next(meeting for meeting in met if meeting.exposed_at == exposed_at)
        source[n], venue[n] = first.source, first.venue
    return source, venue


def why(
    partitions: Sequence[Partition], sources: Sources, person: int, *, reach: Reach, venue_type: PerVenue
) -> list[Meeting]:
    """All meetings of one person with sources, by exposure, source, venue and the two minutes."""
    met: set[Meeting] = set()
    always = Sources(np.array([person], np.uint32), np.array([0], np.int32), np.array([2**31 - 1], np.int32))
    own = _source_visits(partitions, always)
    for venue, person_at in zip(own.venue.tolist(), own.minute.tolist(), strict=True):
        before, after, crowd = _reach_at(reach, venue_type, venue)
        found = _at(partitions, venue, person_at - after + 1, person_at + before)
        for source_at, source in zip(found.minute.tolist(), found.person.tolist(), strict=True):
            theirs = sources.person == source
            infectious = (theirs & (sources.since <= source_at) & (source_at < sources.until)).any()
            if source == person or not infectious:
                continue
            scans = len(_at(partitions, venue, source_at - before + 1, source_at + after).person)
            if not crowd or scans <= crowd:
                met.add(Meeting(source, venue, source_at, person_at, max(source_at, person_at)))
    return sorted(met, key=lambda one: (one.exposed_at, one.source, one.venue, one.source_at, one.person_at))


def _source_visits(partitions: Sequence[Partition], sources: Sources) -> _Visits:
    parts = []
    for part in partitions:
        for person, since, until in zip(*(column.tolist() for column in sources), strict=True):
            first = np.searchsorted(part.by_person, np.uint64(person << (MINUTE_BITS + VENUE_BITS)))
            end = np.searchsorted(part.by_person, np.uint64((person + 1) << (MINUTE_BITS + VENUE_BITS)))
            words = part.by_person[first:end]
            minute = (words >> np.uint64(VENUE_BITS) & np.uint64(MINUTE_MASK)).astype(np.int64)
            minute += part.day * DAY_MINUTES
            chosen = (minute >= since) & (minute < until)
            venue = (words[chosen] & np.uint64(VENUE_MASK)).astype(np.int64)
            parts.append(_Visits(venue, minute[chosen], np.full(len(venue), person, np.int64)))
    return _together(parts)


def _at(partitions: Sequence[Partition], venue: int, first: int, end: int) -> _Visits:
    """The visits of `venue` that begin in [`first`, `end`)."""
    parts = []
    for part in partitions:
        midnight = part.day * DAY_MINUTES
        low, high = (min(max(at - midnight, 0), DAY_MINUTES) for at in (first, end))
        keys = [np.uint64((venue << MINUTE_BITS | at) << PERSON_BITS) for at in (low, max(low, high))]
        begins, ends = np.searchsorted(part.by_venue, np.array(keys))
        words = part.by_venue[begins:ends]
        minute = (words >> np.uint64(PERSON_BITS) & np.uint64(MINUTE_MASK)).astype(np.int64) + midnight
        person = (words & np.uint64(PERSON_MASK)).astype(np.int64)
        parts.append(_Visits(np.full(len(words), venue, np.int64), minute, person))
    return _together(parts)


def _together(parts: list[_Visits]) -> _Visits:
    if not parts:
        return _Visits(*(np.zeros(0, np.int64) for _ in range(3)))
    return _Visits(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _reach_at(reach: Reach, venue_type: PerVenue, venue: int) -> tuple[int, int, int]:
    kind = int(venue_type[venue]) if venue < len(venue_type) else 0
    return int(reach.before[kind]), int(reach.after[kind]), int(reach.crowd[kind])


def _announced(partitions: Sequence[Partition], crowds: list[tuple[int, int, int]]) -> tuple[Announcement, ...]:
    """Announcements of windows in order of venue and begin; those of one venue that touch become one."""
    merged: list[tuple[int, int, int]] = []
    for venue, first, end in crowds:
        if merged and merged[-1][0] == venue and first <= merged[-1][2]:
            merged[-1] = (venue, merged[-1][1], max(end, merged[-1][2]))
        else:
            merged.append((venue, first, end))
    return tuple(Announcement(*window, len(_at(partitions, *window).person)) for window in merged)
