from __future__ import annotations

from tests.support.database import TestServer
from tests.support.evidence import case, contact, lab_test, people
from tests.support.status import append, core_policy, next_policy, recompute_all, statuses
from tianfu.ids import PersonRef
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose
from tianfu.status import store


def test_changes_are_read_in_order_from_any_number_on(database: Database) -> None:
    first, second, third = people(database, 3)
    for number, person in enumerate((second, first, third)):
        append(database, lab_test(person, f"L{number}"))
        recompute_all(database)

    with database.read(Purpose.WORKER) as read:
        everything = store.changed_since(read, 0, 10)
        after_first = store.changed_since(read, everything[0].sequence, 1)
        last = store.last_sequence(read)

    assert [status.person for status in everything] == [second, first, third]
    assert [status.person for status in after_first] == [first]
    assert last == everything[-1].sequence


def test_a_person_who_changes_again_appears_once_and_later(database: Database) -> None:
    first, second = people(database, 2)
    append(database, lab_test(first, "L1"), lab_test(second, "L2"))
    recompute_all(database)
    append(database, case(first, "C1"))
    recompute_all(database)

    with database.read(Purpose.WORKER) as read:
        assert [status.person for status in store.changed_since(read, 0, 10)] == [second, first]


def test_the_stored_decision_is_read_back_whole(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, contact(person, "K1"), lab_test(person, "L1"))
    recompute_all(database)

    with database.read(Purpose.WORKER) as read:
        (by_page,) = store.page(read, after=PersonRef(0), limit=10)
        assert store.page(read, after=person, limit=10) == []
        assert store.count(read) == 1

    assert by_page == statuses(database, [person])[person]
    assert by_page.decision.reasons[0].rule == "close-contact"


def test_without_statuses_nothing_is_outdated_and_the_last_number_is_0(database: Database) -> None:
    with database.read(Purpose.WORKER) as read:
        assert store.next_policy_hash(read, beyond="", other_than=core_policy().hash) is None
        assert store.last_sequence(read) == 0


def test_every_other_policy_is_found_by_its_hash(database: Database) -> None:
    first, second = people(database, 2)
    append(database, lab_test(first, "L1"))
    recompute_all(database)
    append(database, lab_test(second, "L2"))
    recompute_all(database, policy=next_policy())
    low, high = sorted((core_policy().hash, next_policy().hash))

    with database.read(Purpose.WORKER) as read:
        assert store.next_policy_hash(read, beyond="", other_than=low) == high
        assert store.next_policy_hash(read, beyond="", other_than=high) == low
        assert store.next_policy_hash(read, beyond="", other_than="f" * 64) == low
        assert store.next_policy_hash(read, beyond=low, other_than=high) is None


def test_two_databases_of_one_server_are_told_apart(database: Database, postgres_server: TestServer) -> None:
    name = postgres_server.create()
    with Database.open(postgres_server.url_of(name), settings.load({}).database) as other:
        identities = []
        for opened in (database, database, other):
            with opened.read(Purpose.WORKER) as read:
                identities.append(store.database_identity(read))
    postgres_server.drop(name)

    assert identities[0] == identities[1] != identities[2]
    assert min(identities) >= 0
