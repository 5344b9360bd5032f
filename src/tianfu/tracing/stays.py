"""Other sources than scans, in one shape: who stayed where from when until when, and who was there with a source. Pure.

A household, a workshop, a class, a carriage, a row of a flight, a carrier's list of companions: each is a place, and
people have stays there. Cost is bounded by the stays looked at, never by the pairs they make: what a source does at a
place is one interval, the intervals of a place are kept in order, and each stay of another person is answered by one
binary search.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.evidence.co_stays import ROW_MAX, ROW_UNKNOWN
from tianfu.lake.layout import Minutes, People
from tianfu.tracing.model import Sources
from tianfu.tracing.rules import EVERYBODY, NOT_NEAR, Near

# A place is a number of at most 55 bits with the row of seats in the lowest 8; row 0 is no row, or one nobody knows.
ROW_BITS: Final = 8
# Absolute minutes fit in 32 bits with their sign taken away.
_MINUTE_BITS: Final = np.int64(32)
_MINUTE_ZERO: Final = np.int64(2**31)
# Stays without a known end: the last absolute minute there is.
ENDLESS: Final = 2**31 - 1

Places = NDArray[np.int64]
Codes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
_Positions = NDArray[np.intp]


class Stays(NamedTuple):
    """Stays in any order, arrays of equal length, one entry a stay.

    `person` uint32; `place` int64, `place_of` of a number and a row; [`begins`, `ends`) int32 absolute minutes,
    `ENDLESS` where no end is known; `setting` uint8, the kind of stay (`tianfu.tracing.rules.STAY_CODE`); `strong`
    bool, whether the statement behind it is strong.
    """

    person: People
    place: Places
    begins: Minutes
    ends: Minutes
    setting: Codes
    strong: Flags


class TooLarge(NamedTuple):
    """A place where more people were with a source than the rules let be named: `people` were withheld.

    `place` is the number of the place without row, `setting` the kind of stay, [`begins`, `ends`) the time in which
    sources were there, absolute minutes.
    """

    place: int
    setting: int
    begins: int
    ends: int
    people: int


class Met(NamedTuple):
    """Who was reached, each once, ascending, arrays of equal length.

    `person` uint32; `exposed_at` int32 the earliest exposure; `parent` uint32 the source of it; `setting` uint8 the
    kind of the source's stay; `strong` bool; `place` int64 where the person's own stay was, with its row.
    """

    person: People
    exposed_at: Minutes
    parent: People
    setting: Codes
    strong: Flags
    place: Places
    too_large: tuple[TooLarge, ...]


class _Found(NamedTuple):
    """Meetings: positions in the sources' stays and in the others', and when the exposure begins."""

    source: _Positions
    other: _Positions
    exposed_at: Minutes


def place_of(number: NDArray[np.integer], row: NDArray[np.integer]) -> Places:
    """Places of these numbers (0 to 2^55 - 1) and rows of seats (0 to 255)."""
    return number.astype(np.int64) << np.int64(ROW_BITS) | row.astype(np.int64)


def meet(stays: Stays, sources: Sources, near: Near, *, excluded: People | None = None) -> Met:
    """Who was near a source while that one could infect others. `stays` are those of sources and of everybody else.

    A source's stay counts where it lies in one of the source's [since, until). It meets another person's stay near it
    that overlaps it in time; the exposure begins at the latest of the source's stay, the other's and `since`. Near is
    what `near` says of the kind of the source's stay: everybody at the place, or those within some rows; a row nobody
    knows is near every row of its place. Of several exposures of a person the earliest counts; of equally early ones
    at one place that to the source who was there first, otherwise that to the smaller number, then kind.

    Sources are never reached, nor who stands in `excluded` (sorted). A place with more people than the rules let be
    named by it reaches nobody and is in `too_large`.
    """
    kept = _clipped(stays, sources, near)
    barred = np.unique(sources.person) if excluded is None else np.union1d(sources.person, excluded)
    others = _take(stays, ~np.isin(stays.person, barred) & (stays.begins < stays.ends))
    whole = (near.rows[kept.setting] == EVERYBODY) | (kept.place & ROW_MAX == ROW_UNKNOWN)
    at_place = _take(kept, whole)
    found = _met(at_place, at_place.place >> ROW_BITS, others, others.place >> ROW_BITS)
    found, too_large = _named(found, at_place, others, near)
    seated = _spread(_take(kept, ~whole), near)
    by_row = _met(seated, seated.place, others, others.place)
    meetings = _Found(
        np.concatenate([found.source, by_row.source + len(at_place.person)]),
        np.concatenate([found.other, by_row.other]),
        np.concatenate([found.exposed_at, by_row.exposed_at]),
    )
    return _earliest(meetings, joined(at_place, seated), others, near, too_large)


def joined(*parts: Stays) -> Stays:
    """The stays of all parts, one after the other; no part gives no stay."""
    if not parts:
        none = np.zeros(0, dtype=np.int32)
        parts = (Stays(none.astype(np.uint32), none.astype(np.int64), none, none, none.astype(np.uint8), none > 0),)
    return Stays(
        np.concatenate([part.person for part in parts]),
        np.concatenate([part.place for part in parts]),
        np.concatenate([part.begins for part in parts]),
        np.concatenate([part.ends for part in parts]),
        np.concatenate([part.setting for part in parts]),
        np.concatenate([part.strong for part in parts]),
    )


def is_near(near: Near, setting: int, row: int, other: int) -> bool:
    """Whether a stay in row `other` is near a source's stay of that kind in `row`, as `meet` has it."""
    if near.rows[setting] == NOT_NEAR:
        return False
    if near.rows[setting] == EVERYBODY or ROW_UNKNOWN in {row, other}:
        return True
    bay = int(near.bay[setting])
    return abs((row - 1) // bay - (other - 1) // bay) <= int(near.rows[setting])


def _take(stays: Stays, where: NDArray[np.bool_] | _Positions) -> Stays:
    person, place, begins, ends, setting, strong = stays
    return Stays(person[where], place[where], begins[where], ends[where], setting[where], strong[where])


def _clipped(stays: Stays, sources: Sources, near: Near) -> Stays:
    """The stays of the sources, each cut to each of its person's periods; what is left empty is left out."""
    order = np.argsort(sources.person, kind="stable")
    people = sources.person[order]
    mine = _take(stays, np.isin(stays.person, people) & (near.rows[stays.setting] != NOT_NEAR))
    first = np.searchsorted(people, mine.person, side="left")
    periods = np.searchsorted(people, mine.person, side="right") - first
    stay = np.repeat(np.arange(len(mine.person)), periods)
    period = order[np.repeat(first, periods) + _counting(periods)]
    cut = _take(mine, stay)
    begins = np.maximum(cut.begins, sources.since[period])
    ends = np.minimum(cut.ends, sources.until[period])
    return _take(cut._replace(begins=begins, ends=ends), begins < ends)


def _counting(lengths: NDArray[np.integer]) -> _Positions:
    """0, 1, … within each of consecutive runs of these lengths."""
    total = int(lengths.sum())
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    counted: _Positions = np.arange(total) - starts
    return counted


def _spread(stays: Stays, near: Near) -> Stays:
    """The sources' stays at every row that they are near, and at the unknown row."""
    row = stays.place & ROW_MAX
    bay = near.bay[stays.setting].astype(np.int64)
    either_side = near.rows[stays.setting].astype(np.int64)
    own = (row - 1) // bay
    first = np.maximum((own - either_side) * bay + 1, 1)
    last = np.minimum((own + either_side + 1) * bay, ROW_MAX)
    wide = last - first + 2
    step = _counting(wide)
    spread = _take(stays, np.repeat(np.arange(len(row)), wide))
    at = np.where(step == 0, ROW_UNKNOWN, np.repeat(first, wide) + step - 1)
    return spread._replace(place=spread.place - (spread.place & ROW_MAX) + at)


def _met(mine: Stays, my_key: Places, others: Stays, their_key: Places) -> _Found:
    """For each stay of `others` the earliest exposure at its key; at most one meeting a stay.

    The intervals of a key stand in the order of their beginnings. The first of them that ends after the other's stay
    begins is the one that decides: whatever stands before it is over by then, and what stands after it begins later.
    Where it is, the running maximum of the ends tells.
    """
    order = np.lexsort((mine.person, mine.begins, my_key))
    keys, rank_of = np.unique(my_key[order], return_inverse=True)
    ends = np.maximum.accumulate(_ranked(rank_of, mine.ends[order])) if len(order) else np.zeros(0, dtype=np.int64)
    rank = np.searchsorted(keys, their_key)
    there = np.flatnonzero(np.isin(their_key, keys, assume_unique=False))
    at = np.searchsorted(ends, _ranked(rank[there], others.begins[there]), side="right")
    inside = at < len(order)
    there, at = there[inside], at[inside]
    same = rank_of[at] == rank[there]
    there, source = there[same], order[at[same]]
    overlap = mine.begins[source] < others.ends[there]
    there, source = there[overlap], source[overlap]
    return _Found(source, there, np.maximum(mine.begins[source], others.begins[there]))


def _ranked(rank: NDArray[np.integer], minutes: Minutes) -> NDArray[np.int64]:
    return rank.astype(np.int64) << _MINUTE_BITS | minutes.astype(np.int64) + _MINUTE_ZERO


def _named(found: _Found, mine: Stays, others: Stays, near: Near) -> tuple[_Found, tuple[TooLarge, ...]]:
    """What is left when places with too many people are taken out, and those places."""
    capped = near.crowd[mine.setting[found.source]] > 0
    if not capped.any():
        return found, ()
    # A place and a kind of stay are one group; its heads are the distinct people in it.
    groups, group = np.unique(_group(others.place[found.other], mine.setting[found.source]), return_inverse=True)
    pairs = np.unique(group.astype(np.int64) << _MINUTE_BITS | others.person[found.other].astype(np.int64))
    heads = np.bincount(pairs >> _MINUTE_BITS, minlength=len(groups))
    cap = near.crowd[groups & ROW_MAX]
    over = (cap > 0) & (heads > cap)
    own = _group(mine.place, mine.setting)
    own_group = np.minimum(np.searchsorted(groups, own), len(groups) - 1)
    begins, ends = np.full(len(groups), ENDLESS), np.full(len(groups), -ENDLESS)
    known = groups[own_group] == own
    np.minimum.at(begins, own_group[known], mine.begins[known])
    np.maximum.at(ends, own_group[known], mine.ends[known])
    too_large = tuple(
        TooLarge(int(groups[at]) >> ROW_BITS, int(groups[at]) & ROW_MAX, int(begins[at]), int(ends[at]), int(heads[at]))
        for at in np.flatnonzero(over)
    )
    keep = ~over[group]
    return _Found(found.source[keep], found.other[keep], found.exposed_at[keep]), too_large


def _group(place: Places, setting: Codes) -> Places:
    """A place without its row, and a kind of stay, in one number."""
    return np.bitwise_or(place - (place & ROW_MAX), setting.astype(np.int64))


def _earliest(found: _Found, mine: Stays, others: Stays, near: Near, too_large: tuple[TooLarge, ...]) -> Met:
    """Each person once, with the first of their meetings."""
    person, parent = others.person[found.other], mine.person[found.source]
    setting = mine.setting[found.source]
    order = np.lexsort((setting, parent, found.exposed_at, person))
    reached, first = np.unique(person[order], return_index=True)
    pick = order[first]
    source, other = found.source[pick], found.other[pick]
    strong = mine.strong[source] & others.strong[other] & near.strong[setting[pick]]
    return Met(reached, found.exposed_at[pick], parent[pick], setting[pick], strong, others.place[other], too_large)
