"""The cases of an incident: in, out, isolated. Each change is a touch, after which the list is made anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from tianfu.errors import Fault, InputInvalidError, NotFoundError, TianfuError
from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write
from tianfu.tracing import acting, incident_store, incidents, known_store
from tianfu.tracing.acting import Actor
from tianfu.tracing.infectious import Period

# Nothing this system is told happened earlier, and an isolation that is planned is planned for this year: what lies
# beyond is a slip of the keyboard, and a year far enough away is beyond what calendars and minutes can hold.
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD_DAYS_MAX: Final = 365
# A large city's wave; a case is expanded by itself, in some ten milliseconds without crowds.
CASES_MAX: Final = 5_000


class CaseNotFoundError(NotFoundError):
    """The person is no case of this incident."""

    code = "case_not_found"
    zh = "此人不是该事件的病例。"
    en = "This person is not a case of this incident."


class CasesTooManyError(TianfuError):
    """The incident has as many cases as one may have."""

    code = "cases_too_many"
    status = 409
    zh = f"一个事件最多 {CASES_MAX} 名病例；请另立一个事件。"
    en = f"An incident has at most {CASES_MAX:,} cases; please open another one."


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """A case of an incident.

    `stated`: somebody stated the period, so that evidence does not move it. `evidence_id` is the statement in the
    ledger that made this person a case here, None for one entered by hand.
    """

    person: PersonRef
    infectious_from: datetime
    infectious_to: datetime | None
    evidence_id: int | None
    stated: bool
    added_at: datetime
    added_by: str
    withdrawn_at: datetime | None
    withdrawn_by: str | None

    @property
    def period(self) -> Period:
        """When the case could infect others."""
        return Period(self.infectious_from, self.infectious_to)


def listed(read: Read, incident_ref: int, *, with_withdrawn: bool = False) -> list[Entered]:
    """The cases of an incident, by person."""
    return [Entered(**row) for row in incident_store.cases(read, incident_ref, with_withdrawn=with_withdrawn)]


def add(
    write: Write,
    actor: Actor,
    number: str,
    person: PersonRef,
    period: Period,
    *,
    at: datetime,
    stated: bool,
    evidence_id: int | None = None,
) -> bool:
    """Make a person a case of incident `number`, infectious in `period`; whether that changed anything.

    One who is a case already gets the new period; one who was withdrawn counts again. Raises `IncidentNotFoundError`,
    `IncidentClosedError`, `CaseNotFoundError` for a person nobody knows, `InputInvalidError` for a period that ends
    before it begins, begins ahead of `at` or before `EARLIEST`, or ends more than `AHEAD_DAYS_MAX` days ahead,
    `CasesTooManyError`.
    """
    _require_possible(period, at)
    incident = incidents.locked(write, number)
    if not incident_store.person_exists(write, person):
        raise CaseNotFoundError(zh="没有此人的记录。", en="Nothing is known about this person.")
    there = incident_store.case(write, incident.incident_ref, person)
    known = None if there is None else Entered(**there)
    if known is not None and known.withdrawn_at is None:
        if known.period == period and known.stated == stated:
            return False
    elif incident_store.count_cases(write, incident.incident_ref) >= CASES_MAX:
        raise CasesTooManyError
    known_store.keep(write, incident.incident_ref, person, at)
    row = {"person": person, "infectious_from": period.since, "infectious_to": period.until, "stated": stated}
    row |= {"evidence_id": evidence_id, "added_at": at, "added_by": actor.name}
    incident_store.put_case(write, incident.incident_ref, row)
    incident_store.touch(write, incident.incident_ref)
    acting.record(write, actor, "incident_case_add", number, at=at, person=person)
    return True


def withdraw(write: Write, actor: Actor, number: str, person: PersonRef, *, at: datetime) -> bool:
    """Take a case out again; False when it was out already.

    Raises `IncidentNotFoundError`, `IncidentClosedError`, `CaseNotFoundError`.
    """
    incident = incidents.locked(write, number)
    if _case(write, incident.incident_ref, person).withdrawn_at is not None:
        return False
    incident_store.withdraw_case(write, incident.incident_ref, person, at=at, by=actor.name)
    incident_store.touch(write, incident.incident_ref)
    acting.record(write, actor, "incident_case_withdraw", number, at=at, person=person)
    return True


def change_period(
    write: Write, actor: Actor, number: str, person: PersonRef, period: Period, *, stated: bool, at: datetime
) -> bool:
    """Give a case another period, such as an end by isolation; whether it changed.

    Raises `IncidentNotFoundError`, `IncidentClosedError`, `CaseNotFoundError` also for one that was withdrawn,
    `InputInvalidError`.
    """
    _require_possible(period, at)
    incident = incidents.locked(write, number)
    case = _case(write, incident.incident_ref, person)
    if case.withdrawn_at is not None:
        raise CaseNotFoundError
    if case.period == period and case.stated == stated:
        return False
    incident_store.set_period(
        write,
        incident.incident_ref,
        person,
        infectious_from=period.since,
        infectious_to=period.until,
        stated=stated,
    )
    incident_store.touch(write, incident.incident_ref)
    acting.record(write, actor, "incident_case_period", number, at=at, person=person)
    return True


def find(read: Read, number: str, person: PersonRef) -> Entered:
    """One case, withdrawn or not. Raises `IncidentNotFoundError` or `CaseNotFoundError`."""
    return _case(read, incidents.find(read, number).incident_ref, person)


def _case(read: Read, incident_ref: int, person: PersonRef) -> Entered:
    row = incident_store.case(read, incident_ref, person)
    if row is None:
        raise CaseNotFoundError
    return Entered(**row)


def possible(period: Period, at: datetime) -> Period:
    """What of `period`, which evidence gives, lies where a case's may: by a wrong year there is no case less."""
    since = min(max(period.since, EARLIEST), at)
    latest = at + timedelta(days=AHEAD_DAYS_MAX)
    return Period(since, None if period.until is None else min(max(period.until, since), latest))


def _require_possible(period: Period, at: datetime) -> None:
    if period.until is not None and period.until < period.since:
        fault = Fault("infectious_to", "order", "结束时间不能早于开始时间。", "It cannot end before it begins.")
        raise InputInvalidError(faults=(fault,))
    if period.since > at:
        fault = Fault("infectious_from", "ahead", "感染期不能从将来开始。", "It cannot begin in the future.")
        raise InputInvalidError(faults=(fault,))
    if possible(period, at) != period:
        field = "infectious_from" if possible(period, at).since != period.since else "infectious_to"
        fault = Fault(
            field,
            "range",
            f"应在 {EARLIEST.year} 年之后、今后 {AHEAD_DAYS_MAX} 天之内，请检查年份。",
            f"It must lie after {EARLIEST.year} and within {AHEAD_DAYS_MAX} days from now; please check the year.",
        )
        raise InputInvalidError(faults=(fault,))
