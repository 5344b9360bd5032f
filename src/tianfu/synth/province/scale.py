"""The whole province as the lake's arrays: 90 million people, 19 million scans a day, day by day. Pure but for writing.

No households, no truth: only scans whose venues, times and people are spread as they are in the world of `world`. Homes
are a block of people with consecutive numbers, venues likewise; most scans are at one of a person's few favourites near
home, the others anywhere in the county by popularity. Everything about a person follows from their number, so nothing
is kept between days: memory is one day's arrays and a chunk, whatever the number of people.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from tianfu.lake import days, layout
from tianfu.lake.layout import Partition
from tianfu.synth.province import divisions, sites
from tianfu.synth.province.divisions import Counties
from tianfu.synth.province.model import CATEGORY, Settings

PEOPLE_MAX: Final = 2**layout.PERSON_BITS - 2
SCANS_DEFAULT: Final = 19_040_000
# People of one neighbourhood, about what lives in a cell.
BLOCK_PEOPLE: Final = 4_096
FAVOURITES: Final = 6
# Of all scans: at a favourite; favourites in the own neighbourhood.
_FAVOURITE: Final = 0.75
_LOCAL: Final = 0.7
# A venue of rank r of n is drawn in proportion to r ** -0.75, near Zipf's law: rank = n * u ** 4.
_POPULARITY: Final = 4
_CHUNK: Final = 1_000_000
_TABLE: Final = 65_536
# Scans by hour of the day: shops and work in the morning, noon, the evening's peak.
_BY_HOUR: Final = (1, 1, 1, 1, 1, 4, 18, 60, 85, 75, 70, 72, 85, 65, 60, 62, 68, 85, 95, 88, 60, 30, 12, 4)


class Province(msgspec.Struct, frozen=True, kw_only=True):
    """Where the people and venues of each county begin: int64 [counties + 1] each."""

    settings: Settings
    people_before: NDArray[np.int64]
    venues_before: NDArray[np.int64]


def make(settings: Settings) -> Province:
    """The counties with their people and venues. Raises `ValueError` for more people than the lake can number."""
    if not 1 <= settings.people <= PEOPLE_MAX:
        message = f"the lake numbers 1 to {PEOPLE_MAX} people"
        raise ValueError(message)
    counties: Counties = divisions.counties(settings.place)
    people = np.round(np.concatenate(([0.0], np.cumsum(counties.share))) * settings.people).astype(np.int64)
    venues = np.maximum(8, np.diff(people) * sum(habit.per_thousand for habit in sites.HABITS.values()) / 1000)
    return Province(
        settings=settings,
        people_before=people,
        venues_before=np.concatenate(([0], np.cumsum(venues.astype(np.int64)))),
    )


def day(province: Province, number: int, *, scans: int) -> Partition:
    """The scans of day `number`: 19 million take some three seconds and 700 MB."""
    by_venue, by_person = np.empty(scans, np.uint64), np.empty(scans, np.uint64)
    minutes = _minutes()
    for start in range(0, scans, _CHUNK):
        dice = province.settings.dice(50, number, start // _CHUNK)
        count = min(_CHUNK, scans - start)
        person = (dice.random(count) * province.settings.people).astype(np.int64)
        venue = _venues(province, person, dice)
        minute = minutes[dice.integers(0, _TABLE, count, np.uint16)]
        # No person and no venue of an installation has the number 0.
        by_venue[start : start + count] = layout.venue_words(venue + 1, minute, person + 1)
        by_person[start : start + count] = layout.person_words(person + 1, minute, venue + 1)
    by_venue.sort()
    by_person.sort()
    return Partition(province.settings.day_number(number), by_venue, by_person)


def write(province: Province, out: Path, *, scans: int, say: Callable[[str], None]) -> None:
    """Write every day into the lake in `out`, one after the other, and `venue-types.u8` beside it.

    Raises `DayTakenError` for a day that is there, `LakeFullError`.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "venue-types.u8").write_bytes(venue_types(province).tobytes())
    (out / "world.json").write_bytes(msgspec.json.format(msgspec.json.encode(province.settings)) + b"\n")
    for number in range(province.settings.days):
        made = day(province, number, scans=scans)
        days.write_arrays(out / "lake", made)
        say(f"{layout.day_of(made.day).isoformat()}: {len(made.by_venue)} scans")


def venue_types(province: Province) -> NDArray[np.uint8]:
    """The type of each venue by its number in the lake; 0 for number 0, which nobody has.

    Types are mixed within each county in the proportions of `sites.HABITS`, whatever the popularity.
    """
    shares = np.array([habit.per_thousand for habit in sites.HABITS.values()])
    codes = np.array([CATEGORY[category] for category in sites.HABITS], np.uint8)
    table = codes[np.searchsorted(np.cumsum(shares) / shares.sum(), (np.arange(_TABLE) + 0.5) / _TABLE)]
    venue = np.arange(int(province.venues_before[-1]), dtype=np.uint64)
    return np.concatenate((np.zeros(1, np.uint8), table[_mixed(venue) >> np.uint64(48)]))


def _venues(province: Province, person: NDArray[np.int64], dice: np.random.Generator) -> NDArray[np.int64]:
    county = np.searchsorted(province.people_before, person, side="right") - 1
    first = province.venues_before[county]
    many = province.venues_before[county + 1] - first
    # A favourite is drawn once and for all from the person's number; anything else from today's dice.
    favourite = dice.random(len(person), np.float32) < _FAVOURITE
    which = np.minimum(dice.geometric(0.4, len(person)) - 1, FAVOURITES - 1)
    always = _mixed(person.astype(np.uint64) * np.uint64(FAVOURITES + 1) + which.astype(np.uint64))
    drawn = np.where(favourite, (always >> np.uint64(11)) * 2.0**-53, dice.random(len(person)))
    local = favourite & ((always & np.uint64(1023)) < np.uint64(int(_LOCAL * 1024)))
    blocks = np.maximum(1, (province.people_before[county + 1] - province.people_before[county]) // BLOCK_PEOPLE)
    block = np.minimum((person - province.people_before[county]) // BLOCK_PEOPLE, blocks - 1)
    # Venues of a county take turns among its neighbourhoods, so every neighbourhood has popular ones.
    inside = np.maximum(1, many // blocks)
    rank = np.where(local, inside, many) * drawn**_POPULARITY
    chosen: NDArray[np.int64] = first + np.minimum(
        np.where(local, block + blocks * rank.astype(np.int64), rank.astype(np.int64)), many - 1
    )
    return chosen


def _minutes() -> NDArray[np.uint16]:
    """A minute of the day for each of so many equally likely numbers."""
    weights = np.repeat(np.array(_BY_HOUR, np.float64), 60)
    table: NDArray[np.uint16] = np.searchsorted(
        np.cumsum(weights) / weights.sum(), (np.arange(_TABLE) + 0.5) / _TABLE
    ).astype(np.uint16)
    return table


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64: well-spread bits that follow from the number alone."""
    mixed = value * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
