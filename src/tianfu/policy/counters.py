"""Counting samples: which count, and at which instants a count is reached. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime

from tianfu.policy.anchors import ReadyCounter

# When a sample was taken, and by which laboratory.
Sample = tuple[datetime, str]


def counted(counter: ReadyCounter, samples: Sequence[Sample], nth: int) -> datetime | None:
    """The instant of the `nth` count (from 1) in samples ordered by instant; None while there are fewer.

    With several laboratories a count is complete when so many of them have a sample within the round of its first.
    A later sample can open a round in which an earlier one stayed incomplete, so an additional sample never delays a
    count.
    """
    count = 0
    last: datetime | None = None
    place = 0
    while place < len(samples):
        instant = samples[place][0]
        reached: int | None = place
        if last is not None and instant - last < counter.gap:
            reached = None
        elif counter.laboratories > 1:
            reached = _complete(counter, samples, place)
        if reached is None:
            place += 1
            continue
        count += 1
        last = samples[reached][0]
        if count == nth:
            return last
        place = reached + 1
    return None


def since(samples: Sequence[Sample], instant: datetime, *, strictly: bool) -> Sequence[Sample]:
    """Those of the ordered `samples` that were taken after `instant`, or at it unless `strictly`."""
    bisect = bisect_right if strictly else bisect_left
    return samples[bisect(samples, instant, key=_instant) :]


def _complete(counter: ReadyCounter, samples: Sequence[Sample], first: int) -> int | None:
    """The place of the sample that completes the round which `first` begins; None when none does."""
    begun = samples[first][0]
    seen: set[str] = set()
    for place in range(first, len(samples)):
        instant, laboratory = samples[place]
        if instant - begun > counter.round:
            return None
        seen.add(laboratory)
        if len(seen) == counter.laboratories:
            return place
    return None


def _instant(sample: Sample) -> datetime:
    return sample[0]
