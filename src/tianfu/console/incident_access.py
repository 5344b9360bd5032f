"""Who may read or change an incident: by role, place and purpose, counted, and in the trail with what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from tianfu.access import budget
from tianfu.access.accounts import Account
from tianfu.access.budget import ReadBudgetSpentError
from tianfu.access.decide import Allowed, ForbiddenError, Grant, Refused, Resource, decide, require
from tianfu.access.roles import PERMISSIONS, Action, Purpose
from tianfu.audit import trail
from tianfu.console.parts import Console
from tianfu.ids import PersonRef
from tianfu.platform import database as db
from tianfu.platform.database import Read, Write
from tianfu.tracing import incidents
from tianfu.tracing.acting import Actor
from tianfu.tracing.incidents import Incident

Answer = TypeVar("Answer")
Scopes = tuple[str, ...] | None
"""Prefixes of the counties whose people may be seen, None for all of an incident."""

REFUSED: Final = "incident_refused"


def districts(account: Account, action: Action, purpose: Purpose) -> tuple[str, ...]:
    """Where the account may do `action` for `purpose`, as prefixes of codes. Raises `ForbiddenError` for nowhere."""
    found = _grants(account, action, purpose)
    if not found:
        raise ForbiddenError
    return tuple(dict.fromkeys(grant.district for grant in found))


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asks to read people of an incident: whether the budget allows it (`within`), and by which right.

    `grant` None: role, place or purpose refuse it, and `reason` says which; with a grant, a reason says that it does
    not hold where the incident is. `scopes` are the counties whose people may be seen.
    """

    account: Account
    number: str
    purpose: Purpose
    at: datetime
    within: bool
    grant: Grant | None
    reason: str | None
    scopes: Scopes

    @property
    def allowed(self) -> bool:
        """Within the budget, and by a right."""
        return self.within and self.grant is not None

    def record(
        self,
        write: Write,
        action: str,
        refused: str,
        *,
        person: PersonRef | None = None,
        detail: Mapping[str, str | int] | None = None,
    ) -> None:
        """Put the reading into the trail as `action`, or as `refused`; comes last in its transaction."""
        told: dict[str, str | int] = dict(detail or {})
        if self.grant is not None:
            told["role"] = self.grant.role.value
        reason = self.reason if self.within else "budget"
        if reason is not None:
            told["reason"] = reason
        trail.record(
            write,
            trail.Entry(
                at=self.at,
                actor_kind="operator",
                actor=self.account.username,
                action=action if self.allowed else refused,
                purpose=self.purpose.value,
                person=person,
                subject=f"incident:{self.number}",
                detail=told,
            ),
        )

    def require(self, console: Console) -> None:
        """Raise `ReadBudgetSpentError` or `ForbiddenError`, after the refusal is in the trail."""
        if not self.within:
            console.log.error("an account has spent its reading budget", code=ReadBudgetSpentError.code)
            raise ReadBudgetSpentError
        if self.grant is None:
            raise ForbiddenError


def ask(
    write: Write,
    account: Account,
    incident: Incident,
    purpose: Purpose,
    at: datetime,
    *,
    county: str | None = None,
    people_elsewhere: bool = False,
) -> Asked:
    """Whether people of `incident` may be read; counts the reading, whatever the answer.

    Who may read incidents at its place sees all of it. Others see the people of `county` if they may there, and with
    `people_elsewhere` those of their own districts.
    """
    within = budget.spend(write, account.account_ref, at)
    verdict = decide(account.principal, Action.READ_INCIDENT, Resource(incident.place), purpose=purpose)
    if isinstance(verdict, Refused) and county is not None:
        verdict = decide(account.principal, Action.READ_INCIDENT, Resource(county), purpose=purpose)
    scopes: Scopes = None
    grant, reason = (verdict.grant, None) if isinstance(verdict, Allowed) else (None, verdict.reason.value)
    if grant is None and people_elsewhere and (held := _grants(account, Action.READ_INCIDENT, purpose)):
        grant, reason = held[0], "place"
        scopes = tuple(dict.fromkeys(one.district for one in held))
    return Asked(
        account=account,
        number=incident.number,
        purpose=purpose,
        at=at,
        within=within,
        grant=grant,
        reason=reason,
        scopes=scopes,
    )


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

    `people_elsewhere` as for `ask`. A refused reading is counted and recorded too. Raises `IncidentNotFoundError`,
    `ForbiddenError`, `ReadBudgetSpentError`.
    """
    answer: list[Answer] = []
    with console.database.write(db.Purpose.OPERATOR) as write:
        incident = incidents.find(write, number)
        asked = ask(write, account, incident, purpose, at, people_elsewhere=people_elsewhere)
        if asked.allowed:
            answer.append(work(write, incident, asked.scopes))
        asked.record(write, action, REFUSED)
    asked.require(console)
    return answer[0]


def changing(
    write: Write, account: Account, number: str, action: Action, purpose: Purpose
) -> tuple[Incident, Grant, Actor]:
    """The incident that is to be changed, and who does it by which right.

    Raises `IncidentNotFoundError` or `ForbiddenError`.
    """
    incident = incidents.find(write, number)
    grant = require(account.principal, action, Resource(incident.place), purpose=purpose)
    return incident, grant, Actor.operator(account.username, grant, purpose)


def _grants(account: Account, action: Action, purpose: Purpose) -> list[Grant]:
    """The grants of an account that allow `action` for `purpose`, wherever they are held."""
    return [
        grant
        for grant in account.principal.grants
        if (held := PERMISSIONS.get((grant.role, action))) is not None
        and (not held.purposes or purpose in held.purposes)
    ]
