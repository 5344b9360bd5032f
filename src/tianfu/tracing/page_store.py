"""SQL of reading lists: pages by key, counts, one person's rows, the chain. Transactions belong to the caller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

import msgspec

from tianfu.platform.database import Read

_LISTED: Final = (
    *("person", "hop", "tier", "setting", "strong", "exposed_at", "parent", "venue", "cases", "place", "state"),
)
_SUPPORT: Final = ("case", "hop", "tier", "setting", "strong", "exposed_at", "parent", "venue")

_LIST: Final[LiteralString] = (
    "select person_ref, hop, tier, setting, strong, exposed_at, parent_ref, venue_ref, cases, place, state from traced"
)
# A county that nobody knows begins with "" only.
_SCOPED: Final[LiteralString] = (
    " and exists (select from unnest(%(scopes)s::text[]) as scope where starts_with(coalesce(place, ''), scope))"
)

Row = dict[str, Any]


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What to show; each None lets everything through.

    Words as in `tianfu.tracing.pages.Listed`; `place` is a county's code. `scopes` are prefixes of the counties that
    may be seen, None for all.
    """

    tier: str | None = None
    hop: int | None = None
    state: str | None = None
    place: str | None = None
    scopes: tuple[str, ...] | None = None

    def within(self, scopes: tuple[str, ...] | None) -> Filters:
        """The same for the people of these districts."""
        return msgspec.structs.replace(self, scopes=scopes)


def page(
    read: Read, incident_ref: int, filters: Filters, *, after: tuple[int, datetime, int] | None, limit: int
) -> list[Row]:
    """Rows by hop, exposure and person, beyond the key `after`.

    Each choice of filters is a statement of its own, so that each finds its index.
    """
    sql: LiteralString = _LIST + " where incident_ref = %(incident)s"
    if filters.tier is not None:
        sql += " and tier = %(tier)s"
    if filters.hop is not None:
        sql += " and hop = %(hop)s"
    if filters.state == "proposed":
        sql += " and state = 'proposed'"
    elif filters.state is not None:
        sql += " and state = %(state)s and state <> 'proposed'"
    if filters.place is not None:
        sql += " and place = %(place)s"
    if filters.scopes is not None:
        sql += _SCOPED
    if after is not None:
        sql += " and (hop, exposed_at, person_ref) > (%(hop_after)s::smallint, %(at_after)s, %(person_after)s)"
    key = after or (0, None, 0)
    rows = read.rows(
        sql + " order by hop, exposed_at, person_ref limit %(limit)s",
        {
            "incident": incident_ref,
            "tier": filters.tier,
            "hop": filters.hop,
            "state": filters.state,
            "place": filters.place,
            "scopes": None if filters.scopes is None else list(filters.scopes),
            "hop_after": key[0],
            "at_after": key[1],
            "person_after": key[2],
            "limit": limit,
        },
    )
    return [dict(zip(_LISTED, row, strict=True)) for row in rows]


def counts(read: Read, incident_ref: int, scopes: Sequence[str] | None) -> list[tuple[str, int, str, str | None, int]]:
    """How many people by tier, hop, state and county."""
    rows = read.rows(
        "select tier, hop, state, place, count(*) from traced where incident_ref = %(incident)s"
        " and (%(scopes)s::text[] is null"
        " or exists (select from unnest(%(scopes)s::text[]) as scope where starts_with(coalesce(place, ''), scope)))"
        " group by tier, hop, state, place order by count(*) desc, tier, hop, state, place",
        {"incident": incident_ref, "scopes": None if scopes is None else list(scopes)},
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def counts_by_day(read: Read, incident_ref: int, scopes: Sequence[str] | None) -> list[tuple[str, int]]:
    """How many people by the Shanghai day of their first exposure, as `2022-03-01`."""
    rows = read.rows(
        "select to_char(exposed_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD') as day, count(*) from traced"
        " where incident_ref = %(incident)s and (%(scopes)s::text[] is null"
        " or exists (select from unnest(%(scopes)s::text[]) as scope where starts_with(coalesce(place, ''), scope)))"
        " group by day order by day",
        {"incident": incident_ref, "scopes": None if scopes is None else list(scopes)},
    )
    return [(day, count) for day, count in rows]


def listed(read: Read, incident_ref: int, person: int) -> Row | None:
    """One person's row of the list."""
    row = read.row(
        _LIST + " where incident_ref = %s and person_ref = %s",
        (incident_ref, person),
    )
    return None if row is None else dict(zip(_LISTED, row, strict=True))


def support(read: Read, incident_ref: int, person: int, limit: int) -> list[Row]:
    """What each case supports about a person, the rows the list prefers first."""
    rows = read.rows(
        "select case_ref, hop, tier, setting, strong, exposed_at, parent_ref, venue_ref from trace_support"
        " where incident_ref = %s and person_ref = %s order by hop, exposed_at, parent_ref, case_ref limit %s",
        (incident_ref, person, limit),
    )
    return [dict(zip(_SUPPORT, row, strict=True)) for row in rows]


def support_of(read: Read, incident_ref: int, case: int, person: int) -> Row | None:
    """What one case supports about a person."""
    row = read.row(
        "select case_ref, hop, tier, setting, strong, exposed_at, parent_ref, venue_ref from trace_support"
        " where incident_ref = %s and case_ref = %s and person_ref = %s",
        (incident_ref, case, person),
    )
    return None if row is None else dict(zip(_SUPPORT, row, strict=True))


def children(
    read: Read, incident_ref: int, parent: int, *, after: int, limit: int, scopes: Sequence[str] | None
) -> list[Row]:
    """Who is listed through `parent`, by person, beyond person `after`."""
    rows = read.rows(
        _LIST + " where incident_ref = %(incident)s and parent_ref = %(parent)s and person_ref > %(after)s"
        " and (%(scopes)s::text[] is null"
        " or exists (select from unnest(%(scopes)s::text[]) as scope where starts_with(coalesce(place, ''), scope)))"
        " order by person_ref limit %(limit)s",
        {
            "incident": incident_ref,
            "parent": parent,
            "after": after,
            "limit": limit,
            "scopes": None if scopes is None else list(scopes),
        },
    )
    return [dict(zip(_LISTED, row, strict=True)) for row in rows]


def announcements(
    read: Read, incident_ref: int, *, after: tuple[int, datetime] | None, limit: int
) -> list[tuple[int, str, str, datetime, datetime, int]]:
    """Places to be told of: venue, its name, county, from, to, scans withheld; by venue and beginning."""
    rows = read.rows(
        "select p.venue_ref, coalesce(v.name, ''), coalesce(v.district, ''), p.begins_at, p.ends_at, p.scans"
        " from place_announcement p left join venue v on v.venue_ref = p.venue_ref where p.incident_ref = %s"
        " and (p.venue_ref, p.begins_at) > (%s, coalesce(%s::timestamptz, '-infinity'))"
        " order by p.venue_ref, p.begins_at limit %s",
        (incident_ref, 0 if after is None else after[0], None if after is None else after[1], limit),
    )
    return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows]


def announced(read: Read, incident_ref: int) -> tuple[int, int]:
    """How many places are told of, and how many scans were withheld there."""
    row = read.row(
        "select count(*), coalesce(sum(scans), 0)::bigint from place_announcement where incident_ref = %s",
        (incident_ref,),
    )
    return (0, 0) if row is None else (row[0], row[1])


def venue_names(read: Read, venues: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Name and county of each venue that is known."""
    rows = read.rows("select venue_ref, name, district from venue where venue_ref = any(%s)", (list(venues),))
    return {number: (name, district) for number, name, district in rows}
