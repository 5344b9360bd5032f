"""SQL by which tracing reads who stayed where by other sources than scans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from tianfu.platform import binary
from tianfu.platform.database import Read

# What one row of `at_places` packs: five big-endian int32, see there.
ROW_INTEGERS: Final = 5


class VisitedRow(NamedTuple):
    """A place where people stayed, in a kind of stay, and the time in which what happened there matters."""

    place: UUID
    kind: str
    since: datetime
    until: datetime


class TogetherRow(NamedTuple):
    """Two people's stays at one place that overlap, with the statements behind them."""

    kind: str
    source_row: int
    row: int
    source_evidence: int
    evidence: int
    begins_at: datetime
    other_begins_at: datetime
    ends_at: datetime | None


def visited(
    read: Read, persons: Sequence[int], since: Sequence[datetime], until: Sequence[datetime], kinds: Sequence[str]
) -> list[VisitedRow]:
    """The places where these people stayed in their periods (three arrays of equal length), each place once a kind."""
    rows = read.rows(
        """
        select c.place, c.kind, min(wanted.since), max(wanted.until)
        from unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) as wanted (person_ref, since, until)
        join co_stay c on c.person_ref = wanted.person_ref
        where c.begins_at < wanted.until and (c.ends_at is null or c.ends_at > wanted.since)
          and c.kind = any(%s::text[])
        group by c.place, c.kind
        """,
        (binary.bigints(persons), binary.instants(since), binary.instants(until), list(kinds)),
        binary=True,
    )
    return [VisitedRow._make(row) for row in rows]


def at_places(
    read: Read, places: Sequence[tuple[int, VisitedRow, datetime]], kinds: Sequence[str], limit: int
) -> bytes:
    """Everybody's stays at these places in the time that matters, packed; at most `limit` of a place.

    `places` are a number chosen by the caller, the place, and the earliest beginning of stays that can still matter.
    A stay is five big-endian int32: the place's number; the person; the minutes since 1970 UTC of beginning and end
    (2^31 - 1 without one); and row + 256 * (position of the kind in `kinds`, from 1) + 65,536 if it is strong.
    """
    rows = read.rows(
        """
        select string_agg(
            int4send(wanted.number) || int4send(c.person_ref)
            || int4send(floor(extract(epoch from c.begins_at) / 60)::integer)
            || int4send(coalesce(floor(extract(epoch from c.ends_at) / 60)::integer, 2147483647))
            || int4send(
                c.seat_row + 256 * array_position(%(kinds)s::text[], c.kind) + case when c.strong then 65536 else 0 end
            ), ''::bytea)
        from unnest(
            %(numbers)s::bigint[], %(places)s::uuid[], %(since)s::timestamptz[], %(until)s::timestamptz[],
            %(earliest)s::timestamptz[]
        ) as asked (number, place, since, until, earliest)
        cross join lateral (select asked.number::integer as number) as wanted
        cross join lateral (
            select * from co_stay
            where co_stay.place = asked.place
              and co_stay.begins_at >= asked.earliest and co_stay.begins_at < asked.until
              and (co_stay.ends_at is null or co_stay.ends_at > asked.since)
            limit %(limit)s
        ) as c
        """,
        {
            "kinds": list(kinds),
            "numbers": binary.bigints([number for number, _, _ in places]),
            "places": [row.place for _, row, _ in places],
            "since": binary.instants([row.since for _, row, _ in places]),
            "until": binary.instants([row.until for _, row, _ in places]),
            "earliest": binary.instants([earliest for _, _, earliest in places]),
            "limit": limit,
        },
        binary=True,
    )
    return rows[0][0] or b""


def heads(read: Read, row: VisitedRow) -> int:
    """How many people stayed at that place in the time that matters."""
    count = read.value(
        """
        select count(distinct person_ref) from co_stay
        where place = %s and begins_at < %s and (ends_at is null or ends_at > %s)
        """,
        (row.place, row.until, row.since),
    )
    return int(count)


def together(read: Read, source: int, person: int, since: datetime, until: datetime, limit: int) -> list[TogetherRow]:
    """Where `source` and `person` were at one place at one time in [`since`, `until`), in the order of time."""
    rows = read.rows(
        """
        select s.kind, s.seat_row, p.seat_row, s.evidence_id, p.evidence_id, s.begins_at, p.begins_at,
               least(s.ends_at, p.ends_at)
        from co_stay s
        join co_stay p on p.place = s.place and p.person_ref = %(person)s
        where s.person_ref = %(source)s
          and greatest(s.begins_at, p.begins_at, %(since)s::timestamptz) < least(s.ends_at, p.ends_at, %(until)s)
        order by greatest(s.begins_at, p.begins_at), s.evidence_id, p.evidence_id, s.kind
        limit %(limit)s
        """,
        {"source": source, "person": person, "since": since, "until": until, "limit": limit},
    )
    return [TogetherRow._make(row) for row in rows]
