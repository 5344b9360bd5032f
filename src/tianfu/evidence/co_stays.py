"""Where statements say that people were together: households, units, seats, telecom companions. Pure.

Every statement of this sort becomes stays in one shape: a person, a place, from when until when. Two people whose
stays share a place and overlap in time were together; how near they have to have sat is the tracing rules' business.
A place is a digest of what names it, so the table of stays tells nobody which school or train it was: that stands in
the statement.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from tianfu.evidence.circumstance_kinds import MemberGroup, Membership
from tianfu.evidence.kinds import Attributes, Case, Contact, ContactSetting
from tianfu.evidence.travel_kinds import Journey, JourneyMode, Ventilation

# A seat whose row nobody knows (no-seat tickets, crew): it is near everybody at the place.
ROW_UNKNOWN: Final = 0
# Rows are told apart up to here; no row of seats of the carriers' lists is beyond 120.
ROW_MAX: Final = 255
# How far back a case's own side of the carriers' lists reaches; their 14 days, twice, for late diagnoses.
_COMPANION_DAYS: Final = timedelta(days=28)
_MOMENT: Final = timedelta(minutes=1)
_PLACE_BYTES: Final = 16


class StayKind(enum.Enum):
    """In what way people at one place are together. `ABOARD` is the whole train or ship, beyond the own carriage."""

    HOUSEHOLD = "household"
    WORK = "work"
    SCHOOL = "school"
    CARE = "care"
    FLIGHT = "flight"
    TRAIN = "train"
    TRAIN_OPEN = "train_open"
    COACH = "coach"
    COACH_OPEN = "coach_open"
    SHIP = "ship"
    ABOARD = "aboard"
    TELECOM = "telecom"


class CoStay(NamedTuple):
    """Somebody was at `place` in [`begins_at`, `ends_at`), without end where `ends_at` is None.

    `row` is the row of seats where rows count, `ROW_UNKNOWN` otherwise.
    """

    kind: StayKind
    place: UUID
    row: int
    begins_at: datetime
    ends_at: datetime | None


_MEMBERS: Final = {
    MemberGroup.HOUSEHOLD: StayKind.HOUSEHOLD,
    MemberGroup.WORKER: StayKind.WORK,
    MemberGroup.PUPIL: StayKind.SCHOOL,
    MemberGroup.TEACHER: StayKind.SCHOOL,
    MemberGroup.CARE_RESIDENT: StayKind.CARE,
    MemberGroup.CARE_WORKER: StayKind.CARE,
}


def stated(attributes: Attributes, source_record: str) -> Iterator[CoStay]:
    """The stays that a statement gives; none for statements of other sorts. `source_record` is the statement's key."""
    if isinstance(attributes, Membership):
        kind = _MEMBERS[attributes.group]
        yield CoStay(
            kind,
            place(kind.value, attributes.institution, attributes.unit or ""),
            ROW_UNKNOWN,
            attributes.began_at,
            attributes.ended_at,
        )
    elif isinstance(attributes, Journey):
        yield from _journey(attributes)
    elif isinstance(attributes, Contact):
        if attributes.setting is ContactSetting.TELECOM:
            at = attributes.last_exposure_at
            yield CoStay(StayKind.TELECOM, place("telecom", attributes.case), ROW_UNKNOWN, at, at + _MOMENT)
    elif isinstance(attributes, Case):
        begins_at = (attributes.onset_at or attributes.diagnosed_at) - _COMPANION_DAYS
        yield CoStay(StayKind.TELECOM, place("telecom", source_record), ROW_UNKNOWN, begins_at, None)


def place(*names: str) -> UUID:
    """The place of these names: the same names give the same place, others do not (128 bits)."""
    digest = hashlib.blake2b(digest_size=_PLACE_BYTES)
    for name in names:
        spelled = name.encode()
        digest.update(len(spelled).to_bytes(4, "big") + spelled)
    return UUID(bytes=digest.digest())


def _journey(said: Journey) -> Iterator[CoStay]:
    """Two runs of one service are told apart by time alone: a traveller's seat ends when they get off.

    Who sells no seat knows no row; crew walk about. Both count as near everybody in their carriage, and where even the
    carriage is unknown only as aboard.
    """
    row = ROW_UNKNOWN if said.crew or said.row is None else min(said.row, ROW_MAX)
    times = (said.departed_at, max(said.arrived_at, said.departed_at + _MOMENT))
    open_air = said.ventilation is Ventilation.OPEN
    if said.mode is JourneyMode.AIR:
        yield CoStay(StayKind.FLIGHT, place("air", said.service), row, *times)
    elif said.mode is JourneyMode.COACH:
        kind = StayKind.COACH_OPEN if open_air else StayKind.COACH
        yield CoStay(kind, place("coach", said.service), row, *times)
    else:
        yield CoStay(StayKind.ABOARD, place(said.mode.value, said.service), ROW_UNKNOWN, *times)
        if said.carriage is not None:
            kind = StayKind.SHIP if said.mode is JourneyMode.SHIP else StayKind.TRAIN
            if kind is StayKind.TRAIN and open_air:
                kind = StayKind.TRAIN_OPEN
            yield CoStay(kind, place(said.mode.value, said.service, said.carriage), row, *times)
