"""An incident (疫情事件): the number under which visits may be read at all, its place, its rule set.

Who may do what here is decided by the caller (the API by role, place and purpose; at the terminal whoever may run the
program); what is done is in the trail, in the caller's transaction.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from tianfu.clock import shanghai_day
from tianfu.errors import Fault, InputInvalidError, NotFoundError, TianfuError
from tianfu.platform.database import Read, Write
from tianfu.tracing import acting, incident_store
from tianfu.tracing.acting import Actor

# Three digits of the number.
PER_COUNTY_AND_YEAR_MAX: Final = 999
# One screen of a province: about 180 counties.
INCIDENTS_PAGE_MAX: Final = 200
# Where nobody knows in which county somebody lives; only who may act in the whole province sees it.
PLACE_UNKNOWN: Final = "000000"
_PLACE: Final = re.compile(r"[0-9]{6}", re.ASCII)


class IncidentNotFoundError(NotFoundError):
    """There is no incident of that number."""

    code = "incident_not_found"
    zh = "没有这个编号的疫情事件。"
    en = "There is no incident of that number."


class IncidentClosedError(TianfuError):
    """The incident is closed: it can be read, and nothing in it changes until it is reopened."""

    code = "incident_closed"
    status = 409
    zh = "该疫情事件已经结束，须重新开启才能改动。"
    en = "This incident is closed; it has to be reopened before anything in it can be changed."


class IncidentNumbersSpentError(TianfuError):
    """The county has had 999 incidents this year."""

    code = "incident_numbers_spent"
    status = 409
    zh = "该区县今年的事件编号已用完，请并入已有的事件。"
    en = "This county has used all its numbers for the year; add the cases to an open incident."


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One incident. `place` is a county (`PLACE_UNKNOWN` where nobody knows).

    `rules` names its tracing rule set, None is the one in force on the day; `hops` is how many hops were asked for,
    None for as many as the rule set has. `touches` counts changes, `traced_touches` how far the list knows them, and
    `traced_at` is as of when the list stands, None before the first.
    """

    incident_ref: int
    number: str
    place: str
    rules: str | None
    hops: int | None
    opened_at: datetime
    opened_by: str
    automatic: bool
    closed_at: datetime | None
    touches: int
    traced_touches: int
    traced_at: datetime | None


def find(read: Read, number: str) -> Incident:
    """The incident of that number, such as `2022-510112-003`. Raises `IncidentNotFoundError`."""
    # PostgreSQL has no text with such a character; an address may have.
    row = incident_store.find(read, number) if number.isprintable() else None
    if row is None:
        raise IncidentNotFoundError
    return Incident(**row)


def locked(write: Write, number: str) -> Incident:
    """The open incident of that number, which nobody else changes until the transaction ends.

    Raises `IncidentNotFoundError` or `IncidentClosedError`.
    """
    row = incident_store.locked(write, number)
    if row is None:
        raise IncidentNotFoundError
    incident = Incident(**row)
    if incident.closed_at is not None:
        raise IncidentClosedError
    return incident


def listed(
    read: Read,
    scopes: Sequence[str],
    *,
    with_closed: bool = False,
    before: int | None = None,
    limit: int = INCIDENTS_PAGE_MAX,
) -> list[Incident]:
    """The incidents in the districts `scopes` (prefixes of division codes, `""` for everywhere), newest first.

    At most `limit` and `INCIDENTS_PAGE_MAX`; `before` is the `incident_ref` of the last one seen.
    """
    rows = incident_store.listed(
        read, scopes, with_closed=with_closed, before=before, limit=min(limit, INCIDENTS_PAGE_MAX)
    )
    return [Incident(**row) for row in rows]


def open_incident(
    write: Write, actor: Actor, *, place: str, rules: str | None, at: datetime, automatic: bool = False
) -> Incident:
    """Open an incident in county `place` under the next number of its year (of Asia/Shanghai).

    `rules` names a rule set, which the caller has found; a retry opens another incident. Raises `InputInvalidError`
    for a place that is no six-digit code, `IncidentNumbersSpentError`.
    """
    if _PLACE.fullmatch(place) is None:
        raise InputInvalidError(
            faults=(Fault("place", "place", "请填写六位行政区划代码。", "Six digits of a division code are needed."),)
        )
    year = shanghai_day(at).year
    running = incident_store.last_number(write, place, year) + 1
    if running > PER_COUNTY_AND_YEAR_MAX:
        raise IncidentNumbersSpentError
    number = f"{year:04d}-{place}-{running:03d}"
    incident_store.insert(
        write, number=number, place=place, rules=rules, opened_at=at, opened_by=actor.name, automatic=automatic
    )
    acting.record(write, actor, "incident_open", number, at=at, place=place)
    return find(write, number)


def close(write: Write, actor: Actor, number: str, *, at: datetime) -> None:
    """Close an incident: its list stays as it is, nothing is traced any more. Closing twice raises.

    Raises `IncidentNotFoundError` or `IncidentClosedError`.
    """
    incident = locked(write, number)
    incident_store.close(write, incident.incident_ref, at=at, by=actor.name)
    acting.record(write, actor, "incident_close", number, at=at)


def reopen(write: Write, actor: Actor, number: str, *, at: datetime) -> None:
    """Open a closed incident again; the tracer brings its list to the present. One that is open stays as it is.

    Raises `IncidentNotFoundError`.
    """
    row = incident_store.locked(write, number)
    if row is None:
        raise IncidentNotFoundError
    incident = Incident(**row)
    if incident.closed_at is None:
        return
    incident_store.reopen(write, incident.incident_ref)
    acting.record(write, actor, "incident_reopen", number, at=at)


def set_terms(write: Write, actor: Actor, number: str, *, rules: str | None, hops: int | None, at: datetime) -> None:
    """Trace the incident by rule set `rules` and to `hops` hops from now on; None leaves each as it is.

    Changes nothing when both are so already. Raises `IncidentNotFoundError` or `IncidentClosedError`.
    """
    incident = locked(write, number)
    wanted = (rules or incident.rules, hops or incident.hops)
    if wanted == (incident.rules, incident.hops):
        return
    incident_store.set_terms(write, incident.incident_ref, rules=wanted[0], hops=wanted[1])
    acting.record(write, actor, "incident_terms", number, at=at, count=wanted[1] or 0)
