"""Kinds of evidence about travel: arriving, journeys, stays, and stays in risk areas.

Divisions are GB/T 2260 codes of six digits, or of nine where a department knows the township (街道, 乡镇).
"""

from __future__ import annotations

import enum

import msgspec

from tianfu.clock import Instant


class ZoneLevel(enum.Enum):
    """Levels of risk areas of all protocols; `LIFTED` is a zone that is none any more."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    SEALED = "sealed"
    CONTROLLED = "controlled"
    PREVENTIVE = "preventive"
    LIFTED = "lifted"


class ZoneRelation(enum.Enum):
    """Whether somebody was in the zone itself, in its surroundings, or lives in it now."""

    INSIDE = "inside"
    SURROUNDINGS = "surroundings"
    RESIDENT = "resident"


class ArrivalChannel(enum.Enum):
    """Who noticed the arrival: an entry point's code, a carrier's list, an own or a community's report."""

    ENTRY_POINT = "entry_point"
    TELECOM = "telecom"
    REPORT = "report"
    TRANSPORT = "transport"


class Destination(enum.Enum):
    """Where somebody who crossed the border is going."""

    IN_PROVINCE = "in_province"
    ELSEWHERE = "elsewhere"


class JourneyMode(enum.Enum):
    """Means of transport."""

    AIR = "air"
    RAIL = "rail"
    COACH = "coach"
    SHIP = "ship"


class Ventilation(enum.Enum):
    """Whether a carriage or coach is sealed and air-conditioned, or open to fresh air."""

    SEALED = "sealed"
    OPEN = "open"


class Arrival(msgspec.Struct, frozen=True, kw_only=True, tag="arrival"):
    """Somebody arrived in the province (入川, 来返川). `origin` is the division they come from.

    `origin_level` is the level of the risk area there at the time, `left_origin_at` when they left it, if known.
    """

    arrived_at: Instant
    channel: ArrivalChannel
    origin: str | None = None
    origin_level: ZoneLevel | None = None
    left_origin_at: Instant | None = None


class BorderEntry(msgspec.Struct, frozen=True, kw_only=True, tag="border_entry"):
    """Somebody entered the country. `isolation_ended_at` and `left_province_at` as they become known."""

    entered_at: Instant
    port: str
    destination: Destination
    isolation_ended_at: Instant | None = None
    left_province_at: Instant | None = None


class Journey(msgspec.Struct, frozen=True, kw_only=True, tag="journey"):
    """A seat on a flight, train, coach or ship; says nothing of a risk by itself. `service` is e.g. a train number."""

    mode: JourneyMode
    service: str
    departed_at: Instant
    arrived_at: Instant
    origin: str | None = None
    destination: str | None = None
    carriage: str | None = None
    row: int | None = None
    seat: str | None = None
    ventilation: Ventilation | None = None
    crew: bool = False


class Stay(msgspec.Struct, frozen=True, kw_only=True, tag="stay"):
    """Somebody was in a division. `cell` is a square of 0.01 degrees, `31.22,104.05` its south-western corner."""

    division: str
    began_at: Instant
    ended_at: Instant | None = None
    cell: str | None = None


class ZoneStay(msgspec.Struct, frozen=True, kw_only=True, tag="zone_stay"):
    """Somebody was, or lives, in a risk area. Derived from stays and the published areas, or sent as a list.

    When the area's level changes, a new statement under the same key revises this one: a lifted area gives
    `level = lifted` the same day. `designated_at` is when the area got its first level, `left_at` when the person left.
    """

    zone: str
    level: ZoneLevel
    relation: ZoneRelation
    designated_at: Instant
    level_since: Instant
    left_at: Instant | None = None
    last_infection_at: Instant | None = None
