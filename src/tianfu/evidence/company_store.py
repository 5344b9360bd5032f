"""SQL of the queue of what changed in who is together with whom. Transactions belong to the caller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tianfu.platform import binary
from tianfu.platform.database import Write


class Change(NamedTuple):
    """At `place` stays came or went that cover [`begins_at`, `ends_at`), or something else is known of `person`.

    `ends_at` None is without end. `merged`: the person has other numbers than before.
    """

    place: UUID | None
    begins_at: datetime | None
    ends_at: datetime | None
    person: int | None
    merged: bool


def note_places(write: Write, places: Sequence[tuple[UUID, datetime, datetime | None]], at: datetime) -> None:
    """Queue places: each with the first beginning and the last end of what changed there."""
    write.execute(
        "insert into company_change (place, begins_at, ends_at, since) select place, begins_at, ends_at, %s"
        " from unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[]) as changed (place, begins_at, ends_at)",
        (at, [row[0] for row in places], [row[1] for row in places], [row[2] for row in places]),
    )


def note_people(write: Write, persons: Sequence[int], at: datetime, *, merged: bool) -> None:
    """Queue people."""
    write.execute(
        "insert into company_change (person_ref, merged, since) select person, %s, %s from unnest(%s::bigint[]) person",
        (merged, at, binary.bigints(persons)),
    )


def take(write: Write, limit: int) -> list[Change]:
    """Remove up to `limit` entries, oldest first; those that another transaction is just taking are passed over."""
    rows = write.rows(
        "delete from company_change where change_id = any(array("
        "select change_id from company_change order by change_id limit %s for update skip locked))"
        " returning place, begins_at, ends_at, person_ref, merged",
        (limit,),
    )
    return [Change._make(row) for row in rows]
