"""Two numbers of one human being count together while merged, and exactly as before afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.clock import NOON
from tests.support.evidence import case, contact, lab_test, people
from tests.support.merged import merge, part
from tests.support.status import append, colours, core_policy, recompute_all, statuses
from tianfu.errors import InputInvalidError
from tianfu.evidence import changes, ledger, merges, test_words
from tianfu.evidence.kinds import CaseStatus
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.residents import merging
from tianfu.residents.merging import (
    MergeKnotError,
    MergeNeedsTwoError,
    MergeNotFoundError,
    MergeSelfError,
    PersonUnknownError,
)
from tianfu.status import replay

HOUR = timedelta(hours=1)
STEP = st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["test", "case", "merge"]))


def test_what_is_known_of_one_number_counts_for_the_other_until_it_is_undone(database: Database) -> None:
    card, passport = people(database, 2)
    append(database, lab_test(card, "L1", test_words.TestResult.POSITIVE), lab_test(passport, "L2"))
    recompute_all(database)
    assert colours(database, [card, passport]) == ["red", "green"]

    number = merge(database, card, passport)
    recompute_all(database)
    assert colours(database, [card, passport]) == ["red", "red"]

    part(database, number, NOON + HOUR)
    recompute_all(database, NOON + HOUR)
    assert colours(database, [card, passport]) == ["red", "green"]


def test_what_comes_in_while_merged_goes_to_its_own_number_afterwards(database: Database) -> None:
    card, passport = people(database, 2)
    number = merge(database, card, passport)
    append(database, case(passport, "C1"))
    recompute_all(database)
    assert colours(database, [card, passport]) == ["red", "red"]

    part(database, number)
    recompute_all(database)

    assert colours(database, [card, passport]) == ["green", "red"]


def test_the_ledger_can_be_asked_what_it_knew_before_the_merge(database: Database) -> None:
    card, passport = people(database, 2)
    append(database, case(card, "C1"), at=NOON)
    number = merge(database, card, passport, NOON + HOUR)
    part(database, number, NOON + 3 * HOUR)

    def known(at: datetime) -> int:
        with database.read(Purpose.WORKER) as read:
            return len(ledger.about(read, passport, known_at=at))

    assert [known(NOON + hours * HOUR) for hours in (0, 1, 2, 3)] == [0, 1, 1, 0]


def test_a_replay_finds_no_difference(database: Database) -> None:
    card, passport, third = people(database, 3)
    append(database, contact(passport, "K1"), contact(third, "K2"))
    merge(database, card, passport)
    recompute_all(database)
    assert colours(database, [card, passport]) == ["red", "red"]

    chunks = list(replay.replay(database, core_policy(), NOON + timedelta(minutes=1)))

    assert [difference for chunk in chunks for difference in chunk.differences] == []


def test_derived_statements_do_not_wander_between_the_numbers(database: Database) -> None:
    card, passport = people(database, 2)
    append(database, contact(card, "K1"), contact(passport, "K2"), lab_test(card, "L1", test_words.TestResult.POSITIVE))
    merge(database, card, passport)
    recompute_all(database)

    assert recompute_all(database) == 0
    with database.write(Purpose.WORKER) as write:
        assert changes.take(write, limit=10, at=NOON + HOUR) == []


def test_merging_needs_two_people_two_numbers_and_no_knot(database: Database) -> None:
    first, second, third, fourth = people(database, 4)
    merge(database, first, second)

    def ask(kept: int, merged: int, reason: str = "double") -> int:
        with database.write(Purpose.OPERATOR) as write:
            return merging.ask(
                write, kept=PersonRef(kept), merged=PersonRef(merged), reason=reason, by="li.na", at=NOON
            )

    for kept, merged in ((second, third), (third, first), (third, second), (second, first)):
        with pytest.raises(MergeKnotError):
            ask(kept, merged)
    with pytest.raises(MergeSelfError):
        ask(third, third)
    with pytest.raises(PersonUnknownError):
        ask(third, 1_000_000)
    with pytest.raises(InputInvalidError):
        ask(third, fourth, "two words")
    number, rival = ask(third, fourth), ask(fourth, third)
    with database.write(Purpose.OPERATOR) as write, pytest.raises(MergeNeedsTwoError):
        merges.approve(write, number, by="os:Li.Na", at=NOON)
    with database.write(Purpose.OPERATOR) as write:
        merges.approve(write, number, by="wang.wei", at=NOON)
        merges.approve(write, number, by="wang.wei", at=NOON)
    with database.write(Purpose.OPERATOR) as write, pytest.raises(MergeKnotError):
        merges.approve(write, rival, by="wang.wei", at=NOON)
    with database.write(Purpose.OPERATOR) as write, pytest.raises(MergeNotFoundError):
        merges.approve_undo(write, number, by="wang.wei", at=NOON)
    with database.write(Purpose.OPERATOR) as write:
        merging.ask_undo(write, number, by="wang.wei", at=NOON)
        with pytest.raises(MergeNeedsTwoError):
            merges.approve_undo(write, number, by="wang.wei", at=NOON)
    part(database, number)
    with database.write(Purpose.OPERATOR) as write, pytest.raises(MergeNotFoundError):
        merging.ask_undo(write, number, by="li.na", at=NOON)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["test", "case", "merge"])), max_size=8)
)
def test_undoing_every_merge_leaves_what_would_be_without_any(
    database: Database, steps: list[tuple[int, int, str]]
) -> None:
    merged, plain = people(database, 4), people(database, 4)
    numbers = []
    for position, (one, other, what) in enumerate(steps):
        record = f"{merged[0]}-{position}"
        for persons, twin in ((merged, "m"), (plain, "p")):
            if what == "test":
                append(database, lab_test(persons[one], f"{record}{twin}", test_words.TestResult.POSITIVE))
            elif what == "case":
                append(database, case(persons[one], f"{record}{twin}", CaseStatus.SUSPECTED))
        if what == "merge":
            try:
                numbers.append(merge(database, merged[one], merged[other]))
            except (MergeKnotError, MergeSelfError):
                continue
    recompute_all(database)
    for number in numbers:
        part(database, number)
    for persons in (merged, plain):
        with database.write(Purpose.WORKER) as write:
            changes.mark(write, persons, NOON)
    recompute_all(database)

    assert colours(database, merged) == colours(database, plain)
    assert all(status.decision.colour for status in statuses(database, merged).values())
