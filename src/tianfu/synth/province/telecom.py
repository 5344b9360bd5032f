"""What the carriers see: which phone is in which cell of 800 m, and so who was in one with whom. Pure.

A phone is where its holder is. In vehicles and carriages it is in no cell for long. The screening lists are made from
this as the carriers make them: everybody who was in the place, and everybody who shared a cell with a case.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from tianfu.synth.province import routine
from tianfu.synth.province.columns import taken
from tianfu.synth.province.disease import DAY
from tianfu.synth.province.model import NOBODY, Flags, Scans, Short, Stays, Whole
from tianfu.synth.province.world import World

SHARED_MINUTES_LEAST: Final = 11
# Minutes of two weeks in the cell of one's home or work; elsewhere nobody comes near the 30 hours of the rule.
LONG_STAY: Final = 14 * 12 * 60


class Presence(NamedTuple):
    """Phones in cells on one day: `person` its holder, in `cell` during [`begins`, `ends`), minutes of the day."""

    person: Whole
    cell: Whole
    begins: Short
    ends: Short


class Windows(NamedTuple):
    """Whose co-presence counts when: `person` int32, each once, [`since`, `until`) minutes of the lake."""

    person: Whole
    since: Whole
    until: Whole


class Shared(NamedTuple):
    """Who shared a cell with one of the windows' people for more than ten minutes, each person once, sorted.

    `together` is the longest such time in a cell where one of the two stays long (0: none), `passing` the longest in
    any other; `last` the last minute of any, of the lake. `shown`: each time a scan of theirs shows where they were.
    """

    person: Whole
    together: Whole
    passing: Whole
    last: Whole
    shown: Flags


def presence(world: World, number: int, stays: Stays) -> Presence:
    """The phones of day `number`, at home and out."""
    people, travel = world.people, world.travel
    mine: Flags = people.holder == np.arange(len(people.holder))
    own = np.flatnonzero(mine[stays.person])
    out = routine.ordered(taken(stays, own))
    there = np.flatnonzero(mine & ((number < travel.out) | (number > travel.back)))
    # At home before the first stay, between stays, and after the last.
    last = np.concatenate((out.person[1:] != out.person[:-1], [True])) if len(out.person) else np.empty(0, np.bool_)
    first = np.concatenate(([True], last[:-1])) if len(last) else last
    until = np.where(last, DAY, np.concatenate((out.begins[1:], [DAY])) if len(last) else out.begins)
    goes_out = np.zeros(len(mine), np.bool_)
    goes_out[out.person] = True
    travelling: Flags = (travel.out == number) | (travel.back == number)
    at_home = ~travelling[out.person]
    early, late = first & at_home, at_home & (until > out.ends)
    idle = there[~goes_out[there]]
    person = np.concatenate((out.person, out.person[early], out.person[late], idle.astype(np.int32)))
    begins = np.concatenate(
        (out.begins, np.zeros(int(early.sum()), np.int16), out.ends[late], np.zeros(len(idle), np.int16))
    )
    ends = np.concatenate((out.ends, out.begins[early], until[late], np.full(len(idle), DAY)))
    cell = np.concatenate((world.sites.cell[out.place], people.cell[person[len(out.person) :]]))
    seen = (cell != NOBODY) & (ends > begins)
    return Presence(person[seen], cell[seen], begins[seen].astype(np.int16), ends[seen].astype(np.int16))


class Gathering:
    """Gathers, day by day, who shared cells with the people of `windows`."""

    def __init__(self, world: World, windows: Windows) -> None:
        """Nobody yet."""
        count = world.settings.people
        self._world, self._windows = world, windows
        self._together, self._passing = np.zeros(count, np.int32), np.zeros(count, np.int32)
        self._last, self._unshown = np.full(count, NOBODY, np.int32), np.zeros(count, np.bool_)
        works = world.people.works_at
        self._work_cell = np.where(works == NOBODY, NOBODY, world.sites.cell[works])
        self._window = np.full(count, NOBODY, np.int32)
        self._window[windows.person] = np.arange(len(windows.person), dtype=np.int32)

    def add(self, number: int, seen: Presence, scanned: Scans) -> None:
        """Take in day `number`: its phones, and its scans (which show where somebody really was)."""
        left, right, begins, minutes = _pairs(seen, self._window != NOBODY)
        at = self._world.settings.day_number(number) * DAY + begins
        window = self._window[seen.person[left]]
        counts = (at + minutes > self._windows.since[window]) & (at < self._windows.until[window])
        left, right, begins, minutes, at = (part[counts] for part in (left, right, begins, minutes, at))
        mine, other, cell = seen.person[left], seen.person[right], seen.cell[left]
        home = self._world.people.cell
        long = (home[mine] == cell) | (home[other] == cell)
        long |= (self._work_cell[mine] == cell) | (self._work_cell[other] == cell)
        np.maximum.at(self._together, other[long], minutes[long].astype(np.int32))
        np.maximum.at(self._passing, other[~long], minutes[~long].astype(np.int32))
        np.maximum.at(self._last, other, (at + minutes - 1).astype(np.int32))
        keys = np.sort(scanned.person.astype(np.int64) * DAY + scanned.minute)
        key = other.astype(np.int64) * DAY + begins
        after = np.searchsorted(keys, key)
        later = keys[np.minimum(after, len(keys) - 1)] if len(keys) else key - 1
        # In the cell they scanned at a venue while the other was there too: the scan says which venue it was.
        self._unshown[other[~((later >= key) & (later < key + minutes))]] = True

    def shared(self) -> Shared:
        """Everybody who shared a cell so far."""
        person = np.flatnonzero(self._last >= 0).astype(np.int32)
        return Shared(person, self._together[person], self._passing[person], self._last[person], ~self._unshown[person])


def _pairs(seen: Presence, source: Flags) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows of `seen` that share a cell long enough: the source's, the other's, the minute it begins, how long."""
    mine = np.flatnonzero(source[seen.person])
    wanted = np.zeros(int(seen.cell.max()) + 1 if len(seen.cell) else 1, np.bool_)
    wanted[seen.cell[mine]] = True
    there = np.flatnonzero(wanted[seen.cell] & ~source[seen.person])
    there = there[np.argsort(seen.cell[there], kind="stable")]
    cells = seen.cell[there]
    low, high = np.searchsorted(cells, seen.cell[mine]), np.searchsorted(cells, seen.cell[mine], side="right")
    count = high - low
    left = np.repeat(mine, count)
    right = there[np.repeat(low, count) + np.arange(len(left)) - np.repeat(np.cumsum(count) - count, count)]
    begins = np.maximum(seen.begins[left], seen.begins[right]).astype(np.int64)
    minutes = np.minimum(seen.ends[left], seen.ends[right]).astype(np.int64) - begins
    long = minutes >= SHARED_MINUTES_LEAST
    return left[long], right[long], begins[long], minutes[long]
