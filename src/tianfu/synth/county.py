"""A synthetic county from a seed: people in households, schools, shops and workplaces. Pure.

Nobody in it exists. The numbers are valid (GB 11643 check character, a division that GB/T 2260 lists) and yet cannot
be anybody's: their division is 510101, the group entry 市辖区 of Chengdu, in which no person is registered. Phones
are of the form 1990000xxxx. The same seed, size and day give the same county.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import msgspec
from stdnum.cn import ric

from tianfu.synth.names import GIVEN, PLACES, STREETS, SURNAMES, VENUE_KINDS

# Where they live: 龙泉驿区 of Chengdu.
HOME_DIVISION: Final = "510112"
NUMBER_DIVISION: Final = "510101"
PHONE_FIRST: Final = 19_900_000_000
# Phones have 10^7 free digits here, birth dates times serials 32,000 x 999.
PEOPLE_MAX: Final = 1_000_000
SERIAL_MAX: Final = 999
AGE_MAX_YEARS: Final = 95
SCHOOL_AGES: Final = range(6, 18)
WORKING_AGES: Final = range(18, 61)
ADULT_YEARS: Final = 20
VENUES_DEFAULT: Final = 60
DAYS_OF_YEAR: Final = 365

# Share of households by size, 1 to 6, near the census of 2020.
HOUSEHOLD_SHARES: Final = (25, 30, 21, 13, 7, 4)


class SyntheticPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One made-up person. `place` is the position of the school or workplace among the venues, None at home."""

    name: str
    number: str
    phone: str
    born: date
    household: int
    place: int | None


class SyntheticVenue(msgspec.Struct, frozen=True, kw_only=True):
    """One made-up venue."""

    name: str
    category: str
    division: str
    address: str


class County(msgspec.Struct, frozen=True):
    """The whole county."""

    people: tuple[SyntheticPerson, ...]
    venues: tuple[SyntheticVenue, ...]


def make(*, people: int, seed: int, today: date, venues: int = VENUES_DEFAULT) -> County:
    """A county of so many people as of `today`. Raises `ValueError` beyond 1 to a million people, or without venues."""
    if not 1 <= people <= PEOPLE_MAX or venues < 1:
        message = f"a synthetic county has 1 to {PEOPLE_MAX} people and at least one venue"
        raise ValueError(message)
    dice = random.Random(seed)
    made_venues = _venues(dice, venues)
    return County(tuple(itertools.islice(_people(dice, today, made_venues), people)), made_venues)


def resident_number(born: date, serial: int) -> str:
    """A valid resident identity number that can be nobody's."""
    body = f"{NUMBER_DIVISION}{born:%Y%m%d}{serial:03d}"
    return body + str(ric.calc_check_digit(body + "0"))


def _venues(dice: random.Random, count: int) -> tuple[SyntheticVenue, ...]:
    kinds = [kind for kind in VENUE_KINDS for _ in range(kind[2])]
    # One of each kind first, so that a small county has a school and a shop too.
    chosen = [*VENUE_KINDS, *dice.sample(kinds, len(kinds))]
    names: set[str] = set()
    found: list[SyntheticVenue] = []
    for (category, ending, _), number in zip(itertools.cycle(chosen), itertools.count(1), strict=False):
        if len(found) == count:
            break
        place = dice.choice(PLACES)
        name = f"{place}{ending}" if f"{place}{ending}" not in names else f"{place}第{number}{ending}"
        names.add(name)
        address = f"{dice.choice(STREETS)}{dice.randint(1, 299)}号"
        found.append(SyntheticVenue(name=name, category=category, division=HOME_DIVISION, address=address))
    return tuple(found)


def _people(dice: random.Random, today: date, venues: tuple[SyntheticVenue, ...]) -> Iterator[SyntheticPerson]:
    """People without end, household by household; each household begins with an adult and shares a surname."""
    schools = [position for position, venue in enumerate(venues) if venue.category == "school"]
    others = [position for position, venue in enumerate(venues) if venue.category != "school"]
    serials: dict[date, int] = {}
    phone = PHONE_FIRST
    for household in itertools.count(1):
        size = dice.choices(range(1, len(HOUSEHOLD_SHARES) + 1), HOUSEHOLD_SHARES)[0]
        surname = dice.choices(SURNAMES, range(len(SURNAMES), 0, -1))[0]
        for position in range(size):
            least = ADULT_YEARS if position == 0 else 0
            age_days = dice.randrange(least * DAYS_OF_YEAR, AGE_MAX_YEARS * DAYS_OF_YEAR)
            born = today - timedelta(days=age_days)
            serials[born] = serials.get(born, 0) + 1
            if serials[born] > SERIAL_MAX:
                continue
            age = age_days // DAYS_OF_YEAR
            place = dice.choice(schools or others) if age in SCHOOL_AGES else None
            if age in WORKING_AGES:
                place = dice.choice(others or schools)
            given = "".join(dice.sample(GIVEN, dice.choice((1, 2, 2))))
            phone += 1
            yield SyntheticPerson(
                name=surname + given,
                number=resident_number(born, serials[born]),
                phone=str(phone),
                born=born,
                household=household,
                place=place,
            )
