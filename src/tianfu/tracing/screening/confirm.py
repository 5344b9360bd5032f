"""Results become evidence by a named person's decision, and can be taken back.

What is confirmed is stated in the ledger by the source `tracing`, one record an incident and person, so confirming
again what is confirmed adds nothing, and another tier revises the record. More than `BULK_MAX` people need a second
person. A confirmation is carried out in the caller's transaction, whole or not at all, some thousands at a time.
Colours follow by themselves, as after any other change of evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tianfu.access.two_people import are_two, require_word
from tianfu.errors import NotFoundError, TianfuError
from tianfu.evidence import ledger
from tianfu.evidence.kinds import Contact, ContactSetting, ContactTier
from tianfu.evidence.model import NewEvidence
from tianfu.ids import PersonRef, format_person_ref
from tianfu.interval import Interval
from tianfu.platform.database import Read, Write
from tianfu.tracing import incidents
from tianfu.tracing.incidents import Incident, IncidentClosedError
from tianfu.tracing.screening import alone_store, confirm_store, facts_store
from tianfu.tracing.screening.confirm_store import Chosen, ConfirmationRow, Which

# An investigator names contacts by the dozen; more is a wave, where a second look costs a minute. It counts what
# somebody did alone within `ALONE_WITHIN`, in all incidents: fifty and fifty again are a hundred. Taking back counts by
# itself, whether by withdrawal or one by one.
BULK_MAX: Final = 50
ALONE_WITHIN: Final = timedelta(hours=24)
# Confirmed together: 10,000 statements of about 1.5 kB as Python values are 15 MB, whatever the total.
_PEOPLE_AT_ONCE: Final = 10_000
SHOWN_MAX: Final = 100
SOURCE: Final = "tracing"
_RECORD: Final = "trace"
_RECORD_PARTS: Final = 3
_SECOND_HOP: Final = 2
_SETTINGS: Final = frozenset(setting.value for setting in ContactSetting)


class SecondPersonNeededError(TianfuError):
    """More people than one may decide about alone, at once or within a day, or the second person is the first."""

    code = "confirmation_second_person"
    status = 422
    zh = f"一次或 24 小时内累计确认超过 {BULK_MAX} 人，或撤回超过 {BULK_MAX} 人，须由另一人核准或办理。"
    en = f"More than {BULK_MAX} people, confirmed or taken back at once or within 24 hours, need another person."


class ConfirmationNotFoundError(NotFoundError):
    """The incident has no confirmation of that number."""

    code = "confirmation_not_found"
    zh = "该疫情事件没有这次确认。"
    en = "This incident has no such confirmation."


class ConfirmationDecidedError(TianfuError):
    """It was carried out or withdrawn already."""

    code = "confirmation_decided"
    status = 409
    zh = "这次确认已经办理或撤回。"
    en = "This confirmation has been carried out or withdrawn already."


class ConfirmationChangedError(TianfuError):
    """The list is another one than what was asked for: it must be asked for again."""

    code = "confirmation_changed"
    status = 409
    zh = "名单在提出确认之后有变化，请重新提出。"
    en = "The list has changed since this was asked for; please ask again."


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Whose results: of these tiers; only on the list of run `run_ref`; only one `person`."""

    tiers: tuple[ContactTier, ...]
    run_ref: int | None = None
    person: PersonRef | None = None


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that results become evidence. `state` is `waiting` (for the second person), `done`, `withdrawn`.

    `asked_back_by` asked to withdraw it, where that needs a second person: `withdrawal_approved_by`.
    """

    confirmation_ref: int
    tiers: tuple[str, ...]
    people: int
    state: str
    stated_by: str
    stated_at: datetime
    approved_by: str | None
    decided_at: datetime | None
    asked_back_by: str | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawal_approved_by: str | None


def propose(write: Write, incident: Incident, choice: Choice, *, by: str, at: datetime) -> Confirmation:
    """Ask for the confirmation of `choice`: done at once for few people, else it waits for a second person.

    Few are `BULK_MAX` at most, with those whom `by` confirmed alone within `ALONE_WITHIN`, in any incident. A
    repetition finds nobody left to confirm and is a confirmation of nobody. Raises `IncidentClosedError`.
    """
    require_word("by", by)
    _lock_open(write, incident)
    which = _which(incident, choice)
    counted = confirm_store.count(write, which, at)
    number = confirm_store.insert(write, which, counted=counted, stated_by=by, at=at)
    if not counted[0] or _is_few(write, counted[0], by, at, alone_store.confirmed_since):
        _carry_out(write, incident, number, which, approved_by=None, at=at)
    return find(write, incident, number)


def approve(write: Write, incident: Incident, confirmation_ref: int, *, by: str, at: datetime) -> Confirmation:
    """Carry out what waits for a second person.

    Raises `ConfirmationNotFoundError`, `ConfirmationDecidedError`, `SecondPersonNeededError`, `IncidentClosedError`,
    `ConfirmationChangedError` when other people would be confirmed than were asked for.
    """
    require_word("approved_by", by)
    _lock_open(write, incident)
    row = _locked(write, incident, confirmation_ref)
    if row.state != "waiting":
        raise ConfirmationDecidedError
    if not are_two(row.stated_by, by):
        raise SecondPersonNeededError
    which = Which(row.incident_ref, row.tiers, row.run_ref, row.person_ref)
    if confirm_store.count(write, which, at) != (row.people, row.people_sum):
        raise ConfirmationChangedError
    _carry_out(write, incident, confirmation_ref, which, approved_by=by, at=at)
    return find(write, incident, confirmation_ref)


def confirm(
    write: Write, incident: Incident, choice: Choice, *, by: str, approved_by: str | None, at: datetime
) -> Confirmation:
    """`propose` and `approve` in one, where both people are named. Raises `SecondPersonNeededError`."""
    if approved_by is not None and not are_two(by, approved_by):
        raise SecondPersonNeededError
    proposed = propose(write, incident, choice, by=by, at=at)
    if proposed.state == "done":
        return proposed
    if approved_by is None:
        raise SecondPersonNeededError
    return approve(write, incident, proposed.confirmation_ref, by=approved_by, at=at)


def withdraw(
    write: Write,
    incident: Incident,
    confirmation_ref: int,
    *,
    by: str,
    approved_by: str | None,
    reason: str,
    at: datetime,
) -> Confirmation:
    """Take a confirmation back: its statements count as never made, and colours follow.

    One that still waits is called off. Few are taken back by one person, as they are confirmed (`propose`). Raises
    `ConfirmationNotFoundError`, `ConfirmationDecidedError` when it was withdrawn before, `SecondPersonNeededError`,
    `InputInvalidError`.
    """
    require_word("by", by)
    require_word("reason", reason)
    confirm_store.lock_incident(write, incident.incident_ref)
    row = _locked(write, incident, confirmation_ref)
    if row.state == "withdrawn":
        raise ConfirmationDecidedError
    second = approved_by if are_two(by, approved_by) else None
    if second is not None:
        require_word("approved_by", second)
    elif row.state == "done" and not _may_take_back(write, row.people, by, at):
        raise SecondPersonNeededError
    after = 0
    while part := confirm_store.confirmed_after(write, confirmation_ref, after=after, limit=_PEOPLE_AT_ONCE):
        ledger.withdraw_many(write, [number for _, number in part], received_at=at)
        persons = [person for person, _ in part]
        confirm_store.release(write, incident.incident_ref, persons, confirmation_ref=confirmation_ref, at=at)
        after = persons[-1]
    confirm_store.finish_withdrawal(write, confirmation_ref, by=by, approved_by=second, reason=reason, at=at)
    return find(write, incident, confirmation_ref)


def ask_back(
    write: Write, incident: Incident, confirmation_ref: int, *, by: str, reason: str, at: datetime
) -> Confirmation:
    """Withdraw a confirmation where each person asks for themselves: many are withdrawn when a second one asks too.

    Asking twice alone changes nothing. Raises as `withdraw`.
    """
    confirm_store.lock_incident(write, incident.incident_ref)
    row = _locked(write, incident, confirmation_ref)
    if row.state != "done" or _may_take_back(write, row.people, by, at):
        return withdraw(write, incident, confirmation_ref, by=by, approved_by=None, reason=reason, at=at)
    if are_two(row.asked_back_by, by):
        first = row.asked_back_by or by
        return withdraw(write, incident, confirmation_ref, by=first, approved_by=by, reason=reason, at=at)
    require_word("by", by)
    confirm_store.ask_back(write, confirmation_ref, by)
    return find(write, incident, confirmation_ref)


def find(read: Read, incident: Incident, confirmation_ref: int) -> Confirmation:
    """A confirmation of the incident. Raises `ConfirmationNotFoundError`."""
    row = confirm_store.confirmation(read, incident.incident_ref, confirmation_ref)
    if row is None:
        raise ConfirmationNotFoundError
    return _told(row)


def shown(read: Read, incident: Incident) -> list[Confirmation]:
    """Up to `SHOWN_MAX` confirmations of the incident, newest first."""
    return [_told(row) for row in confirm_store.confirmations(read, incident.incident_ref, SHOWN_MAX)]


def record_of(incident: Incident, person: int) -> str:
    """The key of what an incident states of a person in the ledger."""
    return f"{_RECORD}/{incident.number}/{person}"


def incident_of(source: str, record: str) -> str | None:
    """The number of the incident that stated `record` (see `record_of`); None for what tracing did not state."""
    parts = record.split("/")
    return parts[1] if source == SOURCE and len(parts) == _RECORD_PARTS and parts[0] == _RECORD else None


def case_of(case: str) -> str:
    """A contact's case as people name it: the health commission's key, else the person's reference."""
    parts = case.split("/")
    return format_person_ref(PersonRef(int(parts[2]))) if len(parts) == _RECORD_PARTS and parts[0] == _RECORD else case


def _carry_out(
    write: Write, incident: Incident, number: int, which: Which, *, approved_by: str | None, at: datetime
) -> None:
    """State everybody in the ledger."""
    keys = {case.person: case.key for case in facts_store.cases(write, incident.incident_ref) if case.key}
    done = 0
    for part in confirm_store.following(write, which, at, limit=_PEOPLE_AT_ONCE):
        items = [_statement(incident, who, keys, at) for who in part]
        appended = ledger.append(write, items, received_at=at)
        confirm_store.insert_confirmed(write, number, incident.incident_ref, list(zip(part, appended.ids, strict=True)))
        done += len(part)
    confirm_store.finish(write, number, people=done, approved_by=approved_by, at=at)


def _statement(incident: Incident, who: Chosen, keys: Mapping[int, str], at: datetime) -> NewEvidence:
    tier = ContactTier(who.tier)
    # A contact of a contact counts days by the tests of the close contact through whom: that contact's own record.
    through = tier is ContactTier.SECONDARY and who.hop >= _SECOND_HOP
    return NewEvidence(
        person=PersonRef(who.person_ref),
        source=SOURCE,
        source_record=record_of(incident, who.person_ref),
        attributes=Contact(
            tier=tier,
            last_exposure_at=who.last_exposure_at,
            designated_at=at,
            case=keys.get(who.case_ref) or record_of(incident, who.case_ref),
            setting=ContactSetting(who.setting) if who.setting in _SETTINGS else ContactSetting.OTHER,
            parent=record_of(incident, who.parent_ref) if through else None,
        ),
        occurred_at=at,
        valid=Interval(min(who.last_exposure_at, at)),
        place=who.place,
    )


def _lock_open(write: Write, incident: Incident) -> None:
    """Wait for whoever decides in `incident`. A closed one makes nobody a contact any more; taking back goes on."""
    confirm_store.lock_incident(write, incident.incident_ref)
    if incidents.find(write, incident.number).closed_at is not None:
        raise IncidentClosedError


def require_alone(write: Write, *, by: str, at: datetime) -> None:
    """Raise `SecondPersonNeededError` unless `by` may take back one more person's confirmation alone."""
    if not _may_take_back(write, 1, by, at):
        raise SecondPersonNeededError


def _may_take_back(write: Write, people: int, by: str, at: datetime) -> bool:
    return not people or _is_few(write, people, by, at, alone_store.taken_back_since)


def _is_few(
    write: Write, people: int, by: str, at: datetime, done_since: Callable[[Read, datetime], list[tuple[str, int]]]
) -> bool:
    """Whether `people` are few with whom `by` did alone lately, under whatever spelling of the name."""
    if people > BULK_MAX:
        return False
    alone_store.lock(write)
    return (
        people + sum(count for who, count in done_since(write, at - ALONE_WITHIN) if not are_two(who, by)) <= BULK_MAX
    )


def _which(incident: Incident, choice: Choice) -> Which:
    tiers: Sequence[str] = sorted({tier.value for tier in choice.tiers})
    return Which(incident.incident_ref, tiers, choice.run_ref, choice.person)


def _locked(write: Write, incident: Incident, confirmation_ref: int) -> ConfirmationRow:
    row = confirm_store.lock(write, incident.incident_ref, confirmation_ref)
    if row is None:
        raise ConfirmationNotFoundError
    return row


def _told(row: ConfirmationRow) -> Confirmation:
    return Confirmation(
        confirmation_ref=row.confirmation_ref,
        tiers=tuple(row.tiers),
        people=row.people,
        state=row.state,
        stated_by=row.stated_by,
        stated_at=row.stated_at,
        approved_by=row.approved_by,
        decided_at=row.decided_at,
        asked_back_by=row.asked_back_by,
        withdrawn_by=row.withdrawn_by,
        withdrawn_at=row.withdrawn_at,
        withdrawal_approved_by=row.withdrawal_approved_by,
    )
