"""The field check: a named person judges somebody a contact of a tier, or no contact, and says why."""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec

from tianfu.access.two_people import require_word
from tianfu.errors import Fault, InputInvalidError, NotFoundError
from tianfu.evidence import ledger
from tianfu.evidence.kinds import ContactSetting, ContactTier
from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write
from tianfu.tracing.incidents import Incident
from tianfu.tracing.screening import confirm, confirm_store
from tianfu.tracing.screening.confirm_store import Found


class JudgedBy(enum.Enum):
    """What the judgement rests on; stored by name, so that a reason can be counted."""

    INTERVIEW = "interview"
    CAMERA = "camera"
    SITE_VISIT = "site_visit"
    DOCUMENTS = "documents"
    WAS_NOT_THERE = "was_not_there"
    WRONG_PERSON = "wrong_person"
    PROTECTED = "protected"
    TOO_FAR = "too_far"
    OTHER = "other"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The latest judgement on a person; `tier` None is no contact."""

    tier: str | None
    reason: str
    at: datetime
    judged_by: str


class NotOfThisIncidentError(NotFoundError):
    """Neither the traces nor a screening of the incident name this person."""

    code = "person_not_of_incident"
    zh = "该疫情事件的名单中没有此人。"
    en = "This incident has nothing on this person."


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What the field found of somebody: `tier` None is no contact; `reason` is what it rests on.

    `setting` and `exposed_at` (the last exposure) go before what the traces say; without traces, a contact whose
    exposure nobody states was exposed when judged.
    """

    tier: ContactTier | None
    reason: JudgedBy
    setting: ContactSetting | None = None
    exposed_at: datetime | None = None


def judge(write: Write, incident: Incident, person: PersonRef, finding: Finding, *, by: str, at: datetime) -> int:
    """Write a judgement down; its number. It counts at the next run of the funnel, and for confirmations at once.

    Judged no contact, what was confirmed of the person is withdrawn; one after the other they are many, as when they
    are withdrawn together. Raises `NotOfThisIncidentError`, `SecondPersonNeededError`, and `InputInvalidError` for an
    exposure that lies ahead.
    """
    require_word("by", by)
    if finding.exposed_at is not None and finding.exposed_at > at:
        raise InputInvalidError(faults=(Fault("exposed_at", "ahead", "不能晚于现在", "must not lie ahead"),))
    if not confirm_store.known(write, incident.incident_ref, person):
        raise NotOfThisIncidentError
    confirm_store.lock_incident(write, incident.incident_ref)
    if finding.tier is None:
        statements = confirm_store.confirmed_statements(write, incident.incident_ref, person)
        if statements:
            confirm.require_alone(write, by=by, at=at)
        ledger.withdraw_many(write, statements, received_at=at)
        confirm_store.release(write, incident.incident_ref, [person], confirmation_ref=None, at=at)
    found = Found(
        tier=None if finding.tier is None else finding.tier.value,
        setting=None if finding.setting is None else finding.setting.value,
        exposed_at=finding.exposed_at,
        reason=finding.reason.value,
    )
    return confirm_store.insert_judgement(write, incident.incident_ref, person, found, by, at)


def latest(read: Read, incident: Incident, person: PersonRef) -> Judgement | None:
    """The latest judgement on a person, None when nobody has judged."""
    row = confirm_store.judgement_of(read, incident.incident_ref, person)
    return None if row is None else Judgement(tier=row[0], reason=row[1], at=row[2], judged_by=row[3])
