"""What is done in screening, written into the trail in the transaction that does it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tianfu.access.roles import Purpose
from tianfu.audit import trail
from tianfu.ids import PersonRef
from tianfu.platform.database import Write
from tianfu.tracing.incidents import Incident
from tianfu.tracing.screening.confirm import Confirmation
from tianfu.tracing.screening.screenings import Run

SCREEN: Final = "screening.run"
READ: Final = "screening.read"
REFUSED: Final = "screening.refused"
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
    purpose: Purpose = Purpose.INVESTIGATION,
) -> int:
    """Record that `actor` did this in `incident` for that purpose; the number of the row. Comes last."""
    return trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="operator",
            actor=actor,
            action=action,
            purpose=purpose.value,
            person=person,
            subject=f"incident:{incident.number}",
            detail=detail or {},
        ),
    )


def run(
    write: Write,
    incident: Incident,
    made: Run,
    *,
    actor: str,
    at: datetime,
    channel: str,
    purpose: Purpose = Purpose.INVESTIGATION,
) -> int:
    """Record a run of a funnel."""
    detail: dict[str, str | int] = {
        "kind": made.action,
        "name": made.definition.name,
        "number": made.run_ref,
        "people": made.people,
        "count": made.listed,
        "channel": channel,
    }
    if made.step is not None:
        detail["key"] = made.step
    return note(write, incident, SCREEN, actor=actor, at=at, detail=detail, purpose=purpose)


def confirmation(
    write: Write,
    incident: Incident,
    action: str,
    decided: Confirmation,
    *,
    actor: str,
    at: datetime,
    channel: str,
    purpose: Purpose = Purpose.INVESTIGATION,
) -> int:
    """Record what became of a confirmation: by whom in the end, and which second person."""
    if action == WITHDRAW:
        outcome = "asked_back" if decided.state == "done" else decided.state
        by, second = decided.withdrawn_by or decided.asked_back_by, decided.withdrawal_approved_by
    else:
        outcome, by, second = decided.state, decided.stated_by, decided.approved_by
    detail: dict[str, str | int] = {
        "number": decided.confirmation_ref,
        "people": decided.people,
        "outcome": outcome,
        "channel": channel,
    }
    if by is not None and by != actor:
        detail["name"] = by
    if second is not None:
        detail["approved_by"] = second
    return note(write, incident, action, actor=actor, at=at, detail=detail, purpose=purpose)
