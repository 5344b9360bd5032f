"""Where statements say that people were together: households, units, seats, telecom companions. Pure.

Every statement of this sort becomes stays in one shape: a person, a place, from when until when. Two people whose
stays share a place and overlap in time were together; how near they have to have sat is the tracing rules' business.
A place is a digest of what names it: one width for all kinds, and no names beside people's numbers. Which school or
train it was stands in the statement.
"""

from __future__ import annotations

import enum
import functools
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
# A list of passengers or pupils repeats a few places; 0.3 kB each.
_PLACES_REMEMBERED: Final = 4_096
# The sorts of statements that can give stays, so that all others cost one look-up.
SPEAKING: Final = frozenset({Membership, Journey, Contact, Case})


class StayKind(enum.Enum):
    """In what way people at one place are together. `ABOARD` is the whole train or ship, beyond the own carriage.

    `TELECOM` is the case's side of a carrier's list, `COMPANION` that of who stands on it: these are companions of the
    case, not of each other.
    """

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
    COMPANION = "companion"


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
    """The stays that a statement gives; none for statements of other sorts. `source_record` is the statement's key.

    A membership that ended as it began gives none.
    """
    if isinstance(attributes, Membership):
        kind, times = _MEMBERS[attributes.group], (attributes.began_at, attributes.ended_at)
        if times[1] is None or times[1] > times[0]:
            where = place(kind.value, attributes.institution, attributes.unit or "")
            yield CoStay(kind, where, ROW_UNKNOWN, *times)
    elif isinstance(attributes, Journey):
        yield from _journey(attributes)
    elif isinstance(attributes, Contact):
        if attributes.setting is ContactSetting.TELECOM:
            at = attributes.last_exposure_at
            yield CoStay(StayKind.COMPANION, place("telecom", attributes.case), ROW_UNKNOWN, at, at + _MOMENT)
    elif isinstance(attributes, Case):
        begins_at = (attributes.onset_at or attributes.diagnosed_at) - _COMPANION_DAYS
        yield CoStay(StayKind.TELECOM, place("telecom", source_record), ROW_UNKNOWN, begins_at, None)


@functools.lru_cache(maxsize=_PLACES_REMEMBERED)
def place(*names: str) -> UUID:
    """The place of these names: the same names give the same place, others do not (128 bits of their SHA-256).

    Migration 0019 spells places the same way, for what was stated before it.
    """
    spelled = [name.encode() for name in names]
    text = b"".join(b"%d:%b" % (len(name), name) for name in spelled)
    return UUID(bytes=hashlib.sha256(text).digest()[:_PLACE_BYTES])


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
