"""Late, empty and halved feeds, and how old records are."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import NOON
from tests.support.feeds import csv_file, lab_cells, pseudonym
from tests.support.status import recompute_all
from tianfu.evidence import delays
from tianfu.feeds import freshness, intake
from tianfu.feeds.contracts import CONTRACTS
from tianfu.feeds.contracts_lab import LAB
from tianfu.feeds.freshness import FeedStatus
from tianfu.platform.database import Database, Purpose
from tianfu.platform.observe import Log
from tianfu.platform.pseudonym import Pseudonym


@pytest.fixture
def seal(tmp_path: Path) -> Pseudonym:
    return pseudonym(tmp_path)


def deliver(database: Database, seal: Pseudonym, sizes: list[int]) -> None:
    """One batch an hour of each size, from noon on."""
    number = 0
    for hour, size in enumerate(sizes):
        rows = [lab_cells(number + row, sample_id=f"B{hour}-{row}") for row in range(size)]
        data = csv_file(LAB, rows) + b"\r\n" * hour
        number += size
        intake.load(database, data, contract=LAB, source="laboratory", pseudonym=seal, at=NOON + timedelta(hours=hour))


def status(database: Database, hours: float) -> list[FeedStatus]:
    with database.read(Purpose.OPERATOR) as read:
        return freshness.status(read, NOON + timedelta(hours=hours))


def test_a_feed_that_comes_as_usual_raises_nothing(database: Database, seal: Pseudonym) -> None:
    deliver(database, seal, [4, 5, 4, 3])

    (lab,) = status(database, 3.5)

    assert (lab.feed, lab.source, lab.rows, lab.usual_rows, lab.alerts) == ("lab", "laboratory", 3, 4, ())
    assert lab.age_seconds == 1800


@pytest.mark.parametrize(("sizes", "alerts"), [([4, 5, 4, 1], ("halved",)), ([4, 0], ("empty",)), ([9, 1], ())])
def test_an_empty_and_a_halved_batch_raise_an_alert(
    database: Database, seal: Pseudonym, sizes: list[int], alerts: tuple[str, ...]
) -> None:
    deliver(database, seal, sizes)

    (lab,) = status(database, len(sizes) - 1)

    assert lab.alerts == alerts


def test_a_late_feed_raises_an_alert_once_and_a_delivery_ends_it(database: Database, seal: Pseudonym) -> None:
    deliver(database, seal, [4])
    due = CONTRACTS["lab"].every_hours
    assert due is not None
    lines = io.StringIO()
    log = Log("test", stream=lines)
    late = NOON + timedelta(hours=due * freshness.LATE_FACTOR, seconds=1)

    freshness.tend(database, log, late - timedelta(seconds=2))
    assert lines.getvalue() == ""
    freshness.tend(database, log, late)
    freshness.tend(database, log, late)
    intake.load(database, csv_file(LAB, [lab_cells(9)]), contract=LAB, source="laboratory", pseudonym=seal, at=late)
    freshness.tend(database, log, late)

    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(line["level"], line["feed"], line["key"], line["status"]) for line in told] == [
        ("warning", "lab", "laboratory", "late"),
        ("info", "lab", "laboratory", "late"),
    ]
    with database.read(Purpose.OPERATOR) as read:
        assert read.rows("select kind, ended_at is not null from feed_alert") == [("late", True)]


def test_the_age_of_records_at_receipt_is_counted_for_each_department(database: Database, seal: Pseudonym) -> None:
    rows = [lab_cells(number, resulted_at="2022-03-01 11:00") for number in range(99)]
    rows.append(lab_cells(99, sampled_at="2022-02-01 07:00", resulted_at="2022-02-01 08:00"))
    at = NOON
    intake.load(database, csv_file(LAB, rows), contract=LAB, source="laboratory", pseudonym=seal, at=at)

    with database.read(Purpose.OPERATOR) as read:
        (found,) = delays.report(read, (NOON - timedelta(days=1)).date())

    assert (found.source, found.stage, found.count) == ("laboratory", delays.EVENT_TO_RECEIPT, 100)
    assert 3600 <= found.median_seconds <= 3600 * 1.1
    assert found.p99_seconds == found.median_seconds


def test_the_time_from_receipt_to_status_is_counted_for_whom_it_changed(database: Database, seal: Pseudonym) -> None:
    data = csv_file(LAB, [lab_cells(1, result="positive"), lab_cells(2)])
    intake.load(database, data, contract=LAB, source="laboratory", pseudonym=seal, at=NOON)
    recompute_all(database, NOON + timedelta(seconds=2))
    recompute_all(database, NOON + timedelta(days=30))

    with database.read(Purpose.OPERATOR) as read:
        found = delays.report(read, (NOON - timedelta(days=1)).date())

    assert [(item.stage, item.count) for item in found] == [
        (delays.EVENT_TO_RECEIPT, 2),
        (delays.RECEIPT_TO_STATUS, 2),
    ]
    assert 2 <= found[1].p99_seconds <= 2.2


@given(st.floats(min_value=0.001, max_value=3e8))
def test_a_bucket_holds_its_delay_and_overstates_it_by_less_than_a_tenth(seconds: float) -> None:
    told = delays.seconds_of(delays.bucket_of(seconds))
    assert seconds * 0.999 <= told <= seconds * 1.1
