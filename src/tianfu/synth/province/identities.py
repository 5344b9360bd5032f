"""Names, documents and phones of synthetic people: valid, and nobody's (see `tianfu.synth.county`). Pure."""

from __future__ import annotations

import functools
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np
from stdnum.cn import ric

from tianfu.lake import layout
from tianfu.synth.county import DAYS_OF_YEAR, NUMBER_DIVISION, PHONE_FIRST, SERIAL_MAX
from tianfu.synth.names import GIVEN, SURNAMES
from tianfu.synth.province.model import NOBODY, Settings
from tianfu.synth.province.world import World

# Birth dates times serials hold far more, but phones of the form 1990000xxxx end here.
DOCUMENTS_MAX: Final = 1_000_000


class Identities(NamedTuple):
    """For each person by number: the document number, the name, the phone they use (empty: none)."""

    numbers: list[str]
    names: list[str]
    phones: list[str]


def check(settings: Settings) -> None:
    """Raise `ValueError` beyond `DOCUMENTS_MAX` people: there are no more documents."""
    if settings.people > DOCUMENTS_MAX:
        message = f"more than {DOCUMENTS_MAX} people have no documents; make arrays only"
        raise ValueError(message)


def make(world: World) -> Identities:
    """Everybody's. Raises `ValueError` beyond `DOCUMENTS_MAX` people."""
    check(world.settings)
    people = world.settings.people
    dice = world.settings.dice(40)
    # Younger than a year and older than 95 there is nobody.
    ages = world.people.age.astype(np.int64) * DAYS_OF_YEAR + dice.integers(0, DAYS_OF_YEAR, people)
    born = layout.day_number(world.settings.first_day) - 1 - ages
    order = np.argsort(born, kind="stable")
    starts = np.concatenate(([True], born[order][1:] != born[order][:-1]))
    serial = np.empty(people, np.int64)
    serial[order] = np.arange(people) - np.maximum.accumulate(np.where(starts, np.arange(people), 0)) + 1
    if int(serial.max()) > SERIAL_MAX:
        message = "more people are born on one day than there are serial numbers"
        raise ValueError(message)
    numbers = [_number(day, number) for day, number in zip(born.tolist(), serial.tolist(), strict=True)]
    return Identities(numbers, _names(world), _phones(world))


def _number(born: int, serial: int) -> str:
    body = _birth(born) + f"{serial:03d}"
    return body + str(ric.calc_check_digit(body + "0"))


@functools.lru_cache(maxsize=40_000)
def _birth(day: int) -> str:
    born: date = date(1970, 1, 1) + timedelta(days=day)
    return f"{NUMBER_DIVISION}{born:%Y%m%d}"


def _names(world: World) -> list[str]:
    dice = world.settings.dice(41)
    weights = np.arange(len(SURNAMES), 0, -1, dtype=np.float64)
    surname = dice.choice(len(SURNAMES), size=len(world.first), p=weights / weights.sum())[world.people.household]
    first, second = dice.integers(0, len(GIVEN), (2, world.settings.people))
    two = dice.random(world.settings.people) < 0.67  # noqa: PLR2004 - two of three have a name of two characters
    return [
        SURNAMES[family] + GIVEN[given] + (GIVEN[more] if both else "")
        for family, given, more, both in zip(
            surname.tolist(), first.tolist(), second.tolist(), two.tolist(), strict=True
        )
    ]


def _phones(world: World) -> list[str]:
    return ["" if holder == NOBODY else str(PHONE_FIRST + holder) for holder in world.people.holder.tolist()]
