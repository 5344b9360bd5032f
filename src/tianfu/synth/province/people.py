"""Households, ages, homes and phones. Pure: the same settings give the same arrays.

Sizes of households as in `tianfu.synth.county`; the first is an adult, then usually a partner, children and, in the
larger ones, a grandparent. A county is a square of cells with one main centre and some townships; people live around
them, about as densely as a county seat in the basin.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.synth.county import HOUSEHOLD_SHARES
from tianfu.synth.province.divisions import Counties
from tianfu.synth.province.model import GRID, NOBODY, Real, Settings, Short, Whole

AGE_MAX: Final = 95
ADULT: Final = 20
PUPIL_AGES: Final = (6, 18)
WORKER_AGES: Final = (18, 61)
# In school, or with a job outside the home.
WORKING_SHARE: Final = 0.68
TOWNSHIPS: Final = 9
CENTRE_SHARE: Final = 0.6
# People in a cell of 800 m near a centre, by the last character of the division's name: 19,000 a square kilometre in
# the districts of a city, as in the middle of Chengdu, 8,000 in a county town. Ours.
CELL_PEOPLE: Final = {"区": 12_000, "市": 8_000}
CELL_PEOPLE_ELSE: Final = 5_000

# Up to which age: who has a phone of their own, and how readily they scan with one.
_BY_AGE: Final = ((10, 0.0, 0.0), (16, 0.55, 0.6), (66, 0.985, 1.0), (76, 0.8, 0.7), (AGE_MAX + 1, 0.5, 0.35))
# Of those without a phone: who uses another's of the household. Of grown-ups: who does so although most have one.
_SHARES_PHONE: Final = 0.5
_SHARED_BY_ADULTS: Final = 0.015
# A household of two is a couple this often, else a parent and a child; further members are children this often.
_COUPLE: Final = 2
_COUPLES: Final = 0.75
_CHILDREN: Final = 0.45
# Who never scans, whatever the age.
_REFUSES: Final = 0.03


class Residents(NamedTuple):
    """People as far as they are known before places exist; the arrays of `model.People`."""

    household: Whole
    first: Whole
    age: NDArray[np.uint8]
    county: Short
    x: Real
    y: Real
    holder: Whole
    scans: Real
    centre: NDArray[np.float32]


def make(settings: Settings, counties: Counties) -> Residents:
    """Everybody. `first` is the position of each household's first member, `centre` [counties, 2] the main centres."""
    dice = settings.dice(1)
    household, first, position = _households(settings.people, dice)
    age = _ages(household, first, position, dice)
    home, x, y, centre = _homes(len(first), settings.people, counties, dice)
    holder, scans = _phones(household, first, age, dice)
    return Residents(household, first, age, home[household], x[household], y[household], holder, scans, centre)


def cell_of(county: NDArray[np.integer], x: NDArray[np.floating], y: NDArray[np.floating]) -> Whole:
    """The number of the cell that holds a point of a county's square; points outside count to its rim."""
    column = np.clip(x, 0, GRID - 1).astype(np.int32)
    row = np.clip(y, 0, GRID - 1).astype(np.int32)
    cell: Whole = (county.astype(np.int32) * GRID + row) * GRID + column
    return cell


def _households(people: int, dice: np.random.Generator) -> tuple[Whole, Whole, Whole]:
    shares = np.array(HOUSEHOLD_SHARES) / sum(HOUSEHOLD_SHARES)
    mean = float(shares @ np.arange(1, len(shares) + 1))
    sizes = dice.choice(len(shares), size=int(people / mean * 1.1) + 50, p=shares) + 1
    sums = np.cumsum(sizes)
    count = int(np.searchsorted(sums, people)) + 1
    ends: Whole = sums[:count].astype(np.int32)
    # The last household is as large as there are people left.
    ends[-1] = people
    first: Whole = np.concatenate((np.zeros(1, np.int32), ends[:-1]))
    household: Whole = np.repeat(np.arange(count, dtype=np.int32), np.diff(np.append(first, people)))
    position = (np.arange(people) - first[household]).astype(np.int32)
    return household, first, position


def _ages(household: Whole, first: Whole, position: Whole, dice: np.random.Generator) -> NDArray[np.uint8]:
    size = np.bincount(household).astype(np.int32)[household]
    count = len(household)
    alone = np.where(size <= _COUPLE, dice.normal(56, 18, count), dice.normal(42, 10, count))
    age = np.clip(alone, ADULT, AGE_MAX)
    head = age[first][household]
    partner = (position == 1) & ((size > _COUPLE) | (dice.random(count) < _COUPLES))
    more = position > _COUPLE
    child = ((position == 1) & ~partner) | (position == _COUPLE) | (more & (dice.random(count) < _CHILDREN))
    grandparent = more & ~child
    age = np.where(partner, np.clip(head + dice.normal(-1, 3, count), ADULT, AGE_MAX), age)
    age = np.where(child, np.clip(head - 27 - np.abs(dice.normal(0, 5, count)), 0, 60), age)
    age = np.where(grandparent, np.clip(head + 25 + dice.normal(0, 4, count), 45, AGE_MAX), age)
    return age.astype(np.uint8)


def _homes(
    households: int, people: int, counties: Counties, dice: np.random.Generator
) -> tuple[Short, Real, Real, NDArray[np.float32]]:
    many = len(counties.codes)
    county = np.sort(dice.choice(many, size=households, p=counties.share)).astype(np.int16)
    centre = np.full((many, 1, 2), GRID / 2, np.float32)
    towns = dice.uniform(6, GRID - 6, (many, TOWNSHIPS, 2)).astype(np.float32)
    spots = np.concatenate((centre, towns), axis=1)
    weights = np.concatenate(([CENTRE_SHARE], np.full(TOWNSHIPS, (1 - CENTRE_SHARE) / TOWNSHIPS)))
    spot = dice.choice(TOWNSHIPS + 1, size=households, p=weights)
    # In the middle of a normal distribution of that deviation it is as dense as CELL_PEOPLE.
    living = people * counties.share[:, None] * weights[None, :]
    dense = np.array([CELL_PEOPLE.get(name[-1], CELL_PEOPLE_ELSE) for name in counties.names])
    spread = np.maximum(0.5, np.sqrt(living / dense[:, None] / (2 * np.pi))).astype(np.float32)
    at = spots[county, spot] + dice.standard_normal((households, 2), np.float32) * spread[county, spot][:, None]
    at = np.clip(at, 0, GRID - 0.01).astype(np.float32)
    return county, at[:, 0], at[:, 1], centre[:, 0]


def _phones(household: Whole, first: Whole, age: NDArray[np.uint8], dice: np.random.Generator) -> tuple[Whole, Real]:
    bounds = np.array([entry[0] for entry in _BY_AGE[:-1]])
    group = np.searchsorted(bounds, age, side="right")
    has = dice.random(len(age)) < np.array([entry[1] for entry in _BY_AGE])[group]
    has &= ~((dice.random(len(age)) < _SHARED_BY_ADULTS) & (age >= ADULT))
    me = np.arange(len(age), dtype=np.int32)
    head = first[household]
    borrows = ~has & has[head] & (age >= _BY_AGE[0][0]) & (dice.random(len(age)) < _SHARES_PHONE)
    holder = np.where(has, me, np.where(borrows, head, NOBODY)).astype(np.int32)
    scans = np.array([entry[2] for entry in _BY_AGE], np.float32)[group]
    scans *= dice.random(len(age)) >= _REFUSES
    scans[holder == NOBODY] = 0
    return holder, scans.astype(np.float32)
