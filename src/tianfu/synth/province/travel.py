"""Trips out of the place and back: trains, coaches and flights with seats, cars without a record. Pure.

Everybody makes at most one trip in the days that are made. Around Spring Festival many more leave in the days before
it and come back in the days after; `festival` of the settings says when. Seats of one run are unique; passengers from
elsewhere sit between ours, so ours are scattered over the run.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.synth.province.model import Flags, Legs, Mode, Settings, Short, Whole

# Where trips lead: divisions of other provinces and of Chengdu.
ELSEWHERE: Final = ("310115", "440304", "500112", "530111", "610102", "110105", "330106", "510105", "510107", "420106")
# Of everybody on an ordinary day, and on a day of the week around the festival.
LEAVES_SHARE: Final = 0.004
FESTIVAL_SHARE: Final = 0.03
FESTIVAL_DAYS: Final = 12
_AWAY_DAYS: Final = 3.0
TRAVELS_ALONE: Final = 16

_SHARES: Final = (0.5, 0.2, 0.12, 0.18)
# Of each means: units of a run, rows of a unit, seats of a row, minutes of a ride (least, most).
UNITS: Final = (8, 1, 1)
ROWS: Final = (16, 11, 30)
ACROSS: Final = (5, 4, 6)
RIDE: Final = ((60, 300), (60, 240), (90, 180))
_FIRST_HOUR: Final = 7
_LAST_HOUR: Final = 18
# Coprime to every capacity below, so that neighbouring bookings do not sit side by side.
_STRIDE: Final = 37


class Travel(NamedTuple):
    """`out`, `back` int16 of each person: the days of leaving and of coming home, far ahead for who does not."""

    out: Short
    back: Short
    legs: Legs
    carriages: int


NEVER: Final = np.iinfo(np.int16).max


def make(settings: Settings, people: int, county: Short, age: NDArray[np.uint8], *, first_place: int) -> Travel:
    """The trips of all days; the carriages that ours sit in are places numbered from `first_place`."""
    dice = settings.dice(4)
    out, back = np.full(people, NEVER, np.int16), np.full(people, NEVER, np.int16)
    leaving = [round(people * _leaves(settings, day)) for day in range(settings.days)]
    total = min(sum(leaving), people // 2)
    who = dice.permutation(people)[:total]
    who = who[age[who] >= TRAVELS_ALONE].astype(np.int32)
    day = np.repeat(np.arange(settings.days), leaving)[: len(who)].astype(np.int16)
    who = who[: len(day)]
    away = 1 + dice.geometric(1 / _AWAY_DAYS, len(who))
    out[who] = day
    back[who] = np.minimum(day + away, NEVER - 1).astype(np.int16)
    mode = dice.choice(len(_SHARES), size=len(who), p=_SHARES).astype(np.uint8)
    elsewhere = (np.abs(dice.standard_normal(len(who))) * 3).astype(np.int16) % len(ELSEWHERE)
    home = back[who]
    returns = home < settings.days
    legs = _legs(
        np.concatenate((who, who[returns])),
        np.concatenate((day, home[returns])),
        np.concatenate((np.zeros(len(who), np.bool_), np.ones(int(returns.sum()), np.bool_))),
        np.concatenate((mode, mode[returns])),
        np.concatenate((elsewhere, elsewhere[returns])),
        county,
        dice,
    )
    placed, carriages = _carriages(legs, first_place)
    return Travel(out, back, placed, carriages)


def _leaves(settings: Settings, day: int) -> float:
    if settings.festival is None:
        return LEAVES_SHARE
    before = (settings.festival - settings.first_day).days - day
    return FESTIVAL_SHARE if 0 <= before < FESTIVAL_DAYS else LEAVES_SHARE


def _legs(
    who: Whole,
    day: Short,
    back: Flags,
    mode: NDArray[np.uint8],
    elsewhere: Short,
    county: Short,
    dice: np.random.Generator,
) -> Legs:
    hour = dice.integers(_FIRST_HOUR, _LAST_HOUR + 1, len(who))
    own = np.minimum(mode, Mode.AIR)
    wide = np.array(RIDE)[own]
    # Everybody in a run rides it from end to end.
    key = (((day.astype(np.int64) * 2 + back) * 4 + mode) * 24 + hour) * len(ELSEWHERE) + elsewhere
    key = key * 512 + county[who]
    order = np.lexsort((dice.random(len(who)), key))
    starts = np.concatenate(([True], key[order][1:] != key[order][:-1])) if len(who) else np.empty(0, np.bool_)
    group = np.empty(len(who), np.int64)
    group[order] = np.cumsum(starts) - 1
    rank = np.empty(len(who), np.int64)
    rank[order] = np.arange(len(who)) - np.maximum.accumulate(np.where(starts, np.arange(len(who)), 0))
    across, rows = np.array(ACROSS)[own], np.array(ROWS)[own]
    capacity = np.array(UNITS)[own] * rows * across
    run = np.unique(group * 1024 + rank // capacity, return_inverse=True)[1].astype(np.int32)
    seat = (rank % capacity * _STRIDE + group * 11) % capacity
    # A ride's length is the run's.
    runs = int(run.max()) + 1 if len(run) else 0
    share, late = dice.random(runs)[run], dice.integers(0, 60, runs)[run]
    begins = hour * 60 + late
    minutes = wide[:, 0] + (share * (wide[:, 1] - wide[:, 0])).astype(np.int64) if len(who) else begins
    return Legs(
        person=who.astype(np.int32),
        day=day,
        begins=begins.astype(np.int16),
        ends=np.minimum(begins + minutes, 1439).astype(np.int16),
        back=back,
        mode=mode,
        run=run,
        carriage=(seat // (rows * across) + 1).astype(np.uint8),
        row=(seat // across % rows + 1).astype(np.uint8),
        seat=(seat % across).astype(np.uint8),
        place=np.full(len(who), -1, np.int32),
        elsewhere=elsewhere,
    )


def _carriages(legs: Legs, first_place: int) -> tuple[Legs, int]:
    seated = legs.mode != Mode.CAR
    keys = legs.run[seated].astype(np.int64) * 256 + legs.carriage[seated]
    found, number = np.unique(keys, return_inverse=True)
    legs.place[seated] = (first_place + number).astype(np.int32)
    return legs, len(found)
