"""What must hold of every decision, whatever the evidence."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.histories import BEGINNING, HISTORY_STEPS, SCAN_STEPS, STEP, histories, instants, statements
from tests.support.obvious_policy import ObviousReason, ObviousState, obvious_state
from tianfu.colour import Colour, worst
from tianfu.evidence import kinds, test_words
from tianfu.evidence.model import Evidence, Grade
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.decide import decide
from tianfu.policy.load import load
from tianfu.policy.model import Decision

CORE = load(PROJECT_ROOT / "policies" / "sichuan-core.toml")
SINK = load(Path(__file__).parent.parent / "policy" / "kitchen_sink.toml")
BOTH = pytest.mark.parametrize("policy", [CORE, SINK], ids=["core", "sink"])
ANY_TIME = instants(-10, SCAN_STEPS)


def lasting(decision: Decision) -> Decision:
    """The decision without the instant it was made for."""
    return msgspec.structs.replace(decision, at=BEGINNING)


@settings(max_examples=300)
@given(history=histories(), at=ANY_TIME)
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


@BOTH
@settings(max_examples=300)
@given(history=histories(most=5), start=st.integers(-10, HISTORY_STEPS))
def test_nothing_changes_before_the_next_change_and_something_does_at_it(
    policy: object, history: list[Evidence], start: int
) -> None:
    chosen = CORE if policy is CORE else SINK
    at = BEGINNING + start * STEP
    now = lasting(decide(chosen, history, at))

    scanned = None
    for step in range(start + 1, SCAN_STEPS):
        instant = BEGINNING + step * STEP
        later = lasting(decide(chosen, history, instant))
        if msgspec.structs.replace(later, next_change_at=now.next_change_at) != now:
            scanned = instant
            break
        assert later.next_change_at == now.next_change_at

    assert now.next_change_at == scanned


@BOTH
@given(history=histories(most=4), at=ANY_TIME, seed=st.integers())
def test_the_order_of_arrival_does_not_matter(policy: object, history: list[Evidence], at: datetime, seed: int) -> None:
    chosen = CORE if policy is CORE else SINK
    shuffled = list(history)
    random.Random(seed).shuffle(shuffled)

    assert decide(chosen, shuffled, at) == decide(chosen, history, at)


@given(history=histories(most=6), at=ANY_TIME, received_at=instants())
def test_the_instant_of_receipt_does_not_matter(history: list[Evidence], at: datetime, received_at: datetime) -> None:
    moved = [msgspec.structs.replace(item, received_at=received_at) for item in history]

    assert decide(CORE, moved, at) == decide(CORE, history, at)


@BOTH
@given(data=st.data(), history=histories(most=4), at=ANY_TIME)
def test_withdrawing_a_statement_equals_never_having_had_it(
    policy: object, data: st.DataObject, history: list[Evidence], at: datetime
) -> None:
    chosen = CORE if policy is CORE else SINK
    number = len(history) + 1
    extra = msgspec.structs.replace(data.draw(statements(number)), withdraws=None)
    withdrawal = msgspec.structs.replace(
        extra, evidence_id=EvidenceId(number + 1), supersedes=None, withdraws=extra.evidence_id
    )

    assert decide(chosen, [*history, extra, withdrawal], at) == decide(chosen, history, at)


@BOTH
@given(history=histories(), at=ANY_TIME)
def test_the_worst_reason_wins_and_stands_first(policy: object, history: list[Evidence], at: datetime) -> None:
    decision = decide(CORE if policy is CORE else SINK, history, at)

    severities = [reason.colour.severity for reason in decision.reasons]
    assert decision.colour is worst(reason.colour for reason in decision.reasons)
    assert severities == sorted(severities, reverse=True)
    assert (decision.colour is Colour.GREEN) == (not decision.reasons)
    assert all(reason.since <= at and (reason.until is None or at < reason.until) for reason in decision.reasons)


@BOTH
@given(history=histories(), at=ANY_TIME, sampled_at=instants())
def test_adding_a_negative_never_worsens_the_colour(
    policy: object, history: list[Evidence], at: datetime, sampled_at: datetime
) -> None:
    chosen = CORE
    if policy is SINK:
        # There a test's sampling starts a phase on purpose, so only histories without cases are under this law.
        chosen, history = SINK, [item for item in history if item.kind != "case"]
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

    before, after = decide(chosen, history, at), decide(chosen, [*history, negative], at)

    assert after.colour.severity <= before.colour.severity
    assert {reason.evidence for reason in after.reasons} <= {reason.evidence for reason in before.reasons}


@BOTH
@given(data=st.data(), history=histories(most=4), at=ANY_TIME)
def test_weak_evidence_changes_nothing(
    policy: object, data: st.DataObject, history: list[Evidence], at: datetime
) -> None:
    chosen = CORE if policy is CORE else SINK
    weak = msgspec.structs.replace(
        data.draw(statements(len(history) + 1)),
        source_record="nobody else's",
        grade=Grade.WEAK,
        supersedes=None,
        withdraws=None,
    )

    assert decide(chosen, [*history, weak], at) == decide(chosen, history, at)


_EXTREMES = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]


@BOTH
@given(data=st.data(), history=histories(most=4), at=st.datetimes(timezones=st.just(UTC)) | st.sampled_from(_EXTREMES))
def test_a_decision_is_made_for_every_instant_of_the_calendar(
    policy: object, data: st.DataObject, history: list[Evidence], at: datetime
) -> None:
    chosen = CORE if policy is CORE else SINK
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

    decision = decide(chosen, moved, at)

    assert decision.next_change_at is None or decision.next_change_at > at
