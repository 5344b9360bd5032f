"""A run makes the list that the cases add up to, from whatever was stored before, and nothing half."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import tracing
from tests.support.tracing import NOON
from tianfu.platform.database import Database, Purpose
from tianfu.tracing import expand, incidents, list_store, run
from tianfu.tracing.expand import TraceTooWideError
from tianfu.tracing.incidents import IncidentClosedError
from tianfu.tracing.run import RunOvertakenError

PEOPLE = 40
FIVE = timedelta(minutes=5)
CATEGORIES = ("catering", "retail", "sport", "vehicle", "school")


class World:
    """People who go to a few venues all the time, so that everybody is somebody's contact by some way."""

    def __init__(self, database: Database, lake: Path) -> None:
        self.database = database
        self.lake = lake
        self.people = tracing.people(database, PEOPLE, resident_in="510112")
        self.venues = tracing.venues(database, CATEGORIES * 4)
        chance = random.Random(20220715)
        minutes = 4 * 24 * 60
        tracing.fill(
            lake,
            [
                (chance.choice(self.people), chance.choice(self.venues), at(chance.randrange(minutes)))
                for _ in range(PEOPLE * 20)
            ],
        )


def at(minute: int) -> datetime:
    """So many minutes after the first visit could be."""
    return NOON - timedelta(days=4) + timedelta(minutes=minute)


@pytest.fixture(scope="module")
def world(shared_database: Database, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(shared_database, tmp_path_factory.mktemp("lake"))


Change = tuple[int, int, int | None]
"""Which person, infectious from which hour, until which (None: open; equal to the first: withdrawn)."""
CHANGES = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 60), st.one_of(st.none(), st.integers(1, 90))),
    min_size=1,
    max_size=10,
)


def apply(world: World, number: str, change: Change, active: dict[int, tuple[datetime, datetime | None]]) -> None:
    who, since_hour, length = change
    person = world.people[who]
    if person in active and since_hour % 2:
        tracing.withdraw(world.database, number, person)
        del active[person]
        return
    since = at(since_hour * 60)
    until = None if length is None else since + timedelta(hours=length)
    tracing.add(world.database, number, person, since, until)
    active[person] = (since, until)


@settings(max_examples=8)
@given(changes=CHANGES, every=st.integers(1, 3))
def test_after_any_additions_and_withdrawals_the_list_is_that_of_a_start_from_scratch(
    world: World, changes: list[Change], every: int
) -> None:
    number = tracing.opened(world.database)
    active: dict[int, tuple[datetime, datetime | None]] = {}
    for count, change in enumerate(changes):
        apply(world, number, change, active)
        if count % every == 0:
            tracing.traced(world.database, world.lake, number)
    tracing.traced(world.database, world.lake, number)

    afresh = tracing.opened(world.database)
    for person, (since, until) in active.items():
        tracing.add(world.database, afresh, person, since, until)
    tracing.traced(world.database, world.lake, afresh)

    assert tracing.listed(world.database, number) == tracing.listed(world.database, afresh)
    assert tracing.announced(world.database, number) == tracing.announced(world.database, afresh)


def test_the_world_of_these_tests_has_both_hops_and_several_tiers(world: World) -> None:
    number = tracing.opened(world.database)
    tracing.add(world.database, number, world.people[0], at(0))

    report = tracing.traced(world.database, world.lake, number)

    rows = tracing.listed(world.database, number)
    assert len(rows) == report.listed > 10
    assert {row[1] for row in rows} == {1, 2}
    assert len({row[2] for row in rows}) > 1
    assert {row[9] for row in rows} == {"510112"}


def test_a_new_case_expands_itself_only_and_a_run_without_change_nothing(world: World) -> None:
    number = tracing.opened(world.database)
    tracing.add(world.database, number, world.people[0], at(0), at(60))
    first = tracing.traced(world.database, world.lake, number)
    tracing.add(world.database, number, world.people[1], at(0), at(60))
    listed_before = {row[0] for row in tracing.listed(world.database, number)}
    second = tracing.traced(world.database, world.lake, number)
    third = tracing.traced(world.database, world.lake, number)

    assert first.expanded == 1
    # The other case is expanded again only when it had gone on from the new one.
    assert second.expanded == (2 if world.people[1] in listed_before else 1)
    assert (third.expanded, third.concerned) == (0, 0)


def test_everything_anew_finds_late_visits_and_writes_only_those(shared_database: Database, tmp_path: Path) -> None:
    first, second, third = tracing.people(shared_database, 3)
    (venue,) = tracing.venues(shared_database, ["catering"])
    tracing.fill(tmp_path, [(first, venue, at(600)), (second, venue, at(610))])
    number = tracing.opened(shared_database)
    tracing.add(shared_database, number, first, at(0))
    tracing.traced(shared_database, tmp_path, number)
    tracing.fill(tmp_path, [(first, venue, at(2400)), (third, venue, at(2410))])

    quiet = tracing.traced(shared_database, tmp_path, number)
    again = tracing.traced(shared_database, tmp_path, number, everything=True)

    assert (quiet.listed, quiet.concerned) == (1, 0)
    assert (again.listed, again.concerned) == (2, 1)


def test_what_somebody_decided_survives_runs_and_an_absence(world: World) -> None:
    database = world.database
    number = tracing.opened(database)
    tracing.add(database, number, world.people[0], at(0))
    tracing.traced(database, world.lake, number)
    person = tracing.listed(database, number)[0][0]
    with database.write(Purpose.OPERATOR) as write:
        write.execute("update traced set state = 'confirmed' where person_ref = %s", (person,))

    tracing.traced(database, world.lake, number, everything=True)
    kept = {row[0]: row[10] for row in tracing.listed(database, number)}
    tracing.withdraw(database, number, world.people[0])
    tracing.traced(database, world.lake, number)
    gone = tracing.listed(database, number)
    tracing.add(database, number, world.people[0], at(0))
    tracing.traced(database, world.lake, number)
    back = {row[0]: row[10] for row in tracing.listed(database, number)}

    assert kept[person] == back[person] == "confirmed"
    assert gone == []
    assert set(back.values()) == {"confirmed", "proposed"}


def test_a_list_that_is_too_wide_is_refused_with_the_rule_to_narrow(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = tracing.opened(world.database)
    tracing.add(world.database, number, world.people[0], at(0))
    tracing.traced(world.database, world.lake, number)
    before = tracing.listed(world.database, number)
    tracing.add(world.database, number, world.people[1], at(0))
    monkeypatch.setattr(expand, "LIST_ROWS_MAX", 3)

    with pytest.raises(TraceTooWideError) as refused:
        tracing.traced(world.database, world.lake, number)

    assert "hop 1" in refused.value.sentence("en")
    assert any(category in refused.value.sentence("zh") for category in CATEGORIES)
    assert tracing.listed(world.database, number) == before


def test_a_run_that_is_cut_off_leaves_the_list_before_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = tracing.opened(world.database)
    tracing.add(world.database, number, world.people[0], at(0))
    tracing.traced(world.database, world.lake, number)
    before = tracing.listed(world.database, number)
    tracing.add(world.database, number, world.people[1], at(0))

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(list_store, "replace_announcements", cut)
        with pytest.raises(KeyboardInterrupt):
            tracing.traced(world.database, world.lake, number)
    assert tracing.listed(world.database, number) == before
    with world.database.read(Purpose.OPERATOR) as read:
        unfinished = read.value("select count(*) from trace_run where finished_at is null")
    assert unfinished >= 1

    tracing.traced(world.database, world.lake, number)
    assert tracing.listed(world.database, number) != before


def test_a_run_that_cases_overtake_is_done_again_or_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = tracing.opened(world.database)
    tracing.add(world.database, number, world.people[0], at(0))
    honest = run._expand_all
    hours = iter(range(1, 100))

    def meddled(*given: object) -> object:
        found = honest(*given)  # type: ignore[arg-type]
        hour = next(hours)
        if hour <= limit:
            tracing.add(world.database, number, world.people[2], at(hour))
        return found

    monkeypatch.setattr(run, "_expand_all", meddled)
    limit = 1
    tracing.traced(world.database, world.lake, number)
    assert world.people[2] not in {row[0] for row in tracing.listed(world.database, number)}

    limit = 99
    with pytest.raises(RunOvertakenError):
        tracing.traced(world.database, world.lake, number, everything=True)


def test_a_crowd_is_told_as_a_place_and_names_nobody(shared_database: Database, tmp_path: Path) -> None:
    everybody = tracing.people(shared_database, 250)
    hall, canteen = tracing.venues(shared_database, ["sport", "catering"])
    tracing.fill(
        tmp_path,
        [*((person, hall, at(600)) for person in everybody), (everybody[0], canteen, at(900)),
         (everybody[1], canteen, at(910))],
    )  # fmt: skip
    number = tracing.opened(shared_database)
    for person in everybody[2:4]:
        tracing.add(shared_database, number, person, at(0))
    tracing.add(shared_database, number, everybody[0], at(0))

    tracing.traced(shared_database, tmp_path, number)

    assert [(row[0], row[7]) for row in tracing.listed(shared_database, number)] == [(everybody[1], canteen)]
    ((venue, begins, ends, scans),) = tracing.announced(shared_database, number)
    assert (venue, scans) == (hall, 250)
    assert isinstance(begins, datetime)
    assert isinstance(ends, datetime)
    assert begins < at(600) < ends


def test_a_closed_incident_is_not_traced(world: World) -> None:
    number = tracing.opened(world.database)
    with world.database.write(Purpose.OPERATOR) as write:
        incidents.close(write, tracing.ANALYST, number, at=NOON)

    with pytest.raises(IncidentClosedError):
        tracing.traced(world.database, world.lake, number)


def test_who_came_before_midnight_meets_a_case_who_came_after_it(world: World, tmp_path: Path) -> None:
    case, contact = world.people[:2]
    midnight = NOON.replace(hour=16) - timedelta(days=2)
    tracing.fill(
        tmp_path,
        [(case, world.venues[0], midnight + FIVE), (contact, world.venues[0], midnight - FIVE)],
    )
    number = tracing.opened(world.database)
    tracing.add(world.database, number, case, midnight)

    tracing.traced(world.database, tmp_path, number)

    assert [(row[0], row[5]) for row in tracing.listed(world.database, number)] == [(contact, midnight + FIVE)]
