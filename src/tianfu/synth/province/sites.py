"""Places: venues by category, vehicles, classes, rooms; how popular they are, and which ones people go to. Pure.

The pattern is that of the simulator of Lorch et al.: sites have a type, people have favourite sites near home, a visit
has a dwell. Popularity is Pareto, so a few venues take a large part of the visits. Numbers of venues per thousand
people are ours, so that there are about 22 venues with a poster for a thousand people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.synth.province.model import CATEGORY, GRID, Real, Settings, Short, Whole
from tianfu.synth.province.people import Residents, cell_of
from tianfu.venues.model import VenueCategory


class Habit(NamedTuple):
    """A category of venue: how many for 1,000 people, how far people go (cells), how long they stay (minutes, mean)."""

    per_thousand: float
    distance: float
    dwell: float


# Vehicles are made with the lines (`transport`), not here.
HABITS: Final[Mapping[VenueCategory, Habit]] = {
    VenueCategory.MEDICAL: Habit(0.7, 3.0, 70),
    VenueCategory.PRISON: Habit(0.002, 20.0, 60),
    VenueCategory.WELFARE: Habit(0.05, 5.0, 60),
    VenueCategory.SCHOOL: Habit(0.25, 2.0, 20),
    VenueCategory.MARKET: Habit(0.35, 1.5, 25),
    VenueCategory.RETAIL: Habit(8.0, 1.2, 18),
    VenueCategory.CATERING: Habit(6.0, 1.8, 50),
    VenueCategory.EXHIBITION: Habit(0.01, 15.0, 90),
    VenueCategory.TOURISM: Habit(0.03, 15.0, 120),
    VenueCategory.CULTURE: Habit(0.8, 3.0, 90),
    VenueCategory.SPORT: Habit(0.3, 2.5, 75),
    VenueCategory.HOTEL: Habit(0.4, 8.0, 120),
    VenueCategory.TRANSPORT: Habit(0.02, 10.0, 30),
    VenueCategory.PARK: Habit(0.12, 2.0, 60),
    VenueCategory.COMMUNITY: Habit(4.0, 0.8, 20),
}
# Exponent of popularity, and how much more popular than usual a venue can be: the tail has an end.
TAIL: Final = 1.15
POPULARITY_MAX: Final = 400.0
# Of the venues: how many lie near the county's centre, the others near somebody's home.
_CENTRAL: Final = 0.25
_TRIES: Final = 3


class Venues(NamedTuple):
    """Public venues: `kind` uint8, `county` int16, `x`, `y` float32, `cell` int32, `weight` float64."""

    kind: NDArray[np.uint8]
    county: Short
    x: Real
    y: Real
    cell: Whole
    weight: NDArray[np.float64]


class Index(NamedTuple):
    """The venues of one kind by cell, to draw from: `order` int32 venues, `cell` of each, `cumulated` weights."""

    order: Whole
    cell: Whole
    cumulated: NDArray[np.float64]
    distance: float


def make(settings: Settings, residents: Residents) -> Venues:
    """The venues of the counties, in order of category. At least one of each category that anybody can go to."""
    dice = settings.dice(2)
    counts = [max(1, round(habit.per_thousand * settings.people / 1000)) for habit in HABITS.values()]
    kind = np.repeat([CATEGORY[category] for category in HABITS], counts).astype(np.uint8)
    # Where people live there are venues.
    near = dice.integers(0, len(residents.household), len(kind))
    county = residents.county[near]
    central = dice.random(len(kind)) < _CENTRAL
    across = np.where(central, residents.centre[county, 0], residents.x[near]) + dice.normal(0, 0.6, len(kind))
    along = np.where(central, residents.centre[county, 1], residents.y[near]) + dice.normal(0, 0.6, len(kind))
    x, y = (np.clip(axis, 0, GRID - 0.01).astype(np.float32) for axis in (across, along))
    weight = np.minimum(dice.pareto(TAIL, len(kind)) + 1, POPULARITY_MAX)
    return Venues(kind, county, x, y, cell_of(county, x, y), weight)


def index(venues: Venues, category: VenueCategory) -> Index:
    """The venues of `category`, ready for `near`."""
    chosen = np.flatnonzero(venues.kind == CATEGORY[category])
    order = chosen[np.argsort(venues.cell[chosen], kind="stable")].astype(np.int32)
    cumulated = np.concatenate(([0.0], np.cumsum(venues.weight[order])))
    return Index(order, venues.cell[order], cumulated, HABITS[category].distance)


def near(found: Index, county: Short, x: Real, y: Real, dice: np.random.Generator) -> Whole:
    """A venue for each point: in a cell at an exponential distance from it, by popularity; else anywhere in the county.

    Where the county has none of the kind, anywhere at all.
    """
    chosen = np.full(len(x), -1, np.int32)
    open_ = np.arange(len(x))
    for _ in range(_TRIES):
        far = dice.exponential(found.distance, len(open_))
        angle = dice.random(len(open_)) * (2 * np.pi)
        target = cell_of(county[open_], x[open_] + far * np.cos(angle), y[open_] + far * np.sin(angle))
        open_ = _draw(found, chosen, open_, target, target + 1, dice)
        if len(open_) == 0:
            return chosen
    low = county[open_].astype(np.int32) * (GRID * GRID)
    open_ = _draw(found, chosen, open_, low, low + GRID * GRID, dice)
    _draw(found, chosen, open_, np.zeros(len(open_), np.int32), np.full(len(open_), 2**31 - 1, np.int64), dice)
    return chosen


def _draw(
    found: Index,
    chosen: Whole,
    who: NDArray[np.intp],
    low: NDArray[np.integer],
    high: NDArray[np.integer],
    dice: np.random.Generator,
) -> NDArray[np.intp]:
    """Put a venue of the cells [`low`, `high`) into `chosen` for `who`; returns those for whom there is none."""
    begin, end = np.searchsorted(found.cell, low), np.searchsorted(found.cell, high)
    some = end > begin
    start, stop = found.cumulated[begin[some]], found.cumulated[end[some]]
    at = np.searchsorted(found.cumulated, start + dice.random(len(start)) * (stop - start), side="right") - 1
    # Rounding may step over the end of the last cell.
    chosen[who[some]] = found.order[np.clip(at, begin[some], end[some] - 1)]
    return who[~some]
