"""SQL of statuses: each person's decision as last computed, and the order in which they changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec

from tianfu.ids import PersonRef
from tianfu.platform import binary
from tianfu.platform.database import Read, Write
from tianfu.policy.model import Decision
from tianfu.status.add_ons import NONE, AddOns
from tianfu.status.record import TRAVEL

# Advisory lock of this feature ("ST"), apart from the stripes of the ledger.
_LOCK_CLASS: Final = 0x5354
_LOCK_RECOMPUTE: Final = 1

_DECISION: Final = msgspec.json.Decoder(Decision)
_ENCODE: Final = msgspec.json.Encoder().encode
# A decision is stored without its head (policy and instant, which have columns): from this field on, as it was encoded.
_BODY_BEGINS: Final = b'"colour":'

_STATUSES: Final = """
    select s.person_ref, s.decision, s.sequence, s.decided_at, d.policy_hash, d.name, d.number,
           s.add_ons::bigint, s.next_change_at
    from status s join decided_policy d on d.policy_ref = s.policy_ref
"""

NOTHING_BESIDE: Final[Mapping[PersonRef, AddOns]] = MappingProxyType({})


class Status(msgspec.Struct, frozen=True):
    """One person's decision, and the number of the change that wrote it.

    `add_ons` are the bits beside the colour (`tianfu.status.record`). `due_at` is when decision or add-ons change.
    """

    person: PersonRef
    decision: Decision
    sequence: int
    add_ons: int = 0
    due_at: datetime | None = None


class Written(msgspec.Struct, frozen=True):
    """What `upsert` changed, in order of change; the numbers it drew are those after `before` up to `last`."""

    before: int = 0
    last: int = 0
    statuses: tuple[Status, ...] = ()


def lock(write: Write) -> None:
    """Let nobody else draw sequences until this transaction ends, so that sequence order is commit order.

    Statements are planned for the tables as they are now: a plan kept from when they were small would read them whole.
    """
    write.execute("set local plan_cache_mode = force_custom_plan")
    write.rows("select pg_advisory_xact_lock(%s, %s)", (_LOCK_CLASS, _LOCK_RECOMPUTE))


def read_many(read: Read, persons: Sequence[PersonRef]) -> dict[PersonRef, Status]:
    """The stored statuses of `persons`; who has none is left out."""
    rows = read.rows(_STATUSES + " where s.person_ref = any(%s::bigint[])", (binary.bigints(persons),), binary=True)
    return {status.person: status for status in map(_status, rows)}


def upsert(
    write: Write, decisions: Sequence[tuple[PersonRef, Decision]], beside: Mapping[PersonRef, AddOns] = NOTHING_BESIDE
) -> Written:
    """Store those of `decisions` that differ from what is stored in anything but their instant; needs `lock`.

    They get new sequence numbers in the order given. Each person comes once. `beside` are the add-ons; who is left out
    has none.
    """
    if not decisions:
        return Written()
    policies = {decision.policy_hash: decision for _, decision in decisions}
    numbers = {found: _policy_ref(write, decision) for found, decision in policies.items()}
    last: int = write.value("select setval('status_sequence', nextval('status_sequence') + %s - 1)", (len(decisions),))
    before = last - len(decisions)
    decided = [together(person, decision, beside.get(person, NONE)) for person, decision in decisions]
    rows = write.rows(
        """
        insert into status (person_ref, colour, policy_ref, decision, decided_at, next_change_at, sequence, add_ons)
        select * from unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[],
                             %s::bigint[], %s::bigint[])
        on conflict (person_ref) do update set
            colour = excluded.colour,
            policy_ref = excluded.policy_ref,
            decision = excluded.decision,
            decided_at = excluded.decided_at,
            next_change_at = excluded.next_change_at,
            sequence = excluded.sequence,
            add_ons = excluded.add_ons
        where status.decision <> excluded.decision or status.policy_ref <> excluded.policy_ref
           or status.add_ons <> excluded.add_ons or status.next_change_at is distinct from excluded.next_change_at
        returning sequence
        """,
        (
            binary.bigints(person for person, _ in decisions),
            binary.texts(decision.colour.value for _, decision in decisions),
            binary.bigints(numbers[decision.policy_hash] for _, decision in decisions),
            binary.encoded_texts(_body(decision) for _, decision in decisions),
            binary.instants(decision.at for _, decision in decisions),
            binary.instants(status.due_at for status in decided),
            binary.bigints(range(before + 1, last + 1)),
            binary.bigints(status.add_ons for status in decided),
        ),
        binary=True,
    )
    changed = sorted(row[0] for row in rows)
    changed_to = (msgspec.structs.replace(decided[number - before - 1], sequence=number) for number in changed)
    return Written(before, last, tuple(changed_to))


def together(person: PersonRef, decision: Decision, beside: AddOns) -> Status:
    """The status that would be stored, without its number: bits of the add-ons, the earlier instant of change."""
    bits = beside.doses | (TRAVEL if beside.travel else 0)
    due = [at for at in (decision.next_change_at, beside.until) if at is not None]
    return Status(person, decision, 0, bits, min(due, default=None))


def _policy_ref(write: Write, decision: Decision) -> int:
    """The number that stands for the policy of `decision`. Needs `lock`."""
    found: int | None = write.value(
        "select policy_ref from decided_policy where policy_hash = %s", (decision.policy_hash,)
    )
    if found is not None:
        return found
    made: int = write.value(
        "insert into decided_policy (policy_hash, name, number) values (%s, %s, %s) returning policy_ref",
        (decision.policy_hash, decision.policy, decision.policy_number),
    )
    return made


def _body(decision: Decision) -> bytes:
    text = _ENCODE(decision)
    return b"{" + text[text.index(_BODY_BEGINS) :]


def _status(row: tuple[Any, ...]) -> Status:
    person, body, sequence, decided_at, policy_hash, name, number, add_ons, due_at = row
    head = _ENCODE({"policy": name, "policy_number": number, "policy_hash": policy_hash, "at": decided_at})
    return Status(person, _DECISION.decode(head[:-1] + b"," + body[1:].encode()), sequence, add_ons, due_at)


def due(read: Read, at: datetime, limit: int) -> list[PersonRef]:
    """People whose decision changes by itself at or before `at`, the longest overdue first.

    Who is queued comes through the queue; that leaves out those postponed after a failure. Those in bulk entries are
    not looked for: to decide them twice costs less.
    """
    rows = read.rows(
        """
        select s.person_ref from status s
        where s.next_change_at <= %s
          and not exists (select from evidence_change c where not c.bulk and s.person_ref = any(c.persons))
        order by s.next_change_at
        limit %s
        """,
        (at, limit),
    )
    return [row[0] for row in rows]


def next_policy_hash(read: Read, *, beyond: str, other_than: str) -> str | None:
    """The next policy (by hash) that some status was decided by; probes an index, whatever the number of people."""
    found: str | None = read.value(
        """
        select min(d.policy_hash) from decided_policy d
        where d.policy_hash > %s and d.policy_hash <> %s
          and exists (select from status s where s.policy_ref = d.policy_ref)
        """,
        (beyond, other_than),
    )
    return found


def decided_by(read: Read, policy_hash: str, *, after: PersonRef, limit: int) -> list[PersonRef]:
    """People decided by one policy, by number, beyond `after`."""
    rows = read.rows(
        """
        select person_ref from status
        where policy_ref = (select policy_ref from decided_policy where policy_hash = %s) and person_ref > %s
        order by person_ref
        limit %s
        """,
        (policy_hash, after, limit),
    )
    return [row[0] for row in rows]


def decided_among(read: Read, policy_hash: str, persons: Sequence[PersonRef]) -> list[PersonRef]:
    """Those of `persons` who were decided by one policy, by number."""
    rows = read.rows(
        """
        select person_ref from status
        where person_ref = any(%s::bigint[])
          and policy_ref = (select policy_ref from decided_policy where policy_hash = %s)
        order by person_ref
        """,
        (binary.bigints(persons), policy_hash),
    )
    return [row[0] for row in rows]


def count_decided_by(read: Read, policy_hash: str, *, most: int) -> int:
    """How many people were decided by one policy; counts up to `most`."""
    people: int = read.value(
        """
        select count(*) from (
            select from status
            where policy_ref = (select policy_ref from decided_policy where policy_hash = %s)
            limit %s
        ) as counted
        """,
        (policy_hash, most),
    )
    return people


def changed_since(read: Read, sequence: int, limit: int) -> list[Status]:
    """Statuses written after change `sequence`, in order of change."""
    rows = read.rows(_STATUSES + " where s.sequence > %s order by s.sequence limit %s", (sequence, limit), binary=True)
    return [_status(row) for row in rows]


def page(read: Read, *, after: PersonRef, limit: int) -> list[Status]:
    """Statuses by person number, beyond `after`."""
    rows = read.rows(_STATUSES + " where s.person_ref > %s order by s.person_ref limit %s", (after, limit), binary=True)
    return [_status(row) for row in rows]


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
