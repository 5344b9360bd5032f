"""Stays of other sources than scans: the same people, times and parents as a slow reading of the definition gives."""

from __future__ import annotations

import random
from collections import defaultdict

import numpy as np
import pytest

from tianfu.evidence.co_stays import StayKind
from tianfu.tracing import rule_files, rules, stays
from tianfu.tracing.model import Sources
from tianfu.tracing.rules import EVERYBODY, NOT_NEAR, STAY_CODE, Near
from tianfu.tracing.stays import ENDLESS, Met, Stays, meet, place_of

Row = tuple[int, int, int, int, int, StayKind, bool]
Period = tuple[int, int, int]
NINTH = rules.near(rule_files.find("ninth-protocol").rules, 1)


def given(*rows: Row) -> Stays:
    """Rows of (person, place's number, row of seats, begins, ends, kind, strong)."""
    person, number, row, begins, ends, kind, strong = zip(*rows, strict=True)
    return Stays(
        np.array(person, dtype=np.uint32),
        place_of(np.array(number), np.array(row)),
        np.array(begins, dtype=np.int32),
        np.array(ends, dtype=np.int32),
        np.array([STAY_CODE[name] for name in kind], dtype=np.uint8),
        np.array(strong, dtype=np.bool_),
    )


def infectious(*periods: Period) -> Sources:
    person, since, until = zip(*periods, strict=True)
    return Sources(np.array(person, dtype=np.uint32), np.array(since, dtype=np.int32), np.array(until, dtype=np.int32))


def told(met: Met) -> dict[int, tuple[int, int]]:
    columns = (met.person.tolist(), met.exposed_at.tolist(), met.parent.tolist())
    return {person: (at, parent) for person, at, parent in zip(*columns, strict=True)}


def home(person: int, begins: int = 0, ends: int = ENDLESS, number: int = 7) -> Row:
    return (person, number, 0, begins, ends, StayKind.HOUSEHOLD, True)


def seat(person: int, row: int, kind: StayKind = StayKind.FLIGHT, begins: int = 100, ends: int = 220) -> Row:
    return (person, 9, row, begins, ends, kind, True)


def test_a_household_is_exposed_from_when_the_source_is_infectious() -> None:
    found = meet(given(home(1), home(2), home(3, begins=600), home(4, ends=500)), infectious((1, 500, 900)), NINTH)
    assert told(found) == {2: (500, 1), 3: (600, 1)}
    assert found.strong.all()


def test_nobody_is_reached_by_a_stay_outside_the_infectious_time() -> None:
    people = given(seat(1, 4), seat(2, 4))
    assert told(meet(people, infectious((1, 220, 900)), NINTH)) == {}
    assert told(meet(people, infectious((1, 0, 100)), NINTH)) == {}
    assert told(meet(people, infectious((1, 219, 900)), NINTH)) == {2: (219, 1)}


@pytest.mark.parametrize(
    ("kind", "source_row", "reached"),
    [
        (StayKind.FLIGHT, 10, {0, 7, 8, 10, 13}),
        (StayKind.FLIGHT, 0, {0, 1, 4, 5, 6, 7, 8, 10, 13, 14}),
        (StayKind.FLIGHT, 1, {0, 1, 4}),
        (StayKind.COACH_OPEN, 10, {0, 7, 8, 10, 13}),
        (StayKind.COACH, 10, {0, 1, 4, 5, 6, 7, 8, 10, 13, 14}),
        (StayKind.TRAIN, 10, {0, 1, 4, 5, 6, 7, 8, 10, 13, 14}),
        (StayKind.TRAIN_OPEN, 4, {0, 1, 4, 5, 6}),
        (StayKind.TRAIN_OPEN, 5, {0, 4, 5, 6, 7, 8}),
    ],
)
def test_rows_are_as_the_rules_say_and_an_unknown_row_is_near_all(
    kind: StayKind, source_row: int, reached: set[int]
) -> None:
    """A bay of an open carriage is two facing rows: 3 and 4 are one, its neighbours 1 and 2, 5 and 6."""
    rows = [0, 1, 4, 5, 6, 7, 8, 10, 13, 14]
    people = given(seat(1, source_row, kind), *(seat(100 + row, row, kind) for row in rows))
    found = meet(people, infectious((1, 0, 900)), NINTH)
    assert {int(person) - 100 for person in found.person} == reached


def test_a_ventilated_coach_is_told_by_the_sources_own_statement() -> None:
    people = given(seat(1, 1, StayKind.COACH_OPEN), seat(2, 1, StayKind.COACH), seat(3, 9, StayKind.COACH))
    assert set(told(meet(people, infectious((1, 0, 900)), NINTH))) == {2}
    assert set(told(meet(people, infectious((2, 0, 900)), NINTH))) == {1, 3}


def test_sources_and_excluded_people_are_never_reached() -> None:
    people = given(home(1), home(2), home(3), home(4))
    found = meet(people, infectious((1, 0, 900), (2, 0, 900)), NINTH, excluded=np.array([3], dtype=np.uint32))
    assert told(found) == {4: (0, 1)}


def test_a_place_with_too_many_people_names_nobody_and_says_how_many() -> None:
    crowd = int(NINTH.crowd[STAY_CODE[StayKind.HOUSEHOLD]])
    members = [home(person) for person in range(2, crowd + 2)]
    assert len(meet(given(home(1), *members), infectious((1, 0, 900)), NINTH).person) == crowd
    others = [home(person, number=8) for person in (1, 900)]
    found = meet(given(home(1), *members, home(800), *others), infectious((1, 100, 900)), NINTH)
    assert told(found) == {900: (100, 1)}
    [refused] = found.too_large
    assert (refused.place, refused.begins, refused.ends, refused.people) == (7, 100, 900, crowd + 1)


def test_weak_statements_make_weak_contacts() -> None:
    weak = (2, 7, 0, 0, ENDLESS, StayKind.HOUSEHOLD, False)
    found = meet(given(home(1), weak, home(3)), infectious((1, 0, 900)), NINTH)
    assert found.strong.tolist() == [False, True]


def test_without_stays_or_sources_nobody_is_reached() -> None:
    assert told(meet(stays.joined(), infectious((1, 0, 900)), NINTH)) == {}
    none = Sources(np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32))
    assert told(meet(given(home(1), home(2)), none, NINTH)) == {}


KINDS = [StayKind.HOUSEHOLD, StayKind.FLIGHT, StayKind.TRAIN_OPEN, StayKind.WORK]


def _near(chance: random.Random) -> Near:
    near = rules.near(rule_files.find("plain-scan").rules, 1)
    for kind in KINDS:
        code = STAY_CODE[kind]
        near.rows[code] = chance.choice([EVERYBODY, NOT_NEAR, 0, 1, 3])
        near.bay[code] = chance.choice([1, 1, 2, 3])
        near.crowd[code] = chance.choice([0, 0, 3])
        near.strong[code] = True
    return near


def _naive(rows: list[Row], periods: list[Period], near: Near) -> tuple[dict[int, int], set[tuple[int, int, int]]]:
    """Every pair looked at: the earliest exposure of each person, and (place, kind, people) of what is withheld."""
    barred = {person for person, _, _ in periods}
    by_row: dict[int, int] = {}
    at_place: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for person, number, row, begins, ends, kind, _ in rows:
        code = STAY_CODE[kind]
        width, bay = int(near.rows[code]), int(near.bay[code])
        for since, until in [(since, until) for source, since, until in periods if source == person]:
            mine = (max(begins, since), min(ends, until))
            for other, there, seat_row, other_begins, other_ends, _, _ in rows:
                at = max(mine[0], other_begins)
                if other in barred or there != number or at >= min(mine[1], other_ends) or width == NOT_NEAR:
                    continue
                if width == EVERYBODY or row == 0:
                    group = at_place[number, code]
                    group[other] = min(at, group.get(other, ENDLESS))
                elif seat_row == 0 or abs((seat_row - 1) // bay - (row - 1) // bay) <= width:
                    by_row[other] = min(at, by_row.get(other, ENDLESS))
    withheld = set()
    for (number, code), group in at_place.items():
        if 0 < near.crowd[code] < len(group):
            withheld.add((number, code, len(group)))
            continue
        for other, at in group.items():
            by_row[other] = min(at, by_row.get(other, ENDLESS))
    return by_row, withheld


@pytest.mark.parametrize("seed", range(150))
def test_the_same_as_looking_at_every_pair(seed: int) -> None:
    chance = random.Random(seed)
    rows: list[Row] = []
    for _ in range(chance.randint(1, 60)):
        begins = chance.randint(0, 40)
        # One kind a place, as real places have where heads are counted.
        number = chance.randint(0, 5)
        rows.append(
            (
                chance.randint(1, 25),
                number,
                chance.choice([0, 1, 2, 5, 6, 7, 12, 120]),
                begins,
                chance.choice([begins + chance.randint(0, 25), ENDLESS]),
                KINDS[number % len(KINDS)],
                True,
            )
        )
    periods = []
    for _ in range(chance.randint(1, 6)):
        since = chance.randint(0, 30)
        periods.append((chance.randint(1, 25), since, since + chance.randint(0, 30)))
    near = _near(chance)
    found = meet(given(*rows), infectious(*periods), near)
    expected, withheld = _naive(rows, periods, near)
    assert {person: at for person, (at, _) in told(found).items()} == expected, seed
    assert {(held.place, held.setting, held.people) for held in found.too_large} == withheld, seed
    # The parent is a source who was there at that instant, or came at it.
    for person, (at, parent) in told(found).items():
        assert _explains(rows, periods, person, at, parent), (seed, person)


def _explains(rows: list[Row], periods: list[Period], person: int, at: int, parent: int) -> bool:
    return any(
        max(begins, since, other_begins) == at < min(ends, until, other_ends)
        for source, number, _, begins, ends, _, _ in rows
        if source == parent
        for owner, since, until in periods
        if owner == parent
        for other, there, _, other_begins, other_ends, _, _ in rows
        if other == person and there == number
    )
