"""What the synthetic province is made of: arrays, one entry a person, place, trip or stay. Pure.

People are numbered from 0 (`person` int32), places from 0 in one row of numbers for everything somebody can be in but
a home: public venues, vehicles, classes, rooms, carriages. The lake's numbers are these plus 1, since no person and no
venue of an installation has the number 0. Days are counted from `Settings.first_day`; minutes are of the day unless
a name says `at`, which is a minute of the lake (`tianfu.lake.layout`).
"""

from __future__ import annotations

import enum
from datetime import date
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from tianfu.lake import layout
from tianfu.venues.model import VenueCategory

Whole = NDArray[np.int32]
Short = NDArray[np.int16]
Byte = NDArray[np.uint8]
Real = NDArray[np.float32]
Flags = NDArray[np.bool_]

# Everything of the model in memory is about 150 bytes a person; beyond it there are arrays only (`scale`).
PEOPLE_MAX: Final = 5_000_000
DAYS_MAX: Final = 60
NOBODY: Final = -1
# Side of a county's square in cells, and of a cell in metres: the carriers' grid of tracing rules.
GRID: Final = 64
CELL_METRES: Final = 800

# Kind of a place: 1 to 16 are the categories of venues in their order, and have posters.
CATEGORY: Final = {category: code for code, category in enumerate(VenueCategory, start=1)}
POSTERS_END: Final = len(CATEGORY) + 1
KIND_CLASS: Final = 32
KIND_ROOM: Final = 33
KIND_CARRIAGE: Final = 34


class Setting(enum.IntEnum):
    """Where an infection happened, as the truth has it."""

    IMPORTED = 0
    HOUSEHOLD = 1
    SCHOOL = 2
    WORK = 3
    VENUE = 4
    TRANSPORT = 5


class Mode(enum.IntEnum):
    """Means of a trip out of the place; a car leaves no record."""

    RAIL = 0
    COACH = 1
    AIR = 2
    CAR = 3


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a synthetic province; the same settings make the same bytes.

    `place` is the prefix of the divisions people live in. `festival` is the first day of Spring Festival; None where
    none lies near. `scan_share` is how often somebody who scans at all does so where a poster hangs.
    """

    people: int
    days: int
    seed: int
    place: str = "510117"
    first_day: date = date(2022, 3, 1)
    festival: date | None = None
    scan_share: float = 0.85

    def check(self) -> None:
        """Raise `ValueError` for what cannot be made."""
        if not 1 <= self.people <= PEOPLE_MAX or not 1 <= self.days <= DAYS_MAX:
            message = f"a synthetic province has 1 to {PEOPLE_MAX} people and 1 to {DAYS_MAX} days"
            raise ValueError(message)

    def dice(self, *stream: int) -> np.random.Generator:
        """A generator of its own for each use, so that one part may change without moving the others."""
        return np.random.Generator(np.random.SFC64([self.seed & 0xFFFF_FFFF, *stream]))

    def day_number(self, day: int) -> int:
        """The lake's number of day `day`."""
        return layout.day_number(self.first_day) + day


class People(NamedTuple):
    """Everybody. Household members stand next to each other, the first one an adult.

    `household` int32, `age` uint8 years, `county` int16 position in the counties, `x`, `y` float32 cells in the
    county's square, `cell` int32 of the home. `works_at` int32 the place of work or class, -1 for none; `holder` int32
    whose phone they use: themselves, another of the household, or -1. `scans` float32: how readily they scan.
    """

    household: Whole
    age: Byte
    county: Short
    x: Real
    y: Real
    cell: Whole
    works_at: Whole
    holder: Whole
    scans: Real


class Sites(NamedTuple):
    """Every place: `kind` uint8, `county` int16, `cell` int32; `unit_of` int32, the school or firm it is a part of.

    `posters` is how many, the first ones, have a poster: public venues and vehicles.
    """

    kind: Byte
    county: Short
    cell: Whole
    unit_of: Whole
    posters: int


class Favourites(NamedTuple):
    """Where people go again and again: [people, n] int32 places for meals and leisure, [households, n] for shopping."""

    meals: NDArray[np.int32]
    leisure: NDArray[np.int32]
    shops: NDArray[np.int32]
    ride: Whole


class Legs(NamedTuple):
    """Rides out of the place and back, one entry a seat: who, on which day, in which run, carriage, row and seat.

    `back` tells the way home. `place` int32 is the carriage as a place (-1 for a car); `elsewhere` int16 is a position
    in `travel.ELSEWHERE`.
    """

    person: Whole
    day: Short
    begins: Short
    ends: Short
    back: Flags
    mode: Byte
    run: Whole
    carriage: Byte
    row: Byte
    seat: Byte
    place: Whole
    elsewhere: Short


class Stays(NamedTuple):
    """The true stays of one day, homes left out: who was where in [`begins`, `ends`), minutes of the day.

    Sorted by person, then begin; stays of one person do not overlap.
    """

    person: Whole
    place: Whole
    begins: Short
    ends: Short


class Scans(NamedTuple):
    """The scans of one day: under whose number, at which place, at which minute of the day."""

    person: Whole
    place: Whole
    minute: Short


def lake_person(person: Whole) -> NDArray[np.uint32]:
    """People as the lake numbers them, where nobody gave them other numbers."""
    return (person + 1).astype(np.uint32)


def lake_venue(place: Whole) -> NDArray[np.uint32]:
    """Places as the lake numbers them, where nobody gave them other numbers."""
    return (place + 1).astype(np.uint32)
