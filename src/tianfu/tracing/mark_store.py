"""SQL of the marks of cases whose rows may differ by now. Transactions belong to the caller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tianfu.platform import binary
from tianfu.platform.database import Read, Write


def is_traced_anywhere(read: Read) -> bool:
    """Whether any incident is open that has cases."""
    return bool(
        read.value(
            "select exists (select from incident i join incident_case c using (incident_ref)"
            " where i.closed_at is null and c.withdrawn_at is null)"
        )
    )


def people_at(read: Read, places: Sequence[tuple[UUID, datetime, datetime | None]]) -> list[int]:
    """Who stayed at one of these places at a time that [begin, end) of it touches; an end of None is none."""
    rows = read.rows(
        "select distinct c.person_ref from unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[])"
        " as wanted (place, begins_at, ends_at) join co_stay c on c.place = wanted.place"
        " and (wanted.ends_at is null or c.begins_at < wanted.ends_at)"
        " and (c.ends_at is null or c.ends_at > wanted.begins_at)",
        ([row[0] for row in places], [row[1] for row in places], [row[2] for row in places]),
    )
    return [person for (person,) in rows]


def mark(write: Write, persons: Sequence[int], renumbered: Sequence[int], *, at: datetime) -> int:
    """Mark the cases of open incidents that `persons` are, or that go on from them as contacts; how many marks.

    Of `renumbered` also those who stand among a case's rows and are not gone on from.
    """
    return write.execute(
        """
        insert into trace_mark (incident_ref, case_ref, since)
        select incident_ref, case_ref, %(at)s from (
            select c.incident_ref, c.person_ref as case_ref
            from incident_case c join incident i using (incident_ref)
            where i.closed_at is null and c.withdrawn_at is null and c.person_ref = any(%(everybody)s::bigint[])
            union
            select s.incident_ref, s.case_ref
            from traced t
            join incident i on i.incident_ref = t.incident_ref and i.closed_at is null
            join trace_support s on s.incident_ref = t.incident_ref and s.person_ref = t.person_ref
            join trace_expansion e on e.incident_ref = s.incident_ref and e.case_ref = s.case_ref
            where t.person_ref = any(%(everybody)s::bigint[])
              and (s.hop < e.hops or t.person_ref = any(%(renumbered)s::bigint[]))
        ) as concerned
        """,
        {
            "at": at,
            "everybody": binary.bigints(sorted({*persons, *renumbered})),
            "renumbered": binary.bigints(renumbered),
        },
    )


def marked(read: Read, incident_ref: int) -> dict[int, int]:
    """The marks of an incident: the case of each."""
    rows = read.rows("select mark_id, case_ref from trace_mark where incident_ref = %s", (incident_ref,))
    return dict(rows)


def clear(write: Write, marks: Sequence[int]) -> None:
    """Take these marks away."""
    write.execute("delete from trace_mark where mark_id = any(%s::bigint[])", (binary.bigints(marks),))


def waiting(read: Read) -> list[str]:
    """The numbers of open incidents with marks, the longest waiting first."""
    rows = read.rows(
        "select i.number from trace_mark m join incident i using (incident_ref) where i.closed_at is null"
        " group by i.number order by min(m.mark_id)"
    )
    return [number for (number,) in rows]
