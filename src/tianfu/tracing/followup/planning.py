"""From confirmed contacts to tasks: read the list, plan each person, write what changed.

Idempotent: a second call over the same list and rules changes nothing. A caller goes through an incident in parts,
each in a transaction of its own; one that is killed goes on from anywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import msgspec

from tianfu.clock import shanghai_day
from tianfu.evidence import ledger
from tianfu.evidence.kinds import Contact
from tianfu.evidence.model import Evidence
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose, Write
from tianfu.tracing.followup import store
from tianfu.tracing.followup.model import FollowUp
from tianfu.tracing.followup.plan import Held, Wanted, extended, last_day, plan, reconcile
from tianfu.tracing.followup.schedule import Schedule
from tianfu.tracing.followup.store import Listed
from tianfu.tracing.incidents import Incident
from tianfu.tracing.model import Tier

# People of one transaction: some 15,000 tasks, a second of work.
PEOPLE_AT_ONCE: Final = 1_000
# What ends a follow-up for good, as far as the exposure it was about goes.
_FINAL: Final = frozenset({"ended", "handed_over"})

Schedules = Callable[[Tier], Schedule]
"""What a tier has to do by the rules in force for the incident now."""


class Planned(NamedTuple):
    """What planning did: people followed, newly and again; people closed; tasks new and cancelled."""

    people: int = 0
    begun: int = 0
    replanned: int = 0
    closed: int = 0
    inserted: int = 0
    cancelled: int = 0

    def plus(self, other: Planned) -> Planned:
        """Both together."""
        return Planned(*(one + two for one, two in zip(self, other, strict=True)))


class _Exposure(NamedTuple):
    person: PersonRef
    tier: Tier
    setting: str
    last_exposure: datetime
    designated_at: datetime | None


def plan_incident(
    database: Database, incident: Incident, schedules: Schedules, *, at: datetime, extend: bool = False
) -> Planned:
    """Plan every confirmed contact of `incident`, and close who is off the list. `extend`: see `plan_people`."""
    total = Planned()
    for part in parts(database, incident, schedules, at=at, extend=extend):
        total = total.plus(part)
    return total


def parts(
    database: Database, incident: Incident, schedules: Schedules, *, at: datetime, extend: bool = False
) -> Iterator[Planned]:
    """`plan_incident` in its parts, each done when it is yielded, in a transaction of its own."""
    after, more = 0, True
    while more:
        with database.write(Purpose.BATCH) as write:
            store.lock(write)
            listed = store.confirmed(write, incident.incident_ref, after, PEOPLE_AT_ONCE)
            contacts = [item for item in listed if not item.is_case]
            planned = plan_people(write, incident, contacts, schedules, at=at, extend=extend)
        yield planned
        more = len(listed) == PEOPLE_AT_ONCE
        after = listed[-1].person if more else after
    more = True
    while more:
        with database.write(Purpose.BATCH) as write:
            gone = store.no_longer_listed(write, incident.incident_ref, PEOPLE_AT_ONCE)
            closed = _close(write, incident.incident_ref, gone, at)
        yield closed
        more = len(gone) == PEOPLE_AT_ONCE


def plan_people(
    write: Write,
    incident: Incident,
    listed: Sequence[Listed],
    schedules: Schedules,
    *,
    at: datetime,
    extend: bool = False,
) -> Planned:
    """Plan these people; all in the caller's transaction, which holds `store.lock`.

    The last exposure is the latest that the list or a standing contact statement in the ledger names, so a new
    exposure in any incident restarts the days. Who was followed to the end, or handed over to another province,
    is begun again by a later exposure only. `extend` keeps up a follow-up at whose end nobody met the person.
    """
    persons = [item.person for item in listed]
    before_of = store.follow_ups(write, incident.incident_ref, persons)
    tasks = store.held(write, incident.incident_ref, persons)
    statements = ledger.about_many(write, persons)
    elsewhere = store.responsible(write, persons)
    met = store.met_on(write, incident.incident_ref, persons) if extend else {}
    changed: list[_Change] = []
    for item in listed:
        before = before_of.get(item.person)
        exposure = _exposure(item, statements[item.person])
        place = elsewhere.get(item.person) or (before and before.place) or item.place or incident.place
        change = _change(incident, exposure, before, place, schedules(exposure.tier), at)
        if extend and before is not None:
            until = extended(change.ends_on, met[item.person], shanghai_day(at))
            change = change._replace(until=until)
        if change.anew and (before is None or before.closed_at is None or _again(before, change.wanted)):
            changed.append(change)
    return _write(write, changed, tasks, at)._replace(people=len(listed))


class _Change(NamedTuple):
    """A follow-up as it should be, and how it was; `wanted.plan_hash` is of everything but `until`."""

    before: FollowUp | None
    wanted: FollowUp
    schedule: Schedule
    until: date | None = None

    @property
    def ends_on(self) -> date:
        return last_day(self.schedule, self.wanted.last_exposure)

    @property
    def final(self) -> FollowUp:
        return msgspec.structs.replace(self.wanted, ends_on=self.until or self.ends_on)

    @property
    def anew(self) -> bool:
        return self.before != self.final

    @property
    def begins(self) -> bool:
        return self.before is None or self.before.closed_at is not None

    @property
    def reason(self) -> str:
        """Why tasks of the old plan are cancelled."""
        restarted = self.before is not None and self.before.last_exposure < self.wanted.last_exposure
        return "re_exposed" if restarted else "replanned"


def _exposure(item: Listed, statements: Sequence[Evidence]) -> _Exposure:
    """The latest exposure that the list or the ledger names, and when somebody named it."""
    named = [statement.attributes for statement in statements if isinstance(statement.attributes, Contact)]
    latest = max(named, key=lambda contact: (contact.last_exposure_at, contact.designated_at), default=None)
    if latest is None:
        return _Exposure(item.person, item.tier, item.setting, item.exposed_at, None)
    if latest.last_exposure_at < item.exposed_at:
        return _Exposure(item.person, item.tier, item.setting, item.exposed_at, None)
    return _Exposure(item.person, item.tier, item.setting, latest.last_exposure_at, latest.designated_at)


def _change(
    incident: Incident, exposure: _Exposure, before: FollowUp | None, place: str, schedule: Schedule, at: datetime
) -> _Change:
    same = before is not None and (before.last_exposure, before.tier) == (exposure.last_exposure, exposure.tier)
    designated_at = exposure.designated_at or (before.designated_at if before is not None and same else at)
    if before is not None and not same:
        # A promoted or newly exposed contact has the hours for moving from when this became known.
        designated_at = max(designated_at, at) if exposure.tier is not before.tier else designated_at
    elif before is not None:
        designated_at = before.designated_at
    person = exposure.person if before is None else before.person
    digest = hashlib.sha256(msgspec.json.encode((exposure, designated_at, schedule))).digest()
    wanted = FollowUp(
        incident_ref=incident.incident_ref,
        person=person,
        tier=exposure.tier,
        setting=exposure.setting,
        last_exposure=exposure.last_exposure,
        designated_at=designated_at,
        place=place,
        rules=schedule.rules,
        plan_hash=digest,
        assignee=None if before is None else before.assignee,
        ends_on=last_day(schedule, exposure.last_exposure),
        closed_at=None,
        closed_reason=None,
    )
    return _Change(before, wanted, schedule)


def _again(before: FollowUp, wanted: FollowUp) -> bool:
    """Whether a closed follow-up is begun again."""
    return before.closed_reason not in _FINAL or before.last_exposure < wanted.last_exposure


def _write(
    write: Write, changed: Sequence[_Change], tasks: Mapping[PersonRef, Sequence[Held]], at: datetime
) -> Planned:
    store.put_follow_ups(write, [change.final for change in changed])
    begun = [change.wanted for change in changed if change.begins]
    store.begin_county(write, [(row.incident_ref, row.person, row.place, at) for row in begun])
    insert: list[tuple[FollowUp, Wanted]] = []
    shift: list[tuple[int, Wanted]] = []
    cancel: dict[str, list[int]] = {}
    for change in changed:
        asked = plan(
            change.schedule,
            last_exposure=change.wanted.last_exposure,
            designated_at=change.wanted.designated_at,
            extended_to=change.until,
        )
        found = reconcile(asked, tasks[change.wanted.person])
        insert += [(change.wanted, task) for task in found.insert]
        shift += found.move
        cancel.setdefault(change.reason, []).extend(found.cancel)
    cancelled = sum(store.cancel(write, numbers, reason=reason, at=at) for reason, numbers in cancel.items())
    store.shift(write, shift, at)
    inserted = store.insert_tasks(write, insert, at) if insert else 0
    return Planned(begun=len(begun), replanned=len(changed) - len(begun), inserted=inserted, cancelled=cancelled)


def _close(write: Write, incident_ref: int, gone: Sequence[tuple[PersonRef, str]], at: datetime) -> Planned:
    cancelled = 0
    for reason in sorted({reason for _, reason in gone}):
        persons = [person for person, why in gone if why == reason]
        cancelled += store.close(write, incident_ref, persons, reason=reason, at=at)
    return Planned(closed=len(gone), cancelled=cancelled)
