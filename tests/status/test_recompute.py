from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from tests.support.clock import NOON
from tests.support.evidence import case, contact, declaration, lab_test, people
from tests.support.status import append, colours, core_policy, next_policy, recompute_all, statuses
from tianfu.evidence import changes, ledger, test_words
from tianfu.evidence.kinds import CaseStatus, ContactTier, Symptom
from tianfu.evidence.model import Evidence
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.policy.compile import Policy
from tianfu.policy.decide import decide
from tianfu.policy.model import Decision
from tianfu.status import recompute, store

DAY = timedelta(days=1)


def test_evidence_becomes_the_colour_that_the_policy_gives_it(database: Database) -> None:
    persons = people(database, 5)
    positive, sick, close, feverish, healthy = persons
    append(
        database,
        lab_test(positive, "L1", test_words.TestResult.POSITIVE),
        case(sick, "C1"),
        contact(close, "K1"),
        declaration(feverish, "D1", Symptom.FEVER),
        lab_test(healthy, "L2"),
    )

    recompute_all(database)

    assert colours(database, persons) == ["red", "red", "red", "yellow", "green"]


def test_a_person_without_evidence_gets_a_status(database: Database) -> None:
    (person,) = people(database, 1)
    with database.write(Purpose.WORKER) as write:
        changes.mark(write, [person], NOON)

    recompute_all(database)

    status = statuses(database, [person])[person]
    assert (status.decision.colour.value, status.decision.popup) == ("green", "declare")


def test_the_stored_decision_is_what_decide_says_of_the_ledger(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, contact(person, "K1", ContactTier.COPRESENT), lab_test(person, "L1"), declaration(person, "D1"))

    recompute_all(database)

    with database.read(Purpose.WORKER) as read:
        evidence = ledger.about(read, person)
    stored = statuses(database, [person])[person].decision
    assert stored == decide(core_policy(), evidence, stored.at)


def test_a_status_changes_by_itself_when_its_time_comes(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, contact(person, "K1", ContactTier.COPRESENT))
    recompute_all(database)
    assert colours(database, [person]) == ["yellow"]
    lapse = statuses(database, [person])[person].decision.next_change_at
    assert lapse is not None

    assert recompute_all(database, lapse - timedelta(seconds=1)) == 0
    assert recompute_all(database, lapse) == 1

    assert colours(database, [person]) == ["green"]


def test_what_changes_nothing_draws_no_new_number(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, case(person, "C1"))
    recompute_all(database)
    before = statuses(database, [person])

    append(database, case(person, "C1", CaseStatus.CONFIRMED))
    with database.write(Purpose.WORKER) as write:
        changes.mark(write, [person], NOON)
    changed = recompute_all(database)

    assert changed == 0
    assert statuses(database, [person]) == before


def test_every_change_draws_a_higher_number_than_all_before_it(database: Database) -> None:
    first, second = people(database, 2)
    append(database, lab_test(first, "L1"), lab_test(second, "L2"))
    recompute_all(database)
    append(database, lab_test(first, "L3", test_words.TestResult.POSITIVE))
    recompute_all(database)

    found = statuses(database, [first, second])

    assert found[first].sequence > found[second].sequence


def test_a_correction_to_another_person_changes_both(database: Database) -> None:
    wrong, right = people(database, 2)
    append(database, lab_test(wrong, "L1", test_words.TestResult.POSITIVE, at=NOON - timedelta(hours=2)))
    recompute_all(database)
    assert colours(database, [wrong]) == ["red"]

    append(database, lab_test(right, "L1", test_words.TestResult.POSITIVE, at=NOON - timedelta(hours=1)))
    recompute_all(database)

    assert colours(database, [wrong, right]) == ["green", "red"]


def test_withdrawn_evidence_gives_the_colour_of_never_having_had_it(database: Database) -> None:
    (person,) = people(database, 1)
    appended = append(database, case(person, "C1"))
    recompute_all(database)

    with database.write(Purpose.WORKER) as write:
        ledger.withdraw(write, appended.ids[0], received_at=NOON)
    recompute_all(database)

    assert colours(database, [person]) == ["green"]


def test_one_person_whose_decision_fails_does_not_stop_the_others_and_is_tried_again_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, well = people(database, 2)
    append(database, lab_test(odd, "odd"), case(well, "C1"))

    def fails_for_one(policy: Policy, evidence: Sequence[Evidence], at: datetime) -> Decision:
        if any(item.source_record == "odd" for item in evidence):
            raise OverflowError
        return decide(policy, evidence, at)

    with monkeypatch.context() as patched:
        patched.setattr(recompute, "decide", fails_for_one)
        with database.write(Purpose.WORKER) as write:
            result = recompute.batch(write, core_policy(), NOON)
            again = recompute.batch(write, core_policy(), NOON)

    assert (result.people, result.changed, result.failures) == (2, 1, (("OverflowError", 1),))
    assert again.people == 0
    assert colours(database, [well]) == ["red"]
    recompute_all(database, NOON + recompute.RETRY_AFTER)
    assert colours(database, [odd]) == ["green"]


def test_a_batch_takes_no_more_people_than_asked(database: Database) -> None:
    persons = people(database, 3)
    append(database, *(lab_test(person, f"L{person}") for person in persons))

    with database.write(Purpose.WORKER) as write:
        sizes = [recompute.batch(write, core_policy(), NOON, limit=2).people for _ in range(3)]

    assert sizes == [2, 1, 0]


def test_another_policy_decides_those_who_are_recomputed_from_then_on(database: Database) -> None:
    first, second = people(database, 2)
    append(database, lab_test(first, "L1"), lab_test(second, "L2"))
    recompute_all(database)

    with database.write(Purpose.WORKER) as write:
        recompute.people(write, next_policy(), [first], NOON)

    found = statuses(database, [first, second])
    assert found[first].decision.policy_hash == next_policy().hash
    with database.read(Purpose.WORKER) as read:
        assert store.count_decided_by(read, core_policy().hash, most=10) == 1
        assert store.decided_by(read, core_policy().hash, after=PersonRef(0), limit=10) == [second]
        assert store.decided_by(read, next_policy().hash, after=first, limit=10) == []


def test_two_recomputations_at_once_take_turns(database: Database) -> None:
    persons = people(database, 200)
    append(database, *(lab_test(person, f"L{person}") for person in persons))

    def work() -> None:
        while True:
            with database.write(Purpose.WORKER) as write:
                if recompute.batch(write, core_policy(), NOON, limit=20).people == 0:
                    return

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)

    found = statuses(database, persons)
    assert sorted(status.sequence for status in found.values()) == list(range(1, 201))
