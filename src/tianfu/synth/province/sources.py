"""What the departments' records say around the cases known at one instant, in the shape the screening funnel reads.

Nothing here looks at the truth but the tests, which find what a test of that person on that day can find. People are
the lake's numbers (`model.lake_person`). Pure.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from tianfu.lake.layout import MINUTE_BITS, VENUE_BITS, Partition, People
from tianfu.synth.province import disease, outbreak, routine, scanning, telecom, testing
from tianfu.synth.province.columns import joined
from tianfu.synth.province.disease import DAY
from tianfu.synth.province.model import NOBODY, Flags, Mode, Setting, Whole, lake_person
from tianfu.synth.province.outbreak import Infections, Outbreak
from tianfu.synth.province.telecom import LONG_STAY, Gathering, Shared, Windows
from tianfu.synth.province.travel import ELSEWHERE
from tianfu.synth.province.world import World
from tianfu.tracing import copresence
from tianfu.tracing.model import PerVenue, Reach, Reached, Sources
from tianfu.tracing.screening import model as screening
from tianfu.tracing.screening.model import Facts, Ground

ROAMING_DAYS: Final = 14
# Modes of a trip as the funnel numbers them, and whether the vehicle is sealed (-1: the carrier does not say).
_MODES: Final = {Mode.RAIL: (screening.Mode.RAIL, 1), Mode.COACH: (screening.Mode.COACH, 1)}


class Records(NamedTuple):
    """What was recorded: the days' scans and phones around the cases, for `facts`."""

    partitions: tuple[Partition, ...]
    shared: Shared
    reached: Reached


def windows(infections: Infections, *, as_of: int, look_back_days: int) -> Windows:
    """The cases known at `as_of`, each infectious from so many whole days before onset, or sampling, to the result.

    The rule of `tianfu.tracing.rules.infectious`; an onset that has not come yet is not known.
    """
    known = np.flatnonzero(infections.resulted_at <= as_of)
    began = np.minimum(infections.onset_at[known], infections.sampled_at[known])
    since = (began // DAY - look_back_days) * DAY
    return Windows(infections.person[known], since.astype(np.int32), infections.resulted_at[known])


def records(world: World, spread: Outbreak, cases: Windows, *, as_of: int, reach: Reach) -> Records:
    """Go through the days of `cases` again, until `as_of`: scans into partitions, phones into who shared a cell.

    The carriers look at the two weeks before `as_of` whatever the cases' infectious time, as their rule says.
    """
    phones = cases._replace(since=np.minimum(cases.since, np.int32(as_of - ROAMING_DAYS * DAY)))
    first = max(0, int(phones.since.min()) // DAY - world.settings.day_number(0))
    last = min(world.settings.days - 1, as_of // DAY - world.settings.day_number(0))
    gathering, partitions = Gathering(world, phones), []
    for number in range(first, last + 1):
        stays = routine.day(world, number, kept_in=outbreak.kept_in(world, spread.infections, number))
        scanned = scanning.scans(world, number, stays)
        partitions.append(scanning.partition(world, number, scanned))
        gathering.add(number, telecom.presence(world, number, stays), scanned)
    reached = copresence.hop(
        partitions,
        Sources(lake_person(cases.person), cases.since, cases.until),
        reach=reach,
        venue_type=venue_types(world),
        people=world.settings.people + 1,
    ).reached
    return Records(tuple(partitions), gathering.shared(), reached)


def venue_types(world: World) -> PerVenue:
    """The type of each venue by its number in the lake."""
    return np.concatenate((np.zeros(1, np.uint8), world.sites.kind[: world.sites.posters]))


def facts(world: World, spread: Outbreak, cases: Windows, found: Records, *, as_of: int, until: int) -> Facts:
    """Everything the sources say of `cases` as of `as_of`, and the results of tests known at `until`."""
    groups, seats = _groups(world, cases), _seats(world, cases)
    companions = _companions(found.shared)
    scanned = _scanned(world, found)
    unshown = lake_person(found.shared.person[~found.shared.shown])
    exposures = (
        (lake_person(found.shared.person), found.shared.last),
        (found.reached.person, found.reached.exposed_at),
        (groups.person, np.full(len(groups.person), as_of, np.int32)),
        (seats.person, np.full(len(seats.person), int(cases.since.min()), np.int32)),
    )
    nothing = screening.no_facts(cases=lake_person(cases.person), since=int(cases.since.min()))
    return nothing._replace(
        roaming=_roaming(world),
        companions=companions._replace(covered=lake_person(_phones(world))),
        scans=screening.Scans(
            found.reached.person,
            np.zeros(len(found.reached.person), np.int32),
            np.setdiff1d(scanned, unshown, assume_unique=True),
        ),
        seats=seats,
        groups=groups,
        tests=_tests(world, spread, until),
        exposures=screening.Exposures(*(np.concatenate(parts) for parts in zip(*exposures, strict=True))),
        whereabouts=_whereabouts(world, until),
    )


class Results(NamedTuple):
    """Results of tests, one entry each: whose (numbers of the world), minutes of the lake, whether positive."""

    person: Whole
    sampled_at: Whole
    resulted_at: Whole
    positive: Flags


def tests_until(world: World, spread: Outbreak, *, until: int) -> Results:
    """Every result known at `until`: the first positive of each case, and the rounds of mass testing.

    A case's first positive stands here once, also when a round found it.
    """
    rows = spread.infections
    infectious = np.full(world.settings.people, disease.FAR, np.int32)
    infectious[rows.person] = rows.infectious_at
    first = np.full(world.settings.people, disease.FAR, np.int32)
    first[rows.person] = rows.sampled_at
    known = rows.resulted_at <= until
    parts = [
        Results(
            rows.person[known], rows.sampled_at[known], rows.resulted_at[known], np.ones(int(known.sum()), np.bool_)
        )
    ]
    for number in range(len(testing.ROUND_DAYS)):
        if spread.alarm_at == disease.FAR or testing.begins_at(spread.alarm_at, number) > until:
            break
        taken = testing.round_of(world.settings, spread.alarm_at, number)
        came = taken.comes & (taken.resulted_at <= until) & (taken.sampled_at != first)
        here = np.flatnonzero(came).astype(np.int32)
        sampled = taken.sampled_at[here]
        positive = disease.detectable(infectious[here], sampled) & taken.finds[here]
        parts.append(Results(here, sampled, taken.resulted_at[here], positive))
    return joined(parts)


def _tests(world: World, spread: Outbreak, until: int) -> screening.Tests:
    found = tests_until(world, spread, until=until)
    return screening.Tests(lake_person(found.person), found.sampled_at, found.positive)


def _scanned(world: World, found: Records) -> People:
    """Who scanned anywhere on the days of `found`."""
    who = np.zeros(world.settings.people + 1, np.bool_)
    for part in found.partitions:
        who[part.by_person >> np.uint64(VENUE_BITS + MINUTE_BITS)] = True
    return np.flatnonzero(who).astype(np.uint32)


def _phones(world: World) -> Whole:
    return np.flatnonzero(world.people.holder == np.arange(len(world.people.holder))).astype(np.int32)


def _roaming(world: World) -> screening.Roaming:
    """Every phone of the place with its minutes there in two weeks; who was away all the time is not on the list."""
    phones = _phones(world)
    last = world.settings.days
    first = max(0, last - ROAMING_DAYS)
    away = np.minimum(world.travel.back[phones], last) - np.maximum(world.travel.out[phones], first)
    days = last - first - np.maximum(away, 0)
    here = days > 0
    return screening.Roaming(lake_person(phones[here]), (days[here] * DAY).astype(np.int32))


def _companions(shared: Shared) -> screening.Companions:
    long, short = shared.together > 0, shared.passing > 0
    return screening.Companions(
        person=lake_person(np.concatenate((shared.person[long], shared.person[short]))),
        together=np.concatenate((shared.together[long], shared.passing[short])),
        # Long stays are at home or at work; what is passing is no longer than itself.
        stay=np.concatenate((np.full(int(long.sum()), LONG_STAY, np.int32), shared.passing[short])),
        covered=screening.nobody(),
    )


def _groups(world: World, cases: Windows) -> screening.Groups:
    people = world.people
    is_case = np.zeros(len(people.household), np.bool_)
    is_case[cases.person] = True
    person, ground = [], []
    homes = np.zeros(len(world.first), np.bool_)
    homes[people.household[cases.person]] = True
    person.append(np.flatnonzero(homes[people.household] & ~is_case))
    ground.append(np.full(len(person[-1]), Ground.HOUSEHOLD, np.uint16))
    places = np.zeros(len(world.sites.kind) + 1, np.bool_)
    places[people.works_at[cases.person]] = True
    # Nobody's place of work is the last entry.
    places[NOBODY] = False
    person.append(np.flatnonzero(places[people.works_at] & ~is_case))
    learns = outbreak.settings_of(world, people.works_at[person[-1]]) == Setting.SCHOOL
    ground.append(np.where(learns, np.uint16(Ground.SCHOOL), np.uint16(Ground.WORK)).astype(np.uint16))
    together = np.concatenate(person).astype(np.int32)
    return screening.Groups(lake_person(together), np.concatenate(ground), np.ones(len(together), np.uint8))


def _seats(world: World, cases: Windows) -> screening.Seats:
    legs = world.travel.legs
    of = np.full(world.settings.people, NOBODY, np.int32)
    of[cases.person] = np.arange(len(cases.person), dtype=np.int32)
    at = (world.settings.day_number(0) + legs.day.astype(np.int64)) * DAY + legs.begins
    window = of[legs.person]
    counts = (window != NOBODY) & (legs.place != NOBODY) & (at >= cases.since[window]) & (at < cases.until[window])
    nothing = screening.no_facts().seats
    parts: list[screening.Seats] = [nothing]
    for leg in np.flatnonzero(counts).tolist():
        mates = np.flatnonzero((legs.run == legs.run[leg]) & (legs.place != NOBODY) & (of[legs.person] == NOBODY))
        mode, sealed = _MODES.get(Mode(int(legs.mode[leg])), (screening.Mode.AIR, -1))
        parts.append(
            screening.Seats(
                person=lake_person(legs.person[mates]),
                mode=np.full(len(mates), mode, np.uint8),
                same_unit=(legs.carriage[mates] == legs.carriage[leg]).astype(np.int8),
                rows=np.abs(legs.row[mates].astype(np.int16) - int(legs.row[leg])).astype(np.int16),
                sealed=np.full(len(mates), sealed, np.int8),
                crew=np.zeros(len(mates), np.bool_),
            )
        )
    return joined(parts)


def _whereabouts(world: World, until: int) -> screening.Whereabouts:
    everybody = np.arange(world.settings.people, dtype=np.int32)
    codes = np.array([int(code) for code in world.counties.codes], np.int32)
    place = codes[world.people.county]
    day = until // DAY - world.settings.day_number(0)
    legs = world.travel.legs
    gone = (day >= world.travel.out) & (day < world.travel.back)
    abroad = np.full(world.settings.people, NOBODY, np.int16)
    abroad[legs.person] = legs.elsewhere
    away = np.flatnonzero(gone & (abroad != NOBODY))
    place[away] = np.array([int(code) for code in ELSEWHERE], np.int32)[abroad[away]]
    return screening.Whereabouts(lake_person(everybody), place, np.full(len(everybody), until, np.int32))
