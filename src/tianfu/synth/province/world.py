"""The synthetic province as a whole: people, places and habits from settings. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from tianfu.synth.province import divisions, institutions, people, sites, travel
from tianfu.synth.province.divisions import Counties
from tianfu.synth.province.model import (
    CATEGORY,
    GRID,
    KIND_CARRIAGE,
    Favourites,
    People,
    Settings,
    Short,
    Sites,
    Whole,
)
from tianfu.synth.province.people import Residents
from tianfu.synth.province.sites import Index, Venues
from tianfu.synth.province.travel import Travel
from tianfu.venues.model import VenueCategory

LINE_PEOPLE: Final = 8_000
VEHICLES_OF_LINE: Final = 8
# Homes of one block of so many cells a side ride the same line.
_BLOCK: Final = 4
_MEALS: Final = 3


class World(NamedTuple):
    """Everything that does not change from day to day. `first` int32: of each household its first member.

    `indexes` draws venues by category. Places are numbered: venues, vehicles, classes and rooms, carriages.
    """

    settings: Settings
    counties: Counties
    people: People
    first: Whole
    sites: Sites
    favourites: Favourites
    travel: Travel
    indexes: dict[VenueCategory, Index]


def make(settings: Settings) -> World:
    """The world of `settings`; a million people take some ten seconds and 150 MB. Raises `ValueError`."""
    settings.check()
    counties = divisions.counties(settings.place)
    residents = people.make(settings, counties)
    venues = sites.make(settings, residents)
    lines, line_of = _lines(residents, counties)
    vehicles = lines * VEHICLES_OF_LINE
    after = len(venues.kind) + vehicles
    work = institutions.make(settings, residents, counties, venues, first_place=after)
    trips = travel.make(
        settings, len(residents.age), residents.county, residents.age, first_place=after + len(work.kind)
    )
    indexes = {category: sites.index(venues, category) for category in sites.HABITS}
    return World(
        settings=settings,
        counties=counties,
        people=People(
            household=residents.household,
            age=residents.age,
            county=residents.county,
            x=residents.x,
            y=residents.y,
            cell=people.cell_of(residents.county, residents.x, residents.y),
            works_at=work.works_at,
            holder=residents.holder,
            scans=residents.scans,
        ),
        first=residents.first,
        sites=_places(venues, vehicles, work, trips),
        favourites=_favourites(settings, residents, indexes, line_of),
        travel=trips,
        indexes=indexes,
    )


def _lines(residents: Residents, counties: Counties) -> tuple[int, Whole]:
    """How many bus and metro lines there are, and whose line is which."""
    living = np.bincount(residents.county, minlength=len(counties.codes))
    lines = np.maximum(1, living // LINE_PEOPLE)
    before = np.concatenate(([0], np.cumsum(lines)))
    block = residents.y.astype(np.int64) // _BLOCK * (GRID // _BLOCK) + residents.x.astype(np.int64) // _BLOCK
    line = before[residents.county] + block * 7 % lines[residents.county]
    return int(before[-1]), line.astype(np.int32)


def _places(venues: Venues, vehicles: int, work: institutions.Institutions, trips: Travel) -> Sites:
    moving = np.full(vehicles + trips.carriages, -1, np.int32)
    return Sites(
        kind=np.concatenate(
            (
                venues.kind,
                np.full(vehicles, CATEGORY[VenueCategory.VEHICLE], np.uint8),
                work.kind,
                np.full(trips.carriages, KIND_CARRIAGE, np.uint8),
            )
        ),
        county=np.concatenate(
            (venues.county, np.full(vehicles, -1, np.int16), work.county, np.full(trips.carriages, -1, np.int16))
        ),
        # A vehicle is in no cell for long.
        cell=np.concatenate((venues.cell, moving[:vehicles], work.cell, moving[vehicles:])),
        unit_of=np.concatenate(
            (
                np.arange(len(venues.kind), dtype=np.int32),
                np.arange(vehicles, dtype=np.int32) // VEHICLES_OF_LINE,
                work.unit_of,
                np.zeros(trips.carriages, np.int32),
            )
        ),
        posters=len(venues.kind) + vehicles,
    )


def _favourites(
    settings: Settings, residents: Residents, indexes: dict[VenueCategory, Index], line: Whole
) -> Favourites:
    dice = settings.dice(5)

    def drawn(category: VenueCategory, county: Short, at: tuple[np.ndarray, np.ndarray]) -> Whole:
        return sites.near(indexes[category], county, at[0], at[1], dice)

    each, at = residents.county, (residents.x, residents.y)
    head = residents.first
    home, home_at = residents.county[head], (residents.x[head], residents.y[head])
    leisure = (VenueCategory.CULTURE, VenueCategory.SPORT, VenueCategory.PARK)
    shops = (VenueCategory.RETAIL, VenueCategory.RETAIL, VenueCategory.MARKET)
    return Favourites(
        meals=np.stack([drawn(VenueCategory.CATERING, each, at) for _ in range(_MEALS)], axis=1),
        # Families go to the same gym and park.
        leisure=np.stack([drawn(category, home, home_at) for category in leisure], axis=1),
        shops=np.stack([drawn(category, home, home_at) for category in shops], axis=1),
        ride=line,
    )
