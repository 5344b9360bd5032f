"""Tracing rules: who is a contact, from when, how near, and what is asked of them then. Data with a source. Pure.

A rule set is read from a file (`tianfu.tracing.rule_files`); its numbers change by decree and differ by city, so none
of them is in the code. Each number says in `source` where it comes from; what begins with "ours" is our proposal, to
be confirmed by an epidemiologist.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Annotated, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from tianfu.evidence.care_kinds import IsolationStage
from tianfu.evidence.co_stays import ROW_MAX, StayKind
from tianfu.evidence.kinds import ContactSetting
from tianfu.interval import Interval
from tianfu.lake.layout import DAY_MINUTES, absolute_minute, instant_of
from tianfu.tracing.model import VENUE_TYPES_MAX, Reach, Tier
from tianfu.venues.model import VenueCategory

FORMAT: Final = 1
# Venue types as the kernel knows them; 0 is a venue whose category nobody knows.
VENUE_UNKNOWN: Final = 0
VENUE_TYPE: Final[dict[VenueCategory, int]] = {category: code for code, category in enumerate(VenueCategory, start=1)}


class VehicleKind(enum.Enum):
    """What a venue of category `vehicle` is; the words of `tianfu.venues.vehicle`."""

    BUS = "bus"
    COACH = "coach"
    TAXI = "taxi"
    RIDE = "ride"
    TRAIN = "train"
    SHIP = "ship"


# Vehicles whose kind is known have types of their own, after the categories.
VEHICLE_TYPE: Final[dict[VehicleKind, int]] = {
    kind: code for code, kind in enumerate(VehicleKind, start=len(VENUE_TYPE) + 1)
}
# Kinds of stay as `tianfu.tracing.stays` knows them; 0 is none.
STAY_CODE: Final[dict[StayKind, int]] = {kind: code for code, kind in enumerate(StayKind, start=1)}
STAY_CODES_MAX: Final = 256
# What `Near.rows` says besides a number of rows.
NOT_NEAR: Final = -1
EVERYBODY: Final = ROW_MAX

# The ground on which people who shared such a stay are contacts.
SETTING_OF: Final[dict[StayKind, ContactSetting]] = {
    StayKind.HOUSEHOLD: ContactSetting.HOUSEHOLD,
    StayKind.WORK: ContactSetting.WORK,
    StayKind.SCHOOL: ContactSetting.SCHOOL,
    StayKind.CARE: ContactSetting.CARE,
    StayKind.FLIGHT: ContactSetting.FLIGHT,
    StayKind.TRAIN: ContactSetting.TRAIN,
    StayKind.TRAIN_OPEN: ContactSetting.TRAIN,
    StayKind.COACH: ContactSetting.COACH,
    StayKind.COACH_OPEN: ContactSetting.COACH,
    StayKind.SHIP: ContactSetting.SHIP,
    StayKind.ABOARD: ContactSetting.VEHICLE,
    StayKind.TELECOM: ContactSetting.TELECOM,
    StayKind.COMPANION: ContactSetting.TELECOM,
}

PerStay = NDArray[np.int16]
PerStayCrowd = NDArray[np.int32]
_Days = Annotated[int, msgspec.Meta(ge=0, le=60)]
_Minutes = Annotated[int, msgspec.Meta(ge=0, le=3 * DAY_MINUTES)]
_Hours = Annotated[int, msgspec.Meta(ge=1, le=168)]
_Heads = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
_Rows = Annotated[int, msgspec.Meta(ge=0, le=20)]
_Source = Annotated[str, msgspec.Meta(min_length=2, max_length=200)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class Title(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence in both languages."""

    zh: _Text
    en: _Text


class LookBack(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody counts as infectious from `days` days before the onset, or before the sampling of one without any."""

    days: _Days
    source: _Source


class Dwell(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan at a venue of these categories means in time, in minutes; nobody scans on leaving.

    Who scans at t was there from t - `before` until t + `stay`; the place stays contaminated `after` minutes longer.
    More than `crowd` scans in reach name nobody; 0 is no limit. `vehicles`: also vehicles of these kinds; category
    `vehicle` is those whose kind nobody knows. `unknown`: also venues of no known category.
    """

    categories: tuple[VenueCategory, ...]
    before: _Minutes
    stay: _Minutes
    after: _Minutes
    crowd: _Heads
    source: _Source
    vehicles: tuple[VehicleKind, ...] = ()
    unknown: bool = False


class VenueGround(msgspec.Struct, frozen=True, kw_only=True):
    """Scans at venues of these categories make contacts of this tier, on this ground. Always weak evidence."""

    categories: tuple[VenueCategory, ...]
    setting: ContactSetting
    tier: Tier
    source: _Source
    vehicles: tuple[VehicleKind, ...] = ()
    unknown: bool = False


class StayGround(msgspec.Struct, frozen=True, kw_only=True):
    """People who shared a stay of this kind are contacts of this tier.

    `rows`: only those so many rows before or behind, counted in groups of `bay` rows (the bays of an open carriage);
    without it everybody at the place. More than `crowd` people at one place name nobody; 0 is no limit.
    """

    kind: StayKind
    tier: Tier
    strong: bool
    source: _Source
    rows: _Rows | None = None
    bay: Annotated[int, msgspec.Meta(ge=1, le=20)] = 1
    crowd: _Heads = 0


class HopRule(msgspec.Struct, frozen=True, kw_only=True):
    """One hop from the cases. `tier` is what people become by it; `of` the tiers of the hop before who are followed.

    The hop does not exist on and after the day `until`.
    """

    tier: Tier
    source: _Source
    of: tuple[Tier, ...] = ()
    until: date | None = None
    venue: tuple[VenueGround, ...] = ()
    ground: tuple[StayGround, ...] = ()


class Joined(enum.Enum):
    """How the two halves of the telecom rule go together: both, either, or the time together alone."""

    AND = "and"
    OR = "or"
    ALONE = "alone"


class Telecom(msgspec.Struct, frozen=True, kw_only=True):
    """时空伴随: in one square of `metres` for more than `minutes`, and there more than `hours` in `days` days."""

    metres: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    minutes: _Minutes
    hours: Annotated[int, msgspec.Meta(ge=0, le=1_440)]
    days: _Days
    joined: Joined
    source: _Source


class QuarantineStay(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a quarantine: `days` days of one kind, with tests on its own days, counted from 1."""

    stage: IsolationStage
    days: Annotated[int, msgspec.Meta(ge=1, le=60)]
    tests: tuple[Annotated[int, msgspec.Meta(ge=1, le=60)], ...]


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the people of one tier: stays one after the other."""

    tier: Tier
    stay: tuple[QuarantineStay, ...]
    source: _Source


class Clocks(msgspec.Struct, frozen=True, kw_only=True):
    """By when what must be done, in hours.

    From the positive: `core_facts` and `report` of the case, its `contact_list`, `tell_contacts`, and until they are in
    `quarantine`. From the naming of a contact: `move_contacts` to quarantine. From symptoms being seen:
    `test_symptomatic`. From the handing over of a person: `handover`, until the other side has answered.
    """

    core_facts: _Hours
    report: _Hours
    contact_list: _Hours
    tell_contacts: _Hours
    quarantine: _Hours
    move_contacts: _Hours
    test_symptomatic: _Hours
    handover: _Hours
    source: _Source


class TracingRules(msgspec.Struct, frozen=True, kw_only=True):
    """A rule set. A `local` one holds where an incident names it; the others follow each other by `effective_from`."""

    format: Annotated[int, msgspec.Meta(ge=FORMAT, le=FORMAT)]
    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{1,47}$")]
    title: Title
    effective_from: date
    look_back: LookBack
    dwell: tuple[Dwell, ...]
    hop: Annotated[tuple[HopRule, ...], msgspec.Meta(min_length=1, max_length=16)]
    clocks: Clocks
    schedule: tuple[Schedule, ...] = ()
    telecom: Telecom | None = None
    local: bool = False


class CaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What decides since when a case was infectious. `isolated_at` None: not isolated yet."""

    onset_at: datetime | None
    sampled_at: datetime
    isolated_at: datetime | None


class PlannedDay(msgspec.Struct, frozen=True):
    """One day of a quarantine: `number` counts from 1 within its stay."""

    day: date
    stage: IsolationStage
    number: int
    test: bool


class Near(NamedTuple):
    """How near makes a contact, by code of the kind of stay (`STAY_CODE`), for `tianfu.tracing.stays`.

    `rows` int16: `NOT_NEAR` where the kind makes none, `EVERYBODY` at the place, or that many bays to either side;
    `bay` int16: rows in a bay; `crowd` int32: head count beyond which nobody is named, 0 no limit; `strong` bool.
    """

    rows: PerStay
    bay: PerStay
    crowd: PerStayCrowd
    strong: NDArray[np.bool_]


def hops(rules: TracingRules, day: date) -> int:
    """How many hops there are on that day: a hop that is abolished ends the chain."""
    for count, hop in enumerate(rules.hop):
        if hop.until is not None and day >= hop.until:
            return count
    return len(rules.hop)


def reach(rules: TracingRules, hop: int, tier: Tier | None = None) -> Reach:
    """The kernel's tables for scans of hop `hop` (from 1), for people who become `tier` by it; None is its main tier.

    Who scans at u was there in [u - before, u + stay). A source who scanned at t was there in [t - before, t + stay),
    and the place stays contaminated until t + stay + after. The two periods overlap when u is later than
    t - before - stay and earlier than t + stay + after + before: the kernel's `before` and `after`, both excluded.
    Venues that make no contact of that tier have 0. Raises `IndexError` for a hop that the set does not have.
    """
    rule = _hop(rules, hop)
    before, after, crowd = (np.zeros(VENUE_TYPES_MAX, dtype=np.int32) for _ in range(3))
    counted = _codes(ground for ground in rule.venue if ground.tier is (tier or rule.tier))
    for dwell in rules.dwell:
        codes = [code for code in _codes([dwell]) if code in counted]
        before[codes] = dwell.before + dwell.stay
        after[codes] = dwell.before + dwell.stay + dwell.after
        crowd[codes] = dwell.crowd
    return Reach(before, after, crowd)


def near(rules: TracingRules, hop: int, tier: Tier | None = None) -> Near:
    """The tables for stays of hop `hop` (from 1), for people who become `tier` by it; None is its main tier.

    Raises `IndexError` for a hop that the set does not have.
    """
    rule = _hop(rules, hop)
    rows = np.full(STAY_CODES_MAX, NOT_NEAR, dtype=np.int16)
    bay = np.ones(STAY_CODES_MAX, dtype=np.int16)
    crowd = np.zeros(STAY_CODES_MAX, dtype=np.int32)
    strong = np.zeros(STAY_CODES_MAX, dtype=np.bool_)
    for ground in rule.ground:
        if ground.tier is (tier or rule.tier):
            code = STAY_CODE[ground.kind]
            rows[code] = EVERYBODY if ground.rows is None else ground.rows
            bay[code], crowd[code], strong[code] = ground.bay, ground.crowd, ground.strong
    return Near(rows, bay, crowd, strong)


def tiers(rules: TracingRules, hop: int) -> tuple[Tier, ...]:
    """What people can become by this hop, the main tier first. Raises `IndexError` for a hop that there is not."""
    rule = _hop(rules, hop)
    named = [rule.tier, *(ground.tier for ground in rule.venue), *(ground.tier for ground in rule.ground)]
    return tuple(dict.fromkeys(named))


def venue_type(category: VenueCategory | None, vehicle: VehicleKind | None = None) -> int:
    """The kernel's code of such a venue: a vehicle's own kind where it is known; `VENUE_UNKNOWN` for None."""
    if category is VenueCategory.VEHICLE and vehicle is not None:
        return VEHICLE_TYPE[vehicle]
    return VENUE_UNKNOWN if category is None else VENUE_TYPE[category]


def venue_ground(
    rules: TracingRules, hop: int, category: VenueCategory | None, vehicle: VehicleKind | None = None
) -> VenueGround | None:
    """The ground on which a scan at such a venue (see `venue_type`) makes contacts; None where it makes none."""
    code = venue_type(category, vehicle)
    return next((ground for ground in _hop(rules, hop).venue if code in _codes([ground])), None)


def infectious(facts: CaseFacts, rules: TracingRules) -> Interval:
    """When the case could infect others: from the look-back until isolation, without end while not isolated.

    Days are counted as the rules say them, whole: it begins with the Shanghai day that lies `days` days before the day
    of the onset (of the sampling, for one without onset). Isolated even before: an empty period.
    """
    anchor = absolute_minute(facts.onset_at or facts.sampled_at)
    begins_at = instant_of((anchor // DAY_MINUTES - rules.look_back.days) * DAY_MINUTES)
    ends_at = facts.isolated_at
    return Interval(begins_at, None if ends_at is None else max(ends_at, begins_at))


def schedule(rules: TracingRules, tier: Tier) -> Schedule | None:
    """What is asked of that tier; None where nothing is."""
    return next((found for found in rules.schedule if found.tier is tier), None)


def plan(asked: Schedule, begins: date) -> tuple[PlannedDay, ...]:
    """The days of a quarantine whose first day is `begins`."""
    days: list[PlannedDay] = []
    for stay in asked.stay:
        first = begins + timedelta(days=len(days))
        days.extend(
            PlannedDay(first + timedelta(days=number - 1), stay.stage, number, number in stay.tests)
            for number in range(1, stay.days + 1)
        )
    return tuple(days)


def companion(
    rule: Telecom, *, metres: int | None = None, minutes: int | None = None, hours: int | None = None
) -> bool:
    """Whether an entry of a carrier's list is a companion. What the list does not say is taken as met."""
    together = (metres is None or metres <= rule.metres) and (minutes is None or minutes > rule.minutes)
    stayed = hours is None or hours > rule.hours
    if rule.joined is Joined.AND:
        return together and stayed
    return together or stayed if rule.joined is Joined.OR else together


def with_stay(rules: TracingRules, minutes: int) -> TracingRules:
    """The plain scan definition with stays of `minutes`, at any venue: the same set with other dwell times."""
    dwell = tuple(msgspec.structs.replace(found, before=0, stay=minutes, after=0) for found in rules.dwell)
    return msgspec.structs.replace(rules, dwell=dwell)


def _hop(rules: TracingRules, hop: int) -> HopRule:
    if not 1 <= hop <= len(rules.hop):
        message = f"hop {hop} of a rule set with {len(rules.hop)}"
        raise IndexError(message)
    return rules.hop[hop - 1]


def _codes(grounds: Iterable[Dwell | VenueGround]) -> set[int]:
    codes: set[int] = set()
    for ground in grounds:
        codes.update(VENUE_TYPE[category] for category in ground.categories)
        codes.update(VEHICLE_TYPE[vehicle] for vehicle in ground.vehicles)
        if ground.unknown:
            codes.add(VENUE_UNKNOWN)
    return codes
