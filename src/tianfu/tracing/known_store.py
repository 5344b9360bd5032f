"""SQL of what an incident knew of a case before they were one: as whose contact they were listed, and since when."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from tianfu.platform.database import Read, Write


class Known(NamedTuple):
    """As what a case was listed before: through which case (and which contact, for a further hop)."""

    person: int
    case: int
    parent: int
    hop: int
    tier: str
    setting: str
    exposed_at: datetime
    known_at: datetime


def keep(write: Write, incident_ref: int, person: int, at: datetime) -> None:
    """Remember the row of the list under which `person` stands at `at`; call before they become a case.

    Of several cases the one that lists them at the lowest hop, then first. Somebody who is not listed leaves nothing;
    what was remembered before stays.
    """
    write.execute(
        """
        insert into case_known
            (incident_ref, person_ref, case_ref, parent_ref, hop, tier, setting, exposed_at, known_at)
        select incident_ref, person_ref, case_ref, parent_ref, hop, tier, setting, exposed_at, %(at)s
        from trace_support
        where incident_ref = %(incident)s and person_ref = %(person)s
        order by hop, exposed_at, case_ref limit 1
        on conflict (incident_ref, person_ref) do nothing
        """,
        {"incident": incident_ref, "person": person, "at": at},
    )


def all_of(read: Read, incident_ref: int) -> dict[int, Known]:
    """What was remembered, by person."""
    rows = read.rows(
        "select person_ref, case_ref, parent_ref, hop, tier, setting, exposed_at, known_at"
        " from case_known where incident_ref = %s",
        (incident_ref,),
    )
    return {row[0]: Known(*row) for row in rows}
