"""SQL of hand-overs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

import msgspec

from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write

_HANDOVER: Final[LiteralString] = (
    "select h.handover_ref, h.incident_ref, h.from_place, h.to_place, h.requested_at, h.requested_by, h.due_at,"
    " h.reminded_at, h.file,"
    " (select count(*) from handover_person p where p.handover_ref = h.handover_ref and p.state = 'asked'),"
    " (select count(*) from handover_person p where p.handover_ref = h.handover_ref and p.state = 'accepted'),"
    " (select count(*) from handover_person p where p.handover_ref = h.handover_ref and p.state = 'refused')"
    " from handover h"
)


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """A hand-over from one county to another place. It is answered when nobody of it is `asked` any more."""

    handover_ref: int
    incident_ref: int
    from_place: str
    to_place: str
    requested_at: datetime
    requested_by: str
    due_at: datetime
    reminded_at: datetime | None
    file: str | None
    asked: int
    accepted: int
    refused: int


def insert(
    write: Write,
    *,
    incident_ref: int,
    from_place: str,
    to_place: str,
    persons: Sequence[PersonRef],
    at: datetime,
    by: str,
    due_at: datetime,
) -> int:
    """A new hand-over of these people; its number."""
    number: int = write.value(
        "insert into handover (incident_ref, from_place, to_place, requested_at, requested_by, due_at)"
        " values (%s, %s, %s, %s, %s, %s) returning handover_ref",
        (incident_ref, from_place, to_place, at, by, due_at),
    )
    write.copy(
        "copy handover_person (handover_ref, incident_ref, person_ref) from stdin",
        ((number, incident_ref, person) for person in persons),
    )
    return number


def find(read: Read, handover_ref: int) -> Handover | None:
    """One hand-over."""
    row = read.row(_HANDOVER + " where h.handover_ref = %s", (handover_ref,))
    return None if row is None else _handover(row)


def offered(read: Read, persons: Sequence[PersonRef]) -> set[PersonRef]:
    """Which of these people are being handed over now."""
    rows = read.rows(
        "select person_ref from handover_person where person_ref = any(%s) and state = 'asked'", (list(persons),)
    )
    return {PersonRef(row[0]) for row in rows}


def people(write: Write, handover_ref: int) -> dict[PersonRef, tuple[str, str | None]]:
    """State and reason of each person of a hand-over, locked until the transaction ends."""
    rows = write.rows(
        "select person_ref, state, reason from handover_person where handover_ref = %s order by person_ref for update",
        (handover_ref,),
    )
    return {PersonRef(person): (state, reason) for person, state, reason in rows}


def decide(
    write: Write,
    handover_ref: int,
    persons: Sequence[PersonRef],
    *,
    state: str,
    reason: str | None,
    by: str,
    at: datetime,
) -> None:
    """The answer about these people."""
    write.execute(
        "update handover_person set state = %s, reason = %s, decided_by = %s, decided_at = %s"
        " where handover_ref = %s and person_ref = any(%s) and state = 'asked'",
        (state, reason, by, at, handover_ref, list(persons)),
    )


def move(write: Write, persons: Sequence[PersonRef], place: str, at: datetime) -> list[tuple[int, PersonRef]]:
    """Another county follows these people from now on, in every incident; nobody there is told off for them yet.

    Returns which follow-ups moved.
    """
    rows = write.rows(
        "update followup set place = %s, assignee = null where person_ref = any(%s) and closed_at is null"
        " and place <> %s returning incident_ref, person_ref",
        (place, list(persons), place),
    )
    write.execute(
        "update followup_county set until = %s where person_ref = any(%s) and until is null and place <> %s",
        (at, list(persons), place),
    )
    write.execute(
        "update followup_task t set place = %s, changed_at = %s, assignee = null,"
        " state = case when t.state = 'assigned' then 'planned' else t.state end"
        " from followup f where f.incident_ref = t.incident_ref and f.person_ref = t.person_ref"
        " and f.closed_at is null and t.person_ref = any(%s) and t.state in ('planned', 'assigned', 'missed')",
        (place, at, list(persons)),
    )
    return sorted((incident, PersonRef(person)) for incident, person in rows)


def active_incidents(read: Read, persons: Sequence[PersonRef]) -> list[tuple[int, PersonRef]]:
    """Every follow-up that runs for these people: incident and person."""
    rows = read.rows(
        "select incident_ref, person_ref from followup where person_ref = any(%s) and closed_at is null"
        " order by person_ref, incident_ref for update",
        (list(persons),),
    )
    return [(incident, PersonRef(person)) for incident, person in rows]


def set_file(write: Write, handover_ref: int, file: str, digest: bytes) -> None:
    """The letter that was written for another province."""
    write.execute("update handover set file = %s, file_hash = %s where handover_ref = %s", (file, digest, handover_ref))


def page(
    read: Read,
    place: str,
    *,
    after: tuple[datetime, int] | None,
    limit: int,
    open_only: bool,
    overdue_at: datetime | None,
) -> list[Handover]:
    """Hand-overs from or to a place or its counties, in order of their deadline."""
    rows = read.rows(
        _HANDOVER + " where (h.from_place like %(place)s or h.to_place like %(place)s)"
        " and (not %(open)s or exists (select from handover_person p where p.handover_ref = h.handover_ref"
        " and p.state = 'asked'))"
        " and (%(overdue)s::timestamptz is null or h.due_at <= %(overdue)s)"
        " and (%(due)s::timestamptz is null or (h.due_at, h.handover_ref) > (%(due)s, %(number)s))"
        " order by h.due_at, h.handover_ref limit %(limit)s",
        {
            "place": place + "%",
            "open": open_only or overdue_at is not None,
            "overdue": overdue_at,
            "due": None if after is None else after[0],
            "number": None if after is None else after[1],
            "limit": limit,
        },
    )
    return [_handover(row) for row in rows]


def remind(write: Write, before: datetime, again_before: datetime, at: datetime) -> list[Handover]:
    """Hand-overs without an answer that are due by `before` and were not reminded of since `again_before`."""
    rows = write.rows(
        "update handover h set reminded_at = %s where h.due_at <= %s"
        " and (h.reminded_at is null or h.reminded_at <= %s)"
        " and exists (select from handover_person p where p.handover_ref = h.handover_ref and p.state = 'asked')"
        " returning handover_ref",
        (at, before, again_before),
    )
    found = [find(write, row[0]) for row in rows]
    return sorted((one for one in found if one is not None), key=lambda one: (one.due_at, one.handover_ref))


def _handover(row: tuple[Any, ...]) -> Handover:
    return Handover(
        handover_ref=row[0],
        incident_ref=row[1],
        from_place=row[2],
        to_place=row[3],
        requested_at=row[4],
        requested_by=row[5],
        due_at=row[6],
        reminded_at=row[7],
        file=row[8],
        asked=row[9],
        accepted=row[10],
        refused=row[11],
    )
