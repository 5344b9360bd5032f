"""Whatever happens in whatever order, a status is what the policy says of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import evidence as synthetic
from tests.support.clock import NOON
from tests.support.status import append, core_policy, recompute_all, statuses
from tianfu.evidence import ledger, test_words
from tianfu.evidence.kinds import CaseStatus, ContactTier, Symptom
from tianfu.evidence.model import NewEvidence
from tianfu.ids import EvidenceId, PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.policy.decide import decide
from tianfu.policy.model import Decision

PEOPLE = 3
RECORDS = 3
HOURS = 6
DECLARATION = 3


class Said(NamedTuple):
    """A statement before it has people: who (of three), which record, what, and the source's hour."""

    who: int
    record: int
    kind: int
    worse: bool
    hour: int

    def about(self, persons: Sequence[PersonRef], case_id: str) -> NewEvidence:
        """The statement, about one of `persons`, under a record of this example."""
        person, record = persons[self.who], f"{case_id}-{self.kind}-{self.record}"
        at = NOON - timedelta(days=2) + timedelta(hours=self.hour)
        if self.kind == 0:
            result = test_words.TestResult.POSITIVE if self.worse else test_words.TestResult.NEGATIVE
            return synthetic.lab_test(person, record, result, at=at)
        if self.kind == 1:
            return synthetic.case(person, record, CaseStatus.CONFIRMED if self.worse else CaseStatus.EXCLUDED, at=at)
        if self.kind == 2:
            tier = ContactTier.CLOSE if self.worse else ContactTier.COPRESENT
            return synthetic.contact(person, record, tier, at=at)
        symptoms = (Symptom.FEVER,) if self.worse else ()
        return synthetic.declaration(person, record, *symptoms, at=at)


SAID = st.builds(
    Said,
    who=st.integers(0, PEOPLE - 1),
    record=st.integers(0, RECORDS - 1),
    kind=st.integers(0, DECLARATION),
    worse=st.booleans(),
    hour=st.integers(0, HOURS),
)
# Append one, withdraw the nth, recompute, or let a day pass.
STEPS = st.lists(
    st.one_of(
        SAID,
        st.tuples(st.just("withdraw"), st.integers(0, 20)),
        st.just("recompute"),
        st.just("day"),
    ),
    max_size=25,
)
# The database belongs to the whole test: each example has people and records of its own.
SHARED_DATABASE = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def without_numbers(decision: Decision) -> Decision:
    """The decision without the numbers of its evidence, which depend on what came first."""
    reasons = tuple(msgspec.structs.replace(reason, evidence=EvidenceId(0)) for reason in decision.reasons)
    return msgspec.structs.replace(decision, reasons=tuple(sorted(reasons, key=repr)))


def stored(database: Database, persons: list[PersonRef]) -> dict[PersonRef, Decision]:
    return {person: status.decision for person, status in statuses(database, persons).items()}


def decided(database: Database, persons: list[PersonRef], at: datetime) -> dict[PersonRef, Decision]:
    with database.read(Purpose.WORKER) as read:
        evidence = ledger.about_many(read, persons)
    return {person: decide(core_policy(), evidence[person], at) for person in persons}


def alike(one: dict[PersonRef, Decision], other: dict[PersonRef, Decision]) -> bool:
    """Whether two sets of decisions agree on the people of the first in all but the instant they were made at."""
    return all(msgspec.structs.replace(one[person], at=other[person].at) == other[person] for person in one)


@SHARED_DATABASE
@given(steps=STEPS)
def test_after_any_history_the_statuses_are_what_decide_says_of_the_ledger(
    database: Database, steps: list[Said | str | tuple[str, int]]
) -> None:
    persons = synthetic.people(database, PEOPLE)
    example = f"example-{persons[0]}"
    at = NOON
    appended: list[EvidenceId] = []

    for step in steps:
        if isinstance(step, Said):
            appended += append(database, step.about(persons, example), at=at).ids
        elif step == "recompute":
            recompute_all(database, at)
        elif step == "day":
            at += timedelta(days=1)
        elif isinstance(step, tuple) and appended:
            with database.write(Purpose.WORKER) as write:
                ledger.withdraw(write, appended[step[1] % len(appended)], received_at=at)
    recompute_all(database, at)

    found = stored(database, persons)
    assert alike(found, decided(database, persons, at))
    heard_of = {persons[step.who] for step in steps if isinstance(step, Said)}
    assert set(found) == heard_of


def one_for_each_instant(said: Iterable[Said]) -> list[Said]:
    """At most one statement for each record and hour: of two, only arrival could tell which stands.

    Nor two declarations in one hour, because rules ask for a person's newest.
    """
    return list(
        {(item.kind, item.record if item.kind != DECLARATION else 0, item.hour): item for item in said}.values()
    )


@SHARED_DATABASE
@given(said=st.lists(SAID, max_size=12).map(one_for_each_instant), data=st.data())
def test_the_order_of_arrival_and_the_size_of_batches_make_no_difference(
    database: Database, said: list[Said], data: st.DataObject
) -> None:
    first_people, second_people = synthetic.people(database, PEOPLE), synthetic.people(database, PEOPLE)
    shuffled = data.draw(st.permutations(said))
    cut = data.draw(st.integers(0, len(said)))

    for item in said:
        append(database, item.about(first_people, f"example-{first_people[0]}"))
    for part in (shuffled[:cut], shuffled[cut:]):
        append(database, *(item.about(second_people, f"example-{second_people[0]}") for item in part))
    recompute_all(database)

    first = decided(database, first_people, NOON)
    second = decided(database, second_people, NOON)
    for one, other in zip(first_people, second_people, strict=True):
        assert without_numbers(first[one]) == without_numbers(second[other])


@SHARED_DATABASE
@given(said=st.lists(SAID, min_size=1, max_size=8), data=st.data())
def test_withdrawing_equals_never_having_said(database: Database, said: list[Said], data: st.DataObject) -> None:
    with_people, without_people = synthetic.people(database, PEOPLE), synthetic.people(database, PEOPLE)
    gone = data.draw(st.sampled_from(said))
    rest = [item for item in said if item != gone]

    for item in said:
        result = append(database, item.about(with_people, f"example-{with_people[0]}"))
        if item == gone:
            with database.write(Purpose.WORKER) as write:
                ledger.withdraw(write, result.ids[0], received_at=NOON)
    for item in rest:
        append(database, item.about(without_people, f"example-{without_people[0]}"))

    withdrawn = decided(database, with_people, NOON)
    never_said = decided(database, without_people, NOON)
    for one, other in zip(with_people, without_people, strict=True):
        assert without_numbers(withdrawn[one]) == without_numbers(never_said[other])
