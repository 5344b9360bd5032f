"""Synthetic people and statements for tests that need a ledger."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.support.clock import NOON
from tianfu.evidence.kinds import Case, CaseStatus, Contact, ContactTier, Declaration, Symptom, Test
from tianfu.evidence.model import NewEvidence
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.ids import PersonRef
from tianfu.interval import Interval
from tianfu.platform.database import Database, Purpose


def people(database: Database, count: int) -> list[PersonRef]:
    """`count` new people, ascending."""
    with database.write(Purpose.BATCH) as write:
        rows = write.rows(
            "insert into person (first_seen_at) select %s from generate_series(1, %s) returning person_ref",
            (NOON, count),
        )
    return sorted(row[0] for row in rows)


def lab_test(
    person: PersonRef,
    record: str,
    result: TestResult = TestResult.NEGATIVE,
    *,
    at: datetime = NOON - timedelta(hours=6),
    source: str = "laboratory",
) -> NewEvidence:
    """A nucleic-acid result known `at`, sampled four hours before."""
    sampled_at = at - timedelta(hours=4)
    return NewEvidence(
        person=person,
        source=source,
        source_record=record,
        attributes=Test(
            result=result,
            method=TestMethod.NUCLEIC_ACID,
            sampled_at=sampled_at,
            resulted_at=at,
            laboratory="SYN-LAB-1",
        ),
        occurred_at=at,
        valid=Interval(sampled_at),
        place="510104",
    )


def case(
    person: PersonRef,
    record: str,
    status: CaseStatus = CaseStatus.CONFIRMED,
    *,
    at: datetime = NOON - timedelta(hours=2),
) -> NewEvidence:
    """A case diagnosed and reported `at`; for a discharge, diagnosed ten days before."""
    discharged = status is CaseStatus.DISCHARGED
    diagnosed_at = at - timedelta(days=10) if discharged else at
    return NewEvidence(
        person=person,
        source="health",
        source_record=record,
        attributes=Case(status=status, diagnosed_at=diagnosed_at, discharged_at=at if discharged else None),
        occurred_at=at,
        valid=Interval(diagnosed_at),
    )


def contact(
    person: PersonRef, record: str, tier: ContactTier = ContactTier.CLOSE, *, at: datetime = NOON - timedelta(hours=3)
) -> NewEvidence:
    """A contact designated `at`, last exposed the day before."""
    return NewEvidence(
        person=person,
        source="cdc",
        source_record=record,
        attributes=Contact(
            tier=tier, last_exposure_at=at - timedelta(days=1), designated_at=at, case=f"index-of-{record}"
        ),
        occurred_at=at,
        valid=Interval(at - timedelta(days=1)),
    )


def declaration(person: PersonRef, record: str, *symptoms: Symptom, at: datetime = NOON) -> NewEvidence:
    """What the person says `at`."""
    return NewEvidence(
        person=person,
        source="self",
        source_record=record,
        attributes=Declaration(declared_at=at, symptoms=symptoms),
        occurred_at=at,
        valid=Interval(at),
    )
