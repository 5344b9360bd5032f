"""Features of the format that the published set does not use, and the boundaries of those that it does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from tianfu.colour import Colour
from tianfu.evidence import kinds, test_words
from tianfu.evidence.kinds import (
    Attributes,
    Case,
    CaseStatus,
    Contact,
    ContactTier,
    Declaration,
)
from tianfu.evidence.model import Evidence
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.decide import decide
from tianfu.policy.load import load
from tianfu.policy.model import Decision

CORE = load(PROJECT_ROOT / "policies" / "sichuan-core.toml")
SINK = load(Path(__file__).parent / "kitchen_sink.toml")
T0 = datetime(2022, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def statement(
    number: int,
    attributes: Attributes,
    at: datetime,
    *,
    source: str = "health",
    until: datetime | None = None,
    received_at: datetime | None = None,
) -> Evidence:
    return Evidence(
        evidence_id=EvidenceId(number),
        person=PersonRef(1),
        source=source,
        source_record=f"R-{number}",
        attributes=attributes,
        occurred_at=at,
        received_at=received_at or at,
        valid=Interval(at, until),
    )


def negative(number: int, at: datetime, method: test_words.TestMethod = test_words.TestMethod.NUCLEIC_ACID) -> Evidence:
    test = kinds.Test(
        result=test_words.TestResult.NEGATIVE, method=method, sampled_at=at, resulted_at=at, laboratory="51-1"
    )
    return statement(number, test, at)


def positive(number: int, at: datetime) -> Evidence:
    test = kinds.Test(
        result=test_words.TestResult.POSITIVE,
        method=test_words.TestMethod.NUCLEIC_ACID,
        sampled_at=at,
        resulted_at=at,
        laboratory="51-1",
    )
    return statement(number, test, at)


def case(number: int, status: CaseStatus, at: datetime, *, source: str = "health") -> Evidence:
    return statement(number, Case(status=status, diagnosed_at=at), at, source=source)


def contact(number: int, at: datetime) -> Evidence:
    close = Contact(tier=ContactTier.CLOSE, last_exposure_at=at, designated_at=at, case="C-1")
    return statement(number, close, at)


def rules(decision: Decision) -> list[str]:
    return [reason.rule for reason in decision.reasons]


def test_phases_follow_each_other_with_a_gap_between() -> None:
    evidence = [contact(1, T0)]

    seen = [
        (decision.colour, decision.next_change_at)
        for decision in (decide(SINK, evidence, T0 + days * DAY) for days in (0, 1, 3, 4, 5, 50))
    ]

    assert seen == [
        (Colour.GREEN, T0 + DAY),
        (Colour.RED, T0 + 4 * DAY),
        (Colour.RED, T0 + 4 * DAY),
        (Colour.GREEN, T0 + 5 * DAY),
        (Colour.YELLOW, None),
        (Colour.YELLOW, None),
    ]


def test_two_negatives_release_when_they_are_the_gap_apart_to_the_second() -> None:
    coloured = T0 + DAY
    first = coloured + HOUR
    near = negative(3, first + DAY - timedelta(seconds=1))
    apart = negative(3, first + DAY, test_words.TestMethod.ANTIGEN)
    now = T0 + 3 * DAY

    one = decide(SINK, [contact(1, T0), negative(2, first)], now)
    too_near = decide(SINK, [contact(1, T0), negative(2, first), near], now)
    enough = decide(SINK, [contact(1, T0), negative(2, first), apart], now)

    assert one.reasons[0].releases == ("two-negatives",)
    assert rules(too_near) == ["two-phases"]
    assert rules(enough) == []


def test_a_third_negative_counts_although_the_second_came_too_soon() -> None:
    first = T0 + DAY + HOUR
    evidence = [contact(1, T0), negative(2, first), negative(3, first + 12 * HOUR), negative(4, first + 24 * HOUR)]

    assert rules(decide(SINK, evidence, T0 + 3 * DAY)) == []


def test_samples_count_only_after_the_colouring() -> None:
    coloured = T0 + DAY
    evidence = [contact(1, T0), negative(2, coloured), negative(3, coloured + 25 * HOUR)]

    assert rules(decide(SINK, evidence, T0 + 3 * DAY)) == ["two-phases"]


def test_of_two_phases_at_once_the_worse_is_the_reason() -> None:
    evidence = [case(1, CaseStatus.SUSPECTED, T0), negative(2, T0 + DAY)]

    before, during = (decide(SINK, evidence, T0 + days * DAY) for days in (1, 2))

    assert (before.colour, before.reasons[0].until) == (Colour.YELLOW, T0 + 9 * DAY)
    assert (during.colour, during.reasons[0].since) == (Colour.RED, T0 + 2 * DAY)
    assert before.next_change_at == T0 + 2 * DAY
    assert during.next_change_at == T0 + 30 * DAY


def test_an_anchor_may_be_the_receipt() -> None:
    late = statement(1, Case(status=CaseStatus.SUSPECTED, diagnosed_at=T0), T0, received_at=T0 + 5 * DAY)

    assert decide(SINK, [late, negative(2, T0)], T0 + 33 * DAY).next_change_at == T0 + 35 * DAY


def test_a_release_may_come_from_any_department() -> None:
    evidence = [case(1, CaseStatus.CONFIRMED, T0), case(2, CaseStatus.EXCLUDED, T0 + DAY, source="desk")]

    assert rules(decide(SINK, evidence, T0 + HOUR)) == ["overlap"]
    assert rules(decide(SINK, evidence, T0 + DAY)) == []


def test_what_was_replaced_does_not_come_back_when_its_successor_ends() -> None:
    fever = Declaration(declared_at=T0, symptoms=(kinds.Symptom.FEVER,))
    healthy = Declaration(declared_at=T0 + DAY)
    evidence = [
        statement(1, fever, T0, source="self"),
        statement(2, healthy, T0 + DAY, source="self", until=T0 + 2 * DAY),
    ]

    assert decide(CORE, evidence, T0).colour is Colour.YELLOW
    assert decide(CORE, evidence, T0 + DAY).colour is Colour.GREEN
    assert decide(CORE, evidence, T0 + 3 * DAY).colour is Colour.GREEN


def test_a_discharge_at_the_instant_of_the_sample_ends_the_positive() -> None:
    home = statement(2, Case(status=CaseStatus.DISCHARGED, diagnosed_at=T0, discharged_at=T0), T0)

    assert decide(CORE, [positive(1, T0), home], T0 + 29 * DAY).colour is Colour.GREEN


@pytest.mark.parametrize("first", [2, 3])
def test_the_next_change_is_the_nearest_of_several_ends(first: int) -> None:
    tests = [
        statement(number, item.attributes, T0, until=T0 + (2 if number == first else 5) * DAY)
        for number, item in ((2, negative(2, T0)), (3, positive(3, T0)))
    ]

    decision = decide(CORE, tests, T0)

    expected = {2: T0 + 5 * DAY, 3: T0 + 2 * DAY}[first]
    assert decision.next_change_at == expected
    assert decide(CORE, tests, expected - timedelta(microseconds=1)).reasons == decision.reasons


def test_instants_with_other_offsets_say_the_same() -> None:
    shanghai = timezone(timedelta(hours=8))

    utc = decide(CORE, [contact(1, T0)], T0)
    local = decide(CORE, [contact(1, T0.astimezone(shanghai))], T0.astimezone(shanghai))

    assert utc == local


def test_an_end_beyond_the_calendar_is_no_end() -> None:
    last_years = datetime(9999, 12, 20, tzinfo=UTC)
    fever = Declaration(declared_at=last_years, symptoms=(kinds.Symptom.FEVER,))

    decision = decide(CORE, [statement(1, fever, last_years)], last_years)

    assert decision.colour is Colour.YELLOW
    assert decision.reasons[0].until is None
    assert decision.popup is None
