"""The scan: each visit in a window looked at once, and the earliest exposure of each person. Pure.

A visit at minute m that lies in several windows is exposed at the least of max(m, t) over their minutes t. As max(m, t)
grows with t, that is the window which opens first; so each visit belongs to the first window that covers it, and what
a window adds is its range without that of the window before. Pairs of a source and a visit are never made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tianfu.lake.layout import DAY_MINUTES, MINUTE_MASK, PERSON_BITS, PERSON_MASK, Minutes, Partition, People
from tianfu.tracing.model import Reached
from tianfu.tracing.windows import Found, Places, Windows, firsts

Result = TypeVar("Result")

# Visits that a thread takes at once: a few arrays of 2 MiB, which stay in its cache.
SHARE_SCANS: Final = 2**18
# Shares that wait for the thread that writes: 20 MiB.
SHARES_AHEAD: Final = 8
# With fewer scans than one in so many people, sorting them is cheaper than an array that has a place for everybody.
PEOPLE_PER_SCAN: Final = 64
# People whom one thread collects at once from that array.
_BLOCK_PEOPLE: Final = 2**20
_LOW_WORD: Final = np.uint64(2**32 - 1)


class Share(NamedTuple):
    """Visits to look at together: `by_venue[begin:begin + scans]` for each window, int64, disjoint and ascending."""

    partition: Partition
    window: Places
    begin: Places
    scans: Places


class Seen(NamedTuple):
    """Visits looked at: who (int64, to index with), at which absolute minute, in which window first."""

    person: Places
    minute: Minutes
    window: Places


def shares(found: Sequence[Found]) -> list[Share]:
    """Every visit that lies in a window, once, under the first window that covers it; no share much over its size."""
    return [share for part in found for share in _cut(part)]


def scanned(of: Sequence[Share]) -> int:
    """How many visits they hold."""
    return sum(int(share.scans.sum()) for share in of)


def _cut(part: Found) -> Iterator[Share]:
    if not len(part.window):
        return
    # Ends ascend, so all that is before the previous window's end has been looked at.
    begin = part.low.copy()
    np.maximum(begin[1:], part.high[:-1], out=begin[1:])
    count = part.high - begin
    total = np.cumsum(count)
    cuts = np.searchsorted(total, np.arange(SHARE_SCANS, total[-1], SHARE_SCANS))
    for first, end in zip([0, *cuts.tolist()], [*cuts.tolist(), len(count)], strict=True):
        if first < end:
            yield Share(part.partition, part.window[first:end], begin[first:end], count[first:end])


def seen(share: Share) -> Seen:
    """Look at the visits of a share."""
    before = np.cumsum(share.scans) - share.scans
    place = np.repeat(share.begin - before, share.scans)
    place += np.arange(len(place))
    words = share.partition.by_venue[place]
    minute = (words >> np.uint64(PERSON_BITS)).astype(np.int32) & MINUTE_MASK
    minute += np.int32(share.partition.day * DAY_MINUTES)
    words &= np.uint64(PERSON_MASK)
    return Seen(words.view(np.int64), minute, np.repeat(share.window, share.scans))


def ahead(pool: Executor, work: Callable[[Share], Result], of: Sequence[Share]) -> Iterator[Result]:
    """What `work` makes of each share, in order; only a few are made before they are asked for, and wait in memory."""
    waiting: deque[Future[Result]] = deque()
    for share in of:
        waiting.append(pool.submit(work, share))
        if len(waiting) > SHARES_AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def exposures(visits: Seen, windows: Windows) -> Minutes:
    """When each of `visits` is exposed: the later of the two begins."""
    return np.maximum(visits.minute, windows.minute[visits.window])


def earliest(of: Sequence[Share], windows: Windows, never: People, *, people: int, pool: Executor) -> Reached:
    """Everybody seen in `of` but `never`, with the earliest exposure. `people` is more than any person's number."""
    if scanned(of) * PEOPLE_PER_SCAN < people:
        return _by_sorting(of, windows, never, pool)
    return _by_marking(of, windows, never, people, pool)


def _by_sorting(of: Sequence[Share], windows: Windows, never: People, pool: Executor) -> Reached:
    """Person and exposure in one word: sorted, the first of each person is the earliest."""

    def words(share: Share) -> NDArray[np.uint64]:
        visits = seen(share)
        return visits.person.view(np.uint64) << np.uint64(32) | exposures(visits, windows).astype(np.uint64)

    together = np.concatenate([np.zeros(0, np.uint64), *pool.map(words, of)])
    together.sort()
    person = (together >> np.uint64(32)).astype(np.uint32)
    listed = firsts(person)
    place = np.searchsorted(person, never)
    inside = place < len(person)
    place = place[inside]
    listed[place[person[place] == never[inside]]] = False
    return Reached(person[listed], (together[listed] & _LOW_WORD).astype(np.int32))


def _by_marking(of: Sequence[Share], windows: Windows, never: People, people: int, pool: Executor) -> Reached:
    """An array with a mark for everybody: 0 is not reached, and the greater the earlier, so that pages come lazily."""
    # No exposure is later than the last minute of the partitions or of the windows that open before it.
    latest = max((share.partition.day + 1) * DAY_MINUTES for share in of)
    latest = max(latest, int(windows.minute.max()) + 1)
    span = latest - int(windows.first.min())
    # 45 days fit 16 bits.
    marks: NDArray[np.unsignedinteger] = np.zeros(people, np.uint16 if span < 2**16 else np.uint32)

    def marked(share: Share) -> tuple[Places, NDArray[np.unsignedinteger]]:
        visits = seen(share)
        return visits.person, (latest - exposures(visits, windows)).astype(marks.dtype)

    def collect(first: int) -> Reached:
        block = marks[first : first + _BLOCK_PEOPLE]
        inside = np.flatnonzero(block != 0)
        return Reached((inside + first).astype(np.uint32), latest - block[inside].astype(np.int32))

    # Only this thread writes marks, so none is lost to another's.
    for person, mark in ahead(pool, marked, of):
        np.maximum.at(marks, person, mark)
    marks[never[never < people]] = 0
    blocks = list(pool.map(collect, range(0, people, _BLOCK_PEOPLE)))
    return Reached(np.concatenate([one.person for one in blocks]), np.concatenate([one.exposed_at for one in blocks]))
