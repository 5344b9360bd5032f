from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from unittest import mock

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from tests.support.pairs import DAY_MINUTES, Pairs, Rule, Source, Visit
from tianfu.lake.layout import Partition, partition
from tianfu.tracing import copresence, earliest, lineage
from tianfu.tracing.model import VENUE_TYPES_MAX, Announcement, Hop, Meeting, Reach, Reached, Sources

DAY = 19_000
FOREVER = 2**31 - 1
PEOPLE = 8
# The last number that 25 bits hold, and one that has no entry in the table of types.
LAST_VENUE = 2**25 - 1
VENUES = (0, 1, 2, LAST_VENUE)
VENUE_TYPE = np.array([0, 1, 2], np.uint8)


class World(NamedTuple):
    visits: list[Visit]
    sources: list[Source]
    rules: dict[int, Rule]

    @property
    def pairs(self) -> Pairs:
        return Pairs(*self)

    @property
    def partitions(self) -> list[Partition]:
        return partitions(self.visits)

    @property
    def reach(self) -> Reach:
        return reach({int(VENUE_TYPE[venue]): rule for venue, rule in self.rules.items() if venue < len(VENUE_TYPE)})


def partitions(visits: Iterable[Visit]) -> list[Partition]:
    parts: dict[tuple[int, int], list[Visit]] = {}
    for visit in visits:
        parts.setdefault((visit.part, visit.day), []).append(visit)
    columns = [(day, *np.array([visit[2:] for visit in part]).T) for (_, day), part in parts.items()]
    return [partition(*column) for column in columns]


def reach(rules: dict[int, Rule]) -> Reach:
    tables = np.zeros((3, VENUE_TYPES_MAX), np.int32)
    for kind, rule in rules.items():
        tables[:, kind] = rule
    return Reach(*tables)


def everywhere(before: int, after: int, crowd: int = 0) -> Reach:
    return reach(dict.fromkeys(range(VENUE_TYPES_MAX), Rule(before, after, crowd)))


def sources_of(sources: Sequence[Source]) -> Sources:
    person, since, until = (np.array(column, np.int64) for column in zip(*sources, strict=True))
    return Sources(person.astype(np.uint32), since.astype(np.int32), until.astype(np.int32))


def always(*people: int) -> Sources:
    return sources_of([Source(person, 0, FOREVER) for person in people])


def as_dict(reached: Reached) -> dict[int, int]:
    assert reached.person.dtype == np.uint32
    assert reached.exposed_at.dtype == np.int32
    assert (reached.person[1:] > reached.person[:-1]).all()
    return dict(zip(reached.person.tolist(), reached.exposed_at.tolist(), strict=True))


def told(hop: Hop) -> tuple[dict[int, int], tuple[Announcement, ...], int]:
    return as_dict(hop.reached), hop.announcements, hop.scanned


# Few venues, few people, minutes close together and on both sides of midnight; one day is far from the others.
minutes = st.one_of(st.integers(0, 8), st.integers(700, 712), st.integers(1_432, 1_439))
days = st.sampled_from([DAY, DAY, DAY + 1, DAY + 1, DAY + 2, DAY + 100])
visits = st.builds(Visit, days, st.integers(0, 1), st.sampled_from(VENUES), minutes, st.integers(0, PEOPLE - 1))
instants = st.builds(lambda day, minute: day * DAY_MINUTES + minute, days, minutes)
since = st.one_of(st.just(0), instants)
until = st.one_of(st.just(FOREVER), instants)
sources = st.builds(Source, st.integers(0, PEOPLE - 1), since, until)
rules = st.builds(Rule, st.integers(0, 12), st.integers(0, 12), st.sampled_from([0, 0, 1, 3, 6]))
# A venue of type 0 and one that has no type have the same rule.
of_venues = st.builds(lambda a, b, c: {0: a, 1: b, 2: c, LAST_VENUE: a}, rules, rules, rules)
worlds = st.builds(
    World,
    st.lists(visits, min_size=20, max_size=60),
    st.lists(sources, min_size=1, max_size=4),
    of_venues,
)


@hypothesis.given(worlds, st.lists(st.integers(0, PEOPLE + 3), unique=True, max_size=4), st.integers(1, 3))
def test_a_hop_is_what_all_pairs_tell_with_any_threads_and_either_way_to_find_the_earliest(
    world: World, excluded: list[int], threads: int
) -> None:
    expected = (world.pairs.reached(excluded), world.pairs.announcements(), world.pairs.scanned())

    for people, share in ((PEOPLE, earliest.SHARE_SCANS), (PEOPLE, 3), (100_000, 3)):
        with mock.patch.object(earliest, "SHARE_SCANS", share):
            found = copresence.hop(
                world.partitions,
                sources_of(world.sources),
                reach=world.reach,
                venue_type=VENUE_TYPE,
                people=people,
                excluded=np.array(sorted(excluded), np.uint32),
                threads=threads,
            )
        assert told(found) == expected


@hypothesis.given(worlds, st.integers(1, 3), st.sampled_from([0, 100_000]))
def test_parents_are_of_the_earliest_exposure_and_of_ties_the_smallest(
    world: World, threads: int, people_per_scan: int
) -> None:
    reached = world.pairs.reached()
    given_reached = Reached(np.array(list(reached), np.uint32), np.array(list(reached.values()), np.int32))

    with mock.patch.object(earliest, "SHARE_SCANS", 3), mock.patch.object(lineage, "PEOPLE_PER_SCAN", people_per_scan):
        source, venue = copresence.parents(
            world.partitions,
            sources_of(world.sources),
            given_reached,
            reach=world.reach,
            venue_type=VENUE_TYPE,
            threads=threads,
        )

    expected = [world.pairs.parents(person) for person in reached]
    assert list(zip(source.tolist(), venue.tolist(), strict=True)) == expected


@hypothesis.given(worlds, st.integers(0, PEOPLE - 1))
def test_why_lists_every_meeting_and_the_first_is_the_earliest_exposure(world: World, person: int) -> None:
    met = copresence.why(world.partitions, sources_of(world.sources), person, reach=world.reach, venue_type=VENUE_TYPE)

    assert met == world.pairs.meetings(person)


@hypothesis.given(worlds, of_venues, until)
def test_the_next_hop_starts_from_what_a_contact_visits_after_being_exposed(
    world: World, second: dict[int, Rule], until: int
) -> None:
    first = world.pairs.reached()
    then = Pairs(world.visits, [Source(person, at, until) for person, at in first.items()], second)
    cases = {source.person for source in world.sources}

    hops = copresence.trace(
        world.partitions,
        sources_of(world.sources),
        reaches=[world.reach, world._replace(rules=second).reach, world.reach],
        venue_type=VENUE_TYPE,
        people=PEOPLE,
        until=until,
    )

    assert as_dict(hops[0].reached) == first
    assert as_dict(hops[1].reached) == then.reached(cases)
    assert hops[1].announcements == then.announcements()
    third = Pairs(world.visits, [Source(person, at, until) for person, at in then.reached(cases).items()], world.rules)
    assert as_dict(hops[2].reached) == third.reached(cases | set(first))


def test_the_restaurant_of_the_document() -> None:
    scans = {2: 1_055, 3: 1_070, 1: 1_090, 4: 1_100, 5: 1_110, 6: 1_135, 7: 1_145}
    day = partitions(Visit(DAY, 0, 7, minute, person) for person, minute in scans.items())
    midnight = DAY * DAY_MINUTES
    thirty, cases = everywhere(30, 30), always(1, 5)

    found = copresence.hop(day, cases, reach=thirty, venue_type=VENUE_TYPE, people=8)
    source, _ = copresence.parents(day, cases, found.reached, reach=thirty, venue_type=VENUE_TYPE)
    crowd = copresence.hop(day, cases, reach=everywhere(30, 30, 3), venue_type=VENUE_TYPE, people=8)

    assert told(found) == ({3: midnight + 1_090, 4: midnight + 1_100, 6: midnight + 1_135}, (), 5)
    assert source.tolist() == [1, 1, 5]
    assert told(crowd) == ({}, (Announcement(7, midnight + 1_061, midnight + 1_140, 5),), 0)


def test_a_stay_over_midnight_meets_who_comes_after_it_and_exposure_begins_with_the_later_of_the_two() -> None:
    days = partitions([Visit(DAY, 0, 7, 1_430, 1), Visit(DAY, 0, 7, 1_425, 2), Visit(DAY + 1, 0, 7, 15, 3)])

    found = copresence.hop(days, always(1), reach=everywhere(30, 30), venue_type=VENUE_TYPE, people=4)

    assert as_dict(found.reached) == {2: DAY * DAY_MINUTES + 1_430, 3: (DAY + 1) * DAY_MINUTES + 15}


@pytest.mark.parametrize(
    ("before", "after", "met"),
    [(10, 10, {91, 100, 109}), (1, 10, {100, 109}), (0, 10, {109}), (10, 0, {91}), (10, 1, {91, 100}), (0, 0, set())],
)
def test_both_ends_of_a_window_are_open(before: int, after: int, met: set[int]) -> None:
    people = (90, 91, 100, 109, 110)
    day = partitions([Visit(DAY, 0, 7, 100, 1), *(Visit(DAY, 0, 7, minute, minute) for minute in people)])

    found = copresence.hop(day, always(1), reach=everywhere(before, after), venue_type=VENUE_TYPE, people=200)

    assert set(found.reached.person.tolist()) == met


def test_a_crowd_over_midnight_and_in_several_partitions_names_nobody_and_is_announced_with_its_scans() -> None:
    crowd = [Visit(DAY + n % 2, n % 3, 7, 1_435 if n % 2 == 0 else 3, 10 + n) for n in range(9)]
    days = partitions([Visit(DAY, 0, 7, 1_438, 1), Visit(DAY + 1, 0, 7, 2, 2), *crowd])
    midnight = (DAY + 1) * DAY_MINUTES

    def hop(limit: int) -> Hop:
        return copresence.hop(days, always(1, 2), reach=everywhere(10, 10, limit), venue_type=VENUE_TYPE, people=20)

    assert told(hop(10)) == ({}, (Announcement(7, midnight - 11, midnight + 12, 11),), 0)
    assert hop(11).announcements == ()
    assert len(hop(11).reached.person) == 9


@pytest.mark.parametrize(("third", "announced"), [(1_019, 1), (1_020, 2), (1_021, 2)])
def test_announcements_of_one_venue_that_overlap_or_touch_are_one(third: int, announced: int) -> None:
    # With 10 minutes to both sides the window of minute t is from t - 9 to before t + 10.
    scans = [Visit(DAY, 0, venue, minute, 1) for venue in (7, 8) for minute in (1_000, third)]

    found = copresence.hop(
        partitions([*scans, *scans]), always(1), reach=everywhere(10, 10, 1), venue_type=VENUE_TYPE, people=2
    )

    midnight = DAY * DAY_MINUTES
    expected = [(midnight + 991, midnight + 1_010, 2), (midnight + third - 9, midnight + third + 10, 2)]
    if announced == 1:
        expected = [(midnight + 991, midnight + third + 10, 4)]
    assert found.announcements == tuple(Announcement(venue, *one) for venue in (7, 8) for one in expected)


def test_a_visit_counts_from_the_minute_in_which_the_period_begins_and_no_longer_in_that_of_its_end() -> None:
    day = partitions([Visit(DAY, 0, 7, 100, 1), Visit(DAY, 0, 7, 105, 2)])
    at = DAY * DAY_MINUTES + 100

    def reached(since: int, until: int) -> list[int]:
        source = sources_of([Source(1, since, until)])
        found = copresence.hop(day, source, reach=everywhere(9, 9), venue_type=VENUE_TYPE, people=3)
        return list(as_dict(found.reached))

    assert reached(at, at + 1) == [2]
    assert reached(at + 1, at + 9) == []
    assert reached(at - 9, at) == []


def test_a_crowd_is_scanned_once_however_many_sources_it_has() -> None:
    size = 2_000
    minute = np.arange(size) % 60
    day = partition(DAY, np.full(size, 7), minute, np.arange(size))
    half = always(*range(size // 2))

    found = copresence.hop([day], half, reach=everywhere(60, 60), venue_type=VENUE_TYPE, people=size)
    source, venue = copresence.parents([day], half, found.reached, reach=everywhere(60, 60), venue_type=VENUE_TYPE)

    assert found.scanned == size
    assert len(found.reached.person) == size // 2
    # Whoever is there from minute m on met all who came until m; the smallest of them came in minute 0.
    assert set(source.tolist()) == {0}
    assert set(venue.tolist()) == {7}


def test_of_a_run_as_long_as_the_window_the_smallest_source_is_the_parent() -> None:
    for smallest in range(4):
        sources = [Visit(DAY, 0, 7, minute, 1 if minute == smallest else 5 + minute) for minute in range(4)]
        day = partitions([*sources, Visit(DAY, 0, 7, 3, 20)])
        claimed = Reached(np.array([20], np.uint32), np.array([DAY * DAY_MINUTES + 3], np.int32))

        source, _ = copresence.parents(
            day, always(1, 5, 6, 7, 8), claimed, reach=everywhere(1, 4), venue_type=VENUE_TYPE
        )

        assert source.tolist() == [1]


@pytest.mark.parametrize("days_later", [0, 44, 46, 400])
def test_the_earliest_exposure_is_found_however_far_apart_the_days_are(days_later: int) -> None:
    last = DAY + days_later
    early = [Visit(DAY, 0, 7, 100, person) for person in (1, 2)]
    late = [Visit(last, 0, 7, 1_000, person) for person in (1, 2)]
    days = partitions([*early, *late, Visit(last, 0, 7, 1_001, 3)])

    found = copresence.hop(days, always(1), reach=everywhere(9, 9), venue_type=VENUE_TYPE, people=4)

    assert as_dict(found.reached) == {2: DAY * DAY_MINUTES + 100, 3: last * DAY_MINUTES + 1_001}


def test_nobody_is_reached_without_partitions_without_visits_and_without_sources() -> None:
    day = partitions([Visit(DAY, 0, 7, 5, 1), Visit(DAY, 0, 7, 6, 2)])
    nothing = partition(DAY, *(np.zeros(0, np.int64) for _ in range(3)))
    nobody = Sources(np.zeros(0, np.uint32), np.zeros(0, np.int32), np.zeros(0, np.int32))

    for parts, cases in (([], always(1)), ([nothing], always(1)), (day, nobody), (day, always(3))):
        hops = copresence.trace(
            parts, cases, reaches=[everywhere(9, 9, 1)] * 2, venue_type=VENUE_TYPE, people=0, until=FOREVER
        )
        assert [told(hop) for hop in hops] == [({}, (), 0)] * 2
        assert copresence.why(parts, cases, 2, reach=everywhere(9, 9), venue_type=VENUE_TYPE) == []


def test_parents_of_somebody_who_was_not_exposed_then_are_refused() -> None:
    day = partitions([Visit(DAY, 0, 7, 5, 1), Visit(DAY, 0, 7, 6, 2)])
    for person, at in ((2, 5), (3, 6)):
        claimed = Reached(np.array([person], np.uint32), np.array([DAY * DAY_MINUTES + at], np.int32))
        with pytest.raises(ValueError, match="not exposed"):
            copresence.parents(day, always(1), claimed, reach=everywhere(9, 9), venue_type=VENUE_TYPE)


def test_two_cases_who_met_are_not_reached_but_why_tells_that_they_met() -> None:
    day = partitions([Visit(DAY, 0, 7, 5, 1), Visit(DAY, 0, 7, 6, 2)])
    midnight = DAY * DAY_MINUTES

    found = copresence.hop(day, always(1, 2), reach=everywhere(9, 9), venue_type=VENUE_TYPE, people=3)
    met = copresence.why(day, always(1, 2), 2, reach=everywhere(9, 9), venue_type=VENUE_TYPE)

    assert as_dict(found.reached) == {}
    assert met == [Meeting(1, 7, midnight + 5, midnight + 6, midnight + 6)]
