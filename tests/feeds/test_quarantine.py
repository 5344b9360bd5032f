"""Rows that were set aside: fixed, released, discarded, each with a trace."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clock import NOON
from tests.support.feeds import csv_file, lab_cells, pseudonym, resident_id
from tests.support.status import colours, recompute_all
from tianfu.audit import trail
from tianfu.errors import InputInvalidError
from tianfu.feeds import decide_rows, held, intake, quarantine, store
from tianfu.feeds.contracts_lab import LAB
from tianfu.feeds.decide_rows import RowDecidedError
from tianfu.feeds.held import BatchDecidedError
from tianfu.feeds.intake import Loaded
from tianfu.feeds.quarantine import QuarantineRowNotFoundError
from tianfu.platform.database import Database, Purpose
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import documents, people

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def seal(tmp_path: Path) -> Pseudonym:
    return pseudonym(tmp_path)


def load(database: Database, seal: Pseudonym, *rows: dict[str, str]) -> Loaded:
    return intake.load(
        database, csv_file(LAB, rows), contract=LAB, source="laboratory", pseudonym=seal, at=NOON, loaded_by="li.na"
    )


def first_waiting(database: Database, batch_id: int) -> int:
    with database.read(Purpose.OPERATOR) as read:
        return quarantine.waiting(read, batch_id=batch_id)[0].quarantine_id


def fix(database: Database, seal: Pseudonym, number: int, **corrections: str) -> decide_rows.Decided:
    with database.write(Purpose.OPERATOR) as write:
        return decide_rows.fix(write, number, corrections, by="wang.wei", pseudonym=seal, at=LATER)


def actions(database: Database) -> list[str]:
    with database.read(Purpose.OPERATOR) as read:
        return [row.entry.action for row in trail.stored_rows(read)]


def counts(database: Database, batch_id: int) -> tuple[int, int, int]:
    with database.read(Purpose.OPERATOR) as read:
        batch = store.batch(read, batch_id)
    assert batch is not None
    return batch.accepted, batch.duplicates, batch.set_aside


def test_a_fixed_row_becomes_evidence_and_colours_the_person(database: Database, seal: Pseudonym) -> None:
    batch = load(database, seal, lab_cells(1, result="pos?"), lab_cells(2)).batch_id
    number = first_waiting(database, batch)

    decided = fix(database, seal, number, result="positive")

    assert (decided.rows, decided.accepted) == (1, 1)
    recompute_all(database, LATER)
    with database.read(Purpose.OPERATOR) as read:
        document = documents.parse("resident_id", resident_id(1), at=NOON)
        person = people.find(read, document, pseudonym=seal)
        assert quarantine.waiting(read) == []
    assert person is not None
    assert colours(database, [person]) == ["red"]
    assert counts(database, batch) == (2, 0, 0)
    assert actions(database) == ["feed.load", "quarantine.fix"]


def test_fixing_again_changes_nothing(database: Database, seal: Pseudonym) -> None:
    number = first_waiting(database, load(database, seal, lab_cells(1, result="?")).batch_id)
    fix(database, seal, number, result="negative")

    again = fix(database, seal, number, result="negative")

    assert again.rows == 0
    assert actions(database) == ["feed.load", "quarantine.fix"]


def test_a_correction_that_is_still_wrong_names_every_column_and_leaves_the_row(
    database: Database, seal: Pseudonym
) -> None:
    batch = load(database, seal, lab_cells(1, result="?", method="?")).batch_id
    number = first_waiting(database, batch)

    with pytest.raises(InputInvalidError) as refused:
        fix(database, seal, number, result="maybe")
    with pytest.raises(InputInvalidError) as unknown:
        fix(database, seal, number, colour="green")

    assert {fault.field for fault in refused.value.faults} == {"result", "method"}
    assert [fault.code for fault in unknown.value.faults] == ["column_unknown"]
    assert first_waiting(database, batch) == number
    assert counts(database, batch) == (0, 0, 1)


def test_a_row_is_released_as_it_is_once_its_contract_accepts_it(database: Database, seal: Pseudonym) -> None:
    early = lab_cells(1, resulted_at=(NOON + timedelta(hours=9)).strftime("%Y-%m-%d %H:%M"))
    number = first_waiting(database, load(database, seal, early).batch_id)
    with pytest.raises(InputInvalidError), database.write(Purpose.OPERATOR) as write:
        decide_rows.fix(write, number, {}, by="wang.wei", pseudonym=seal, at=NOON)

    with database.write(Purpose.OPERATOR) as write:
        decided = decide_rows.fix(write, number, {}, by="wang.wei", pseudonym=seal, at=NOON + timedelta(hours=2))

    assert decided.accepted == 1
    assert actions(database)[-1] == "quarantine.release"


def test_a_row_with_too_few_cells_can_only_be_fixed_column_by_column(database: Database, seal: Pseudonym) -> None:
    data = csv_file(LAB, [lab_cells(1)]) + b"only,three,cells\r\n"
    batch = intake.load(database, data, contract=LAB, source="laboratory", pseudonym=seal, at=NOON).batch_id
    number = first_waiting(database, batch)

    with pytest.raises(InputInvalidError):
        fix(database, seal, number)
    decided = fix(database, seal, number, **lab_cells(2))

    assert decided.accepted == 1


def test_a_discarded_row_stays_discarded(database: Database, seal: Pseudonym) -> None:
    batch = load(database, seal, lab_cells(1, result="?")).batch_id
    number = first_waiting(database, batch)

    for expected in (1, 0):
        with database.write(Purpose.OPERATOR) as write:
            decided = decide_rows.discard(write, number, by="wang.wei", reason="not_ours", pseudonym=seal, at=LATER)
        assert decided.rows == expected

    with pytest.raises(RowDecidedError):
        fix(database, seal, number, result="negative")
    with pytest.raises(QuarantineRowNotFoundError):
        fix(database, seal, 10**6, result="negative")
    assert counts(database, batch) == (0, 0, 1)
    assert actions(database) == ["feed.load", "quarantine.discard"]


def test_all_rows_of_a_reason_are_decided_at_once_with_one_entry(database: Database, seal: Pseudonym) -> None:
    late = (NOON + timedelta(hours=9)).strftime("%Y-%m-%d %H:%M")
    rows = [lab_cells(number, resulted_at=late) for number in range(3)]
    rows += [lab_cells(9, resulted_at="2022-03-02 23:00"), lab_cells(8, result="?")]
    batch = load(database, seal, *rows).batch_id

    with database.write(Purpose.OPERATOR) as write:
        released = decide_rows.release_all(
            write, batch, "future", by="wang.wei", pseudonym=seal, at=NOON + timedelta(hours=2)
        )
    with database.write(Purpose.OPERATOR) as write:
        discarded = decide_rows.discard_all(
            write, batch, "choice", because="unreadable", by="wang.wei", pseudonym=seal, at=LATER
        )

    assert (released.rows, released.accepted, released.still_waiting) == (3, 3, 1)
    assert discarded.rows == 1
    assert counts(database, batch) == (3, 0, 2)
    assert actions(database) == ["feed.load", "quarantine.release", "quarantine.discard"]


def test_rows_of_a_withdrawn_batch_cannot_come_back(database: Database, seal: Pseudonym) -> None:
    batch = load(database, seal, lab_cells(1), lab_cells(2, result="?")).batch_id
    number = first_waiting(database, batch)
    held.withdraw(database, batch, by="li.na", approved_by="wang.wei", reason="wrong_file", at=LATER)

    with pytest.raises(BatchDecidedError):
        fix(database, seal, number, result="negative")


def test_what_is_released_is_sealed_at_rest_still(database: Database, seal: Pseudonym) -> None:
    number = first_waiting(database, load(database, seal, lab_cells(1, result="?")).batch_id)
    fix(database, seal, number, result="negative")

    with database.read(Purpose.OPERATOR) as read:
        sealed = bytes(read.value("select row_sealed from feed_quarantine"))
        kept = quarantine.show(read, number, pseudonym=seal)
    assert resident_id(1).encode() not in sealed
    assert (kept.state, kept.cells and kept.cells["result"]) == ("released", "?")
