"""SQL of what an incident's list says by visits that are erased: it stands as stored, as nobody can find it again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tianfu.platform.database import Read
from tianfu.tracing.list_store import CrowdRow


def venue_rows(read: Read, incident_ref: int, case: int, *, before: datetime) -> list[tuple[Any, ...]]:
    """What visits before an instant made case `case` reach, as stored, by person.

    Each is (person, hop, tier, setting, strong, exposed_at, parent, venue).
    """
    return read.rows(
        "select person_ref, hop, tier, setting, strong, exposed_at, parent_ref, venue_ref from trace_support"
        " where incident_ref = %s and case_ref = %s and venue_ref is not null and exposed_at < %s order by person_ref",
        (incident_ref, case, before),
        binary=True,
    )


def any_venue_row(read: Read, incident_ref: int, *, since: datetime, before: datetime) -> bool:
    """Whether any case reached somebody by a visit at `since` or later and before the other instant."""
    return bool(
        read.value(
            "select exists (select from trace_support where incident_ref = %s and venue_ref is not null"
            " and exposed_at >= %s and exposed_at < %s)",
            (incident_ref, since, before),
        )
    )


def announced(read: Read, incident_ref: int) -> list[CrowdRow]:
    """The announcements as the last run left them, of no person (0)."""
    rows = read.rows(
        "select 0, venue_ref, begins_at, ends_at, scans from place_announcement where incident_ref = %s",
        (incident_ref,),
    )
    return [CrowdRow(*row) for row in rows]
