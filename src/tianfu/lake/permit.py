"""The permit without which nobody opens the days: an incident, a purpose, who asks, and the row in the trail.

A permit is made in the transaction that records it, so that there is no reading without a trace. Who asks must hold a
role that may trace at the incident's place, or be the tracing process, or sit at the machine's own terminal.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Literal

import msgspec

from tianfu.access.decide import Principal, Resource, require
from tianfu.access.roles import Action, Purpose
from tianfu.audit import trail
from tianfu.errors import TianfuError
from tianfu.lake import permit_store
from tianfu.platform.database import Write

SYSTEM_ACTOR: Final = "tracer"
_INCIDENT: Final = re.compile(r"[0-9]{4}-[0-9]{6}-[0-9]{3}", re.ASCII)


class PermitRefusedError(TianfuError):
    """Visits are read for an incident that exists, at its own place, and for a stated purpose."""

    code = "permit_refused"
    status = 403
    zh = "只有已立案的疫情事件、在其所在地并说明事由，才能查阅登记数据。"
    en = "Visits are read only for an incident on record, at its own place, and for a stated purpose."


class Permit(msgspec.Struct, frozen=True):
    """Leave to read visits. `trail_id` is the row that records it; made by the functions of this module only."""

    incident: str
    purpose: Purpose
    actor: str
    trail_id: int

    def require(self) -> None:
        """Raise `PermitRefusedError` for one that no trail can know of."""
        if not _INCIDENT.fullmatch(self.incident) or not self.actor or self.trail_id <= 0:
            raise PermitRefusedError


def for_operator(
    write: Write,
    principal: Principal,
    username: str,
    *,
    incident: str,
    place: str,
    purpose: Purpose,
    at: datetime,
) -> Permit:
    """A permit for a signed-in operator who may trace at the incident's `place`.

    Raises `ForbiddenError` when role, place or purpose do not cover it, `PermitRefusedError` when the incident does
    not exist or lies elsewhere. It holds if and only if the caller's transaction is committed.
    """
    grant = require(principal, Action.TRACE, Resource(place), purpose=purpose)
    if _place_of(write, incident) != place:
        raise PermitRefusedError
    detail = {"place": place, "role": grant.role.value, "channel": "console"}
    return _recorded(write, "operator", username, incident, purpose, at, detail)


def for_system(write: Write, *, incident: str, at: datetime) -> Permit:
    """A permit for tracing that runs by itself when a case is known. Raises `PermitRefusedError`."""
    place = _place_of(write, incident)
    return _recorded(write, "system", SYSTEM_ACTOR, incident, Purpose.INVESTIGATION, at, {"place": place})


def for_terminal(write: Write, *, username: str, incident: str, purpose: Purpose, at: datetime) -> Permit:
    """A permit for who sits at the machine itself (`tianfu.cli.operator`). Raises `PermitRefusedError`."""
    place = _place_of(write, incident)
    return _recorded(write, "operator", username, incident, purpose, at, {"place": place, "channel": "terminal"})


def _place_of(write: Write, incident: str) -> str:
    place = permit_store.place_of(write, incident) if _INCIDENT.fullmatch(incident) else None
    if place is None:
        raise PermitRefusedError
    return place


def _recorded(
    write: Write,
    kind: Literal["operator", "system"],
    actor: str,
    incident: str,
    purpose: Purpose,
    at: datetime,
    detail: dict[str, str],
) -> Permit:
    number = trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind=kind,
            actor=actor,
            action="lake_read",
            purpose=purpose.value,
            subject=f"incident:{incident}",
            detail=detail,
        ),
    )
    return Permit(incident=incident, purpose=purpose, actor=actor, trail_id=number)
