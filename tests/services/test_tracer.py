"""The tracer's loop: what it does by itself, what it tries again, what it tells, and that one works at a time."""

from __future__ import annotations

import io
import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support import evidence as synthetic
from tests.support import tracing
from tests.support.clock import FixedClock
from tests.support.running import until
from tests.support.tracing import COUNTY, NOON
from tianfu.evidence import ledger, test_words
from tianfu.platform import leases, settings
from tianfu.platform.database import Database, Purpose
from tianfu.platform.observe import Log
from tianfu.services import tracer as tracer_module
from tianfu.services.tracer import Tracer
from tianfu.tracing import expand, incidents


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

    def number(self) -> str:
        with self.database.read(Purpose.WORKER) as read:
            (incident,) = incidents.listed(read, [""])
        return incident.number

    def listed(self) -> list[object]:
        return [row[0] for row in tracing.listed(self.database, self.number())]


@pytest.fixture
def watched(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    # As if every turn came minutes after the one before.
    monkeypatch.setattr(tracer_module, "RETRACE_SECONDS", 0.0)
    monkeypatch.setattr(tracer_module, "TEND_SECONDS", 0.0)
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


def test_waiting_too_long_is_told_and_so_is_that_it_is_over(watched: Watched) -> None:
    watched.positive()
    watched.clock.advance(timedelta(seconds=61))

    watched.settle()

    events = watched.events()
    assert events[0] == "tracing is behind"
    assert "tracing has caught up" in events


def test_a_second_tracer_stands_by_until_the_first_ends(watched: Watched) -> None:
    with watched.database.write(Purpose.WORKER) as write:
        leases.acquire(write, name=tracer_module.LEASE_NAME, holder="other", at=NOON, seconds=5.0)
    watched.positive()
    stopping = threading.Event()
    thread = threading.Thread(target=watched.tracer.run, args=[stopping])
    thread.start()
    try:
        stopping.wait(1.5)
        assert watched.events() == []
        watched.clock.advance(timedelta(seconds=6))
        until(lambda: "an incident was traced" in watched.events(), "the second tracer")
    finally:
        stopping.set()
        thread.join(timeout=20.0)
    with watched.database.write(Purpose.WORKER) as write:
        assert leases.acquire(write, name=tracer_module.LEASE_NAME, holder="third", at=NOON, seconds=5.0)
