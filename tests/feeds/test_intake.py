from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clock import NOON
from tests.support.feeds import csv_file, lab_cells, pseudonym, resident_id
from tests.support.status import colours, recompute_all
from tianfu.evidence import ledger
from tianfu.evidence.sources import SourceUnknownError
from tianfu.feeds import intake, quarantine, store
from tianfu.feeds.contract import Contract
from tianfu.feeds.contracts_disease import CASES, CONTACTS
from tianfu.feeds.contracts_lab import LAB
from tianfu.feeds.intake import Loaded, ReasonCount
from tianfu.feeds.quarantine import QuarantineRowNotFoundError
from tianfu.feeds.table import FeedRefusedError
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import documents, people


@pytest.fixture
def seal(tmp_path: Path) -> Pseudonym:
    return pseudonym(tmp_path)


def load(database: Database, seal: Pseudonym, data: bytes, contract: Contract = LAB, **changes: str) -> Loaded:
    return intake.load(
        database,
        data,
        contract=contract,
        source=changes.get("source", contract.source),
        pseudonym=seal,
        at=NOON,
    )


def person_of(database: Database, seal: Pseudonym, number: int) -> PersonRef:
    document = documents.parse("resident_id", resident_id(number), at=NOON)
    with database.read(Purpose.WORKER) as read:
        person = people.find(read, document, pseudonym=seal)
    assert person is not None
    return person


def evidence_count(database: Database) -> int:
    with database.read(Purpose.WORKER) as read:
        count: int = read.value("select count(*) from evidence")
    return count


def test_rows_become_evidence_about_people_known_by_their_document_alone(database: Database, seal: Pseudonym) -> None:
    loaded = load(database, seal, csv_file(LAB, [lab_cells(1), lab_cells(2, result="positive")]))

    assert (loaded.rows, loaded.accepted, loaded.duplicates, loaded.set_aside) == (2, 2, 0, 0)
    recompute_all(database)
    assert colours(database, [person_of(database, seal, 1), person_of(database, seal, 2)]) == ["green", "red"]


def test_evidence_that_came_before_the_claim_is_there_when_the_person_claims(
    database: Database, seal: Pseudonym
) -> None:
    load(database, seal, csv_file(LAB, [lab_cells(1, result="positive")]))
    recompute_all(database)

    document = documents.parse("resident_id", resident_id(1), at=NOON)
    with database.write(Purpose.RESIDENT) as write:
        (claimed,) = people.refer(write, [document], pseudonym=seal, at=NOON + timedelta(days=1))

    assert colours(database, [claimed]) == ["red"]


def test_the_same_file_again_changes_nothing_and_says_so(database: Database, seal: Pseudonym) -> None:
    data = csv_file(LAB, [lab_cells(1), lab_cells(2, result="?")])
    first = load(database, seal, data)

    again = load(database, seal, data)

    assert not first.already_loaded
    assert again.already_loaded
    assert (again.batch_id, again.accepted, again.set_aside) == (first.batch_id, 1, 1)
    assert evidence_count(database) == 1
    with database.read(Purpose.WORKER) as read:
        assert len(quarantine.waiting(read)) == 1


def test_the_same_rows_in_another_file_are_duplicates(database: Database, seal: Pseudonym) -> None:
    load(database, seal, csv_file(LAB, [lab_cells(1)]))

    loaded = load(database, seal, csv_file(LAB, [lab_cells(1), lab_cells(2)]))

    assert (loaded.accepted, loaded.duplicates) == (1, 1)


def test_a_revised_row_supersedes_and_a_late_old_one_does_not(database: Database, seal: Pseudonym) -> None:
    load(database, seal, csv_file(LAB, [lab_cells(1, result="positive")]))
    load(database, seal, csv_file(LAB, [lab_cells(1, result="negative", resulted_at="2022-03-01 11:45")]))
    load(database, seal, csv_file(LAB, [lab_cells(1, result="positive", resulted_at="2022-03-01 11:40")]))

    recompute_all(database)

    assert colours(database, [person_of(database, seal, 1)]) == ["green"]


def test_a_corrected_document_number_frees_the_first_person(database: Database, seal: Pseudonym) -> None:
    load(database, seal, csv_file(LAB, [lab_cells(1, result="positive")]))
    recompute_all(database)
    wrong = person_of(database, seal, 1)
    corrected = lab_cells(1, result="positive", document_number=resident_id(2))

    load(database, seal, csv_file(LAB, [corrected]))
    recompute_all(database)

    assert colours(database, [wrong, person_of(database, seal, 2)]) == ["green", "red"]


def test_cases_and_contacts_colour_people(database: Database, seal: Pseudonym) -> None:
    case = {
        "case_id": "C-1",
        "document_type": "resident_id",
        "document_number": resident_id(1),
        "status": "confirmed",
        "diagnosed_at": "2022-02-28 10:00",
        "reported_at": "2022-02-28 12:00",
    }
    contact = {
        "record_id": "K-1",
        "document_type": "resident_id",
        "document_number": resident_id(2),
        "tier": "close",
        "last_exposure_at": "2022-02-27 09:00",
        "designated_at": "2022-02-28 13:00",
        "case_id": "C-1",
    }

    load(database, seal, csv_file(CASES, [case]), CASES)
    load(database, seal, csv_file(CONTACTS, [contact]), CONTACTS)
    recompute_all(database)

    assert colours(database, [person_of(database, seal, number) for number in (1, 2)]) == ["red", "red"]


def test_faulty_rows_are_set_aside_sealed_with_row_number_and_reason(database: Database, seal: Pseudonym) -> None:
    rows = [lab_cells(1), lab_cells(2, result="?"), lab_cells(3, document_number="1.2E+17"), lab_cells(4, result="?")]

    loaded = load(database, seal, csv_file(LAB, rows))

    assert (loaded.accepted, loaded.set_aside) == (1, 3)
    assert loaded.reasons == (
        ReasonCount("result", "choice", 2, 3),
        ReasonCount("document_number", "spreadsheet_number", 1, 4),
    )
    with database.read(Purpose.WORKER) as read:
        kept = quarantine.waiting(read, batch_id=loaded.batch_id)
        raw = quarantine.show(read, kept[0].quarantine_id, pseudonym=seal)
        sealed = bytes(read.value("select row_sealed from feed_quarantine order by quarantine_id limit 1"))
    assert [(row.row_number, row.field, row.reason) for row in kept] == [
        (3, "result", "choice"),
        (4, "document_number", "spreadsheet_number"),
        (5, "result", "choice"),
    ]
    assert resident_id(2) in raw.raw
    assert resident_id(2).encode() not in sealed


def test_the_set_aside_rows_come_by_the_page(database: Database, seal: Pseudonym) -> None:
    load(database, seal, csv_file(LAB, [lab_cells(number, result="?") for number in range(5)]))

    with database.read(Purpose.WORKER) as read:
        first = quarantine.waiting(read, limit=3)
        rest = quarantine.waiting(read, after=first[-1].quarantine_id)
        with pytest.raises(QuarantineRowNotFoundError):
            quarantine.show(read, 10**6, pseudonym=seal)

    assert [row.row_number for row in first + rest] == [2, 3, 4, 5, 6]


def test_a_refused_file_leaves_nothing(database: Database, seal: Pseudonym) -> None:
    with pytest.raises(FeedRefusedError):
        load(database, seal, b"name,number\nx,y\n")
    with pytest.raises(SourceUnknownError):
        load(database, seal, csv_file(LAB, [lab_cells(1)]), source="nobody")

    with database.read(Purpose.WORKER) as read:
        assert read.value("select count(*) from feed_batch") == 0
        assert read.value("select count(*) from person") == 0


def test_a_load_that_breaks_off_leaves_nothing_and_can_be_repeated(
    database: Database, seal: Pseudonym, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = csv_file(LAB, [lab_cells(1)])
    with monkeypatch.context() as patched:
        patched.setattr(store, "close_batch", None)
        with pytest.raises(TypeError):
            load(database, seal, data)
    assert evidence_count(database) == 0

    assert load(database, seal, data).accepted == 1


def test_a_file_in_gb18030_is_loaded_and_told(database: Database, seal: Pseudonym) -> None:
    loaded = load(database, seal, csv_file(LAB, [lab_cells(1, result="阳性")], encoding="gb18030"))

    assert (loaded.encoding, loaded.accepted) == ("gb18030", 1)


def test_the_statement_names_its_batch_and_its_source(database: Database, seal: Pseudonym) -> None:
    loaded = load(database, seal, csv_file(LAB, [lab_cells(1)]), source="health")

    with database.read(Purpose.WORKER) as read:
        (held,) = ledger.about(read, person_of(database, seal, 1))
        assert read.value("select batch_id from evidence") == loaded.batch_id
    assert (held.source, held.source_record, held.received_at) == ("health", "SYN-LAB-1/S-1", NOON)


def test_progress_is_told_along_the_way(database: Database, seal: Pseudonym) -> None:
    told: list[tuple[str, int, int]] = []

    intake.load(
        database,
        csv_file(LAB, [lab_cells(number) for number in range(10)]),
        contract=LAB,
        source="laboratory",
        pseudonym=seal,
        at=NOON,
        progress=lambda step, done, total: told.append((step, done, total)),
    )

    assert told[0] == ("read", 0, 10)
    assert told[-1] == ("store", 10, 10)
