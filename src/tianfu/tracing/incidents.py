"""An incident (疫情事件): the number under which visits may be read at all, its place, its rule set."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tianfu.errors import NotFoundError
from tianfu.platform.database import Read
from tianfu.tracing import incident_store


class IncidentNotFoundError(NotFoundError):
    """There is no incident of that number."""

    code = "incident_not_found"
    zh = "没有这个编号的疫情事件。"
    en = "There is no incident of that number."


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One incident. `rules` names its tracing rule set, None is the one in force on the day; `place` is a county."""

    incident_ref: int
    number: str
    place: str
    rules: str | None
    opened_at: datetime
    opened_by: str
    automatic: bool
    closed_at: datetime | None


def find(read: Read, number: str) -> Incident:
    """The incident of that number, such as `2022-510112-003`. Raises `IncidentNotFoundError`."""
    row = incident_store.find(read, number)
    if row is None:
        raise IncidentNotFoundError
    return Incident(**row)
