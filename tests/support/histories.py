"""Random histories of one person for property tests.

Every instant lies on a grid of six hours, so that a scan along the grid meets every possible change of a decision.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import strategies as st

from tianfu.evidence.kinds import Attributes, Case, CaseStatus, Contact, ContactTier, Declaration, Symptom, Test
from tianfu.evidence.model import Evidence, Grade
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval

STEP: Final = timedelta(hours=6)
BEGINNING: Final = datetime(2022, 3, 1, tzinfo=UTC)
HISTORY_STEPS: Final = 4 * 40
# The longest rule ends 28 days after the last instant of a history, and validities end within 20 days of it.
SCAN_STEPS: Final = HISTORY_STEPS + 4 * 50

_SOURCES: Final = {"test": ["laboratory"], "case": ["health", "desk"], "contact": ["tracing", "cdc"]}


def instants(first: int = 0, last: int = HISTORY_STEPS) -> st.SearchStrategy[datetime]:
    return st.integers(first, last).map(lambda steps: BEGINNING + steps * STEP)


@st.composite
def attributes(draw: st.DrawFn) -> Attributes:
    at = draw(instants())
    kind = draw(st.sampled_from(["test", "case", "contact", "declaration"]))
    if kind == "test":
        return Test(
            result=draw(st.sampled_from(TestResult)),
            method=draw(st.sampled_from([TestMethod.NUCLEIC_ACID, *TestMethod])),
            sampled_at=at,
            resulted_at=at + STEP,
            laboratory="510100-01",
        )
    if kind == "case":
        discharged_at = draw(st.none() | st.integers(0, 60).map(lambda steps: at + steps * STEP))
        return Case(status=draw(st.sampled_from(CaseStatus)), diagnosed_at=at, discharged_at=discharged_at)
    if kind == "contact":
        exposed_at = at - draw(st.integers(0, 40)) * STEP
        return Contact(
            tier=draw(st.sampled_from(ContactTier)), last_exposure_at=exposed_at, designated_at=at, case="C-1"
        )
    return Declaration(
        declared_at=at,
        symptoms=tuple(draw(st.lists(st.sampled_from(Symptom), max_size=2, unique=True))),
        temperature_decidegrees=draw(st.sampled_from([None, 365, 372, 373, 390])),
    )


def own_instant(fact: Attributes) -> datetime:
    """The instant a source would give as `occurred_at`."""
    if isinstance(fact, Test):
        return fact.resulted_at
    if isinstance(fact, Case):
        return fact.discharged_at or fact.diagnosed_at
    return fact.designated_at if isinstance(fact, Contact) else fact.declared_at


@st.composite
def statements(draw: st.DrawFn, number: int) -> Evidence:
    fact = draw(attributes())
    occurred_at = own_instant(fact)
    starts = occurred_at + draw(st.sampled_from([0, 0, 0, -8, 4, 30])) * STEP
    ends = draw(st.none() | st.none() | st.integers(0, 80).map(lambda steps: starts + steps * STEP))
    kind = type(fact).__struct_config__.tag
    earlier = st.none() if number == 1 else st.none() | st.integers(1, number - 1).map(EvidenceId)
    return Evidence(
        evidence_id=EvidenceId(number),
        person=PersonRef(1),
        source=draw(st.sampled_from(_SOURCES.get(str(kind), ["self"]))),
        source_record=draw(st.sampled_from(["shared", f"own-{number}", f"own-{number}", f"own-{number}"])),
        attributes=fact,
        occurred_at=occurred_at,
        received_at=BEGINNING + number * STEP,
        valid=Interval(starts, ends),
        grade=draw(st.sampled_from([Grade.STRONG] * 5 + [Grade.WEAK])),
        place=draw(st.sampled_from([None, "510104"])),
        supersedes=draw(st.none() | st.none() | st.none() | earlier),
        withdraws=draw(st.none() | st.none() | st.none() | st.none() | earlier),
    )


@st.composite
def histories(draw: st.DrawFn, *, most: int = 7) -> list[Evidence]:
    """Up to `most` statements about person 1, numbered in the order of receipt."""
    return [draw(statements(number)) for number in range(1, draw(st.integers(0, most)) + 1)]
