"""SQL of the ledger. Only `tianfu.evidence` imports it: the ledger has one writer.

Rows are appended, never updated. The order in which rows and locks are taken is the ledger's business; here each
function is one statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from tianfu.evidence.kinds import Attributes
from tianfu.evidence.model import Evidence, Grade
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval
from tianfu.platform.database import Read, Write

CHANNEL: Final = "tianfu_evidence"

# First key of the advisory locks of this feature ("EV"); the second is the stripe.
_LOCK_CLASS: Final = 0x4556

_ATTRIBUTES: Final = msgspec.json.Decoder(Attributes)

_STATEMENTS: Final = """
    select
    e.evidence_id, e.person_ref, e.attributes::text, e.source, e.source_record, e.occurred_at, e.received_at,
    e.valid_from, e.valid_until, e.grade, e.place, e.supersedes, e.withdraws
    from evidence e
"""

# A statement stands unless it was withdrawn, or its record has a later one that was not. The later one may be about
# somebody else, so the question is asked of the record and not of the person.
_STANDING_ABOUT: Final = """
    where e.person_ref = any(%(persons)s::bigint[])
      and e.withdraws is null
      and e.received_at <= coalesce(%(known_at)s::timestamptz, 'infinity')
      and not exists (
          select from evidence later
          where later.source = e.source
            and later.source_record = e.source_record
            and later.evidence_id <> e.evidence_id
            and later.received_at <= coalesce(%(known_at)s::timestamptz, 'infinity')
            and (
                later.withdraws = e.evidence_id
                or (
                    later.withdraws is null
                    and (later.occurred_at, later.evidence_id) > (e.occurred_at, e.evidence_id)
                    and not exists (
                        select from evidence withdrawal
                        where withdrawal.source = later.source
                          and withdrawal.source_record = later.source_record
                          and withdrawal.withdraws = later.evidence_id
                          and withdrawal.received_at <= coalesce(%(known_at)s::timestamptz, 'infinity')
                    )
                )
            )
      )
    order by e.person_ref, e.evidence_id
"""


class Held(NamedTuple):
    """What the ledger already holds of a record: enough to tell a repetition from a revision."""

    evidence_id: int
    source: str
    source_record: str
    person: int
    content_hash: bytes
    occurred_at: datetime
    withdraws: int | None


def lock_records(write: Write, stripes: Sequence[int]) -> None:
    """Wait until no other transaction appends to these stripes of records; `stripes` must be ascending."""
    plan_by_key(write)
    write.rows(
        "select pg_advisory_xact_lock(%s, stripe) from unnest(%s::integer[]) as stripe", (_LOCK_CLASS, list(stripes))
    )


def plan_by_key(write: Write) -> None:
    """Have the statements of this transaction find rows by index, planned for the tables as they are now.

    They look up a few thousand keys in tables of any size. Left alone, the planner keeps a plan from when a table was
    small, or reads all of it to join: at 40,000 rows that cost a factor of ten, at each batch.
    """
    write.rows(
        """
        select set_config('plan_cache_mode', 'force_custom_plan', true),
               set_config('enable_hashjoin', 'off', true),
               set_config('enable_mergejoin', 'off', true),
               set_config('enable_seqscan', 'off', true)
        """
    )


def held(read: Read, sources: Sequence[str], records: Sequence[str]) -> list[Held]:
    """Every statement of the records (pairs of `sources` and `records`), by evidence number."""
    rows = read.rows(
        """
        select e.evidence_id, e.source, e.source_record, e.person_ref, e.content_hash, e.occurred_at, e.withdraws
        from unnest(%s::text[], %s::text[]) as wanted (source, source_record)
        join evidence e on e.source = wanted.source and e.source_record = wanted.source_record
        order by e.evidence_id
        """,
        (list(sources), list(records)),
    )
    return [Held._make(row) for row in rows]


def draw_ids(write: Write, count: int) -> list[int]:
    """`count` new evidence numbers, ascending."""
    rows = write.rows("select nextval('evidence_evidence_id_seq') from generate_series(1, %s)", (count,))
    return [row[0] for row in rows]


def insert(write: Write, rows: Iterable[Sequence[Any]]) -> None:
    """Append rows in the order of the columns below."""
    write.copy(
        """
        copy evidence (evidence_id, person_ref, kind, source, source_record, content_hash, place, occurred_at,
                       received_at, valid_from, valid_until, grade, attributes, supersedes, withdraws, batch_id)
        from stdin
        """,
        rows,
    )


def statement(read: Read, evidence_id: EvidenceId) -> Evidence | None:
    """One statement, standing or not."""
    row = read.row(_STATEMENTS + " where e.evidence_id = %s", (evidence_id,))
    return None if row is None else _evidence(row)


def standing_about(read: Read, persons: Sequence[PersonRef], known_at: datetime | None) -> list[Evidence]:
    """The statements about `persons` that stand, as the ledger knew at `known_at` (None: knows now).

    Of a record's statements that were not withdrawn the latest stands, by the source's own instant, then by number.
    """
    rows = read.rows(
        _STATEMENTS + _STANDING_ABOUT,
        {"persons": list(persons), "known_at": known_at},
    )
    return [_evidence(row) for row in rows]


def mark(write: Write, persons: Sequence[PersonRef], not_before: datetime) -> None:
    """Queue `persons`, which must be ascending. A person already queued keeps the earlier instant.

    The update locks a row that is already there: without it a recomputation that began before this transaction
    commits could take the row, not see the new evidence, and forget the person.
    """
    write.execute(
        """
        insert into evidence_pending (person_ref, since)
        select person_ref, %s from unnest(%s::bigint[]) as person_ref
        on conflict (person_ref) do update set since = least(evidence_pending.since, excluded.since)
        """,
        (not_before, list(persons)),
    )


def notify(write: Write) -> None:
    """Wake the listeners when this transaction commits."""
    write.rows("select pg_notify(%s, '')", (CHANNEL,))


def take(write: Write, limit: int, at: datetime) -> list[PersonRef]:
    """Remove and return up to `limit` queued people, oldest first, passing over those that others hold."""
    rows = write.rows(
        """
        delete from evidence_pending
        where person_ref = any(array(
            select person_ref from evidence_pending
            where since <= %s
            order by since
            limit %s
            for update skip locked
        ))
        returning person_ref
        """,
        (at, limit),
    )
    return sorted(row[0] for row in rows)


def waiting(read: Read, persons: Sequence[PersonRef]) -> set[PersonRef]:
    """Which of `persons` are queued."""
    rows = read.rows("select person_ref from evidence_pending where person_ref = any(%s::bigint[])", (list(persons),))
    return {row[0] for row in rows}


def backlog(read: Read) -> tuple[int, datetime | None]:
    """How many people are queued, and since when the oldest is."""
    row = read.row("select count(*), min(since) from evidence_pending")
    return (0, None) if row is None else (row[0], row[1])


def _evidence(row: tuple[Any, ...]) -> Evidence:
    return Evidence(
        evidence_id=row[0],
        person=row[1],
        attributes=_ATTRIBUTES.decode(row[2]),
        source=row[3],
        source_record=row[4],
        occurred_at=row[5],
        received_at=row[6],
        valid=Interval(row[7], row[8]),
        grade=Grade(row[9]),
        place=row[10],
        supersedes=row[11],
        withdraws=row[12],
    )
