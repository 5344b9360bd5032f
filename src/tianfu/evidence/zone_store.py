"""SQL of risk areas, emergency orders, and of the look-ups by which one statement reaches other people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write


class ZoneRow(NamedTuple):
    """An area as stored, with one of its levels."""

    zone: str
    name_zh: str
    name_en: str
    divisions: list[str]
    cells: list[str]
    declared_at: datetime
    level: str
    since: datetime
    last_infection_at: datetime | None


class StayRow(NamedTuple):
    """Where a statement says somebody was."""

    evidence_id: int
    person: int
    division: str
    cell: str | None
    began_at: datetime
    ended_at: datetime | None


class LinkRow(NamedTuple):
    """A statement that names another one's record as its parent."""

    source: str
    parent_record: str
    evidence_id: int
    person: int


def insert_zone(write: Write, row: Sequence[Any]) -> bool:
    """Add an area (zone, names, divisions, cells, polygon, declared_at); whether it was new."""
    return bool(
        write.execute(
            """
            insert into zone (zone, name_zh, name_en, divisions, cells, polygon, declared_at)
            values (%s, %s, %s, %s, %s, %s, %s) on conflict (zone) do nothing
            """,
            row,
        )
    )


def insert_level(write: Write, row: Sequence[Any]) -> None:
    """Add a level (zone, level, since, last_infection_at, stated_by, approved_by, received_at)."""
    write.execute(
        """
        insert into zone_level (zone, level, since, last_infection_at, stated_by, approved_by, received_at)
        values (%s, %s, %s, %s, %s, %s, %s)
        """,
        row,
    )


def levels(read: Read, at: datetime) -> list[ZoneRow]:
    """Every area with the level that holds at `at`, by key. Areas whose first level lies later are left out."""
    rows = read.rows(
        """
        select z.zone, z.name_zh, z.name_en, z.divisions, z.cells, z.declared_at, l.level, l.since, l.last_infection_at
        from zone z
        join lateral (
            select level, since, last_infection_at from zone_level
            where zone_level.zone = z.zone and since <= %s
            order by since desc, zone_level_id desc limit 1
        ) l on true
        order by z.zone
        """,
        (at,),
    )
    return [ZoneRow._make(row) for row in rows]


def history(read: Read, zone: str) -> list[tuple[str, datetime, datetime | None, str, str]]:
    """The levels of one area in order: level, since, last infection, who stated and who approved it."""
    rows = read.rows(
        """
        select level, since, last_infection_at, stated_by, approved_by from zone_level
        where zone = %s order by since, zone_level_id
        """,
        (zone,),
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def people_with_stays(
    read: Read, divisions: Sequence[str], cells: Sequence[str], *, after: PersonRef, limit: int
) -> list[PersonRef]:
    """People with a stay in one of the divisions (any code that begins with it) or cells, by number beyond `after`."""
    rows = read.rows(
        """
        select distinct person_ref from stay_place
        where person_ref > %(after)s
          and (division like any(%(patterns)s::text[]) or cell = any(%(cells)s::text[]))
        order by person_ref
        limit %(limit)s
        """,
        {
            "after": after,
            "patterns": [f"{division}%" for division in divisions],
            "cells": list(cells),
            "limit": limit,
        },
    )
    return [PersonRef(row[0]) for row in rows]


def insert_stays(write: Write, rows: Sequence[StayRow]) -> None:
    """Note where statements say people were."""
    write.copy("copy stay_place (evidence_id, person_ref, division, cell, began_at, ended_at) from stdin", rows)


def insert_links(write: Write, rows: Sequence[LinkRow]) -> None:
    """Note whose contacts people are."""
    write.copy("copy contact_link (source, parent_record, evidence_id, person_ref) from stdin", rows)


def children(read: Read, sources: Sequence[str], records: Sequence[str]) -> list[LinkRow]:
    """The statements that name one of the records (pairs of `sources` and `records`) as their parent."""
    rows = read.rows(
        """
        select l.source, l.parent_record, l.evidence_id, l.person_ref
        from unnest(%s::text[], %s::text[]) as wanted (source, record)
        join contact_link l on l.source = wanted.source and l.parent_record = wanted.record
        """,
        (list(sources), list(records)),
    )
    return [LinkRow._make(row) for row in rows]


def insert_order(write: Write, row: Sequence[Any]) -> bool:
    """Add an order (key, level, scope, reason, ordered_at, ends_at, who, who, received_at); whether it was new."""
    return bool(
        write.execute(
            """
            insert into emergency_order
                (order_key, level, scope, reason, ordered_at, ends_at, stated_by, approved_by, received_at)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (order_key) do nothing
            """,
            row,
        )
    )


def orders(read: Read) -> list[tuple[Any, ...]]:
    """Every order, the newest first: key, level, scope, reason, ordered_at, ends_at, stated_by, approved_by."""
    return read.rows(
        """
        select order_key, level, scope, reason, ordered_at, ends_at, stated_by, approved_by
        from emergency_order order by ordered_at desc, order_key
        """
    )


def known_orders(read: Read, keys: Sequence[str]) -> dict[str, tuple[str, datetime, datetime]]:
    """Level, beginning and end of each order that exists."""
    rows = read.rows(
        "select order_key, level, ordered_at, ends_at from emergency_order where order_key = any(%s::text[])",
        (list(keys),),
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}
