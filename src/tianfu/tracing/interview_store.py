"""SQL of when a case's core facts and report were there."""

from __future__ import annotations

from datetime import datetime

from tianfu.ids import PersonRef
from tianfu.platform.database import Write


def put(
    write: Write,
    incident_ref: int,
    person: PersonRef,
    *,
    core_facts_at: datetime,
    reported_at: datetime | None,
    by: str,
) -> bool:
    """Write it down, over what was there; a report that was there stays. False when the person is no case here."""
    return bool(
        write.execute(
            "insert into case_interview (incident_ref, person_ref, core_facts_at, reported_at, recorded_by)"
            " select incident_ref, person_ref, %(facts)s, %(report)s, %(by)s from incident_case"
            " where incident_ref = %(incident)s and person_ref = %(person)s and withdrawn_at is null"
            " on conflict (incident_ref, person_ref) do update set core_facts_at = excluded.core_facts_at,"
            " reported_at = coalesce(excluded.reported_at, case_interview.reported_at),"
            " recorded_by = excluded.recorded_by",
            {"facts": core_facts_at, "report": reported_at, "by": by, "incident": incident_ref, "person": person},
        )
    )
