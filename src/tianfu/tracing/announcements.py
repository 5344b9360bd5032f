"""Crowds of several cases as one list of places: what touches is told together, with the scans of the whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tianfu.lake.layout import DAY_MINUTES, MINUTE_BITS, PERSON_BITS, Partition
from tianfu.tracing.model import Announcement


def merged(
    crowds: Iterable[Announcement], partitions: Sequence[Partition], *, erased: Iterable[Announcement] = ()
) -> list[Announcement]:
    """One announcement for each stretch of crowds at a venue that overlap or touch, by venue and beginning.

    `scans` are counted anew in the visits, so that cases that met in one crowd do not count it twice. Of `erased`, told
    before, visits are gone: the same stretch has at least as many scans as were counted then.
    """
    counted = {(one.venue, one.begins, one.ends): one.scans for one in erased}
    told: list[Announcement] = []
    for crowd in sorted(crowds, key=lambda one: (one.venue, one.begins, one.ends)):
        last = told[-1] if told else None
        if last is not None and last.venue == crowd.venue and crowd.begins <= last.ends:
            told[-1] = Announcement(last.venue, last.begins, max(last.ends, crowd.ends), max(last.scans, crowd.scans))
        else:
            told.append(crowd)
    return [
        Announcement(
            one.venue,
            one.begins,
            one.ends,
            max(_scans(partitions, one) or one.scans, counted.get((one.venue, one.begins, one.ends), 0)),
        )
        for one in told
    ]


def _scans(partitions: Sequence[Partition], crowd: Announcement) -> int:
    count = 0
    for part in partitions:
        midnight = part.day * DAY_MINUTES
        low, high = (min(max(at - midnight, 0), DAY_MINUTES) for at in (crowd.begins, crowd.ends))
        keys = [np.uint64((crowd.venue << MINUTE_BITS | at) << PERSON_BITS) for at in (low, high)]
        first, end = np.searchsorted(part.by_venue, np.array(keys))
        count += int(end - first)
    return count
