"""What must hold of every decision, whatever the evidence."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.histories import (
    BEGINNING,
    HISTORY_STEPS,
    SCAN_STEPS,
    STEP,
    histories,
    instants,
    many_histories,
    seeded_history,
    statements,
)
from tests.support.obvious_policy import ObviousReason, ObviousState, obvious_state
from tests.support.plain_engine import plain_next, plain_state, state_of
from tianfu.colour import Colour, worst
from tianfu.evidence import kinds, test_words
from tianfu.evidence.kinds import KINDS
from tianfu.evidence.model import Evidence, Grade
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.compile import Policy, compile_policy
from tianfu.policy.decide import decide
from tianfu.policy.load import load
from tianfu.policy.model import Decision

POLICIES = [load(path) for path in sorted((PROJECT_ROOT / "policies").glob("*.toml"))]
CORE = next(policy for policy in POLICIES if policy.name == "sichuan-core")
SINK = load(Path(__file__).parent.parent / "policy" / "kitchen_sink.toml")
EVERY = pytest.mark.parametrize("policy", [*POLICIES, SINK], ids=lambda policy: policy.name)
ANY_TIME = instants(-10, SCAN_STEPS)


def lasting(decision: Decision) -> Decision:
    """The decision without the instant it was made for."""
    return msgspec.structs.replace(decision, at=BEGINNING)


@settings(max_examples=500)
@given(history=many_histories(kinds=["test", "test", "contact", "case", "declaration"]), at=ANY_TIME)
def test_the_rule_file_says_the_same_as_the_rules_written_out_by_hand(history: list[Evidence], at: datetime) -> None:
    decision = decide(CORE, history, at)

    reasons = tuple(
        ObviousReason(item.rule, item.colour.value, item.evidence, item.since, item.until) for item in decision.reasons
    )
    test = None
    if decision.test is not None:
        test = (decision.test.result, decision.test.method, decision.test.sampled_at)
    state = ObviousState(decision.colour.value, decision.popup, reasons, test, decision.declared_until)
    assert state == obvious_state(history, at)


def known_to(policy: Policy) -> list[str]:
    """The kinds that the policy's rules are about, and those that their anchors and counters look at."""
    kinds = {kind for kind, known in KINDS.items() if policy.by_kind[known]}
    return sorted({*kinds, "test", "sampling", "parent_test", "case", "clearance", "declaration"})


@EVERY
@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), at=ANY_TIME)
def test_a_plain_reading_of_the_rules_says_the_same_and_changes_when_they_do(
    policy: Policy, seed: int, at: datetime
) -> None:
    history = seeded_history(seed, most=10, kinds=known_to(policy))

    decision = decide(policy, history, at)

    assert state_of(decision) == plain_state(policy.rule_set, history, at)
    assert decision.next_change_at == plain_next(policy.rule_set, history, at)


@pytest.mark.parametrize("policy", [CORE, SINK], ids=lambda policy: policy.name)
@settings(max_examples=150)
@given(history=histories(most=5), start=st.integers(-10, HISTORY_STEPS))
def test_nothing_changes_before_the_next_change_and_something_does_at_it(
    policy: Policy, history: list[Evidence], start: int
) -> None:
    at = BEGINNING + start * STEP
    now = lasting(decide(policy, history, at))

    scanned = None
    for step in range(start + 1, SCAN_STEPS):
        instant = BEGINNING + step * STEP
        later = lasting(decide(policy, history, instant))
        if msgspec.structs.replace(later, next_change_at=now.next_change_at) != now:
            scanned = instant
            break
        assert later.next_change_at == now.next_change_at

    assert now.next_change_at == scanned


@EVERY
@settings(max_examples=40)
@given(history=many_histories(most=4), at=ANY_TIME, seed=st.integers())
def test_the_order_of_arrival_does_not_matter(policy: Policy, history: list[Evidence], at: datetime, seed: int) -> None:
    shuffled = list(history)
    random.Random(seed).shuffle(shuffled)

    assert decide(policy, shuffled, at) == decide(policy, history, at)


@given(history=many_histories(most=6), at=ANY_TIME, received_at=instants())
def test_the_instant_of_receipt_does_not_matter(history: list[Evidence], at: datetime, received_at: datetime) -> None:
    moved = [msgspec.structs.replace(item, received_at=received_at) for item in history]

    assert decide(CORE, moved, at) == decide(CORE, history, at)


@EVERY
@settings(max_examples=40)
@given(data=st.data(), history=many_histories(most=4), at=ANY_TIME)
def test_withdrawing_a_statement_equals_never_having_had_it(
    policy: Policy, data: st.DataObject, history: list[Evidence], at: datetime
) -> None:
    number = len(history) + 1
    extra = msgspec.structs.replace(data.draw(statements(number)), withdraws=None)
    withdrawal = msgspec.structs.replace(
        extra, evidence_id=EvidenceId(number + 1), supersedes=None, withdraws=extra.evidence_id
    )

    assert decide(policy, [*history, extra, withdrawal], at) == decide(policy, history, at)


@EVERY
@settings(max_examples=40)
@given(history=many_histories(), at=ANY_TIME)
def test_the_worst_reason_wins_and_stands_first(policy: Policy, history: list[Evidence], at: datetime) -> None:
    decision = decide(policy, history, at)

    severities = [reason.colour.severity for reason in decision.reasons]
    assert decision.colour is worst(reason.colour for reason in decision.reasons)
    assert severities == sorted(severities, reverse=True)
    assert (decision.colour is Colour.GREEN) == (not decision.reasons)
    assert all(reason.since <= at and (reason.until is None or at < reason.until) for reason in decision.reasons)


def without_silencing(policy: Policy) -> Policy:
    """The policy with every rule allowed to speak."""
    rules = tuple(msgspec.structs.replace(rule, preempts=()) for rule in policy.rule_set.rule)
    rule_set = msgspec.structs.replace(policy.rule_set, rule=rules)
    return compile_policy(rule_set, digest=policy.hash, body=policy.body)


@EVERY
@settings(max_examples=60)
@given(history=many_histories(), at=ANY_TIME, sampled_at=instants())
def test_adding_a_negative_never_worsens_the_colour(
    policy: Policy, history: list[Evidence], at: datetime, sampled_at: datetime
) -> None:
    # A rule that a negative ends no longer silences others: what stands beneath it may be worse, and shows.
    policy = without_silencing(policy)
    if policy.name == SINK.name:
        # There a test's sampling starts a phase on purpose, so only histories without cases are under this law.
        history = [item for item in history if item.kind != "case"]
    negative = Evidence(
        evidence_id=EvidenceId(99),
        person=PersonRef(1),
        source="laboratory",
        source_record="another",
        attributes=kinds.Test(
            result=test_words.TestResult.NEGATIVE,
            method=test_words.TestMethod.NUCLEIC_ACID,
            sampled_at=sampled_at,
            resulted_at=sampled_at,
            laboratory="510100-01",
        ),
        occurred_at=sampled_at,
        received_at=sampled_at,
        valid=Interval(sampled_at),
    )

    before, after = decide(policy, history, at), decide(policy, [*history, negative], at)

    assert after.colour.severity <= before.colour.severity
    assert {reason.evidence for reason in after.reasons} <= {reason.evidence for reason in before.reasons}


@EVERY
@settings(max_examples=40)
@given(data=st.data(), history=many_histories(most=4), at=ANY_TIME)
def test_weak_evidence_changes_nothing(
    policy: Policy, data: st.DataObject, history: list[Evidence], at: datetime
) -> None:
    weak = msgspec.structs.replace(
        data.draw(statements(len(history) + 1)),
        source_record="nobody else's",
        grade=Grade.WEAK,
        supersedes=None,
        withdraws=None,
    )

    assert decide(policy, [*history, weak], at) == decide(policy, history, at)


_EXTREMES = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
_ANY_INSTANT = st.datetimes(timezones=st.just(UTC)) | st.sampled_from(_EXTREMES)


@EVERY
@settings(max_examples=40)
@given(
    data=st.data(), history=many_histories(most=4), at=st.datetimes(timezones=st.just(UTC)) | st.sampled_from(_EXTREMES)
)
def test_a_decision_is_made_for_every_instant_of_the_calendar(
    policy: Policy, data: st.DataObject, history: list[Evidence], at: datetime
) -> None:
    moved = []
    for item in history:
        fields = msgspec.structs.asdict(item.attributes)
        for name, value in fields.items():
            if isinstance(value, datetime):
                fields[name] = data.draw(st.sampled_from([value, *_EXTREMES]))
        moved.append(
            msgspec.structs.replace(
                item,
                attributes=type(item.attributes)(**fields),
                occurred_at=data.draw(st.sampled_from([item.occurred_at, *_EXTREMES])),
                valid=Interval(data.draw(st.sampled_from([item.valid.start, *_EXTREMES]))),
            )
        )

    decision = decide(policy, moved, at)

    assert decision.next_change_at is None or decision.next_change_at > at
