"""SQL of the ledger. Only `tianfu.evidence` imports it: the ledger has one writer.

Rows are appended, never updated. The order in which rows and locks are taken is the ledger's business; here each
function is one statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from tianfu.evidence.kinds import Attributes
from tianfu.evidence.model import Evidence, Grade
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval
from tianfu.platform import binary
from tianfu.platform.database import Read, Write

CHANNEL: Final = "tianfu_evidence"

# First key of the advisory locks of this feature ("EV"); the second is the stripe.
_LOCK_CLASS: Final = 0x4556

# People in one row of the queue: 8 kB, and the least that a recomputation takes on behind a bulk append.
CHANGE_PEOPLE_MAX: Final = 1_000

_GRADES: Final = {grade.value: grade for grade in Grade}
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
        (binary.texts(sources), binary.texts(records)),
        binary=True,
    )
    return [Held._make(row) for row in rows]


def draw_ids(write: Write, count: int) -> list[int]:
    """`count` new evidence numbers, ascending."""
    rows = write.rows("select nextval('evidence_evidence_id_seq') from generate_series(1, %s)", (count,), binary=True)
    return [row[0] for row in rows]


def insert(write: Write, rows: Sequence[bytes]) -> None:
    """Append rows that are packed in the order of the columns below."""
    write.copy_binary(
        """
        copy evidence (evidence_id, person_ref, kind, source, source_record, content_hash, place, occurred_at,
                       received_at, valid_from, valid_until, grade, attributes, supersedes, withdraws, batch_id)
        from stdin (format binary)
        """,
        rows,
    )


def statement(read: Read, evidence_id: EvidenceId) -> Evidence | None:
    """One statement, standing or not."""
    row = read.row(_STATEMENTS + " where e.evidence_id = %s", (evidence_id,))
    return None if row is None else _evidence(row)


def statements(read: Read, evidence_ids: Sequence[int]) -> list[Evidence]:
    """Several statements, standing or not, by number; without those that there are not."""
    rows = read.rows(
        _STATEMENTS + " where e.evidence_id = any(%s::bigint[]) order by e.evidence_id",
        (binary.bigints(evidence_ids),),
        binary=True,
    )
    return [_evidence(row) for row in rows]


def of_batch(read: Read, batch_id: int, limit: int) -> list[Evidence]:
    """Up to `limit` statements of a batch that were not withdrawn, by number."""
    rows = read.rows(
        _STATEMENTS
        + """
        where e.batch_id = %s and e.withdraws is null and not exists (
            select from evidence withdrawal
            where withdrawal.source = e.source
              and withdrawal.source_record = e.source_record
              and withdrawal.withdraws = e.evidence_id
        )
        order by e.evidence_id
        limit %s
        """,
        (batch_id, limit),
    )
    return [_evidence(row) for row in rows]


def standing_about(read: Read, persons: Sequence[PersonRef], known_at: datetime | None) -> list[Evidence]:
    """The statements about `persons` that stand, as the ledger knew at `known_at` (None: knows now).

    Of a record's statements that were not withdrawn the latest stands, by the source's own instant, then by number.
    """
    rows = read.rows(
        _STATEMENTS + _STANDING_ABOUT,
        {"persons": binary.bigints(persons), "known_at": known_at},
        binary=True,
    )
    return [_evidence(row) for row in rows]


def mark(write: Write, persons: Sequence[PersonRef], not_before: datetime, *, bulk: bool) -> None:
    """Queue `persons`, at most `CHANGE_PEOPLE_MAX` of them, as one row of its own."""
    write.execute(
        "insert into evidence_change (bulk, since, people, persons) values (%s, %s, %s, %s)",
        (bulk, not_before, len(persons), binary.bigints(persons)),
    )


def notify(write: Write) -> None:
    """Wake the listeners when this transaction commits."""
    write.rows("select pg_notify(%s, '')", (CHANNEL,))


def take(write: Write, limit: int, at: datetime) -> list[tuple[bool, datetime, list[PersonRef]]]:
    """Remove rows of the queue until `limit` people are in them, and return them in their turn.

    The last row may go beyond the limit.
    """
    rows = write.rows(
        """
        with turn as (
            select change_id, sum(people) over (order by bulk, since, change_id) - people as ahead
            from (
                select change_id, bulk, since, people from evidence_change
                where since <= %(at)s
                order by bulk, since, change_id
                limit %(limit)s
            ) as first
        )
        delete from evidence_change
        where change_id = any(array(select change_id from turn where ahead < %(limit)s))
        returning change_id, bulk, since, persons
        """,
        {"at": at, "limit": limit},
        binary=True,
    )
    rows.sort(key=lambda row: (row[1], row[2], row[0]))
    return [(bulk, since, persons) for _, bulk, since, persons in rows]


def waiting(read: Read, persons: Sequence[PersonRef], until: datetime | None = None) -> set[PersonRef]:
    """Which of `persons` are queued, for `until` or earlier (None: for whenever)."""
    rows = read.rows(
        """
        select distinct person from evidence_change c cross join lateral unnest(c.persons) as person
        where person = any(%s::bigint[]) and c.since <= coalesce(%s::timestamptz, 'infinity')
        """,
        (binary.bigints(persons), until),
    )
    return {row[0] for row in rows}


def backlog(read: Read) -> tuple[int, datetime | None]:
    """How many people are queued, each as often as they are, and since when the oldest is."""
    row = read.row("select coalesce(sum(people), 0)::bigint, min(since) from evidence_change")
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
        grade=_GRADES[row[9]],
        place=row[10],
        supersedes=row[11],
        withdraws=row[12],
    )
