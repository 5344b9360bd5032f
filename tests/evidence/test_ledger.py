from __future__ import annotations

from datetime import timedelta

import msgspec
import psycopg
import pytest

from tests.support.clock import NOON
from tests.support.evidence import case, declaration, lab_test, people
from tianfu.errors import TianfuError
from tianfu.evidence import changes, kinds, ledger, test_words
from tianfu.evidence.kinds import Case, CaseStatus
from tianfu.evidence.model import Evidence, NewEvidence, standing
from tianfu.evidence.sources import SourceUnknownError
from tianfu.ids import EvidenceId, PersonRef
from tianfu.platform.database import Database, Purpose

HOUR = timedelta(hours=1)


def append(database: Database, *items: NewEvidence) -> ledger.Appended:
    with database.write(Purpose.WORKER) as write:
        return ledger.append(write, items, received_at=NOON)


def about(database: Database, person: PersonRef) -> list[Evidence]:
    with database.read(Purpose.WORKER) as read:
        return ledger.about(read, person)


def results(database: Database, person: PersonRef) -> list[str]:
    words = []
    for item in about(database, person):
        assert isinstance(item.attributes, kinds.Test | Case)
        words.append(
            (item.attributes.result if isinstance(item.attributes, kinds.Test) else item.attributes.status).value
        )
    return words


def take(database: Database) -> list[PersonRef]:
    with database.write(Purpose.WORKER) as write:
        return changes.take(write, limit=1000, at=NOON + HOUR)


def test_what_is_appended_is_read_back_as_it_was_stated(database: Database) -> None:
    (person,) = people(database, 1)
    stated = [lab_test(person, "L1"), case(person, "C1"), declaration(person, "D1")]

    appended = append(database, *stated)

    held = about(database, person)
    assert [item.evidence_id for item in held] == list(appended.ids)
    assert [
        NewEvidence(**{name: getattr(item, name) for name in NewEvidence.__struct_fields__}) for item in held
    ] == stated
    assert (appended.accepted, appended.duplicates) == (3, 0)
    assert {item.received_at for item in held} == {NOON}


def test_the_same_statement_again_changes_nothing_and_queues_nobody(database: Database) -> None:
    (person,) = people(database, 1)
    first = append(database, lab_test(person, "L1"))
    take(database)

    again = append(database, lab_test(person, "L1"))

    assert (again.accepted, again.duplicates, again.ids) == (0, 1, first.ids)
    assert len(about(database, person)) == 1
    assert take(database) == []


def test_a_repetition_inside_one_batch_counts_once(database: Database) -> None:
    (person,) = people(database, 1)

    appended = append(database, lab_test(person, "L1"), lab_test(person, "L1"))

    assert (appended.accepted, appended.duplicates) == (1, 1)
    assert appended.ids[0] == appended.ids[1]


def test_a_newer_revision_supersedes_the_one_that_stands(database: Database) -> None:
    (person,) = people(database, 1)
    first = append(database, lab_test(person, "L1", test_words.TestResult.POSITIVE, at=NOON - 2 * HOUR))

    append(database, lab_test(person, "L1", test_words.TestResult.NEGATIVE, at=NOON - HOUR))

    (held,) = about(database, person)
    assert held.supersedes == first.ids[0]
    assert results(database, person) == ["negative"]


def test_a_late_older_report_does_not_override_a_newer_one(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, lab_test(person, "L1", test_words.TestResult.NEGATIVE, at=NOON - HOUR))

    late = append(database, lab_test(person, "L1", test_words.TestResult.POSITIVE, at=NOON - 2 * HOUR))

    assert late.accepted == 1
    assert results(database, person) == ["negative"]


def test_of_two_statements_of_one_instant_the_one_received_last_stands(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, lab_test(person, "L1", test_words.TestResult.POSITIVE))

    append(database, lab_test(person, "L1", test_words.TestResult.INDETERMINATE))

    assert results(database, person) == ["indeterminate"]


def test_a_record_corrected_to_another_person_leaves_the_first_and_queues_both(database: Database) -> None:
    wrong, right = people(database, 2)
    append(database, lab_test(wrong, "L1", test_words.TestResult.POSITIVE, at=NOON - 2 * HOUR))
    take(database)

    append(database, lab_test(right, "L1", test_words.TestResult.POSITIVE, at=NOON - HOUR))

    assert about(database, wrong) == []
    assert results(database, right) == ["positive"]
    assert take(database) == [wrong, right]


def test_the_same_key_of_two_sources_is_two_records(database: Database) -> None:
    (person,) = people(database, 1)

    append(database, lab_test(person, "1"), lab_test(person, "1", source="health"))

    assert len(about(database, person)) == 2


def test_a_withdrawn_statement_counts_as_never_made(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, case(person, "C1", CaseStatus.SUSPECTED, at=NOON - 3 * HOUR))
    second = append(database, case(person, "C1", CaseStatus.CONFIRMED, at=NOON - 2 * HOUR))
    take(database)

    with database.write(Purpose.WORKER) as write:
        ledger.withdraw(write, second.ids[0], received_at=NOON)

    assert results(database, person) == ["suspected"]
    assert take(database) == [person]


def test_withdrawing_twice_is_withdrawing_once(database: Database) -> None:
    (person,) = people(database, 1)
    first = append(database, lab_test(person, "L1"))

    with database.write(Purpose.WORKER) as write:
        numbers = {ledger.withdraw(write, first.ids[0], received_at=NOON) for _ in range(2)}

    assert len(numbers) == 1
    assert about(database, person) == []


def test_many_are_withdrawn_at_once_or_none_is(database: Database) -> None:
    persons = people(database, 3)
    ids = append(database, *(lab_test(person, f"L{person}") for person in persons)).ids
    with pytest.raises(ledger.EvidenceNotFoundError), database.write(Purpose.WORKER) as write:
        ledger.withdraw_many(write, [ids[0], EvidenceId(999_999)], received_at=NOON)
    assert about(database, persons[0])

    with database.write(Purpose.WORKER) as write:
        counts = [ledger.withdraw_many(write, part, received_at=NOON) for part in (ids[:2], ids[:2], ())]
        (withdrawal,) = write.rows("select max(evidence_id) from evidence where withdraws is not null")[0]
        with pytest.raises(ledger.EvidenceNotFoundError):
            ledger.withdraw_many(write, [EvidenceId(withdrawal)], received_at=NOON)

    assert counts == [2, 0, 0]
    assert [len(about(database, person)) for person in persons] == [0, 0, 1]


def test_sending_a_withdrawn_statement_again_does_not_revive_it(database: Database) -> None:
    (person,) = people(database, 1)
    first = append(database, lab_test(person, "L1"))
    with database.write(Purpose.WORKER) as write:
        ledger.withdraw(write, first.ids[0], received_at=NOON)

    again = append(database, lab_test(person, "L1"))

    assert again.duplicates == 1
    assert about(database, person) == []


@pytest.mark.parametrize("of_a_withdrawal", [True, False])
def test_only_a_statement_that_exists_can_be_withdrawn(database: Database, *, of_a_withdrawal: bool) -> None:
    (person,) = people(database, 1)
    first = append(database, lab_test(person, "L1"))
    with database.write(Purpose.WORKER) as write:
        withdrawal = ledger.withdraw(write, first.ids[0], received_at=NOON)
    number = withdrawal if of_a_withdrawal else EvidenceId(10**6)

    with pytest.raises(ledger.EvidenceNotFoundError), database.write(Purpose.WORKER) as write:
        ledger.withdraw(write, number, received_at=NOON)


def test_the_ledger_can_be_read_as_it_was_known(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, lab_test(person, "L1", test_words.TestResult.POSITIVE, at=NOON - 2 * HOUR))
    with database.write(Purpose.WORKER) as write:
        ledger.append(
            write, [lab_test(person, "L1", test_words.TestResult.NEGATIVE, at=NOON - HOUR)], received_at=NOON + 2 * HOUR
        )

    with database.read(Purpose.WORKER) as read:
        before = ledger.about(read, person, known_at=NOON + HOUR)
        now = ledger.about(read, person)

    assert [item.attributes.result for item in before] == [test_words.TestResult.POSITIVE]  # type: ignore[union-attr]
    assert [item.attributes.result for item in now] == [test_words.TestResult.NEGATIVE]  # type: ignore[union-attr]


def test_a_batch_with_one_refused_statement_leaves_nothing(database: Database) -> None:
    (person,) = people(database, 1)

    with pytest.raises(SourceUnknownError):
        append(database, lab_test(person, "L1"), lab_test(person, "L2", source="nobody"))

    assert about(database, person) == []
    assert take(database) == []


@pytest.mark.parametrize(
    "change",
    [
        {"source_record": ""},
        {"source_record": "x" * 129},
        {"place": "5101"},
        {"occurred_at": NOON.replace(tzinfo=None)},
        {"withdraws": EvidenceId(1)},
    ],
)
def test_a_statement_that_breaks_the_model_is_refused(database: Database, change: dict[str, object]) -> None:
    (person,) = people(database, 1)
    broken = msgspec.structs.replace(lab_test(person, "L1"), **change)

    with pytest.raises(ValueError, match=r"record|place|time zone|withdraw"):
        append(database, broken)


@pytest.mark.parametrize(
    "statement",
    [
        "update evidence set place = '510105'",
        "delete from evidence",
        "truncate evidence",
    ],
)
def test_the_database_itself_refuses_to_change_or_delete_evidence(database: Database, statement: str) -> None:
    (person,) = people(database, 1)
    append(database, lab_test(person, "L1"))

    with pytest.raises((psycopg.errors.IntegrityError, TianfuError)), database.write(Purpose.WORKER) as write:
        write.execute(statement)

    assert len(about(database, person)) == 1


def test_about_many_answers_for_everybody_asked(database: Database) -> None:
    first, second = people(database, 2)
    append(database, lab_test(first, "L1"))

    with database.read(Purpose.WORKER) as read:
        found = ledger.about_many(read, [second, first])

    assert {person: len(items) for person, items in found.items()} == {first: 1, second: 0}


def test_what_the_ledger_reads_back_still_stands_to_a_decision(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, lab_test(person, "L1", test_words.TestResult.POSITIVE, at=NOON - 2 * HOUR))
    append(database, lab_test(person, "L1", test_words.TestResult.NEGATIVE, at=NOON - HOUR), lab_test(person, "L2"))

    held = about(database, person)

    assert standing(reversed(held)) == held
