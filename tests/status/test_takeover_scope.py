"""Whom a takeover recomputes, told by the rules that changed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.clock import NOON
from tests.support.evidence import case, contact, declaration, lab_test, people
from tests.support.status import POLICY_FILE, append, recompute_all, statuses
from tianfu.ids import PersonRef
from tianfu.platform import jobs
from tianfu.platform.database import Database, Purpose
from tianfu.policy.affected import EVERYBODY, Affected
from tianfu.policy.compile import Policy
from tianfu.policy.load import load
from tianfu.policy.publish import publish
from tianfu.status import store, takeover, takeover_store
from tianfu.status.replay import replay
from tianfu.status.takeover import Takeover, governing

BODY = POLICY_FILE.read_text(encoding="utf-8")
MINUTE = timedelta(minutes=1)


def body(number: int, *changes: tuple[str, str]) -> bytes:
    """The province's file under another number and with these changes, each of which must be found in it."""
    text = BODY.replace("number = 8\n", f"number = {number}\n")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text.encode()


CONTACTS_LONGER = ('anchor = "last_exposure_at", days = 21', 'anchor = "last_exposure_at", days = 28')
SYMPTOMS_LONGER = ('anchor = "declared_at", days = 14', 'anchor = "declared_at", days = 13')
WORDS_ONLY = ("流行病学调查判定您为密切接触者。", "流行病学调查判定您是密切接触者。")
NO_DECLARATION = BODY[BODY.index("[declaration]") : BODY.index("# Row 18")]


def put_in_force(database: Database, rules: bytes, minute: int) -> Policy:
    at = NOON + minute * MINUTE
    with database.write(Purpose.OPERATOR) as write:
        publish(write, body=rules, published_by="li.na", approved_by="wang.wei", effective_from=at, at=at)
    return load(rules)


@pytest.fixture
def persons(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[PersonRef]:
    """A contact, two tested, a case and two who declared, decided by the first policy; steps of two."""
    monkeypatch.setattr(takeover, "STEP_PEOPLE", 2)
    first = put_in_force(database, BODY.encode(), 0)
    found = people(database, 6)
    append(
        database,
        contact(found[0], "K1"),
        lab_test(found[1], "L1"),
        lab_test(found[2], "L2"),
        case(found[3], "C1"),
        declaration(found[4], "D1"),
        declaration(found[5], "D2"),
    )
    recompute_all(database, policy=first)
    return found


def run(under_way: Takeover, policy: Policy, minute: int) -> int:
    """Steps until nobody is left; how many people were decided."""
    decided = 0
    while (result := under_way.step(policy, NOON + minute * MINUTE)) is not None:
        decided += result.people
    return decided


def under(database: Database, persons: list[PersonRef], policy: Policy) -> list[PersonRef]:
    found = statuses(database, persons)
    return [person for person in persons if found[person].decision.policy_hash == policy.hash]


def stretches(database: Database, policy: Policy, minute: int) -> list[takeover_store.Stretch]:
    with database.read(Purpose.WORKER) as read:
        return takeover_store.stretches(read, policy.hash, governing(read, policy, NOON + minute * MINUTE))


def job_states(database: Database) -> list[tuple[str, int]]:
    with database.read(Purpose.WORKER) as read:
        return sorted((line.state, line.count) for line in jobs.overview(read))


def replayed(database: Database, policy: Policy, minute: int) -> tuple[int, int, int, int]:
    """Compared, behind, different and under an earlier policy."""
    chunks = list(replay(database, policy, NOON + minute * MINUTE))
    return (
        sum(chunk.compared for chunk in chunks),
        sum(chunk.behind for chunk in chunks),
        sum(len(chunk.differences) for chunk in chunks),
        sum(chunk.under_earlier for chunk in chunks),
    )


def test_a_change_of_words_recomputes_nobody_and_the_replay_holds(database: Database, persons: list[PersonRef]) -> None:
    second = put_in_force(database, body(9, WORDS_ONLY), 1)

    assert run(Takeover(database), second, 2) == 0
    assert under(database, persons, second) == []
    assert job_states(database) == []
    assert [(each.scope, each.total) for each in stretches(database, second, 2)] == [(Affected(), 0)]
    assert replayed(database, second, 2) == (6, 0, 0, 6)


def test_a_rule_about_contacts_recomputes_people_with_contact_statements_only(
    database: Database, persons: list[PersonRef]
) -> None:
    second = put_in_force(database, body(9, CONTACTS_LONGER), 1)
    assert replayed(database, second, 2) == (5, 1, 0, 5)

    assert run(Takeover(database), second, 2) == 1

    assert under(database, persons, second) == [persons[0]]
    assert replayed(database, second, 3) == (6, 0, 0, 5)
    (stretch,) = stretches(database, second, 2)
    assert (stretch.scope, stretch.done, stretch.total) == (Affected(kinds=("contact",)), 1, 1)
    assert stretch.finished_at is not None


def test_a_rule_about_what_nearly_everybody_has_looks_at_all_and_recomputes_those_who_have_it(
    database: Database, persons: list[PersonRef]
) -> None:
    second = put_in_force(database, body(9, SYMPTOMS_LONGER), 1)

    assert run(Takeover(database), second, 2) == 2

    assert under(database, persons, second) == persons[4:]
    (stretch,) = stretches(database, second, 2)
    assert (stretch.scope.kinds, stretch.done, stretch.total) == (("declaration",), 6, 6)
    assert replayed(database, second, 3) == (6, 0, 0, 4)


def test_a_change_for_everybody_recomputes_everybody(database: Database, persons: list[PersonRef]) -> None:
    second = put_in_force(database, body(9, (NO_DECLARATION, "")), 1)

    assert run(Takeover(database), second, 2) == 6

    assert under(database, persons, second) == persons
    assert stretches(database, second, 2)[0].scope == EVERYBODY
    assert replayed(database, second, 3) == (6, 0, 0, 0)


@pytest.mark.usefixtures("persons")
def test_what_is_done_stays_done_for_the_next_worker(database: Database) -> None:
    second = put_in_force(database, body(9, CONTACTS_LONGER), 1)
    run(Takeover(database), second, 2)
    jobs_before = job_states(database)

    assert Takeover(database).step(second, NOON + 3 * MINUTE) is None
    assert job_states(database) == jobs_before == [("done", 1)]


def test_a_killed_worker_is_followed_by_one_that_goes_on_where_it_was(
    database: Database, persons: list[PersonRef]
) -> None:
    second = put_in_force(database, body(9, SYMPTOMS_LONGER), 1)
    killed = Takeover(database)
    killed.step(second, NOON + 2 * MINUTE)
    killed.step(second, NOON + 2 * MINUTE)

    resumed = Takeover(database)
    resumed.step(second, NOON + 10 * MINUTE)

    assert resumed.progress().done == 6
    assert run(resumed, second, 10) == 0
    assert under(database, persons, second) == persons[4:]


def test_rolling_back_reaches_the_people_whom_the_change_had_reached(
    database: Database, persons: list[PersonRef]
) -> None:
    second = put_in_force(database, body(9, CONTACTS_LONGER), 1)
    run(Takeover(database), second, 1)

    first = put_in_force(database, BODY.encode(), 2)
    run(Takeover(database), first, 3)

    assert under(database, persons, first) == persons
    assert replayed(database, first, 4) == (6, 0, 0, 0)


def test_rolling_forward_again_is_done_again_though_it_was_finished_before(
    database: Database, persons: list[PersonRef]
) -> None:
    second = put_in_force(database, body(9, CONTACTS_LONGER), 1)
    run(Takeover(database), second, 1)
    first = put_in_force(database, BODY.encode(), 2)
    run(Takeover(database), first, 3)

    put_in_force(database, body(9, CONTACTS_LONGER), 4)

    assert run(Takeover(database), second, 5) == 1
    assert under(database, persons, second) == [persons[0]]


def test_people_two_policies_behind_are_judged_by_both_changes_together(
    database: Database, persons: list[PersonRef]
) -> None:
    second = put_in_force(database, body(9, CONTACTS_LONGER), 1)
    run(Takeover(database), second, 1)
    third = put_in_force(database, body(10, CONTACTS_LONGER, SYMPTOMS_LONGER), 2)

    run(Takeover(database), third, 3)

    assert under(database, persons, third) == persons[4:]
    assert under(database, persons, second) == [persons[0]]
    assert {each.scope.kinds for each in stretches(database, third, 3)} == {
        ("declaration",),
        ("contact", "declaration"),
    }


def test_a_status_that_the_change_should_have_reached_is_a_difference_once_it_is_said_to_be_done(
    database: Database, persons: list[PersonRef]
) -> None:
    second = put_in_force(database, body(9, CONTACTS_LONGER), 1)
    kept = statuses(database, persons)[persons[0]].decision
    run(Takeover(database), second, 2)
    with database.write(Purpose.WORKER) as write:
        store.lock(write)
        store.upsert(write, [(persons[0], kept)])

    assert replayed(database, second, 3) == (6, 0, 1, 6)
