"""Deciding one typical person: a declaration, two negative tests, a vaccination; no rule of colour fits.

One core, no database. The baseline is what reading the same statements from their stored text costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from bench.plain import Line
from bench.system import POLICY
from tianfu.evidence.care_kinds import Vaccination
from tianfu.evidence.kinds import Attributes, Declaration, Test
from tianfu.evidence.model import Evidence
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval
from tianfu.policy.decide import decide
from tianfu.policy.load import load

TARGET: Final = 100_000
ROUNDS: Final = 5
DECISIONS: Final = 50_000


def measure() -> Line:
    """The best of five rounds, a few seconds."""
    policy, now = load(POLICY), datetime.now(UTC)
    evidence = _typical(now)
    stored = [msgspec.json.encode(item.attributes) for item in evidence]
    decoder = msgspec.json.Decoder(Attributes)

    def decisions() -> None:
        for _ in range(DECISIONS):
            decide(policy, evidence, now)

    def readings() -> None:
        for _ in range(DECISIONS):
            for text in stored:
                decoder.decode(text)

    rate, baseline = (round(DECISIONS / min(_seconds(work) for _ in range(ROUNDS))) for work in (decisions, readings))
    return Line(
        name="decide",
        figure=rate,
        unit="decisions/s on one core",
        target=TARGET,
        is_met=rate >= TARGET,
        baseline=f"reading the same statements {baseline:,}/s, ratio {rate / baseline:.2f}",
        note=f"{1e6 / rate:.1f} µs of processor time a decision",
    )


def _seconds(work: Callable[[], None]) -> float:
    """Processor time, so that neighbours on the machine do not count."""
    started = time.process_time()
    work()
    return time.process_time() - started


def _typical(now: datetime) -> list[Evidence]:
    said: list[tuple[str, Attributes, datetime]] = [
        ("self", Declaration(declared_at=now - timedelta(days=3), symptoms=()), now - timedelta(days=3)),
        *(
            (
                "laboratory",
                Test(
                    result=TestResult.NEGATIVE,
                    method=TestMethod.NUCLEIC_ACID,
                    sampled_at=now - timedelta(days=days, hours=4),
                    resulted_at=now - timedelta(days=days),
                    laboratory="SYN-LAB-1",
                ),
                now - timedelta(days=days),
            )
            for days in (2, 1)
        ),
        (
            "immunisation",
            Vaccination(dose=3, vaccinated_at=now - timedelta(days=90), product="SYN"),
            now - timedelta(days=90),
        ),
    ]
    return [
        Evidence(
            evidence_id=EvidenceId(number),
            person=PersonRef(1),
            source=source,
            source_record=f"R-{number}",
            attributes=attributes,
            occurred_at=at,
            received_at=at,
            valid=Interval(at - timedelta(hours=4)),
        )
        for number, (source, attributes, at) in enumerate(said, start=1)
    ]
