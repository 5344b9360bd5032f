"""Putting a synthetic province into a real installation: people and venues get its numbers, scans become days.

Only for worlds whose people have documents, and a town rather than a county: venues are made one by one as a manager
would make them. What the departments send is loaded as their files are (`tianfu feed load`), by the same documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.access.decide import Principal
from tianfu.lake import days, layout
from tianfu.platform.database import Database, Purpose
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import documents, people
from tianfu.synth.province import folder, outbreak, routine, scanning
from tianfu.synth.province.identities import Identities
from tianfu.synth.province.model import CATEGORY, NOBODY, Scans
from tianfu.synth.province.outbreak import Infections
from tianfu.synth.province.world import World
from tianfu.venues import create

# One transaction of people: a second of work, and no longer a lock.
PEOPLE_AT_ONCE: Final = 5_000


class Numbers(NamedTuple):
    """The installation's numbers: of each person and of each place with a poster, uint32."""

    person: NDArray[np.uint32]
    venue: NDArray[np.uint32]


def number_people(
    database: Database, identities: Identities, *, pseudonym: Pseudonym, at: datetime
) -> NDArray[np.uint32]:
    """The person number of everybody, given by their documents; harmless to repeat."""
    found: list[int] = []
    for start in range(0, len(identities.numbers), PEOPLE_AT_ONCE):
        checked = [
            documents.parse(documents.DocumentType.RESIDENT_ID, number, at=at)
            for number in identities.numbers[start : start + PEOPLE_AT_ONCE]
        ]
        with database.write(Purpose.BATCH) as write:
            found += people.refer(write, checked, pseudonym=pseudonym, at=at)
    return np.array(found, np.uint32)


def make_venues(database: Database, world: World, managers: Sequence[Principal], *, at: datetime) -> NDArray[np.uint32]:
    """The venue number of every place with a poster, shared out among `managers`.

    Not for repeating: it would make them again. Raises the errors of `venues.create`, such as too many for one manager.
    """
    sites, categories = world.sites, {code: word.value for word, code in CATEGORY.items()}
    found: list[int] = []
    for place in range(sites.posters):
        county = 0 if sites.county[place] == NOBODY else int(sites.county[place])
        checked = create.check(
            name=folder.venue_name(world, place),
            category=categories[int(sites.kind[place])],
            district=world.counties.codes[county],
            address=f"合成路{place + 1}号",
        )
        found.append(create.create(database, managers[place % len(managers)], checked, at=at).venue_ref)
    return np.array(found, np.uint32)


def write_days(lake: Path, world: World, infections: Infections, numbers: Numbers) -> int:
    """Make every day's scans closed days of `lake`, under the installation's numbers; how many scans there were.

    Raises `DayTakenError` where the lake has that day already, and `LakeFullError`.
    """
    written = 0
    for number in range(world.settings.days):
        stays = routine.day(world, number, kept_in=outbreak.kept_in(world, infections, number))
        found = scanning.scans(world, number, stays)
        days.write_arrays(lake, partition(world, number, found, numbers))
        written += len(found.person)
    return written


def partition(world: World, number: int, found: Scans, numbers: Numbers) -> layout.Partition:
    """The scans of one day under the installation's numbers."""
    person, venue = numbers.person[found.person], numbers.venue[found.place]
    return layout.partition(world.settings.day_number(number), venue, found.minute, person)
