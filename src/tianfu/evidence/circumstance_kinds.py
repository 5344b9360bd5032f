"""Kinds of evidence about circumstances: letters, emergencies, duties, groups, other colours, identity, clearance."""

from __future__ import annotations

import enum

import msgspec

from tianfu.clock import Instant
from tianfu.colour import Colour


class LetterClass(enum.Enum):
    """What a letter of assistance (协查函) says the person is."""

    CLOSE = "close"
    SECONDARY = "secondary"
    COPRESENT = "copresent"
    EXPOSED = "exposed"
    ZONE = "zone"


class EmergencyLevel(enum.Enum):
    """应急红码 and 应急黄码: what an order asks for; the rule set says what becomes of it."""

    RED = "red"
    YELLOW = "yellow"


class DutyGroup(enum.Enum):
    """Groups that must be tested regularly (应检尽检)."""

    RESIDENT = "resident"
    HEALTH_WORKER = "health_worker"
    COLD_CHAIN = "cold_chain"
    BORDER_WORKER = "border_worker"
    TRANSPORT = "transport"
    MARKET = "market"
    SCHOOL = "school"
    CARE_HOME = "care_home"
    ISOLATION_SITE = "isolation_site"


class MemberGroup(enum.Enum):
    """What somebody is in an institution."""

    PUPIL = "pupil"
    TEACHER = "teacher"
    CARE_RESIDENT = "care_resident"
    CARE_WORKER = "care_worker"
    WORKER = "worker"
    HOUSEHOLD = "household"


class IdentityOutcome(enum.Enum):
    """What the police's register says of a document."""

    CONFIRMED = "confirmed"
    MISMATCH = "mismatch"
    NOT_FOUND = "not_found"
    DECEASED = "deceased"


class ClearanceOf(enum.Enum):
    """What somebody has been cleared of by a named person's judgement."""

    CONTACT = "contact"
    COPRESENT = "copresent"
    ZONE = "zone"
    TEST = "test"
    LETTER = "letter"
    OTHER = "other"


class Letter(msgspec.Struct, frozen=True, kw_only=True, tag="letter"):
    """A letter of assistance from another place names this person. `number` is the letter's."""

    number: str
    names: LetterClass
    issued_at: Instant
    exposed_at: Instant | None = None


class Emergency(msgspec.Struct, frozen=True, kw_only=True, tag="emergency"):
    """An order of the headquarters covers this person. `order` is its key: scope, reason and end are registered there.

    `ends_at` is the order's own end; an order without one cannot be made.
    """

    order: str
    level: EmergencyLevel
    ordered_at: Instant
    ends_at: Instant


class TestDuty(msgspec.Struct, frozen=True, kw_only=True, tag="test_duty"):
    """The person belongs to a group that must be tested every `every_days` days from `starts_at` on."""

    group: DutyGroup
    every_days: int
    starts_at: Instant
    ends_at: Instant | None = None


class Membership(msgspec.Struct, frozen=True, kw_only=True, tag="membership"):
    """The person belongs to an institution (a code) and a unit in it (a class, a ward, a workshop)."""

    group: MemberGroup
    institution: str
    began_at: Instant
    unit: str | None = None
    ended_at: Instant | None = None


class ColourElsewhere(msgspec.Struct, frozen=True, kw_only=True, tag="colour_elsewhere"):
    """What another province's code, or the national platform, says.

    `authority` is its division code, `000000` for the state. `ends_at` is when it stops holding, where the
    other side says so.
    """

    authority: str
    colour: Colour
    stated_at: Instant
    ends_at: Instant | None = None


class IdentityCheck(msgspec.Struct, frozen=True, kw_only=True, tag="identity_check"):
    """What the police's register said of the person's document."""

    checked_at: Instant
    outcome: IdentityOutcome


class Clearance(msgspec.Struct, frozen=True, kw_only=True, tag="clearance"):
    """Somebody with the right to judge found that a statement does not apply (field check, upheld appeal).

    `record` is the `source_record` it is about, absent when it is about everything of that sort until `judged_at`.
    """

    of: ClearanceOf
    judged_at: Instant
    record: str | None = None
