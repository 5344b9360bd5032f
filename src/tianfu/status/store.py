"""SQL of statuses: each person's decision as last computed, and the order in which they changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write
from tianfu.policy.model import Decision

# Advisory lock of this feature ("ST"), apart from the stripes of the ledger.
_LOCK_CLASS: Final = 0x5354
_LOCK_RECOMPUTE: Final = 1

_DECISION: Final = msgspec.json.Decoder(Decision)
_ENCODE: Final = msgspec.json.Encoder()


class Status(msgspec.Struct, frozen=True):
    """One person's decision, and the number of the change that wrote it."""

    person: PersonRef
    decision: Decision
    sequence: int


def lock(write: Write) -> None:
    """Let nobody else draw sequences until this transaction ends, so that sequence order is commit order.

    Statements are planned for the tables as they are now: a plan kept from when they were small would read them whole.
    """
    write.execute("set local plan_cache_mode = force_custom_plan")
    write.rows("select pg_advisory_xact_lock(%s, %s)", (_LOCK_CLASS, _LOCK_RECOMPUTE))


def read_many(read: Read, persons: Sequence[PersonRef]) -> dict[PersonRef, Status]:
    """The stored statuses of `persons`; who has none is left out."""
    rows = read.rows(
        "select person_ref, decision::text, sequence from status where person_ref = any(%s::bigint[])",
        (list(persons),),
    )
    return {row[0]: Status(row[0], _DECISION.decode(row[1]), row[2]) for row in rows}


def upsert(write: Write, decisions: Sequence[tuple[PersonRef, Decision]]) -> None:
    """Store `decisions` under new sequence numbers, in the order given. Needs `lock`."""
    write.execute(
        """
        insert into status
            (person_ref, colour, popup, policy_hash, decision, decided_at, next_change_at, sequence)
        select person_ref, colour, popup, policy_hash, decision::jsonb, decided_at, next_change_at,
               nextval('status_sequence')
        from unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])
             as new (person_ref, colour, popup, policy_hash, decision, decided_at, next_change_at)
        on conflict (person_ref) do update set
            colour = excluded.colour,
            popup = excluded.popup,
            policy_hash = excluded.policy_hash,
            decision = excluded.decision,
            decided_at = excluded.decided_at,
            next_change_at = excluded.next_change_at,
            sequence = excluded.sequence
        """,
        (
            [person for person, _ in decisions],
            [decision.colour.value for _, decision in decisions],
            [decision.popup for _, decision in decisions],
            [decision.policy_hash for _, decision in decisions],
            [_ENCODE.encode(decision).decode() for _, decision in decisions],
            [decision.at for _, decision in decisions],
            [decision.next_change_at for _, decision in decisions],
        ),
    )


def due(read: Read, at: datetime, limit: int) -> list[PersonRef]:
    """People whose decision changes by itself at or before `at`, the longest overdue first.

    Who is queued comes through the queue; that leaves out those postponed after a failure.
    """
    rows = read.rows(
        """
        select s.person_ref from status s
        where s.next_change_at <= %s
          and not exists (select from evidence_pending p where p.person_ref = s.person_ref)
        order by s.next_change_at
        limit %s
        """,
        (at, limit),
    )
    return [row[0] for row in rows]


def any_outdated(read: Read, policy_hash: str) -> bool:
    """Whether any status was decided by another policy: two probes of an index, whatever the number of people."""
    outdated: bool = read.value(
        """
        select exists (select from status where policy_hash < %s)
            or exists (select from status where policy_hash > %s)
        """,
        (policy_hash, policy_hash),
    )
    return outdated


def count_outdated(read: Read, policy_hash: str) -> int:
    """How many statuses were decided by another policy."""
    count: int = read.value("select count(*) from status where policy_hash <> %s", (policy_hash,))
    return count


def next_policy_hash(read: Read, *, beyond: str, other_than: str) -> str | None:
    """The next policy (by hash) that some status was decided by; probes an index, whatever the number of people."""
    found: str | None = read.value("select min(policy_hash) from status where policy_hash > %s", (beyond,))
    if found == other_than:
        found = read.value("select min(policy_hash) from status where policy_hash > %s", (other_than,))
    return found


def decided_by(read: Read, policy_hash: str, *, after: PersonRef, limit: int) -> list[PersonRef]:
    """People decided by one policy, by number, beyond `after`."""
    rows = read.rows(
        """
        select person_ref from status
        where policy_hash = %s and person_ref > %s
        order by person_ref
        limit %s
        """,
        (policy_hash, after, limit),
    )
    return [row[0] for row in rows]


def decided_among(read: Read, policy_hash: str, persons: Sequence[PersonRef]) -> list[PersonRef]:
    """Those of `persons` who were decided by one policy, by number."""
    rows = read.rows(
        "select person_ref from status where person_ref = any(%s::bigint[]) and policy_hash = %s order by person_ref",
        (list(persons), policy_hash),
    )
    return [row[0] for row in rows]


def count_decided_by(read: Read, policy_hash: str, *, most: int) -> int:
    """How many people were decided by one policy; counts up to `most`."""
    people: int = read.value(
        "select count(*) from (select from status where policy_hash = %s limit %s) as counted", (policy_hash, most)
    )
    return people


def changed_since(read: Read, sequence: int, limit: int) -> list[Status]:
    """Statuses written after change `sequence`, in order of change."""
    rows = read.rows(
        """
        select person_ref, decision::text, sequence from status
        where sequence > %s order by sequence limit %s
        """,
        (sequence, limit),
    )
    return [Status(row[0], _DECISION.decode(row[1]), row[2]) for row in rows]


def page(read: Read, *, after: PersonRef, limit: int) -> list[Status]:
    """Statuses by person number, beyond `after`."""
    rows = read.rows(
        "select person_ref, decision::text, sequence from status where person_ref > %s order by person_ref limit %s",
        (after, limit),
    )
    return [Status(row[0], _DECISION.decode(row[1]), row[2]) for row in rows]


def count(read: Read) -> int:
    """How many people have a status."""
    people: int = read.value("select count(*) from status")
    return people


def last_sequence(read: Read) -> int:
    """The number of the last change; 0 when there was none."""
    last: int = read.value("select coalesce(max(sequence), 0) from status")
    return last


def database_identity(read: Read) -> int:
    """A number that tells this database from any other, for the board to remember whose it is."""
    identity: int = read.value(
        "select (c.system_identifier # (d.oid::bigint << 32)) from pg_control_system() c, pg_database d "
        "where d.datname = current_database()"
    )
    return identity & (2**63 - 1)
