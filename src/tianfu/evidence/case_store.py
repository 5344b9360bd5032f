"""SQL of the queue of people whom evidence may make a case, or unmake one. Transactions belong to the caller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tianfu.platform import binary
from tianfu.platform.database import Read, Write


def mark(write: Write, persons: Sequence[int], at: datetime) -> None:
    """Queue `persons`."""
    write.execute(
        "insert into case_change (person_ref, since) select person, %s from unnest(%s::bigint[]) as person",
        (at, binary.bigints(persons)),
    )


def take(write: Write, limit: int) -> list[tuple[int, datetime]]:
    """Remove up to `limit` entries, oldest first; those that another transaction is just taking are passed over."""
    rows = write.rows(
        "delete from case_change where change_id = any(array("
        "select change_id from case_change order by change_id limit %s for update skip locked))"
        " returning person_ref, since",
        (limit,),
    )
    return [(person, since) for person, since in rows]


def oldest(read: Read) -> datetime | None:
    """Since when the first entry waits; None when none does."""
    since: datetime | None = read.value("select min(since) from case_change")
    return since


def isolated_among(read: Read, persons: Sequence[int]) -> list[int]:
    """Who of `persons` was ever said to be isolated, withdrawn statements included."""
    rows = read.rows(
        "select distinct person_ref from evidence where kind = 'isolation' and person_ref = any(%s::bigint[])"
        " order by person_ref",
        (binary.bigints(persons),),
    )
    return [person for (person,) in rows]
