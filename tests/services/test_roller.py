from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.support.clock import FixedClock
from tests.support.lake import PERMIT, events_in, put_segment, scan, visits_in
from tests.support.worker import wait_until
from tianfu.clock import SystemClock, shanghai_day
from tianfu.lake import incoming, proof, read, state
from tianfu.platform import settings
from tianfu.platform.database import Database, DatabaseUnavailableError
from tianfu.platform.journalfile import JournalFile
from tianfu.platform.observe import Log
from tianfu.scans import event
from tianfu.services import roller as roller_module
from tianfu.services.roller import Roller
from tianfu.services.shipper import Shipper

# Noon in Shanghai.
NOON = datetime(2022, 3, 1, 4, 0, tzinfo=UTC)


def events(stream: io.StringIO) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [(line["event"], line.get("code", line.get("key", ""))) for line in lines]


def made(tmp_path: Path, clock: FixedClock, stream: io.StringIO) -> Roller:
    return Roller(settings.load({"TIANFU_VAR": str(tmp_path)}), Log("test", stream=stream), clock=clock)


@pytest.fixture
def without_trail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is old enough to be erased, so no database is needed."""

    @contextmanager
    def none(_settings: object) -> Iterator[None]:
        yield None

    monkeypatch.setattr(roller_module, "installed_database", none)


def until_idle(roller: Roller) -> None:
    while roller.turn():
        pass
    while roller.night():
        pass


def test_a_scan_is_found_within_two_turns_from_the_gates_journal(tmp_path: Path, without_trail: None) -> None:
    del without_trail
    at = SystemClock().now()
    journal = JournalFile.open(tmp_path / "journal" / "gate-00003")
    journal.write([event.pack(scan(7, at=at)), event.pack(scan(8, at=at))])
    journal.close()
    stream = io.StringIO()

    Shipper(tmp_path, Log("test", stream=stream)).turn()
    made(tmp_path, FixedClock(at), stream).turn()

    with read.open_days(tmp_path / "lake", PERMIT, shanghai_day(at), shanghai_day(at)) as visits:
        assert sum(len(part.by_venue) for part in visits.partitions) == 2
    assert ("scans were rolled", "") in events(stream)


def test_the_turns_of_shipper_and_roller_leave_most_of_the_minute() -> None:
    from tianfu.services.shipper import TURN_SECONDS as SHIPPED_SECONDS  # noqa: PLC0415 - two of one name

    assert SHIPPED_SECONDS + roller_module.TURN_SECONDS <= 20


def test_trouble_is_told_once_and_stops_no_other_gate(tmp_path: Path, without_trail: None) -> None:
    del without_trail
    lake = tmp_path / "lake"
    put_segment(lake, 3, [scan(1)])
    put_segment(lake, 4, [scan(2)])
    damaged = incoming.listed(lake, 3)[0].path
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-1])
    stream = io.StringIO()
    roller = made(tmp_path, FixedClock(NOON), stream)

    for _ in range(3):
        until_idle(roller)
    assert events(stream) == [("scans are not rolled", "segment_broken"), ("scans were rolled", "")]

    damaged.write_bytes(whole)
    until_idle(roller)
    assert events(stream)[2:] == [("the lake goes on", "gate-00003"), ("scans were rolled", "")]
    assert sorted(visit[3] for visit in visits_in(lake)) == [1, 2]


def test_days_close_at_two_in_the_morning_and_what_was_missed_is_done_at_once(
    tmp_path: Path, without_trail: None
) -> None:
    del without_trail
    lake = tmp_path / "lake"
    clock = FixedClock(NOON)
    stream = io.StringIO()
    roller = made(tmp_path, clock, stream)
    put_segment(lake, 3, [scan(1)])
    until_idle(roller)

    clock.advance(timedelta(hours=13, minutes=59))
    until_idle(roller)
    assert not state.load(lake).days["2022-03-01"][0].closed

    clock.advance(timedelta(minutes=1))
    until_idle(roller)
    assert state.load(lake).days["2022-03-01"][0].closed
    assert state.load(lake).compacted_at == clock.now().timestamp()

    put_segment(lake, 3, [scan(2), scan(3, at=NOON + timedelta(days=1))])
    clock.advance(timedelta(days=3))
    until_idle(made(tmp_path, clock, stream))
    assert {day: [part.closed for part in parts] for day, parts in state.load(lake).days.items()} == {
        "2022-03-01": [True],
        "2022-03-02": [True],
    }
    assert len(events_in(lake)) == 3


def test_scans_set_aside_are_warned_of(tmp_path: Path, without_trail: None) -> None:
    del without_trail
    put_segment(tmp_path / "lake", 3, [scan(1), scan(2, at=NOON + timedelta(days=1))])
    stream = io.StringIO()
    made(tmp_path, FixedClock(NOON), stream).turn()
    assert ("scans were set aside", "future") in events(stream)


def test_old_days_are_erased_at_three_in_the_morning_with_a_proof(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def given(_settings: object) -> Iterator[Database]:
        yield database

    monkeypatch.setattr(roller_module, "installed_database", given)
    lake = tmp_path / "lake"
    clock = FixedClock(NOON)
    roller = made(tmp_path, clock, io.StringIO())
    put_segment(lake, 3, [scan(1)])
    until_idle(roller)

    for gone in (timedelta(days=30), timedelta(hours=12 + 2, minutes=59)):
        clock.advance(gone)
        until_idle(roller)
    assert "2022-03-01" in state.load(lake).days

    clock.advance(timedelta(minutes=1))
    until_idle(roller)
    assert state.load(lake).days == {}
    assert len(proof.all_of(lake)) == 1


def test_without_a_database_rolling_goes_on_and_erasing_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_settings: object) -> AbstractContextManager[Database]:
        raise DatabaseUnavailableError

    monkeypatch.setattr(roller_module, "installed_database", away)
    monkeypatch.setattr(roller_module, "RETRY_SECONDS", 0.0)
    lake = tmp_path / "lake"
    stream = io.StringIO()
    roller = made(tmp_path, FixedClock(NOON), stream)
    for number in range(3):
        put_segment(lake, 3, [scan(number)])
        until_idle(roller)

    assert events(stream).count(("visits are not erased", "database_unavailable")) == 1
    assert len(visits_in(lake)) == 3


def test_the_process_rolls_what_is_there_and_stops_when_told(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    put_segment(lake, 3, [scan(1, at=SystemClock().now())])
    with state.alone(lake) as current:
        # Nothing is due for a while, so that no database is asked.
        later = int(SystemClock().now().timestamp()) + 3 * 86_400
        state.commit(lake, msgspec.structs.replace(current, compacted_at=later, retained_at=later))
    process = subprocess.Popen(
        [sys.executable, "-m", "tianfu.services.roller"],
        env={**os.environ, "TIANFU_VAR": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: state.load(lake).gates == {3: 1})
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
    assert len(visits_in(lake)) == 1
