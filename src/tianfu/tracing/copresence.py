"""Who was where a source was, soon enough before or after: the tracing kernel. Pure.

A source visit is a visit that begins in one of its person's periods. At minute t it meets each visit of another person
at the same venue that begins in (t - before, t + after); the exposure begins at the later of the two
(`tianfu.tracing.model.Reach`). A window with too many scans names nobody and is announced. People who are sources are
never reached. The same visits as several partitions or as one give the same answer, and so does any number of threads.

No pair of visits is ever made: what a hop costs is a few binary searches for each source visit, and one look at each
visit that lies in a window, however many windows it lies in. `docs/tracing.md` tells it with an example.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tianfu.lake.layout import MINUTE_BITS, VENUE_BITS, Partition, People
from tianfu.tracing.earliest import earliest, scanned, shares
from tianfu.tracing.lineage import lineage
from tianfu.tracing.meetings import meetings
from tianfu.tracing.model import Hop, Meeting, PerVenue, Reach, Reached, Sources
from tianfu.tracing.windows import source_visits, uncrowded, windows

THREADS: Final = 2


def hop(
    partitions: Sequence[Partition],
    sources: Sources,
    *,
    reach: Reach,
    venue_type: PerVenue,
    people: int,
    excluded: People | None = None,
    threads: int = THREADS,
) -> Hop:
    """Everybody whom the visits of `sources` reach, each with the earliest exposure.

    `partitions` in any order, days missing or several times; `sources` in any order. `venue_type` has a code for each
    venue number; a venue beyond its end has type 0. `people` is the highest person number and one: a size, people with
    higher numbers are found as well. `excluded` are never reached, nor are the sources. Announcements are
    ordered by venue and begin. Takes 8 bytes a scan when few are scanned, else 2 bytes a person (4 when the
    partitions span more than 45 days), and 60 bytes a source visit.
    """
    with ThreadPoolExecutor(threads) as pool:
        opened = windows(source_visits(partitions, sources, pool), reach, venue_type)
        few = uncrowded(partitions, opened, reach, venue_type, pool)
        looked_at = shares(few.found)
        never = sources.person if excluded is None else np.concatenate([sources.person, excluded])
        reached = earliest(looked_at, few.windows, never, people=_size(partitions, people), pool=pool)
    return Hop(reached, few.announcements, scanned(looked_at))


def trace(
    partitions: Sequence[Partition],
    cases: Sources,
    *,
    reaches: Sequence[Reach],
    venue_type: PerVenue,
    people: int,
    until: int,
    threads: int = THREADS,
) -> list[Hop]:
    """One hop for each of `reaches`: whom a hop reached is the source of the next, from the exposure to `until`.

    Time order is kept: only what somebody visited after being exposed counts. Cases are never reached, and everybody
    stands in one hop, the lowest.
    """
    hops: list[Hop] = []
    sources, known = cases, np.unique(cases.person)
    for reach in reaches:
        if hops:
            reached = hops[-1].reached
            sources = Sources(*reached, np.full(len(reached.person), until, np.int32))
            known = _union(known, reached.person)
        hops.append(
            hop(
                partitions,
                sources,
                reach=reach,
                venue_type=venue_type,
                people=people,
                excluded=known,
                threads=threads,
            )
        )
    return hops


def parents(
    partitions: Sequence[Partition],
    sources: Sources,
    reached: Reached,
    *,
    reach: Reach,
    venue_type: PerVenue,
    threads: int = THREADS,
) -> tuple[People, NDArray[np.uint32]]:
    """The source and the venue of each reached person's earliest exposure; of ties the smallest source, then venue.

    `reached` is what `hop` found with the same partitions, sources and reach, or a part of it. Costs a second scan.
    Raises `ValueError` for somebody who was not exposed at that minute.
    """
    with ThreadPoolExecutor(threads) as pool:
        visits = source_visits(partitions, sources, pool)
        few = uncrowded(partitions, windows(visits, reach, venue_type), reach, venue_type, pool)
        return lineage(visits, few, reached, reach=reach, venue_type=venue_type, pool=pool)


def why(
    partitions: Sequence[Partition], sources: Sources, person: int, *, reach: Reach, venue_type: PerVenue
) -> list[Meeting]:
    """All meetings of one person with sources, by exposure, source, venue and the two minutes.

    For somebody who was reached the first has the earliest exposure. A source's own meetings with other sources are
    listed too: whether two cases met is worth knowing, though neither is reached. Crowds name nobody here either.
    """
    return meetings(partitions, sources, person, reach=reach, venue_type=venue_type)


def _size(partitions: Sequence[Partition], people: int) -> int:
    """A number greater than every person's: the last word in person order has the highest of its partition."""
    highest = (int(part.by_person[-1]) >> (MINUTE_BITS + VENUE_BITS) for part in partitions if len(part.by_person))
    return max(people, *(number + 1 for number in highest), 1)


def _union(some: People, others: People) -> People:
    """Two ascending lists without a common member as one: the stable sort merges runs instead of sorting."""
    both = np.concatenate([some, others])
    both.sort(kind="stable")
    return both
