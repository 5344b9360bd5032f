"""The tracer's loop: what it does by itself, what it tries again, what it tells, and that one works at a time."""

from __future__ import annotations

import io
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support import evidence as synthetic
from tests.support import tracing
from tests.support.clock import FixedClock
from tests.support.running import until
from tests.support.tracing import COUNTY, NOON
from tianfu.evidence import ledger, test_words
from tianfu.evidence.circumstance_kinds import MemberGroup, Membership
from tianfu.evidence.model import NewEvidence
from tianfu.ids import PersonRef
from tianfu.interval import Interval
from tianfu.lake import permit
from tianfu.platform import leases, settings
from tianfu.platform.database import Database, Purpose
from tianfu.platform.observe import Log
from tianfu.services import follow_up
from tianfu.services import tracer as tracer_module
from tianfu.services.tracer import Tracer
from tianfu.tracing import asked, expand, incidents
from tianfu.tracing.followup import handover, planning, upkeep
from tianfu.tracing.rule_files import TracingRulesNotFoundError


class Watched:
    """A tracer on a database, with a clock of the test's and its lines."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.clock = FixedClock(NOON)
        self.stream = io.StringIO()
        self.lake = folder / "lake"
        loaded = settings.load({"TIANFU_VAR": str(folder), "TIANFU_ENV": "test"})
        self.tracer = Tracer(loaded, database, Log("tracer", stream=self.stream), clock=self.clock)
        self.people = tracing.people(database, 3, resident_in=COUNTY)
        (self.canteen,) = tracing.venues(database, ["catering"])

    def settle(self) -> None:
        while self.tracer.turn():
            pass

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.stream.getvalue().splitlines()]

    def positive(self) -> None:
        found = synthetic.lab_test(self.people[0], "L1", test_words.TestResult.POSITIVE, at=NOON)
        with self.database.write(Purpose.WORKER) as write:
            ledger.append(write, [found], received_at=NOON)

    def home(self, person: PersonRef) -> None:
        said = Membership(group=MemberGroup.HOUSEHOLD, institution="H1", unit=None, began_at=NOON - timedelta(days=30))
        item = NewEvidence(
            person=person,
            source="education",
            source_record=f"H{person}",
            attributes=said,
            occurred_at=NOON,
            valid=Interval(NOON),
        )
        with self.database.write(Purpose.WORKER) as write:
            ledger.append(write, [item], received_at=NOON)

    def number(self) -> str:
        with self.database.read(Purpose.WORKER) as read:
            (incident,) = incidents.listed(read, [""])
        return incident.number

    def listed(self) -> list[object]:
        return [row[0] for row in tracing.listed(self.database, self.number())]

    def contacts(self, count: int) -> tuple[str, list[PersonRef]]:
        """An incident whose case met so many people, all confirmed, as it is before the tracer looks at it."""
        case, *met = tracing.people(self.database, count + 1, resident_in=COUNTY)
        at = NOON - timedelta(hours=20)
        tracing.fill(self.lake, [(person, self.canteen, at) for person in (case, *met)])
        number = tracing.opened(self.database)
        tracing.add(self.database, number, case, NOON - timedelta(days=2))
        tracing.traced(self.database, self.lake, number)
        with self.database.write(Purpose.WORKER) as write:
            write.execute("update traced set state = 'confirmed'")
        return number, met

    def tasks(self, kind: str) -> dict[str, int]:
        with self.database.read(Purpose.WORKER) as read:
            rows = read.rows("select state, count(*) from followup_task where kind = %s group by state", (kind,))
        return dict(rows)

    def followed(self) -> int:
        with self.database.read(Purpose.WORKER) as read:
            return int(read.value("select count(*) from followup where closed_at is null"))


@pytest.fixture
def watched(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    # As if every turn came minutes after the one before.
    monkeypatch.setattr(tracer_module, "RETRACE_SECONDS", 0.0)
    monkeypatch.setattr(tracer_module, "TEND_SECONDS", 0.0)
    monkeypatch.setattr(follow_up, "LOOK_SECONDS", 0.0)
    return Watched(database, tmp_path)


def test_late_scans_reach_the_list_without_anybody_asking(watched: Watched) -> None:
    first, second, _ = watched.people
    watched.positive()
    watched.settle()
    assert watched.listed() == []

    at = NOON - timedelta(hours=20)
    tracing.fill(watched.lake, [(first, watched.canteen, at), (second, watched.canteen, at)])
    watched.settle()

    assert watched.listed() == [second]
    runs = watched.events().count("an incident was traced")
    watched.settle()
    assert watched.events().count("an incident was traced") == runs


def test_scans_that_were_on_their_way_reach_the_list_within_half_a_minute(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr(tracer_module, "monotonic_seconds", lambda: now)
    monkeypatch.setattr(tracer_module, "RETRACE_SECONDS", 180.0)
    first, second, _ = watched.people
    watched.positive()
    watched.settle()

    tracing.fill(watched.lake, [(person, watched.canteen, NOON - timedelta(minutes=5)) for person in (first, second)])
    now += 10
    watched.settle()
    assert watched.listed() == []
    now += 20
    watched.settle()

    assert watched.listed() == [second]


def test_who_is_stated_to_live_with_a_case_is_listed_before_the_next_retrace(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr(tracer_module, "monotonic_seconds", lambda: now)
    monkeypatch.setattr(tracer_module, "RETRACE_SECONDS", 3600.0)
    case, mother, child = watched.people
    watched.positive()
    watched.settle()
    now += 30
    watched.settle()
    watched.home(case)
    watched.home(mother)
    watched.settle()
    assert watched.listed() == [mother]

    # Each of many statements of a file concerns the case: it is not expanded for each of them.
    watched.home(child)
    now += 10
    watched.settle()
    assert watched.listed() == [mother]
    now += 10
    watched.settle()
    assert watched.listed() == [mother, child]
    runs = watched.events().count("an incident was traced")
    now += 60
    watched.settle()
    assert watched.events().count("an incident was traced") == runs


def test_a_refused_run_is_told_and_keeps_no_other_waiting(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = watched.people
    at = NOON - timedelta(hours=20)
    tracing.fill(watched.lake, [(person, watched.canteen, at) for person in (first, second)])
    wide, narrow = tracing.opened(watched.database), tracing.opened(watched.database)
    tracing.add(watched.database, wide, first, NOON - timedelta(days=2))
    tracing.add(watched.database, narrow, third, NOON - timedelta(days=2))
    monkeypatch.setattr(expand, "LIST_ROWS_MAX", 0)
    monkeypatch.setattr(tracer_module, "RETRACE_SECONDS", 3600.0)

    watched.settle()
    assert watched.events().count("an incident is not traced") >= 1
    with watched.database.read(Purpose.WORKER) as read:
        assert incidents.find(read, wide).traced_at is None
        assert incidents.find(read, narrow).traced_at == NOON

    monkeypatch.setattr(expand, "LIST_ROWS_MAX", 10)
    tracing.add(watched.database, wide, third, NOON - timedelta(days=2))
    watched.settle()
    assert [row[0] for row in tracing.listed(watched.database, wide)] == [second]


def test_an_incident_that_breaks_a_run_stops_nobody_else(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = watched.people
    tracing.fill(watched.lake, [(person, watched.canteen, NOON - timedelta(hours=20)) for person in (first, second)])
    broken, sound = tracing.opened(watched.database), tracing.opened(watched.database)
    tracing.add(watched.database, broken, third, NOON - timedelta(days=2))
    tracing.add(watched.database, sound, first, NOON - timedelta(days=2))
    monkeypatch.setattr(tracer_module, "RETRACE_SECONDS", 3600.0)
    with watched.database.write(Purpose.WORKER) as write:
        allowed = permit.for_system(write, incident=broken, at=NOON)
        wanted = asked.Asked(number=broken, actor=tracing.ANALYST, permit=allowed, as_of=None, everything=False)
        number = asked.ask(write, wanted, at=NOON)
        # As an import from elsewhere could leave it: no calendar holds the days before.
        write.execute(
            "update incident_case set infectious_from = '0001-01-01 00:00+00' where person_ref = %s", (third,)
        )

    watched.settle()

    assert watched.events().count("an incident is not traced") >= 1
    assert [row[0] for row in tracing.listed(watched.database, sound)] == [second]
    with watched.database.read(Purpose.WORKER) as read:
        assert asked.progress(read, broken, number).error == "internal"


def test_waiting_too_long_is_told_and_so_is_that_it_is_over(watched: Watched) -> None:
    watched.positive()
    watched.clock.advance(timedelta(seconds=61))

    watched.settle()

    events = watched.events()
    assert events[0] == "tracing is behind"
    assert "tracing has caught up" in events


def test_a_second_tracer_stands_by_until_the_first_ends(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = threading.Semaphore(0)
    acquire = leases.acquire

    def asked(*given: Any, **more: Any) -> bool:  # noqa: ANN401 - as it is
        got = acquire(*given, **more)
        if not got:
            refused.release()
        return got

    monkeypatch.setattr(leases, "acquire", asked)
    with watched.database.write(Purpose.WORKER) as write:
        leases.acquire(write, name=tracer_module.LEASE_NAME, holder="other", at=NOON, seconds=5.0)
    watched.positive()
    stopping = threading.Event()
    thread = threading.Thread(target=watched.tracer.run, args=[stopping])
    thread.start()
    try:
        for _ in range(3):
            assert refused.acquire(timeout=60.0)
        assert watched.events() == []
        watched.clock.advance(timedelta(seconds=6))
        until(lambda: "an incident was traced" in watched.events(), "the second tracer")
    finally:
        stopping.set()
        thread.join(timeout=60.0)
    with watched.database.write(Purpose.WORKER) as write:
        assert leases.acquire(write, name=tracer_module.LEASE_NAME, holder="third", at=NOON, seconds=5.0)


def test_a_confirmed_contact_is_followed_up_without_anybody_asking(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, (first, second) = watched.contacts(2)
    watched.settle()
    assert watched.tasks("move") == {"planned": 2}
    assert watched.events().count("follow-up was kept up") == 1

    with watched.database.write(Purpose.WORKER) as write:
        write.execute("update traced set state = 'proposed' where person_ref = %s", (second,))
    watched.settle()
    assert watched.followed() == 1

    watched.clock.advance(timedelta(hours=3))
    with watched.database.write(Purpose.WORKER) as write:
        ledger.append(write, [synthetic.lab_test(first, "L1", at=NOON + timedelta(hours=2))], received_at=NOON)
    watched.settle()
    # Results are looked for when the minutes are over after which all incidents are.
    assert "done" not in watched.tasks("test")
    monkeypatch.setattr(watched.tracer._follow_up, "_all_at", 0.0)
    watched.settle()
    assert watched.tasks("test")["done"] == 1
    with watched.database.read(Purpose.WORKER) as read:
        told = read.rows("select actor, subject from audit_trail where action = 'follow_up_plan'")
    assert told == [("tracer", f"incident:{number}")] * 3


def test_what_was_not_done_is_missed_and_a_late_answer_is_reminded_of(watched: Watched) -> None:
    number, (person, _) = watched.contacts(2)
    watched.settle()
    with watched.database.write(Purpose.WORKER) as write:
        incident = incidents.find(write, number)
        handover.ask(write, incident.incident_ref, [person], from_place=COUNTY, to_place="510104", by="li.na", at=NOON)

    watched.clock.advance(timedelta(hours=30))
    watched.settle()
    watched.settle()

    assert watched.tasks("move") == {"missed": 2}
    waits = [line for line in watched.stream.getvalue().splitlines() if "a hand-over waits" in line]
    assert [json.loads(line)["status"] for line in waits] == ["overdue"]


def test_no_positive_waits_for_the_follow_up_of_many(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "PEOPLE_AT_ONCE", 1)
    watched.contacts(6)
    while watched.followed() < 2:
        assert watched.tracer.turn()
    runs = watched.events().count("an incident was traced")

    watched.positive()
    while watched.events().count("an incident was traced") == runs:
        assert watched.tracer.turn()

    assert watched.followed() == 2
    watched.settle()
    assert watched.followed() == 6


def test_follow_up_that_is_refused_is_told_once_until_it_is_over(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise TracingRulesNotFoundError

    watched.contacts(1)
    with monkeypatch.context() as patched:
        patched.setattr(upkeep, "schedules_of", broken)
        for _ in range(2):
            monkeypatch.setattr(watched.tracer._follow_up, "_all_at", 0.0)
            watched.settle()
    assert watched.events().count("follow-up is not kept up") == 1
    monkeypatch.setattr(watched.tracer._follow_up, "_all_at", 0.0)
    watched.settle()

    assert watched.events().count("follow-up is kept up again") == 1
    assert watched.followed() == 1
