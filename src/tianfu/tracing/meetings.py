"""Why one person is listed: every meeting with a source, on demand. Pure.

The person's visits are few, so they are asked one by one; what each costs is the scans around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np

from tianfu.lake.layout import DAY_MINUTES, MINUTE_BITS, MINUTE_MASK, PERSON_BITS, PERSON_MASK, Partition, Words
from tianfu.tracing.model import Meeting, PerVenue, Reach, Sources
from tianfu.tracing.windows import source_visits

_ALWAYS = (-(2**31), 2**31 - 1)


def meetings(
    partitions: Sequence[Partition], sources: Sources, person: int, *, reach: Reach, venue_type: PerVenue
) -> list[Meeting]:
    """Meetings of `person`; see `tianfu.tracing.copresence.why`."""

    @cache
    def crowded(venue: int, source_at: int) -> bool:
        before, after, crowd = _reach_at(reach, venue_type, venue)
        around = _at(partitions, venue, source_at - before + 1, source_at + after)
        return 0 < crowd < sum(len(words) for _, words in around)

    met: set[Meeting] = set()
    for venue, person_at in _visits(partitions, person):
        before, after, _ = _reach_at(reach, venue_type, venue)
        for midnight, words in _at(partitions, venue, person_at - after + 1, person_at + before):
            for source, source_at in _infectious(words, midnight, sources):
                if source != person and not crowded(venue, source_at):
                    met.add(Meeting(source, venue, source_at, person_at, max(source_at, person_at)))
    return sorted(met, key=lambda one: (one.exposed_at, one.source, one.venue, one.source_at, one.person_at))


def _visits(partitions: Sequence[Partition], person: int) -> list[tuple[int, int]]:
    """Venue and absolute minute of all visits of `person`."""
    since, until = (np.array([end], np.int32) for end in _ALWAYS)
    with ThreadPoolExecutor(1) as pool:
        found = source_visits(partitions, Sources(np.array([person], np.uint32), since, until), pool)
    return list(zip(found.venue.tolist(), found.minute.tolist(), strict=True))


def _at(partitions: Sequence[Partition], venue: int, first: int, end: int) -> list[tuple[int, Words]]:
    """Of each partition its midnight and its words at `venue` in [`first`, `end`)."""
    found = []
    for part in partitions:
        midnight = part.day * DAY_MINUTES
        low, high = max(first - midnight, 0), min(end - midnight, DAY_MINUTES)
        if low < high:
            ends = np.array([(venue << MINUTE_BITS | minute) << PERSON_BITS for minute in (low, high)], np.uint64)
            begins_at, ends_at = np.searchsorted(part.by_venue, ends)
            found.append((midnight, part.by_venue[begins_at:ends_at]))
    return found


def _infectious(words: Words, midnight: int, sources: Sources) -> list[tuple[int, int]]:
    """Person and minute of those scans that are source visits."""
    people = (words & np.uint64(PERSON_MASK)).astype(np.uint32)
    minutes = ((words >> np.uint64(PERSON_BITS)) & np.uint64(MINUTE_MASK)).astype(np.int64) + midnight
    found = []
    for n in np.flatnonzero(np.isin(people, sources.person)).tolist():
        theirs = sources.person == people[n]
        if ((sources.since[theirs] <= minutes[n]) & (minutes[n] < sources.until[theirs])).any():
            found.append((int(people[n]), int(minutes[n])))
    return found


def _reach_at(reach: Reach, venue_type: PerVenue, venue: int) -> tuple[int, int, int]:
    kind = int(venue_type[venue]) if venue < len(venue_type) else 0
    return int(reach.before[kind]), int(reach.after[kind]), int(reach.crowd[kind])
