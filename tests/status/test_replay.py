from __future__ import annotations

from datetime import datetime, timedelta

from tests.support.clock import NOON
from tests.support.evidence import case, contact, lab_test, people
from tests.support.status import append, core_policy, next_policy, recompute_all, statuses
from tianfu.platform.database import Database, Purpose
from tianfu.policy.compile import Policy
from tianfu.status.replay import Chunk, replay

LATER = NOON + timedelta(minutes=1)


def whole_replay(database: Database, at: datetime = LATER, policy: Policy | None = None) -> Chunk:
    chunks = list(replay(database, policy or core_policy(), at))
    return Chunk(
        sum(chunk.compared for chunk in chunks),
        sum(chunk.behind for chunk in chunks),
        tuple(difference for chunk in chunks for difference in chunk.differences),
    )


def test_recomputed_statuses_follow_from_the_ledger(database: Database) -> None:
    first, second, third = people(database, 3)
    append(database, case(first, "C1"), lab_test(second, "L1"), contact(third, "K1"))
    recompute_all(database)

    assert whole_replay(database) == Chunk(compared=3, behind=0, differences=())


def test_a_status_set_by_hand_is_found_and_named(database: Database) -> None:
    honest, forged = people(database, 2)
    append(database, case(honest, "C1"), case(forged, "C2"))
    recompute_all(database)
    with database.write(Purpose.WORKER) as write:
        write.execute(
            """
            update status set decision = regexp_replace(decision, '"colour":"[a-z]+"', '"colour":"green"')
            where person_ref = %s
            """,
            (forged,),
        )

    (difference,) = whole_replay(database).differences

    assert difference.person == forged
    assert difference.fields == ("colour",)
    assert (difference.stored.colour.value, difference.decided.colour.value) == ("green", "red")


def test_people_who_are_about_to_be_recomputed_are_behind_and_not_different(database: Database) -> None:
    queued, due, settled = people(database, 3)
    append(database, contact(due, "K1"), lab_test(queued, "L1"), case(settled, "C1"))
    recompute_all(database)
    append(database, case(queued, "C2"))
    lapse = statuses(database, [due])[due].decision.next_change_at
    assert lapse is not None

    assert whole_replay(database, lapse) == Chunk(compared=1, behind=2, differences=())


def test_statuses_of_a_policy_that_is_being_replaced_are_behind(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, case(person, "C1"))
    recompute_all(database)

    assert whole_replay(database, policy=next_policy()) == Chunk(compared=0, behind=1, differences=())
