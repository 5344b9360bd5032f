"""Who is a case by what the ledger holds, and when they could infect others. Pure.

The period begins a look-back before the onset, or before the sampling of somebody without symptoms, and ends with
isolation (ninth protocol, close contacts; the length of the look-back is a rule).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from tianfu.evidence.care_kinds import Isolation, IsolationStage
from tianfu.evidence.kinds import Case, CaseStatus, Test
from tianfu.evidence.model import Evidence
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.ids import EvidenceId
from tianfu.tracing import rules
from tianfu.tracing.rules import CaseFacts, TracingRules

# Antibodies speak of an infection of whatever time.
_OF_NOW: Final = frozenset({TestMethod.NUCLEIC_ACID, TestMethod.ANTIGEN})
_CASES: Final = frozenset({CaseStatus.CONFIRMED, CaseStatus.ASYMPTOMATIC, CaseStatus.DISCHARGED})
_ISOLATED: Final = frozenset({IsolationStage.CENTRAL, IsolationStage.HOME})


class Period(NamedTuple):
    """When a case could infect others: [`since`, `until`), `until` None while it has not ended."""

    since: datetime
    until: datetime | None


class Positive(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is a case: by which statement, known since when, stated at which place (or None), infectious when.

    `over`: discharged meanwhile.
    """

    evidence_id: EvidenceId
    known_at: datetime
    place: str | None
    period: Period
    over: bool


def positive(evidence: Sequence[Evidence], rule_set: TracingRules) -> Positive | None:
    """What the standing statements about one person come to; None for somebody who is no case.

    The latest case report decides when it says what somebody is: confirmed, asymptomatic and discharged are cases, and
    excluded takes back positive results that were known before it. Without a report a positive result of a single
    sample is a case; a pooled one says only that somebody in the tube is. A suspect is none by being suspected.
    """
    reports = [item for item in evidence if isinstance(item.attributes, Case)]
    report = max(reports, key=lambda item: (item.occurred_at, item.evidence_id), default=None)
    said = report.attributes if report is not None and isinstance(report.attributes, Case) else None
    tests = [
        item
        for item in sorted(evidence, key=lambda item: (item.occurred_at, item.evidence_id))
        if _is_positive(item)
        and not (report and said and said.status is CaseStatus.EXCLUDED and item.occurred_at <= report.occurred_at)
    ]
    stated = report if report is not None and said is not None and said.status in _CASES else None
    if stated is None and not tests:
        return None
    grounds = ([] if stated is None else [stated]) + tests
    known_at = min(item.occurred_at for item in grounds)
    places = (item.place for item in grounds if item.place is not None)
    return Positive(
        evidence_id=grounds[0].evidence_id,
        known_at=known_at,
        place=next(places, None),
        period=period_of(said if stated is not None else None, tests, isolated_at(evidence, known_at), rule_set),
        over=stated is not None and said is not None and said.status is CaseStatus.DISCHARGED,
    )


def _is_positive(item: Evidence) -> bool:
    said = item.attributes
    return isinstance(said, Test) and said.result is TestResult.POSITIVE and said.method in _OF_NOW and not said.pooled


def period_of(
    report: Case | None, tests: Sequence[Evidence], isolated_at: datetime | None, rule_set: TracingRules
) -> Period:
    """The period by the rule set, from the onset, else the first positive sample, else the diagnosis."""
    sampled = [item.attributes.sampled_at for item in tests if isinstance(item.attributes, Test)]
    if report is not None and not sampled:
        sampled = [report.diagnosed_at]
    onset_at = None if report is None or report.status is CaseStatus.ASYMPTOMATIC else report.onset_at
    facts = CaseFacts(onset_at=onset_at, sampled_at=min(sampled), isolated_at=isolated_at)
    interval = rules.infectious(facts, rule_set)
    return Period(interval.start, interval.end)


def isolated_at(evidence: Sequence[Evidence], known_at: datetime) -> datetime | None:
    """When isolation began that lasted until somebody was known to be infected or exposed, or came later; None: never.

    Somebody who left quarantine before was among people again.
    """
    stages = [
        item.attributes
        for item in evidence
        if isinstance(item.attributes, Isolation) and item.attributes.stage in _ISOLATED
    ]
    lasting = [stage.began_at for stage in stages if stage.ended_at is None or stage.ended_at >= known_at]
    return min(lasting, default=None)
