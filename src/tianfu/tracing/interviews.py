"""When the core facts of a case (who, where, since when) and its report were there: four hours, and a day."""

from __future__ import annotations

from datetime import datetime

from tianfu.errors import Fault, InputInvalidError, NotFoundError
from tianfu.ids import PersonRef
from tianfu.platform.database import Write
from tianfu.tracing import interview_store


class NotACaseError(NotFoundError):
    """The person is no case of the incident."""

    code = "not_a_case"
    zh = "此人不是该疫情事件的病例。"
    en = "This person is no case of this incident."


def record(
    write: Write,
    incident_ref: int,
    person: PersonRef,
    *,
    core_facts_at: datetime,
    reported_at: datetime | None,
    by: str,
    at: datetime,
) -> None:
    """Write down when they were there; again corrects it. Raises `NotACaseError`, `InputInvalidError`."""
    if core_facts_at > at or (reported_at is not None and not core_facts_at <= reported_at <= at):
        fault = Fault(
            "core_facts_at", "order", "时间先后有误，或晚于现在。", "The instants are out of order or to come."
        )
        raise InputInvalidError(faults=(fault,))
    if not interview_store.put(
        write, incident_ref, person, core_facts_at=core_facts_at, reported_at=reported_at, by=by
    ):
        raise NotACaseError
