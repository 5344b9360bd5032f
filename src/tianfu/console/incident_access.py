"""Who may read or change an incident: by role, place and purpose, counted, and in the trail with what was done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from tianfu.access import budget
from tianfu.access.accounts import Account
from tianfu.access.budget import ReadBudgetSpentError
from tianfu.access.decide import Allowed, ForbiddenError, Grant, Resource, decide, require
from tianfu.access.roles import PERMISSIONS, Action, Purpose
from tianfu.audit import trail
from tianfu.console.parts import Console
from tianfu.errors import Fault, InputInvalidError
from tianfu.platform import database as db
from tianfu.platform.database import Read, Write
from tianfu.tracing import incidents
from tianfu.tracing.acting import Actor
from tianfu.tracing.incidents import Incident

Answer = TypeVar("Answer")
Scopes = tuple[str, ...] | None
"""Prefixes of the counties whose people may be seen, None for all of an incident."""

REFUSED: Final = "incident_refused"


def purpose_of(word: str) -> Purpose:
    """The purpose that a form states. Raises `InputInvalidError`."""
    known = next((purpose for purpose in Purpose if purpose.value == word), None)
    if known is None:
        raise InputInvalidError(
            faults=(Fault("purpose", "purpose", "请选择查询事由。", "Please state why this is read."),)
        )
    return known


def districts(account: Account, action: Action, purpose: Purpose) -> tuple[str, ...]:
    """Where the account may do `action` for `purpose`, as prefixes of codes. Raises `ForbiddenError` for nowhere."""
    found = _grants(account, action, purpose)
    if not found:
        raise ForbiddenError
    return tuple(dict.fromkeys(grant.district for grant in found))


def reading(
    console: Console,
    account: Account,
    number: str,
    purpose: Purpose,
    action: str,
    work: Callable[[Read, Incident, Scopes], Answer],
    *,
    at: datetime,
    people_elsewhere: bool = False,
) -> Answer:
    """What `work` reads of incident `number`, once that is allowed, counted and in the trail; all in one transaction.

    Who may read incidents at its place sees all of it. With `people_elsewhere` others see the people of their own
    districts. A refused reading is counted and recorded too. Raises `IncidentNotFoundError`, `ForbiddenError`,
    `ReadBudgetSpentError`.
    """
    answer: list[Answer] = []
    with console.database.write(db.Purpose.OPERATOR) as write:
        incident = incidents.find(write, number)
        within = budget.spend(write, account.account_ref, at)
        scopes, detail = _scopes(account, incident, purpose, people_elsewhere=people_elsewhere)
        if within and "role" in detail:
            answer.append(work(write, incident, scopes))
        trail.record(
            write,
            trail.Entry(
                at=at,
                actor_kind="operator",
                actor=account.username,
                action=action if answer else REFUSED,
                purpose=purpose.value,
                subject=f"incident:{number}",
                detail=detail if within else {**detail, "reason": "budget"},
            ),
        )
    if answer:
        return answer[0]
    if not within:
        console.log.error("an account has spent its reading budget", code=ReadBudgetSpentError.code)
        raise ReadBudgetSpentError
    raise ForbiddenError


def changing(
    write: Write, account: Account, number: str, action: Action, purpose: Purpose
) -> tuple[Incident, Grant, Actor]:
    """The incident that is to be changed, and who does it by which right.

    Raises `IncidentNotFoundError` or `ForbiddenError`.
    """
    incident = incidents.find(write, number)
    grant = require(account.principal, action, Resource(incident.place), purpose=purpose)
    return incident, grant, Actor.operator(account.username, grant)


def _scopes(
    account: Account, incident: Incident, purpose: Purpose, *, people_elsewhere: bool
) -> tuple[Scopes, dict[str, str]]:
    """Which counties' people may be seen, and for the trail by which role, or why nothing may."""
    verdict = decide(account.principal, Action.READ_INCIDENT, Resource(incident.place), purpose=purpose)
    if isinstance(verdict, Allowed):
        return None, {"role": verdict.grant.role.value}
    found = _grants(account, Action.READ_INCIDENT, purpose) if people_elsewhere else []
    if found:
        return tuple(dict.fromkeys(grant.district for grant in found)), {"role": found[0].role.value, "reason": "place"}
    return (), {"reason": verdict.reason.value}


def _grants(account: Account, action: Action, purpose: Purpose) -> list[Grant]:
    """The grants of an account that allow `action` for `purpose`, wherever they are held."""
    return [
        grant
        for grant in account.principal.grants
        if (held := PERMISSIONS.get((grant.role, action))) is not None
        and (not held.purposes or purpose in held.purposes)
    ]
