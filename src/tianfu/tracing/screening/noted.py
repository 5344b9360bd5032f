"""What is done in screening, written into the trail in the transaction that does it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tianfu.access.roles import Purpose
from tianfu.audit import trail
from tianfu.ids import PersonRef
from tianfu.platform.database import Write
from tianfu.tracing.incidents import Incident

SCREEN: Final = "screening.run"
READ: Final = "screening.read"
JUDGE: Final = "contacts.judge"
CONFIRM: Final = "contacts.confirm"
WITHDRAW: Final = "contacts.withdraw"


def note(
    write: Write,
    incident: Incident,
    action: str,
    *,
    actor: str,
    at: datetime,
    person: PersonRef | None = None,
    detail: dict[str, str | int] | None = None,
) -> int:
    """Record that `actor` did this for the investigation of `incident`; the number of the row. Comes last."""
    return trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="operator",
            actor=actor,
            action=action,
            purpose=Purpose.INVESTIGATION.value,
            person=person,
            subject=f"incident:{incident.number}",
            detail=detail or {},
        ),
    )
