"""A day of everybody: work, school, meals, shops, leisure, rides, trips. Pure.

The day has parts that do not overlap (times of the day below); in each part somebody does one thing at most. Homes are
what is left. Weekdays, weekends and the days of Spring Festival differ. The same world and day give the same stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.synth.province import sites
from tianfu.synth.province.columns import joined, taken
from tianfu.synth.province.model import CATEGORY, KIND_CLASS, KIND_ROOM, NOBODY, Flags, Short, Stays, Whole
from tianfu.synth.province.sites import HABITS
from tianfu.synth.province.world import VEHICLES_OF_LINE, World
from tianfu.venues.model import VenueCategory

FESTIVAL_HOLIDAYS: Final = 7
DEPARTURE_MINUTES: Final = 10
_SATURDAY: Final = 5
# Of those who work or learn on the day: by bus or metro; of workers: a meal outside at noon.
_RIDES: Final = 0.28
_LUNCHES: Final = 0.3
_STAY_LEAST: Final = 5
_FAVOURITE: Final = 0.8
_FAMILY_DINNERS: Final = 0.12
_SECOND_SHOP: Final = 0.3


class _Part(NamedTuple):
    """A part of the day: begins in [first, last), over at `end`; how likely on weekdays and on free days."""

    first: int
    last: int
    end: int
    weekday: float
    free: float
    purposes: tuple[tuple[VenueCategory, float], ...]


_MORNING: Final = _Part(
    9 * 60,
    11 * 60,
    11 * 60 + 50,
    0.38,
    0.32,
    (
        (VenueCategory.MARKET, 0.34),
        (VenueCategory.RETAIL, 0.3),
        (VenueCategory.MEDICAL, 0.1),
        (VenueCategory.PARK, 0.12),
        (VenueCategory.COMMUNITY, 0.14),
    ),
)
_NOON: Final = _Part(12 * 60, 12 * 60 + 35, 13 * 60 + 20, 0.1, 0.22, ((VenueCategory.CATERING, 1.0),))
_AFTERNOON: Final = _Part(
    14 * 60,
    16 * 60 + 30,
    17 * 60 + 50,
    0.28,
    0.4,
    (
        (VenueCategory.RETAIL, 0.36),
        (VenueCategory.CULTURE, 0.2),
        (VenueCategory.PARK, 0.16),
        (VenueCategory.COMMUNITY, 0.14),
        (VenueCategory.SPORT, 0.06),
        (VenueCategory.TOURISM, 0.04),
        (VenueCategory.MEDICAL, 0.03),
        (VenueCategory.HOTEL, 0.01),
    ),
)
_DINNER: Final = _Part(
    19 * 60 + 20,
    20 * 60,
    20 * 60 + 40,
    0.22,
    0.34,
    (
        (VenueCategory.CATERING, 0.48),
        (VenueCategory.RETAIL, 0.34),
        (VenueCategory.SPORT, 0.1),
        (VenueCategory.COMMUNITY, 0.06),
        (VenueCategory.HOTEL, 0.02),
    ),
)
_NIGHT: Final = _Part(
    20 * 60 + 45,
    21 * 60 + 15,
    22 * 60 + 30,
    0.07,
    0.12,
    ((VenueCategory.CULTURE, 0.45), (VenueCategory.CATERING, 0.3), (VenueCategory.RETAIL, 0.25)),
)


class _Day(NamedTuple):
    """What is known of the day before it begins: who is `here` at all, and who `works` on it."""

    here: Flags
    works: Flags
    free_day: bool
    dice: np.random.Generator


def day(world: World, number: int, *, kept_in: Flags | None = None) -> Stays:
    """The true stays of day `number`, in no order; who is `kept_in` stays at home.

    A million people make four million stays in a second or two.
    """
    return joined(list(_stays(world, number, kept_in)))


def ordered(stays: Stays) -> Stays:
    """The same stays by person, then begin."""
    order = np.argsort(stays.person.astype(np.int64) * 2048 + stays.begins, kind="stable")
    return taken(stays, order)


def is_free(world: World, number: int) -> bool:
    """Whether the day is a weekend or a holiday of Spring Festival."""
    at = world.settings.first_day + timedelta(days=number)
    festival = world.settings.festival
    since = FESTIVAL_HOLIDAYS if festival is None else (at - festival).days
    return at.weekday() >= _SATURDAY or 0 <= since < FESTIVAL_HOLIDAYS


def _stays(world: World, number: int, kept_in: Flags | None) -> Iterator[Stays]:
    dice = world.settings.dice(10, number)
    travel = world.travel
    here = (number < travel.out) | (number > travel.back)
    yield _rides_out(world, number, kept_in)
    free_day = is_free(world, number)
    kind = np.where(world.people.works_at == NOBODY, 0, world.sites.kind[world.people.works_at])
    share = np.zeros(256, np.float32)
    share[KIND_CLASS], share[KIND_ROOM] = (0.0, 0.1) if free_day else (0.97, 0.93)
    share[1:KIND_CLASS] = 0.75
    # Drawn before anybody is kept in, so that the others' day is the same whoever is.
    works = here & (dice.random(len(kind), np.float32) < share[kind])
    whole = _Day(here, works, free_day, dice)
    for stays in _made(world, whole, kind):
        yield stays if kept_in is None else taken(stays, ~kept_in[stays.person])


def _made(world: World, today: _Day, kind: NDArray[np.uint8]) -> Iterator[Stays]:
    dice, works = today.dice, today.works
    learns = works & (kind == KIND_CLASS)
    pupils, workers = np.flatnonzero(learns), np.flatnonzero(works & (kind != KIND_CLASS))
    both = np.flatnonzero(works)
    riders = both[dice.random(len(both), np.float32) < _RIDES]
    yield _rides(world, riders, 7 * 60, dice)
    yield _at_work(world, pupils, 8 * 60 + 20, 16 * 60 + 30, dice)
    yield _at_work(world, workers, 8 * 60 + 50, 11 * 60 + 35, dice)
    eats = workers[dice.random(len(workers), np.float32) < _LUNCHES]
    yield _visits(world, eats, _NOON, dice)
    yield _at_work(world, workers, 13 * 60 + 25, 17 * 60 + 40, dice)
    yield _rides(world, riders, 18 * 60 + 10, dice)
    free = today.here & ~works
    for part in (_MORNING, _NOON, _AFTERNOON):
        yield _visits(world, _goes(free, part, today), part, dice)
    dines = _families(world, today)
    yield _family_dinners(world, dines, dice)
    yield _visits(world, _goes(today.here & ~dines, _DINNER, today), _DINNER, dice)
    yield _visits(world, _goes(today.here, _NIGHT, today), _NIGHT, dice)


def _goes(who: Flags, part: _Part, today: _Day) -> NDArray[np.intp]:
    likely = part.free if today.free_day else part.weekday
    return np.flatnonzero(who & (today.dice.random(len(who), np.float32) < likely))


def _at_work(world: World, who: NDArray[np.intp], first: int, last: int, dice: np.random.Generator) -> Stays:
    begins = first + dice.integers(0, 20, len(who))
    ends = last + dice.integers(0, 25, len(who))
    return _of(who, world.people.works_at[who], begins, ends)


def _rides(world: World, who: NDArray[np.intp], first: int, dice: np.random.Generator) -> Stays:
    """A ride that begins within 40 minutes of `first` and is over within 70.

    Who boards in the same ten minutes of a line's day sits in the same vehicle.
    """
    begins = first + dice.integers(0, 40, len(who))
    vehicle = world.favourites.ride[who] * VEHICLES_OF_LINE + begins // DEPARTURE_MINUTES % VEHICLES_OF_LINE
    first_vehicle = world.sites.posters - _vehicles(world)
    return _of(who, first_vehicle + vehicle, begins, begins + 8 + dice.integers(0, 22, len(who)))


def _vehicles(world: World) -> int:
    return int((world.sites.kind[: world.sites.posters] == CATEGORY[VenueCategory.VEHICLE]).sum())


def _rides_out(world: World, number: int, kept_in: Flags | None) -> Stays:
    legs = world.travel.legs
    today = (legs.day == number) & (legs.place != NOBODY)
    if kept_in is not None:
        today &= ~kept_in[legs.person]
    return Stays(legs.person[today], legs.place[today], legs.begins[today], legs.ends[today])


def _families(world: World, today: _Day) -> Flags:
    """Who dines out with the whole household tonight: on free days."""
    likely = _FAMILY_DINNERS if today.free_day else 0.0
    goes = today.dice.random(len(world.first), np.float32) < likely
    return goes[world.people.household] & today.here


def _family_dinners(world: World, dines: Flags, dice: np.random.Generator) -> Stays:
    who = np.flatnonzero(dines)
    household = world.people.household[who]
    place = world.favourites.meals[world.first[household], 0]
    households = len(world.first)
    begins = _DINNER.first + dice.integers(0, _DINNER.last - _DINNER.first, households)
    ends = np.minimum(begins + 25 + dice.integers(0, 40, households), _DINNER.end)
    return _of(who, place, begins[household], ends[household])


def _visits(world: World, who: NDArray[np.intp], part: _Part, dice: np.random.Generator) -> Stays:
    shares = np.cumsum([share for _, share in part.purposes])
    which = np.searchsorted(shares, dice.random(len(who)) * shares[-1], side="right")
    begins = part.first + dice.integers(0, part.last - part.first, len(who))
    place = np.empty(len(who), np.int32)
    dwell = np.empty(len(who))
    for number, (category, _) in enumerate(part.purposes):
        mine = np.flatnonzero(which == number)
        place[mine] = _chosen(world, who[mine], category, dice)
        dwell[mine] = dice.exponential(HABITS[category].dwell - _STAY_LEAST, len(mine))
    ends = np.minimum(begins + _STAY_LEAST + dwell.astype(np.int64), part.end)
    return _of(who, place, begins, ends)


def _chosen(world: World, who: NDArray[np.intp], category: VenueCategory, dice: np.random.Generator) -> Whole:
    """Where they go for that: mostly a favourite, if they have one of the kind."""
    people = world.people
    wanted = _favourite(world, who, category, dice)
    other = np.arange(len(who)) if wanted is None else np.flatnonzero(dice.random(len(who)) >= _FAVOURITE)
    place: Whole = np.empty(len(who), np.int32) if wanted is None else wanted
    far = who[other]
    place[other] = sites.near(world.indexes[category], people.county[far], people.x[far], people.y[far], dice)
    return place


def _favourite(world: World, who: NDArray[np.intp], category: VenueCategory, dice: np.random.Generator) -> Whole | None:
    favourites, household = world.favourites, world.people.household[who]
    column = {VenueCategory.CULTURE: 0, VenueCategory.SPORT: 1, VenueCategory.PARK: 2}
    found: Whole | None = None
    if category is VenueCategory.CATERING:
        which = np.minimum(dice.geometric(0.55, len(who)) - 1, favourites.meals.shape[1] - 1)
        found = favourites.meals[who, which]
    elif category is VenueCategory.RETAIL:
        found = favourites.shops[household, (dice.random(len(who)) < _SECOND_SHOP).astype(np.int64)]
    elif category is VenueCategory.MARKET:
        found = favourites.shops[household, 2]
    elif category in column:
        found = favourites.leisure[household, column[category]]
    return found


def _of(
    who: NDArray[np.intp], place: NDArray[np.integer], begins: NDArray[np.integer], ends: NDArray[np.integer]
) -> Stays:
    return Stays(who.astype(np.int32), place.astype(np.int32), begins.astype(np.int16), ends.astype(np.int16))


def minutes_of(stays: Stays) -> Short:
    """How long each stay is."""
    return stays.ends - stays.begins
