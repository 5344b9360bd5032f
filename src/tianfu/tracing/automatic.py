"""From statements to cases by themselves: a positive joins or opens an incident, what takes it back takes the case out.

What is done follows from what the ledger holds about the person now, and from nothing else, so looking at somebody
twice changes nothing, and the order in which statements came makes no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from tianfu.clock import shanghai_day
from tianfu.errors import TianfuError
from tianfu.evidence import case_changes, ledger
from tianfu.evidence.model import Evidence
from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write
from tianfu.residents import store as residents
from tianfu.tracing import cases, incident_store, incidents, rule_files
from tianfu.tracing.acting import TRACER
from tianfu.tracing.cases import Entered
from tianfu.tracing.incidents import PLACE_UNKNOWN
from tianfu.tracing.infectious import Positive, positive

# People looked at in one transaction, which holds the trail's lock from the first case on: 0.2 s.
PEOPLE_AT_ONCE: Final = 100
# A positive that was known longer ago opens nothing by itself: the visits around it are being erased, and a first load
# of old records is no outbreak. People add such a case by hand.
POSITIVE_DAYS_MAX: Final = 14


# What computing with odd statements may raise; what the database raises is not among it.
_ODD: Final = (ArithmeticError, LookupError, TypeError, ValueError)


class Followed(NamedTuple):
    """What looking at some people came to. `refused` are the codes of what could not be done for one of them.

    `oldest` is since when the first of them waited, None when nobody did.
    """

    people: int
    added: int
    withdrawn: int
    opened: int
    refused: tuple[str, ...]
    oldest: datetime | None


class _Done(NamedTuple):
    added: int = 0
    withdrawn: int = 0
    opened: int = 0


def follow(write: Write, *, at: datetime, limit: int = PEOPLE_AT_ONCE) -> Followed:
    """Look at up to `limit` people about whom something new is stated, and bring incidents up to it.

    Taking them and acting on it is one transaction, so a crash loses nobody and counts nobody twice. Somebody for whom
    it is refused (a county out of numbers) is left out and reported.
    """
    waiting = case_changes.take(write, limit=limit)
    evidence = ledger.about_many(write, sorted(waiting))
    done: list[_Done] = []
    refused: list[str] = []
    for person, statements in evidence.items():
        try:
            done.append(settle(write, person, statements, at=at))
        except TianfuError as error:
            # Every refusal comes before anything is written about this person.
            refused.append(error.code)
        except _ODD as error:
            # One person's odd statement must not keep everybody else's positive waiting.
            refused.append(type(error).__name__)
    return Followed(
        people=len(waiting),
        added=sum(one.added for one in done),
        withdrawn=sum(one.withdrawn for one in done),
        opened=sum(one.opened for one in done),
        refused=tuple(refused),
        oldest=min(waiting.values(), default=None),
    )


def settle(write: Write, person: PersonRef, statements: Sequence[Evidence], *, at: datetime) -> _Done:
    """Make the open incidents say of one person what the standing `statements` say."""
    entries = [(number, Entered(**row)) for number, row in incident_store.where_case(write, person)]
    done = _Done()
    counts_somewhere = False
    for number, case in entries:
        found = _found(statements, incidents.find(write, number).rules, at)
        change = _settle_case(write, number, case, found, at=at)
        done = _Done(done.added + change.added, done.withdrawn + change.withdrawn, 0)
        counts_somewhere = counts_somewhere or found is not None
    if counts_somewhere or any(case.withdrawn_at is None for _, case in entries):
        return done
    found = _found(statements, None, at)
    if found is None or found.over or found.known_at < at - timedelta(days=POSITIVE_DAYS_MAX):
        return done
    number, opened = _incident_for(write, person, found, at=at)
    cases.add(write, TRACER, number, person, found.period, at=at, stated=False, evidence_id=found.evidence_id)
    return _Done(done.added + 1, done.withdrawn, opened)


def _settle_case(write: Write, number: str, case: Entered, found: Positive | None, *, at: datetime) -> _Done:
    """What the statements mean for a case of an open incident. What somebody entered or stated by hand is theirs."""
    if found is None:
        if case.withdrawn_at is not None or case.evidence_id is None:
            return _Done()
        cases.withdraw(write, TRACER, number, case.person, at=at)
        return _Done(withdrawn=1)
    if case.withdrawn_at is not None:
        if case.withdrawn_by != TRACER.name and case.evidence_id == found.evidence_id:
            return _Done()
        cases.add(write, TRACER, number, case.person, found.period, at=at, stated=False, evidence_id=found.evidence_id)
        return _Done(added=1)
    if not case.stated and case.evidence_id is not None and case.period != found.period:
        cases.change_period(write, TRACER, number, case.person, found.period, stated=False, at=at)
    return _Done()


def _incident_for(write: Write, person: PersonRef, found: Positive, *, at: datetime) -> tuple[str, int]:
    """The incident that a new case belongs to, and how many were opened for it: none or one."""
    place = county_of(write, person) or found.place or PLACE_UNKNOWN
    number = incident_store.fitting_incident(write, person, place)
    if number is not None:
        return number, 0
    return incidents.open_incident(write, TRACER, place=place, rules=None, at=at, automatic=True).number, 1


def county_of(read: Read, person: PersonRef) -> str | None:
    """The county in which somebody's code says they live; None without a code or a county."""
    return residents.district_of(read, person)


def positive_of(read: Read, person: PersonRef, rules: str | None, *, at: datetime) -> Positive | None:
    """What the ledger says of somebody by rule set `rules` (None: the one in force); None for no case."""
    return _found(ledger.about(read, person), rules, at)


def _found(statements: Sequence[Evidence], rules: str | None, at: datetime) -> Positive | None:
    found = positive(statements, rule_files.in_force(shanghai_day(at), rules).rules)
    return None if found is None else msgspec.structs.replace(found, period=cases.possible(found.period, at))
