from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from tests.support.clock import NOON
from tests.support.evidence import lab_test, people
from tianfu.evidence import changes, ledger
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose

LATER = NOON + timedelta(minutes=1)


def take(database: Database, limit: int = 100) -> list[PersonRef]:
    with database.write(Purpose.WORKER) as write:
        return changes.take(write, limit=limit, at=LATER)


def test_an_append_queues_its_people_once_and_wakes_the_listener(database: Database) -> None:
    first, second = people(database, 2)

    with database.listen(changes.CHANNEL) as listener:
        with database.write(Purpose.WORKER) as write:
            ledger.append(write, [lab_test(second, "1"), lab_test(first, "2"), lab_test(second, "3")], received_at=NOON)
        woken = listener.wait(60)

    assert woken
    assert take(database) == [first, second]
    assert take(database) == []


def test_people_are_taken_oldest_first_and_no_more_than_asked(database: Database) -> None:
    first, second, third = people(database, 3)
    with database.write(Purpose.WORKER) as write:
        changes.mark(write, [first, second], LATER)
        changes.mark(write, [third], NOON)

    assert take(database, limit=1) == [third]
    assert take(database, limit=1) in ([first], [second])


def test_a_rolled_back_take_leaves_the_people_queued(database: Database) -> None:
    (person,) = people(database, 1)
    with database.write(Purpose.WORKER) as write:
        changes.mark(write, [person], NOON)

    with pytest.raises(ZeroDivisionError), database.write(Purpose.WORKER) as write:
        assert 1 / (len(changes.take(write, limit=1, at=LATER)) - 1)

    assert take(database) == [person]


def test_a_postponed_person_waits_unless_new_evidence_comes(database: Database) -> None:
    first, second = people(database, 2)
    with database.write(Purpose.WORKER) as write:
        changes.postpone(write, [first, second], NOON + timedelta(hours=1))

    assert take(database) == []
    with database.write(Purpose.WORKER) as write:
        changes.mark(write, [second], NOON)
    assert take(database) == [second]


def test_appends_about_one_person_do_not_wait_for_each_other_and_none_is_forgotten(database: Database) -> None:
    busy, free = people(database, 2)
    with database.write(Purpose.WORKER) as write:
        changes.mark(write, [busy, free], NOON)

    with database.write(Purpose.BATCH) as appending:
        changes.mark(appending, [busy], NOON)
        assert take(database) == [busy, free]

    assert take(database) == [busy]


def test_a_fresh_result_goes_before_a_delivery_that_came_first(database: Database) -> None:
    persons = people(database, changes.SMALL_PEOPLE_MAX + 2)
    delivered, fresh = persons[:-1], persons[-1]
    with database.write(Purpose.WORKER) as write:
        changes.mark(write, delivered, NOON)
    with database.write(Purpose.WORKER) as write:
        changes.mark(write, [fresh], LATER)

    assert take(database, limit=1) == [fresh]
    assert take(database, limit=2) == delivered[:2]
    assert take(database, limit=1000) == delivered[2:]


def test_a_bulk_append_is_cut_and_taken_in_turn(database: Database) -> None:
    persons = people(database, 2500)
    with database.write(Purpose.WORKER) as write:
        changes.mark(write, persons, NOON)

    with database.read(Purpose.WORKER) as read:
        assert changes.backlog(read) == changes.Backlog(2500, NOON)
    assert take(database, limit=1500) == persons[:1500]
    assert take(database, limit=1500) == persons[1500:]


def test_a_person_who_is_queued_already_is_not_postponed_as_well(database: Database) -> None:
    (person,) = people(database, 1)
    with database.write(Purpose.WORKER) as write:
        changes.mark(write, [person], NOON)
        changes.postpone(write, [person], LATER)
        changes.postpone(write, [], LATER)

    assert take(database) == [person]
    assert take(database) == []


def test_evidence_that_commits_while_its_person_is_being_recomputed_queues_the_person_again(
    database: Database,
) -> None:
    (person,) = people(database, 1)
    with database.write(Purpose.WORKER) as write:
        changes.mark(write, [person], NOON)

    def append() -> None:
        with database.write(Purpose.BATCH) as write:
            ledger.append(write, [lab_test(person, "L1")], received_at=NOON)

    with database.write(Purpose.WORKER) as recomputing:
        assert changes.take(recomputing, limit=1, at=LATER) == [person]
        appending = threading.Thread(target=append)
        appending.start()
        # Whatever the recomputation has read by now, the append commits after it.
        assert ledger.about(recomputing, person) == []
    appending.join(timeout=60)

    assert take(database) == [person]


def test_backlog_says_how_many_wait_and_since_when(database: Database) -> None:
    first, second = people(database, 2)
    with database.write(Purpose.WORKER) as write:
        changes.mark(write, [first], LATER)
        changes.mark(write, [second], NOON)

    with database.read(Purpose.WORKER) as read:
        assert changes.backlog(read) == changes.Backlog(2, NOON)
        assert changes.waiting(read, [first, PersonRef(999)]) == {first}
