"""Who infected whom, as far as visits tell: the source and the venue of each earliest exposure. Pure.

Only visits whose exposure is their person's earliest are asked. Was the person there when the source came, the source
visit of that minute counts; did the person come later, every source visit that began since `after` minutes before, of
which the smallest source number is a range minimum over windows. So a crowd costs two look-ups a visit, not its pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.lake.layout import People
from tianfu.tracing.earliest import PEOPLE_PER_SCAN, Share, ahead, exposures, scanned, seen, shares
from tianfu.tracing.model import PerVenue, Reach, Reached
from tianfu.tracing.windows import Places, SourceVisits, Uncrowded, Windows, keys, per_venue

Parents = NDArray[np.uint64]

_NOBODY = np.uint64(2**64 - 1)
_SOURCE_SHIFT = np.uint64(32)


class _Candidates(NamedTuple):
    """Possible parents: the place in `reached`, and source and venue in one word, so that the least is the parent."""

    place: Places
    parent: Parents


def lineage(
    visits: SourceVisits, few: Uncrowded, reached: Reached, *, reach: Reach, venue_type: PerVenue, pool: Executor
) -> tuple[People, NDArray[np.uint32]]:
    """Source and venue of each of `reached`; see `tianfu.tracing.copresence.parents`."""
    opened = few.windows
    before = per_venue(reach.before, venue_type, opened.venue)
    smallest = _Smallest(opened, _least_sources(visits, opened), int((opened.end - opened.first).max(initial=1)))

    looked_at = shares(few.found) if len(reached.person) else []
    place_of = _places(reached.person, scanned(looked_at))

    def candidates(share: Share) -> _Candidates:
        looked = seen(share)
        exposed_at = exposures(looked, opened)
        place = place_of(looked.person)
        asked = (reached.person[place] == looked.person) & (reached.exposed_at[place] == exposed_at)
        first, minute = looked.window[asked], looked.minute[asked]
        # The last window that both covers the visit and does not make its exposure later: with `before` 0 the
        # minute itself is not covered.
        latest = np.where(before[first] > 0, minute, minute - 1)
        last = np.searchsorted(smallest.keys, keys(opened.venue[first], latest), side="right") - 1
        source = smallest.between(first, np.maximum(last, first))
        return _Candidates(
            place[asked], source.astype(np.uint64) << _SOURCE_SHIFT | opened.venue[first].astype(np.uint64)
        )

    parent = np.full(len(reached.person), _NOBODY)
    for found in ahead(pool, candidates, looked_at):
        np.minimum.at(parent, found.place, found.parent)
    if (parent == _NOBODY).any():
        msg = "somebody in `reached` was not exposed at that minute by these sources"
        raise ValueError(msg)
    return (parent >> _SOURCE_SHIFT).astype(np.uint32), parent.astype(np.uint32)


def _places(people: People, scans: int) -> Callable[[Places], Places]:
    """Where somebody stands in `people`, if at all: a search each, or a table when there are many to look up."""
    highest = int(people.max(initial=0))
    if scans * PEOPLE_PER_SCAN < highest:
        return lambda wanted: np.minimum(np.searchsorted(people, wanted.astype(np.uint32)), len(people) - 1)
    table = np.zeros(highest + 1, np.int32)
    table[people] = np.arange(len(people), dtype=np.int32)
    return lambda wanted: table[np.minimum(wanted, highest)].astype(np.int64)


def _least_sources(visits: SourceVisits, opened: Windows) -> People:
    """The smallest source of each window's own minute."""
    wanted = keys(opened.venue, opened.minute)
    have = keys(visits.venue, visits.minute)
    place = np.searchsorted(wanted, have)
    inside = place < len(wanted)
    place, have, person = place[inside], have[inside], visits.person[inside]
    same = wanted[place] == have
    least = np.full(len(wanted), 2**32 - 1, np.uint32)
    np.minimum.at(least, place[same], person[same])
    return least


class _Smallest:
    """The least of any run of windows in two look-ups: `level[k][n]` is the least of the 2^k windows from n on.

    A run is never longer than the longest window has minutes, so there are few levels.
    """

    def __init__(self, opened: Windows, least: People, longest: int) -> None:
        self.keys = keys(opened.venue, opened.minute)
        levels = [least]
        step = 1
        while 2 * step <= min(longest, len(least)):
            shorter = levels[-1]
            longer = shorter.copy()
            np.minimum(shorter[:-step], shorter[step:], out=longer[:-step])
            levels.append(longer)
            step *= 2
        self._levels = np.stack(levels)

    def between(self, first: Places, last: Places) -> People:
        """The least of each run, both ends included."""
        level = np.frexp((last - first + 1).astype(np.float64))[1] - 1
        least: People = np.minimum(self._levels[level, first], self._levels[level, last + 1 - (1 << level)])
        return least
