"""SQL of incidents and their cases. Transactions belong to the caller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

from tianfu.platform.database import Read, Write

# First key of the advisory locks of incidents ("IN"); the second is a place while a number is drawn there.
_LOCK_CLASS: Final = 0x494E

_INCIDENTS: Final[LiteralString] = (
    "select incident_ref, number, place, rules, hops, opened_at, opened_by, automatic, closed_at, touches,"
    " traced_touches, traced_at from incident"
)
_INCIDENT_FIELDS: Final = (
    *("incident_ref", "number", "place", "rules", "hops", "opened_at", "opened_by", "automatic", "closed_at"),
    *("touches", "traced_touches", "traced_at"),
)
_CASES: Final[LiteralString] = (
    "select person_ref, infectious_from, infectious_to, evidence_id, stated, added_at, added_by, withdrawn_at,"
    " withdrawn_by from incident_case"
)
_CASE_FIELDS: Final = (
    *("person", "infectious_from", "infectious_to", "evidence_id", "stated", "added_at", "added_by"),
    *("withdrawn_at", "withdrawn_by"),
)

Row = dict[str, Any]


def find(read: Read, number: str) -> Row | None:
    """The row of an incident by its number; None when there is none."""
    return _one(read.row(_INCIDENTS + " where number = %s", (number,)))


def locked(write: Write, number: str) -> Row | None:
    """`find`, and nobody else changes the incident or its cases until the transaction ends."""
    return _one(write.row(_INCIDENTS + " where number = %s for update", (number,)))


def listed(read: Read, scopes: Sequence[str], *, with_closed: bool, before: int | None, limit: int) -> list[Row]:
    """Incidents whose place begins with one of `scopes`, newest first, below number `before`."""
    rows = read.rows(
        _INCIDENTS + " where exists (select from unnest(%s::text[]) as scope where starts_with(place, scope))"
        " and (%s or closed_at is null) and (%s::integer is null or incident_ref < %s)"
        " order by incident_ref desc limit %s",
        (list(scopes), with_closed, before, before, limit),
    )
    return [dict(zip(_INCIDENT_FIELDS, row, strict=True)) for row in rows]


def open_numbers(read: Read) -> list[str]:
    """The numbers of the incidents that are open, oldest first."""
    rows = read.rows("select number from incident where closed_at is null order by incident_ref")
    return [number for (number,) in rows]


def waiting(read: Read) -> list[tuple[str, int]]:
    """The open incidents that were touched since they were traced, oldest first: number and touches."""
    rows = read.rows(
        "select number, touches from incident where closed_at is null and touches > traced_touches"
        " order by incident_ref"
    )
    return [(number, touches) for number, touches in rows]


def oldest_untraced(read: Read) -> datetime | None:
    """Since when the first case waits that an open incident has and its list does not know; None when none does."""
    since: datetime | None = read.value(
        "select min(c.added_at) from incident i join incident_case c using (incident_ref)"
        " left join trace_expansion e on e.incident_ref = c.incident_ref and e.case_ref = c.person_ref"
        " where i.closed_at is null and i.touches > i.traced_touches and c.withdrawn_at is null and e.case_ref is null"
    )
    return since


def last_number(write: Write, place: str, year: int) -> int:
    """The highest running number of a county's year, 0 before the first; nobody else draws one meanwhile."""
    write.execute("select pg_advisory_xact_lock(%s, %s)", (_LOCK_CLASS, int(place)))
    number: int = write.value(
        "select coalesce(max(right(number, 3)::integer), 0) from incident where starts_with(number, %s)",
        (f"{year:04d}-{place}-",),
    )
    return number


def insert(
    write: Write, *, number: str, place: str, rules: str | None, opened_at: datetime, opened_by: str, automatic: bool
) -> None:
    """Write a new incident."""
    write.execute(
        "insert into incident (number, place, rules, opened_at, opened_by, automatic) values (%s, %s, %s, %s, %s, %s)",
        (number, place, rules, opened_at, opened_by, automatic),
    )


def close(write: Write, incident_ref: int, *, at: datetime, by: str) -> None:
    """Mark an incident closed."""
    write.execute("update incident set closed_at = %s, closed_by = %s where incident_ref = %s", (at, by, incident_ref))


def reopen(write: Write, incident_ref: int) -> None:
    """Mark an incident open again, which is a touch."""
    write.execute(
        "update incident set closed_at = null, closed_by = null, touches = touches + 1 where incident_ref = %s",
        (incident_ref,),
    )


def set_terms(write: Write, incident_ref: int, *, rules: str | None, hops: int | None) -> None:
    """Other rules or hops, which is a touch."""
    write.execute(
        "update incident set rules = %s, hops = %s, touches = touches + 1 where incident_ref = %s",
        (rules, hops, incident_ref),
    )


def touch(write: Write, incident_ref: int) -> None:
    """Count a change of the cases."""
    write.execute("update incident set touches = touches + 1 where incident_ref = %s", (incident_ref,))


def set_traced(write: Write, incident_ref: int, *, touches: int, as_of: datetime) -> None:
    """Note how far the list goes."""
    write.execute(
        "update incident set traced_touches = greatest(traced_touches, %s), traced_at = %s where incident_ref = %s",
        (touches, as_of, incident_ref),
    )


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(read: Read, incident_ref: int, *, with_withdrawn: bool) -> list[Row]:
    """The cases of an incident, by person."""
    rows = read.rows(
        _CASES + " where incident_ref = %s and (%s or withdrawn_at is null) order by person_ref",
        (incident_ref, with_withdrawn),
    )
    return [dict(zip(_CASE_FIELDS, row, strict=True)) for row in rows]


def case(read: Read, incident_ref: int, person: int) -> Row | None:
    """One case, withdrawn or not."""
    row = read.row(_CASES + " where incident_ref = %s and person_ref = %s", (incident_ref, person))
    return None if row is None else dict(zip(_CASE_FIELDS, row, strict=True))


def count_cases(read: Read, incident_ref: int) -> int:
    """How many cases an incident has that were not withdrawn."""
    count: int = read.value(
        "select count(*) from incident_case where incident_ref = %s and withdrawn_at is null", (incident_ref,)
    )
    return count


def put_case(write: Write, incident_ref: int, case: Row) -> None:
    """Write a case, with the fields of `cases` less the withdrawal, or write over the one there is: it counts again."""
    write.execute(
        "insert into incident_case (incident_ref, person_ref, infectious_from, infectious_to, evidence_id, stated,"
        " added_at, added_by) values (%(incident)s, %(person)s, %(infectious_from)s, %(infectious_to)s,"
        " %(evidence_id)s, %(stated)s, %(added_at)s, %(added_by)s)"
        " on conflict (incident_ref, person_ref) do update set infectious_from = excluded.infectious_from,"
        " infectious_to = excluded.infectious_to, evidence_id = excluded.evidence_id, stated = excluded.stated,"
        " added_at = excluded.added_at, added_by = excluded.added_by, withdrawn_at = null, withdrawn_by = null",
        {"incident": incident_ref, **case},
    )


def set_period(
    write: Write,
    incident_ref: int,
    person: int,
    *,
    infectious_from: datetime,
    infectious_to: datetime | None,
    stated: bool,
) -> None:
    """Another period for a case."""
    write.execute(
        "update incident_case set infectious_from = %s, infectious_to = %s, stated = %s"
        " where incident_ref = %s and person_ref = %s",
        (infectious_from, infectious_to, stated, incident_ref, person),
    )


def withdraw_case(write: Write, incident_ref: int, person: int, *, at: datetime, by: str) -> None:
    """A case counts no more."""
    write.execute(
        "update incident_case set withdrawn_at = %s, withdrawn_by = %s where incident_ref = %s and person_ref = %s",
        (at, by, incident_ref, person),
    )


def person_exists(read: Read, person: int) -> bool:
    """Whether a person of that number is known."""
    return bool(read.value("select exists (select from person where person_ref = %s)", (person,)))


# --- who belongs where ------------------------------------------------------------------------------------------------


def where_case(read: Read, person: int) -> list[tuple[str, Row]]:
    """The open incidents in which the person is a case, withdrawn or not: number and case."""
    rows = read.rows(
        "select i.number, c.person_ref, c.infectious_from, c.infectious_to, c.evidence_id, c.stated, c.added_at,"
        " c.added_by, c.withdrawn_at, c.withdrawn_by from incident_case c join incident i using (incident_ref)"
        " where c.person_ref = %s and i.closed_at is null order by i.incident_ref",
        (person,),
    )
    return [(row[0], dict(zip(_CASE_FIELDS, row[1:], strict=True))) for row in rows]


def fitting_incident(read: Read, person: int, place: str) -> str | None:
    """The open incident that a new case belongs to: number, or None.

    First an incident of `place` that lists the person, then the newest of `place`, then any that lists the person.
    """
    number: str | None = read.value(
        "select i.number from incident i"
        " left join traced t on t.incident_ref = i.incident_ref and t.person_ref = %(person)s"
        " where i.closed_at is null and (i.place = %(place)s or t.person_ref is not null)"
        " order by i.place = %(place)s desc, t.person_ref is not null desc, i.incident_ref desc limit 1",
        {"person": person, "place": place},
    )
    return number


def _one(row: tuple[Any, ...] | None) -> Row | None:
    return None if row is None else dict(zip(_INCIDENT_FIELDS, row, strict=True))
