"""What the carriers see: which phone is in which cell of 800 m, and so who was in one with whom. Pure.

A phone is where its holder is. In vehicles and carriages it is in no cell for long. The screening lists are made from
this as the carriers make them: everybody who was in the place, and everybody who shared a cell with a case.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from tianfu.synth.province import routine
from tianfu.synth.province.disease import DAY
from tianfu.synth.province.model import NOBODY, Flags, Short, Stays, Whole
from tianfu.synth.province.world import World

SHARED_MINUTES_LEAST: Final = 11
# Total of two weeks in one's home cell or the cell of one's work; elsewhere nobody comes near the rule's 30 hours.
HOME_STAY: Final = 14 * 12 * 60
WORK_STAY: Final = 10 * 7 * 60


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
    any other; `stay` the longer total stay of the two, minutes; `last` the last minute of any, of the lake. `outside`
    tells who shared one away from the cells of their own home and work; `unshown` who did without a scan of theirs
    about that time that shows another place.
    """

    person: Whole
    together: Whole
    passing: Whole
    stay: Whole
    last: Whole


def presence(world: World, number: int, stays: Stays) -> Presence:
    """The phones of day `number`, at home and out."""
    people, travel = world.people, world.travel
    mine = people.holder == np.arange(len(people.holder))
    own = np.flatnonzero(mine[stays.person])
    out = routine.ordered(Stays(*(part[own] for part in stays)))
    there = np.flatnonzero(mine & ((number < travel.out) | (number > travel.back)))
    # At home before the first stay, between stays, and after the last.
    last = np.concatenate((out.person[1:] != out.person[:-1], [True])) if len(out.person) else np.empty(0, np.bool_)
    first = np.concatenate(([True], last[:-1])) if len(last) else last
    until = np.where(last, DAY, np.concatenate((out.begins[1:], [DAY])) if len(last) else out.begins)
    goes_out = np.zeros(len(mine), np.bool_)
    goes_out[out.person] = True
    travelling = (number == travel.out) | (number == travel.back)
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


def shared(world: World, windows: Windows, days: dict[int, Presence]) -> Shared:
    """Who shared cells with the people of `windows` on those days, by day number."""
    count = world.settings.people
    together, passing = np.zeros(count, np.int32), np.zeros(count, np.int32)
    stay, last = np.zeros(count, np.int32), np.full(count, -1, np.int32)
    works = world.people.works_at
    work_cell = np.where(works == NOBODY, NOBODY, world.sites.cell[works])
    of = np.full(count, NOBODY, np.int32)
    of[windows.person] = np.arange(len(windows.person), dtype=np.int32)
    for number, seen in sorted(days.items()):
        left, right, begins, minutes = _pairs(seen, of != NOBODY)
        at = world.settings.day_number(number) * DAY + begins
        window = of[seen.person[left]]
        counts = (at + minutes > windows.since[window]) & (at < windows.until[window])
        left, right, minutes, at = left[counts], right[counts], minutes[counts], at[counts]
        mine, other, cell = seen.person[left], seen.person[right], seen.cell[left]
        home = (world.people.cell[mine] == cell) | (world.people.cell[other] == cell)
        work = (work_cell[mine] == cell) | (work_cell[other] == cell)
        total = np.where(home, HOME_STAY, np.where(work, WORK_STAY, minutes)).astype(np.int32)
        long = home | work
        np.maximum.at(together, other[long], minutes[long].astype(np.int32))
        np.maximum.at(passing, other[~long], minutes[~long].astype(np.int32))
        np.maximum.at(stay, other, total)
        np.maximum.at(last, other, (at + minutes - 1).astype(np.int32))
    person = np.flatnonzero(last >= 0).astype(np.int32)
    return Shared(person, together[person], passing[person], stay[person], last[person])


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
