"""How the synthetic people's visits compare with published figures of real ones. Pure.

The figures are those collected in the project's notes on tracing: check-ins of Foursquare and Gowalla (mean contacts of
600 random people over 14 days by window; how many more the second hop has when the order of time is ignored), the
length of visits in New Zealand's published sites, and the tail that the project's first experiment assumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from tianfu.lake import layout
from tianfu.lake.layout import Partition
from tianfu.synth.province import routine, scanning, sources
from tianfu.synth.province.model import Stays, lake_person
from tianfu.synth.province.world import World
from tianfu.tracing import copresence
from tianfu.tracing.model import VENUE_TYPES_MAX, PerVenue, Reach, Sources

INDEX_PEOPLE: Final = 200
WINDOWS_MINUTES: Final = (30, 60, 120)
# Mean size of hop 1, of hop 2 with the order of time kept, and ignored, for those windows.
FOURSQUARE: Final = ((0.44, 0.22, 0.47), (0.84, 0.57, 1.44), (1.25, 1.40, 3.46))
GOWALLA: Final = ((1.87, 3.56, 5.34), (3.76, 4.77, 7.34), (4.92, 6.15, 9.33))
OVER_TRACING: Final = (1.5, 2.5)
VISIT_MINUTES_MEDIAN: Final = 60
ZIPF: Final = 0.8
# 19.04 million scans by 90 million people on 4 September 2022.
SCANS_A_DAY: Final = 0.21
_TAIL_FROM: Final = 10


class Hops(msgspec.Struct, frozen=True):
    """Means over the index people, for one window in minutes."""

    minutes: int
    first: float
    kept: float
    ignored: float

    @property
    def over_tracing(self) -> float:
        """How many times more the second hop has when the order of time is ignored."""
        return self.ignored / self.kept if self.kept else 1.0


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured.

    `zipf` is the slope of visits by rank of venue; `top` the share of the busiest hundredth, `top_zipf` what it would
    be by Zipf's law as the first experiment assumed it.
    `scans_a_day` are scans per person and day, `stay` the median minutes of a true visit to a venue; `degree` is how
    many people somebody is at one venue with on a day (least overlap a minute, and 15 minutes), medians of who went.
    `thinned` are hops when only as many scans are left as people really made, `SCANS_A_DAY`.
    """

    people: int
    days: int
    index_people: int
    scans_a_day: float
    zipf: float
    top: float
    top_zipf: float
    stay: float
    degree: tuple[float, float]
    hops: tuple[Hops, ...]
    thinned: tuple[Hops, ...]


def compare(world: World, *, index_people: int = INDEX_PEOPLE) -> Comparison:
    """Measure `world`; twenty thousand people and 14 days take some seconds."""
    partitions, stays = [], []
    for number in range(world.settings.days):
        made = routine.day(world, number)
        partitions.append(scanning.partition(world, number, scanning.scans(world, number, made)))
        stays.append(made)
    visits = np.bincount(
        np.concatenate([made.place[made.place < world.sites.posters] for made in stays]),
        minlength=world.sites.posters,
    )
    public = [routine.minutes_of(made)[made.place < world.sites.posters] for made in stays]
    scans = sum(len(part.by_venue) for part in partitions)
    dice = world.settings.dice(60)
    active = np.flatnonzero(world.people.scans > 0)
    chosen = np.sort(dice.choice(active, min(index_people, len(active)), replace=False)).astype(np.int32)
    types = sources.venue_types(world)
    kept = min(1.0, SCANS_A_DAY * world.settings.people * world.settings.days / max(1, scans))
    thin = [_thinned(part, dice, kept) for part in partitions]
    people, everybody = lake_person(chosen), world.settings.people + 1
    return Comparison(
        people=world.settings.people,
        days=world.settings.days,
        index_people=len(chosen),
        scans_a_day=scans / world.settings.people / world.settings.days,
        zipf=_slope(visits),
        top=_top(visits),
        top_zipf=_top(np.arange(1, len(visits) + 1, dtype=np.float64) ** -ZIPF),
        stay=float(np.median(np.concatenate(public))),
        degree=_degree(world, stays[0]),
        hops=_hops_of(partitions, people, types, everybody),
        thinned=_hops_of(thin, people, types, everybody),
    )


def report(found: Comparison) -> str:
    """The comparison in words, a line a figure, and where it differs."""
    return "\n".join(_report(found))


def _report(found: Comparison) -> Iterator[str]:
    yield f"{found.people:,} people, {found.days} days, {found.scans_a_day:.2f} scans a person and day"
    yield f"  published: {SCANS_A_DAY} (19.04 million of 90 million on 4 September 2022); more where it is enforced"
    yield f"visits by rank of venue: slope {found.zipf:.2f}, the busiest hundredth has {found.top:.0%} of them"
    yield f"  assumed in the first experiment: {ZIPF} (Zipf), which gives {found.top_zipf:.0%}"
    yield f"visit to a venue: median {found.stay:.0f} minutes"
    yield f"  published: {VISIT_MINUTES_MEDIAN} (New Zealand's sites of exposure, where short visits are rarely listed)"
    once, longer = found.degree
    yield f"others at one venue with somebody on a day: {once:.0f}, for 15 minutes {longer:.0f} (medians)"
    yield "  no published figure for scans"
    yield f"contacts of {found.index_people} random people in all scans, then with {SCANS_A_DAY} scans a person and day"
    for hop in (*found.hops, *found.thinned):
        yield (
            f"±{hop.minutes} min: hop 1 {hop.first:.1f}, hop 2 {hop.kept:.1f} in order of time, {hop.ignored:.1f} "
            f"without: x{hop.over_tracing:.2f}"
        )
    for name, real in (("Foursquare", FOURSQUARE), ("Gowalla", GOWALLA)):
        for minutes, (first, kept, ignored) in zip(WINDOWS_MINUTES, real, strict=True):
            yield f"  {name} ±{minutes} min: {first}, {kept}, {ignored}: x{ignored / kept:.2f}"
    inside = all(OVER_TRACING[0] <= hop.over_tracing <= OVER_TRACING[1] for hop in found.thinned)
    least, most = OVER_TRACING
    yield f"over-tracing, thinned: {'within' if inside else 'not within'} the published x{least} to x{most}"
    yield "hops are far larger than among check-ins: those are a sample of the visits of a sample of the people, while"
    yield "here a whole town is in it; with all scans the second hop is nearly the town, and order hardly matters."


def _slope(visits: NDArray[np.int64]) -> float:
    """Slope of the logarithm of visits by the logarithm of the rank, over the venues with ten visits or more."""
    ordered = np.sort(visits[visits >= _TAIL_FROM])[::-1].astype(np.float64)
    if len(ordered) < _TAIL_FROM:
        return 0.0
    rank = np.log(np.arange(1, len(ordered) + 1))
    # Each power of ten of ranks counts alike, or the many small venues alone would decide.
    slope = np.polyfit(rank, np.log(ordered), 1, w=1 / np.sqrt(np.arange(1, len(ordered) + 1)))[0]
    return float(-slope)


def _top(visits: NDArray[np.int64] | NDArray[np.float64]) -> float:
    ordered = np.sort(visits)[::-1]
    return float(ordered[: max(1, len(ordered) // 100)].sum() / max(1, ordered.sum()))


def _degree(world: World, stays: Stays) -> tuple[float, float]:
    """Medians over a few people who went out: others they were with at venues, at all and for 15 minutes."""
    public = np.flatnonzero(stays.place < world.sites.posters)
    dice = world.settings.dice(61)
    some = dice.choice(np.unique(stays.person[public]), 200)
    at_all, longer = [], []
    for person in some.tolist():
        met: dict[int, int] = {}
        for mine in public[stays.person[public] == person].tolist():
            same = public[stays.place[public] == stays.place[mine]]
            together = np.minimum(stays.ends[same], stays.ends[mine]) - np.maximum(
                stays.begins[same], stays.begins[mine]
            )
            for other, minutes in zip(stays.person[same].tolist(), together.tolist(), strict=True):
                if other != person and minutes > 0:
                    met[other] = max(met.get(other, 0), minutes)
        at_all.append(len(met))
        longer.append(sum(minutes >= 15 for minutes in met.values()))  # noqa: PLR2004 - what is counted
    return float(np.median(at_all)), float(np.median(longer))


def _thinned(part: Partition, dice: np.random.Generator, share: float) -> Partition:
    """A random part of a day's scans."""
    by_venue = part.by_venue[dice.random(len(part.by_venue)) < share]
    return Partition(part.day, by_venue, layout.turned(by_venue))


def _hops_of(
    partitions: Sequence[Partition], chosen: NDArray[np.uint32], types: PerVenue, people: int
) -> tuple[Hops, ...]:
    return tuple(_hops(partitions, chosen, minutes, types, people) for minutes in WINDOWS_MINUTES)


def _hops(
    partitions: Sequence[Partition], chosen: NDArray[np.uint32], minutes: int, types: PerVenue, people: int
) -> Hops:
    window = np.full(VENUE_TYPES_MAX, minutes, np.int32)
    reach = Reach(window, window, np.zeros(VENUE_TYPES_MAX, np.int32))
    first_minute = np.int32(partitions[0].day * 1440)
    end = np.int32((partitions[-1].day + 1) * 1440)
    sizes = np.zeros((len(chosen), 3))
    for row, person in enumerate(chosen.tolist()):
        index = Sources(np.array([person], np.uint32), np.array([first_minute]), np.array([end]))
        one = copresence.hop(partitions, index, reach=reach, venue_type=types, people=people).reached
        sizes[row, 0] = len(one.person)
        if not len(one.person):
            continue
        until = np.full(len(one.person), end, np.int32)
        for column, since in ((1, one.exposed_at), (2, np.full(len(one.person), first_minute, np.int32))):
            two = copresence.hop(
                partitions,
                Sources(one.person, since, until),
                reach=reach,
                venue_type=types,
                people=people,
                excluded=np.array([person], np.uint32),
            )
            sizes[row, column] = len(two.reached.person)
    means = sizes.mean(axis=0)
    return Hops(minutes, float(means[0]), float(means[1]), float(means[2]))
