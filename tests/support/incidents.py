"""An incident with its cases and whom its traces reached, as the tracing process would have written them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tests.support import evidence as synthetic
from tests.support.clock import NOON
from tianfu.evidence import ledger
from tianfu.evidence.kinds import Attributes, Contact, ContactSetting, ContactTier, Test
from tianfu.evidence.model import NewEvidence
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.evidence.travel_kinds import Stay
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval
from tianfu.platform.database import Database, Purpose
from tianfu.tracing import incidents
from tianfu.tracing.incidents import Incident

NUMBER = "2022-510112-001"
PLACE = "510112"
SINCE = NOON - timedelta(days=3)
EXPOSED = NOON - timedelta(days=1)


class Reached(NamedTuple):
    """One row of the traces."""

    person: PersonRef
    tier: str = "close"
    setting: str = "venue"
    hop: int = 1
    parent: PersonRef | None = None
    place: str | None = PLACE
    exposed_at: datetime = EXPOSED
    venue: int | None = None


def opened(database: Database, reached: Sequence[Reached], *, number: str = NUMBER) -> tuple[Incident, PersonRef]:
    """An incident in county 510112 with one case, a reported one, and whom it reached; and the case."""
    (case,) = synthetic.people(database, 1)
    with database.write(Purpose.BATCH) as write:
        stated = ledger.append(write, [synthetic.case(case, f"CASE-{case}")], received_at=NOON).ids[0]
        incident_ref = write.value(
            "insert into incident (number, place, opened_at, opened_by, automatic) values (%s, %s, %s, 'li.na', false)"
            " returning incident_ref",
            (number, PLACE, NOON),
        )
        write.execute(
            "insert into incident_case (incident_ref, person_ref, infectious_from, evidence_id, added_at, added_by)"
            " values (%s, %s, %s, %s, %s, 'li.na')",
            (incident_ref, case, SINCE, stated, NOON),
        )
        run_ref = write.value(
            "insert into trace_run (incident_ref, as_of, started_at, rules, rules_hash, hops, cases)"
            " values (%s, %s, %s, 'test', %s, 2, 1) returning run_ref",
            (incident_ref, NOON, NOON, bytes(32)),
        )
        rows = [
            (incident_ref, each.person, each.hop, each.tier, each.setting, each.exposed_at, each.parent or case)
            for each in reached
        ]
        write.copy(
            "copy trace_support (incident_ref, person_ref, hop, tier, setting, exposed_at, parent_ref, case_ref,"
            " strong, venue_ref) from stdin",
            [(*row, case, True, each.venue) for row, each in zip(rows, reached, strict=True)],
        )
        write.copy(
            "copy traced (incident_ref, person_ref, hop, tier, setting, exposed_at, parent_ref, strong, cases, run_ref,"
            " place) from stdin",
            [(*row, True, 1, run_ref, each.place) for row, each in zip(rows, reached, strict=True)],
        )
        return incidents.find(write, number), case


def state_of(database: Database, person: PersonRef) -> str:
    """Where a traced person stands."""
    with database.read(Purpose.BATCH) as read:
        return str(read.value("select state from traced where person_ref = %s", (person,)))


def said(
    person: PersonRef, source: str, record: str, attributes: Attributes, at: datetime, place: str | None = None
) -> NewEvidence:
    return NewEvidence(
        person=person,
        source=source,
        source_record=record,
        attributes=attributes,
        occurred_at=at,
        valid=Interval(at),
        place=place,
    )


def stay(person: PersonRef, record: str, division: str = PLACE, *, hours: int = 30) -> NewEvidence:
    """A stay of ten hours that began `hours` before noon."""
    began = NOON - timedelta(hours=hours)
    attributes = Stay(division=division, began_at=began, ended_at=began + timedelta(hours=10))
    return said(person, "telecom", f"stay/{record}", attributes, began, division)


def companion(person: PersonRef, case: PersonRef) -> NewEvidence:
    attributes = Contact(
        tier=ContactTier.COPRESENT,
        last_exposure_at=EXPOSED,
        designated_at=NOON,
        case=f"CASE-{case}",
        setting=ContactSetting.TELECOM,
    )
    return said(person, "telecom", f"companion/{person}", attributes, NOON)


def sample(person: PersonRef, record: str, hours: int, method: TestMethod = TestMethod.NUCLEIC_ACID) -> NewEvidence:
    at = NOON - timedelta(hours=hours)
    attributes = Test(result=TestResult.NEGATIVE, method=method, sampled_at=at, resulted_at=at, laboratory="SYN-LAB-1")
    return said(person, "laboratory", record, attributes, at)


def append(database: Database, *items: NewEvidence) -> list[EvidenceId]:
    """State these in the ledger, received at noon."""
    with database.write(Purpose.BATCH) as write:
        return list(ledger.append(write, items, received_at=NOON).ids)
