from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.clock import NOON
from tianfu.access import accounts
from tianfu.feeds.contracts import CONTRACTS
from tianfu.lake import state
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import RecordKeys
from tianfu.platform.pseudonym import Pseudonym
from tianfu.synth import demo, operators, visits


@contextmanager
def quietly(_: str) -> Iterator[None]:
    yield


@pytest.fixture(autouse=True)
def small_county(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred people show the same as two thousand, sooner."""
    monkeypatch.setattr(demo, "PEOPLE", 200)


def counts(database: Database) -> list[int]:
    tables = ("person", "resident", "consent", "evidence", "account", "venue", "venue_guard", "feed_batch")
    with database.read(Purpose.BATCH) as read:
        return [read.value(f"select count(*) from {table}") for table in tables]  # noqa: S608


def pseudonym(folder: Path) -> Pseudonym:
    return Pseudonym(RecordKeys.load_or_create(folder / "records.json"))


def load(database: Database, folder: Path) -> None:
    names = pseudonym(folder)
    demo.load(database, folder / "demo", lake=folder / "lake", pseudonym=names, at=NOON, step=quietly)


def visits_by_day(lake: Path) -> dict[str, int]:
    return {day: sum(part.visits for part in parts) for day, parts in state.load(lake).days.items()}


def test_a_start_that_was_cut_short_is_finished_without_doubling_anything(database: Database, tmp_path: Path) -> None:
    load(database, tmp_path)
    first, visited = counts(database), visits_by_day(tmp_path / "lake")
    remembered = tmp_path / "demo" / "county.json"
    remembered.write_bytes(remembered.read_bytes().replace(b"true", b"false"))

    load(database, tmp_path)

    assert counts(database) == first
    assert visits_by_day(tmp_path / "lake") == visited
    assert len(visited) == visits.DAYS + 1
    assert min(visited.values()) > 0
    assert first[1] == demo.PEOPLE
    assert first[5] == 60


def test_a_database_that_somebody_filled_is_left_alone(database: Database, tmp_path: Path) -> None:
    with database.write(Purpose.BATCH) as write:
        write.execute("insert into person (first_seen_at) values (%s)", (NOON,))

    load(database, tmp_path)

    assert counts(database)[:2] == [1, 0]
    assert demo.samples(tmp_path / "demo") == ()


def test_the_waiting_people_are_the_ones_in_the_files(database: Database, tmp_path: Path) -> None:
    load(database, tmp_path)

    waiting = demo.samples(tmp_path / "demo")

    assert len(waiting) == demo.UNCLAIMED
    assert waiting[0].number in (tmp_path / "demo" / "lab.csv").read_text(encoding="utf-8")
    assert waiting[1].number in (tmp_path / "demo" / "contacts.csv").read_text(encoding="utf-8")
    assert "positive" in (tmp_path / "demo" / "positive.csv").read_text(encoding="utf-8")
    assert set(CONTRACTS) <= {path.stem for path in (tmp_path / "demo").glob("*.csv")}


def test_every_demo_account_can_be_found_with_its_role(database: Database, tmp_path: Path) -> None:
    load(database, tmp_path)

    with database.read(Purpose.BATCH) as read:
        for wanted in operators.ACCOUNTS:
            found = accounts.find(read, wanted.username)
            assert found is not None
            assert [grant.role for grant in found.grants] == [wanted.role]
