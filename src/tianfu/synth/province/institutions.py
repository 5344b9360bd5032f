"""Who learns and works where: classes of schools, rooms of firms, staff of venues. Pure.

Classes have up to 45 pupils of one age who live near each other, and two teachers. Firms have Pareto sizes and rooms of
up to 16 people. One worker in seven works at a public venue, and scans its poster like everybody else.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.synth.province import sites
from tianfu.synth.province.divisions import Counties
from tianfu.synth.province.model import KIND_CLASS, KIND_ROOM, NOBODY, Settings, Short, Whole
from tianfu.synth.province.people import PUPIL_AGES, WORKER_AGES, WORKING_SHARE, Residents, cell_of
from tianfu.synth.province.sites import Venues
from tianfu.venues.model import VenueCategory

CLASS_PUPILS: Final = 45
CLASSES_OF_SCHOOL: Final = 3
TEACHERS_OF_CLASS: Final = 2
ROOM_PEOPLE: Final = 16
FIRM_TAIL: Final = 1.3
FIRM_LEAST: Final = 4
FIRM_MOST: Final = 2_000
_STAFF_SHARE: Final = 0.15
_COMMUTES_ABROAD: Final = 0.08
_STAFF_OF: Final = (
    (VenueCategory.CATERING, 0.4),
    (VenueCategory.RETAIL, 0.34),
    (VenueCategory.MEDICAL, 0.1),
    (VenueCategory.MARKET, 0.06),
    (VenueCategory.HOTEL, 0.05),
    (VenueCategory.TRANSPORT, 0.05),
)


class Institutions(NamedTuple):
    """`works_at` int32 of each person; the new places after the venues: `kind`, `county`, `cell`, `unit_of` of each."""

    works_at: Whole
    kind: NDArray[np.uint8]
    county: Short
    cell: Whole
    unit_of: Whole


def make(
    settings: Settings, residents: Residents, counties: Counties, venues: Venues, *, first_place: int
) -> Institutions:
    """Assign everybody who learns or works; classes are numbered from `first_place`, rooms after them."""
    dice = settings.dice(3)
    works_at = np.full(len(residents.age), NOBODY, np.int32)
    home = cell_of(residents.county, residents.x, residents.y)
    pupils = np.flatnonzero((residents.age >= PUPIL_AGES[0]) & (residents.age < PUPIL_AGES[1]))
    in_class, school, lead = _classes(residents, pupils, home)
    works_at[pupils] = first_place + in_class
    classes = len(lead)

    able = (residents.age >= WORKER_AGES[0]) & (residents.age < WORKER_AGES[1])
    workers = np.flatnonzero(able & (dice.random(len(able)) < WORKING_SHARE))
    dice.shuffle(workers)
    taken = min(TEACHERS_OF_CLASS * classes, len(workers) // 4)
    teachers = workers[:taken][np.argsort(residents.county[workers[:taken]], kind="stable")]
    works_at[teachers] = first_place + (np.arange(taken) * classes // max(1, taken)).astype(np.int32)
    staff, others = np.split(workers[taken:], [int(len(workers[taken:]) * _STAFF_SHARE)])
    works_at[staff] = _staff(residents, staff, venues, dice)

    room, firm, room_county, room_cell = _rooms(residents, others, counties, dice)
    works_at[others] = first_place + classes + room
    rooms = len(firm)
    kinds = np.repeat(np.array([KIND_CLASS, KIND_ROOM], np.uint8), (classes, rooms))
    county = np.concatenate((residents.county[lead], room_county))
    cell = np.concatenate((home[lead], room_cell))
    return Institutions(works_at, kinds, county, cell, np.concatenate((school, firm)))


def _classes(residents: Residents, pupils: NDArray[np.intp], home: Whole) -> tuple[Whole, Whole, NDArray[np.intp]]:
    """The class of each of `pupils`; of each class its school and one pupil."""
    county, age = residents.county[pupils].astype(np.int64), residents.age[pupils].astype(np.int64)
    order = np.lexsort((home[pupils], age, county))
    grade = (county * 128 + age)[order]
    starts = np.flatnonzero(np.concatenate(([True], grade[1:] != grade[:-1]))) if len(grade) else np.empty(0, np.intp)
    sizes = np.diff(np.concatenate((starts, [len(grade)])))
    within = np.arange(len(grade)) - np.repeat(starts, sizes)
    new = within % CLASS_PUPILS == 0
    number = (np.cumsum(new) - 1).astype(np.int32)
    in_class = np.empty(len(pupils), np.int32)
    in_class[order] = number
    lead = pupils[order[new]]
    # Classes of the same county and row of classes, whatever the grade, are one school.
    of_school = residents.county[lead].astype(np.int64) * 4096 + within[new] // CLASS_PUPILS // CLASSES_OF_SCHOOL
    school = np.unique(of_school, return_inverse=True)[1].astype(np.int32)
    return in_class, school, lead


def _staff(residents: Residents, staff: NDArray[np.intp], venues: Venues, dice: np.random.Generator) -> Whole:
    shares = np.array([share for _, share in _STAFF_OF])
    which = dice.choice(len(_STAFF_OF), size=len(staff), p=shares / shares.sum())
    places = np.empty(len(staff), np.int32)
    for number, (category, _) in enumerate(_STAFF_OF):
        mine = which == number
        who = staff[mine]
        found = sites.index(venues, category)
        places[mine] = sites.near(found, residents.county[who], residents.x[who], residents.y[who], dice)
    return places


def _rooms(
    residents: Residents, others: NDArray[np.intp], counties: Counties, dice: np.random.Generator
) -> tuple[Whole, Whole, Short, Whole]:
    """The room of each of `others`; of each room its firm, county and cell."""
    county = residents.county[others].astype(np.int64)
    abroad = dice.random(len(others)) < _COMMUTES_ABROAD
    county[abroad] = dice.choice(len(counties.codes), size=int(abroad.sum()), p=counties.share)
    order = np.argsort(county, kind="stable")
    sizes = np.minimum(FIRM_LEAST * (dice.pareto(FIRM_TAIL, len(others) // FIRM_LEAST + 1) + 1), FIRM_MOST)
    ends = np.cumsum(sizes.astype(np.int64))
    at = np.arange(len(others))
    firm = np.searchsorted(ends, at, side="right")
    starts = np.concatenate(([0], ends))[firm]
    new = ((at - starts) % ROOM_PEOPLE == 0) | (at == 0)
    number = (np.cumsum(new) - 1).astype(np.int32)
    room = np.empty(len(others), np.int32)
    room[order] = number
    room_county = county[order][new].astype(np.int16)
    # A firm lies where some people live; its rooms are together.
    firm_of = firm[new].astype(np.int32)
    host = dice.integers(0, len(residents.age), int(firm_of.max()) + 1 if len(firm_of) else 1)
    x, y = residents.x[host][firm_of], residents.y[host][firm_of]
    return room, firm_of, room_county, cell_of(room_county, x, y)
