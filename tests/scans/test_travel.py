"""Attack 10: a poster's photograph is scanned from far away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.gate import GREEN, GateWorld, request
from tianfu.scans import event
from tianfu.scans.event import FLAG_OFFLINE, KIND_GUARD, KIND_POSTER, ScanEvent
from tianfu.scans.travel import (
    CLOCK_MINUTES_LIVE,
    DISTANCE_MIN_KM,
    SPEED_MAX_KM_PER_HOUR,
    Place,
    distance_km,
    leaps,
)

MINUTE_MS = 60_000
CHENGDU = Place(104.066, 30.659)
CHONGQING = Place(106.551, 29.563)
PANZHIHUA = Place(101.718, 26.582)
PLACES = {1: CHENGDU, 2: CHONGQING, 3: PANZHIHUA, 4: Place(104.070, 30.661)}


def scan(venue: int, minute: float, *, kind: int = KIND_POSTER, flags: int = 0) -> ScanEvent:
    at_ms = 1_650_000_000_000 + int(minute * MINUTE_MS)
    return ScanEvent(kind, GREEN, flags, 1, venue, 0, 1, 0, at_ms, at_ms, bytes(8))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    made = GateWorld(tmp_path)
    yield made
    made.writer.close()


def test_two_venues_three_hundred_kilometres_apart_in_ten_minutes_are_flagged() -> None:
    assert distance_km(CHENGDU, CHONGQING) == pytest.approx(269, abs=3)
    assert distance_km(CHENGDU, PANZHIHUA) > 300

    (leap,) = leaps([scan(3, 10), scan(1, 0)], PLACES.get)

    assert (leap.earlier.venue, leap.later.venue, leap.weak) == (1, 3, 2)


def test_no_colour_changes_by_a_scan_that_nobody_can_have_made(world: GateWorld) -> None:
    before = world.writer.reader().look_up(1)

    answers = [world.venue.scan(request(world.resident(1), {"poster": world.poster()})) for _ in range(2)]

    visits = [event.unpack(record) for answer in answers for record in answer.records]
    far = [visits[0], visits[1]._replace(venue=3)]
    assert len(leaps(far, {visits[0].venue: CHENGDU, 3: PANZHIHUA}.get)) == 1
    assert [json.loads(answer.body)["colour"] for answer in answers] == ["green", "green"]
    assert world.writer.reader().look_up(1) == before


@pytest.mark.parametrize(
    ("visits", "flagged"),
    [
        ([scan(1, 0), scan(2, 90)], 0),
        ([scan(1, 0), scan(4, 0)], 0),
        ([scan(1, 0), scan(1, 0)], 0),
        ([scan(1, 0), scan(99, 1), scan(4, 2)], 0),
        ([scan(1, 0), scan(2, 10), scan(1, 20)], 2),
        ([scan(1, 0), scan(2, 10), scan(1, 200)], 1),
        ([], 0),
        ([scan(1, 0)], 0),
    ],
)
def test_what_a_person_can_do_is_not_flagged(visits: list[ScanEvent], flagged: int) -> None:
    assert len(leaps(visits, PLACES.get)) == flagged


def test_a_guards_check_tells_which_of_the_two_is_doubtful() -> None:
    (leap,) = leaps([scan(1, 0, kind=KIND_GUARD), scan(3, 5)], PLACES.get)

    assert leap.weak == 1


def test_a_clock_that_may_be_wrong_is_given_its_due() -> None:
    near = {1: CHENGDU, 2: Place(CHENGDU.longitude + 0.9, CHENGDU.latitude)}

    live = leaps([scan(1, 0), scan(2, 1)], near.get)
    offline = leaps([scan(1, 0, flags=FLAG_OFFLINE), scan(2, 1, flags=FLAG_OFFLINE)], near.get)

    assert (len(live), len(offline)) == (1, 0)


def test_where_only_the_district_is_known_its_size_is_taken_off() -> None:
    wide = {1: CHENGDU._replace(radius_km=170), 3: PANZHIHUA._replace(radius_km=170)}

    assert leaps([scan(1, 0), scan(3, 10)], PLACES.get)
    assert leaps([scan(1, 0), scan(3, 10)], wide.get) == []


places = st.builds(Place, st.floats(97, 109), st.floats(26, 35), st.just(0.0))
visits = st.lists(st.tuples(places, st.integers(0, 7 * 24 * 60)), min_size=2, max_size=12)


@given(visits=visits, order=st.randoms(use_true_random=False))
def test_the_order_of_arrival_makes_no_difference(visits: list[tuple[Place, int]], order: object) -> None:
    placed = {number: place for number, (place, _) in enumerate(visits)}
    events = [scan(number, minute) for number, (_, minute) in enumerate(visits)]
    shuffled = list(events)
    order.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random

    assert leaps(shuffled, placed.get) == leaps(events, placed.get)


@given(visits=visits)
def test_where_any_two_visits_are_impossible_a_pair_is_found_and_every_pair_found_is_impossible(
    visits: list[tuple[Place, int]],
) -> None:
    placed = {number: place for number, (place, _) in enumerate(visits)}
    events = [scan(number, minute) for number, (_, minute) in enumerate(visits)]

    found = leaps(events, placed.get)

    for leap in found:
        hours = (leap.later.happened_at - leap.earlier.happened_at) / 3_600_000
        kilometres = distance_km(placed[leap.earlier.venue], placed[leap.later.venue])
        assert kilometres > DISTANCE_MIN_KM
        assert kilometres > SPEED_MAX_KM_PER_HOUR * hours
    # Between any two there are at most n - 1 steps, each with its own allowance for clocks and small distances.
    allowance_hours = len(events) * 2 * CLOCK_MINUTES_LIVE / 60
    impossible = any(
        distance_km(placed[one.venue], placed[other.venue])
        > len(events) * DISTANCE_MIN_KM
        + SPEED_MAX_KM_PER_HOUR * (abs(one.happened_at - other.happened_at) / 3_600_000 + allowance_hours)
        for one in events
        for other in events
    )
    assert found or not impossible


@given(one=places, other=places, third=places)
def test_distances_are_those_of_a_sphere(one: Place, other: Place, third: Place) -> None:
    assert distance_km(one, one) == 0
    assert distance_km(one, other) == pytest.approx(distance_km(other, one))
    assert distance_km(one, third) <= distance_km(one, other) + distance_km(other, third) + 1e-6
