"""Bulk evidence: held until a second person approves, rejected, and withdrawn as one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.clock import NOON
from tests.support.database import TestServer
from tests.support.feeds import csv_file, lab_cells, pseudonym, resident_id
from tests.support.status import recompute_all
from tianfu.audit import trail
from tianfu.errors import InputInvalidError
from tianfu.evidence import ledger
from tianfu.feeds import held, held_file, intake, quarantine, store
from tianfu.feeds.accounts import FeedNeedsTwoError
from tianfu.feeds.contracts import CONTRACTS
from tianfu.feeds.contracts_lab import LAB
from tianfu.feeds.held import BatchDecidedError, BatchNotFoundError
from tianfu.feeds.intake import Loaded
from tianfu.feeds.store import BatchState
from tianfu.ids import PersonRef
from tianfu.platform import settings as platform_settings
from tianfu.platform.database import Database, Purpose
from tianfu.platform.pseudonym import Pseudonym, SealBrokenError

LATER = NOON + timedelta(hours=1)
ROWS = [lab_cells(number, result="positive") for number in range(5)]


@pytest.fixture
def seal(tmp_path: Path) -> Pseudonym:
    return pseudonym(tmp_path)


@pytest.fixture
def two_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than three rows of any feed need a second person."""
    monkeypatch.setitem(CONTRACTS, "lab", msgspec.structs.replace(LAB, second_person_over=3))


def load(database: Database, seal: Pseudonym, rows: list[dict[str, str]], by: str | None = "li.na") -> Loaded:
    return intake.load(
        database,
        csv_file(LAB, rows),
        contract=CONTRACTS["lab"],
        source="laboratory",
        pseudonym=seal,
        at=NOON,
        loaded_by=by,
    )


def approve(database: Database, seal: Pseudonym, batch: int, by: str = "wang.wei") -> Loaded:
    return held.approve(database, batch, by=by, pseudonym=seal, at=LATER)


def count(database: Database, what: str) -> int:
    queries = {
        "evidence": "select count(*) from evidence",
        "people": "select count(*) from person",
        "parts": "select count(*) from feed_held",
        "standing withdrawals": "select count(*) from evidence where withdraws is not null",
    }
    with database.read(Purpose.OPERATOR) as read:
        found: int = read.value(queries[what])
    return found


def actions(database: Database) -> list[str]:
    with database.read(Purpose.OPERATOR) as read:
        return [row.entry.action for row in trail.stored_rows(read)]


@pytest.mark.usefixtures("two_needed")
def test_a_large_batch_is_held_sealed_and_nothing_of_it_counts(database: Database, seal: Pseudonym) -> None:
    loaded = load(database, seal, [*ROWS, lab_cells(9, result="?")])

    assert loaded.state is BatchState.HELD
    assert (loaded.rows, loaded.accepted, loaded.set_aside) == (6, 0, 1)
    assert (count(database, "evidence"), count(database, "people")) == (0, 0)
    with database.read(Purpose.OPERATOR) as read:
        (part,) = store.file_parts(read, loaded.batch_id)
        assert [batch.batch_id for batch in store.held_batches(read, 10)] == [loaded.batch_id]
    assert resident_id(1).encode() not in part.data_sealed
    assert actions(database) == ["feed.hold"]


@pytest.mark.usefixtures("two_needed")
def test_another_person_approves_and_it_is_loaded_at_once(database: Database, seal: Pseudonym) -> None:
    batch = load(database, seal, [*ROWS, lab_cells(9, result="?")]).batch_id

    loaded = approve(database, seal, batch)
    again = approve(database, seal, batch)

    assert (loaded.state, loaded.rows, loaded.accepted, loaded.set_aside) == (BatchState.LOADED, 6, 5, 1)
    assert again.already_loaded
    assert (count(database, "evidence"), count(database, "parts")) == (5, 0)
    assert actions(database) == ["feed.hold", "feed.approve"]


@pytest.mark.usefixtures("two_needed")
@pytest.mark.parametrize("approver", ["li.na", "LI.NA", "os:li.na"])
def test_who_loaded_it_cannot_approve_it(database: Database, seal: Pseudonym, approver: str) -> None:
    batch = load(database, seal, ROWS).batch_id

    with pytest.raises(FeedNeedsTwoError):
        approve(database, seal, batch, approver)

    assert count(database, "evidence") == 0


@pytest.mark.usefixtures("two_needed")
def test_a_rejected_batch_is_forgotten_and_does_not_come_again(database: Database, seal: Pseudonym) -> None:
    batch = load(database, seal, ROWS).batch_id

    for _ in range(2):
        rejected = held.reject(database, batch, by="wang.wei", reason="wrong_list", at=LATER)
        assert rejected.state is BatchState.REJECTED

    assert load(database, seal, ROWS).state is BatchState.REJECTED
    with pytest.raises(BatchDecidedError):
        approve(database, seal, batch)
    assert (count(database, "parts"), count(database, "evidence")) == (0, 0)
    assert actions(database) == ["feed.hold", "feed.reject"]


@pytest.mark.usefixtures("two_needed")
def test_few_rows_and_the_systems_own_need_nobody_else(database: Database, seal: Pseudonym) -> None:
    assert load(database, seal, ROWS[:3]).state is BatchState.LOADED
    assert load(database, seal, ROWS, by=None).state is BatchState.LOADED


def test_a_held_file_of_many_parts_opens_whole_or_not_at_all(
    database: Database, seal: Pseudonym, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONTRACTS, "lab", msgspec.structs.replace(LAB, second_person_over=3))
    dice = random.Random(1)
    rows = [lab_cells(number, sample_id=f"{dice.getrandbits(250):x}") for number in range(6_000)]
    batch = load(database, seal, rows).batch_id

    assert count(database, "parts") > 1
    with database.read(Purpose.OPERATOR) as read:
        kept = store.batch(read, batch)
        assert kept is not None
        assert held_file.restore(read, kept, pseudonym=seal) == csv_file(LAB, rows)
    with database.write(Purpose.OPERATOR) as write:
        write.execute("delete from feed_held where part = 0")
    with pytest.raises(SealBrokenError):
        approve(database, seal, batch)


def test_a_batch_is_withdrawn_as_one_and_once(database: Database, seal: Pseudonym) -> None:
    batch = load(database, seal, [*ROWS, lab_cells(9, result="?")]).batch_id

    first = held.withdraw(database, batch, by="li.na", approved_by="wang.wei", reason="wrong_file", at=LATER)
    again = held.withdraw(database, batch, by="li.na", approved_by="wang.wei", reason="wrong_file", at=LATER)

    assert (first.withdrawn, first.discarded) == (5, 1)
    assert (again.withdrawn, again.already_withdrawn) == (0, True)
    assert count(database, "standing withdrawals") == 5
    assert load(database, seal, [*ROWS, lab_cells(9, result="?")]).state is BatchState.WITHDRAWN
    assert actions(database) == ["feed.load", "feed.withdraw"]
    with database.read(Purpose.OPERATOR) as read:
        assert quarantine.waiting(read) == []


def test_withdrawing_many_rows_needs_two_people(
    database: Database, seal: Pseudonym, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = load(database, seal, ROWS).batch_id
    monkeypatch.setitem(CONTRACTS, "lab", msgspec.structs.replace(LAB, second_person_over=3))

    for second in (None, "Li.Na"):
        with pytest.raises(FeedNeedsTwoError):
            held.withdraw(database, batch, by="li.na", approved_by=second, reason="wrong_file", at=LATER)
    with pytest.raises(InputInvalidError):
        held.withdraw(database, batch, by="li.na", approved_by="wang.wei", reason="two words", at=LATER)
    with pytest.raises(BatchNotFoundError):
        held.withdraw(database, 10**6, by="li.na", approved_by="wang.wei", reason="wrong_file", at=LATER)

    assert count(database, "standing withdrawals") == 0


def test_a_statement_withdrawn_alone_before_is_not_withdrawn_twice(database: Database, seal: Pseudonym) -> None:
    batch = load(database, seal, ROWS).batch_id
    with database.write(Purpose.OPERATOR) as write:
        first = write.value("select min(evidence_id) from evidence")
        ledger.withdraw(write, first, received_at=LATER)

    done = held.withdraw(database, batch, by="li.na", approved_by=None, reason="wrong_file", at=LATER)

    assert done.withdrawn == 4


@pytest.fixture(scope="module")
def pair(postgres_server: TestServer) -> Iterator[tuple[Database, Database]]:
    """Two databases that one property compares, example after example with people of its own."""
    names = [postgres_server.create() for _ in range(2)]
    limits = platform_settings.load({}).database
    with (
        Database.open(postgres_server.url_of(names[0]), limits) as first,
        Database.open(postgres_server.url_of(names[1]), limits) as second,
    ):
        yield first, second
    for name in names:
        postgres_server.drop(name)


def standing(database: Database, rows: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    """What stands about anybody in `rows`, without numbers: who, record, content."""
    with database.read(Purpose.OPERATOR) as read:
        persons = [PersonRef(row[0]) for row in read.rows("select person_ref from person order by person_ref")]
        indexes = dict(read.rows("select person_ref, encode(document_index, 'hex') from person_document"))
        found = ledger.about_many(read, persons)
    wanted = {row["sample_id"] for row in rows}
    return sorted(
        (indexes[person], item.source_record, repr(item.attributes))
        for person, items in found.items()
        for item in items
        if item.source_record.partition("/")[2] in wanted
    )


Files = list[list[tuple[int, int, str, int]]]
BATCHES = st.lists(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["positive", "negative"]), st.integers(0, 23)),
        min_size=1,
        max_size=5,
        unique_by=lambda row: (row[1], row[3]),
    ),
    min_size=1,
    max_size=4,
)
_example = iter(range(10**6))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES, data=st.data())
def test_withdrawing_a_batch_equals_never_having_loaded_it(
    pair: tuple[Database, Database],
    seal: Pseudonym,
    batches: list[list[tuple[int, int, str, int]]],
    data: st.DataObject,
) -> None:
    """Whatever batches came before and after, as long as no two of them say the very same thing."""
    example = next(_example)
    gone = data.draw(st.integers(0, len(batches) - 1))
    files = [
        [
            lab_cells(
                person,
                sample_id=f"E{example}-{record}",
                result=result,
                sampled_at="2022-02-01 00:00",
                resulted_at=f"2022-02-01 {hour:02d}:00:{number:02d}",
            )
            for person, record, result, hour in rows
        ]
        for number, rows in enumerate(batches)
    ]
    with_it, without = pair
    loaded = [load(with_it, seal, rows) for rows in files]
    for rows in files[:gone] + files[gone + 1 :]:
        load(without, seal, rows)
    held.withdraw(with_it, loaded[gone].batch_id, by="li.na", approved_by=None, reason="wrong_file", at=LATER)

    everything = [row for rows in files for row in rows]
    assert standing(with_it, everything) == standing(without, everything)


def test_the_people_of_a_withdrawn_batch_are_decided_anew(database: Database, seal: Pseudonym) -> None:
    batch = load(database, seal, ROWS).batch_id
    recompute_all(database)
    held.withdraw(database, batch, by="li.na", approved_by=None, reason="wrong_file", at=LATER)
    recompute_all(database, LATER)

    with database.read(Purpose.OPERATOR) as read:
        assert read.value("select count(*) from status where colour <> 'green'") == 0
