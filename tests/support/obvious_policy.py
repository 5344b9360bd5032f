"""The rules of sichuan-core written a second time, slowly and plainly, to be compared with the real ones.

Shares no code with `tianfu.policy` beyond the names of things: no rule file, no compiled form, no short cuts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tianfu.evidence.kinds import Case, CaseStatus, Contact, ContactTier, Declaration, Test
from tianfu.evidence.model import Evidence, Grade
from tianfu.evidence.test_words import TestMethod, TestResult


class ObviousReason(NamedTuple):
    rule: str
    colour: str
    evidence: int
    since: datetime
    until: datetime | None


class ObviousState(NamedTuple):
    colour: str
    popup: str | None
    reasons: tuple[ObviousReason, ...]
    test: tuple[TestResult, TestMethod, datetime] | None
    declared_until: datetime | None


RULES = [
    "positive-test",
    "case",
    "suspected",
    "close-contact",
    "secondary-contact",
    "copresent",
    "declared-symptoms",
    "declared-temperature",
]


def obvious_state(evidence: Sequence[Evidence], at: datetime) -> ObviousState:
    """What the rules say at `at`."""
    statements = [item for item in what_stands(evidence) if item.grade is Grade.STRONG]
    now = [item for item in statements if item.valid.contains(at)]
    reasons = []
    for item in now:
        for rule, colour, begins, ends in rules_about(item, statements, now, at):
            since = max(begins, item.valid.start)
            until = min((instant for instant in (ends, item.valid.end) if instant is not None), default=None)
            if since <= at and (until is None or at < until):
                reasons.append(ObviousReason(rule, colour, item.evidence_id, since, until))
    reasons.sort(key=lambda reason: (reason.colour != "red", RULES.index(reason.rule), reason.evidence))
    declared = []
    for item in now:
        if isinstance(item.attributes, Declaration):
            until = item.attributes.declared_at + timedelta(days=14)
            until = until if item.valid.end is None else min(until, item.valid.end)
            if item.attributes.declared_at <= at < until:
                declared.append(until)
    colour = "green"
    if any(reason.colour == "yellow" for reason in reasons):
        colour = "yellow"
    if any(reason.colour == "red" for reason in reasons):
        colour = "red"
    return ObviousState(
        colour, None if declared else "declare", tuple(reasons), latest_test(now), max(declared, default=None)
    )


def what_stands(evidence: Sequence[Evidence]) -> list[Evidence]:
    withdrawn = [item.withdraws for item in evidence if item.withdraws is not None]
    made = [item for item in evidence if item.withdraws is None and item.evidence_id not in withdrawn]
    return [item for item in made if not any(replaces(other, item, made) for other in made)]


def replaces(other: Evidence, item: Evidence, made: list[Evidence]) -> bool:
    if other is item:
        return False
    same_record = other.source == item.source and other.source_record == item.source_record
    newer = (other.occurred_at, other.evidence_id) > (item.occurred_at, item.evidence_id)
    return (same_record and newer) or any(one.supersedes == item.evidence_id for one in made)


Found = tuple[str, str, datetime, datetime | None]


def rules_about(item: Evidence, statements: list[Evidence], now: list[Evidence], at: datetime) -> list[Found]:
    """Each rule that fits the statement and has not been ended: name, colour, start, end."""
    fact = item.attributes
    if isinstance(fact, Test):
        if fact.result is TestResult.POSITIVE and fact.method is TestMethod.NUCLEIC_ACID:
            return [("positive-test", "red", fact.sampled_at, first_discharge(now, fact.sampled_at))]
        return []
    if isinstance(fact, Case):
        return rules_about_case(fact, item, now)
    if isinstance(fact, Contact):
        return rules_about_contact(fact, now)
    if not isinstance(fact, Declaration) or replaced_by_newer_declaration(item, statements, at):
        return []
    until = fact.declared_at + timedelta(days=14)
    found: list[Found] = []
    if fact.symptoms:
        found.append(("declared-symptoms", "yellow", fact.declared_at, until))
    if fact.temperature_decidegrees is not None and fact.temperature_decidegrees >= 373:
        found.append(("declared-temperature", "yellow", fact.declared_at, until))
    return found


def rules_about_case(fact: Case, item: Evidence, now: list[Evidence]) -> list[Found]:
    if fact.status in {CaseStatus.CONFIRMED, CaseStatus.ASYMPTOMATIC, CaseStatus.DISCHARGED}:
        until = None if fact.discharged_at is None else fact.discharged_at + timedelta(days=28)
        return [("case", "red", fact.diagnosed_at, until)]
    if fact.status is CaseStatus.SUSPECTED and not excluded(item, now):
        return [("suspected", "red", fact.diagnosed_at, None)]
    return []


def rules_about_contact(fact: Contact, now: list[Evidence]) -> list[Found]:
    if fact.tier is ContactTier.CLOSE:
        return [("close-contact", "red", fact.designated_at, fact.last_exposure_at + timedelta(days=21))]
    if fact.tier is ContactTier.SECONDARY:
        return [("secondary-contact", "red", fact.designated_at, fact.last_exposure_at + timedelta(days=7))]
    if fact.tier is ContactTier.GENERAL or negative_after(now, fact.designated_at):
        return []
    return [("copresent", "yellow", fact.designated_at, fact.designated_at + timedelta(days=14))]


def first_discharge(now: list[Evidence], sampled_at: datetime) -> datetime | None:
    discharges = [
        other.attributes.discharged_at
        for other in now
        if isinstance(other.attributes, Case)
        and other.attributes.discharged_at is not None
        and other.attributes.discharged_at >= sampled_at
    ]
    return min(discharges) + timedelta(days=28) if discharges else None


def excluded(item: Evidence, now: list[Evidence]) -> bool:
    return any(
        isinstance(other.attributes, Case)
        and other.attributes.status is CaseStatus.EXCLUDED
        and other.source == item.source
        and age(other) > age(item)
        for other in now
    )


def negative_after(now: list[Evidence], designated_at: datetime) -> bool:
    return any(
        isinstance(other.attributes, Test)
        and other.attributes.result is TestResult.NEGATIVE
        and other.attributes.method is TestMethod.NUCLEIC_ACID
        and other.attributes.sampled_at > designated_at
        for other in now
    )


def replaced_by_newer_declaration(item: Evidence, statements: list[Evidence], at: datetime) -> bool:
    return any(
        isinstance(other.attributes, Declaration)
        and other.source == item.source
        and other.valid.start <= at
        and age(other) > age(item)
        for other in statements
    )


def age(item: Evidence) -> tuple[datetime, datetime, int]:
    return item.occurred_at, item.valid.start, item.evidence_id


def latest_test(now: list[Evidence]) -> tuple[TestResult, TestMethod, datetime] | None:
    results = [TestResult.NEGATIVE, TestResult.INDETERMINATE, TestResult.POSITIVE]
    methods = [TestMethod.ANTIGEN, TestMethod.NUCLEIC_ACID]
    shown = [item.attributes for item in now if isinstance(item.attributes, Test) and item.attributes.method in methods]
    if not shown:
        return None
    best = max(shown, key=lambda test: (test.sampled_at, results.index(test.result), methods.index(test.method)))
    return best.result, best.method, best.sampled_at
