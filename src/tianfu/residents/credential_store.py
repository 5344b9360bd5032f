"""SQL of credentials: printed cards, and certificates of device-bound codes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write

# An arbitrary number that no other advisory lock of this database uses ("cred" in ASCII).
_SEQUENCE_LOCK: Final = 0x63726564


class CredentialRow(NamedTuple):
    """One credential as stored. `session_id` and `public_key` are those of a phone, None for a card."""

    credential_id: bytes
    person: PersonRef
    kind: str
    card_kind: int
    generation: int
    session_id: bytes | None
    public_key: bytes | None
    text_sealed: bytes
    seal_key: str
    issued_at: datetime
    expires_at: datetime


class KilledRow(NamedTuple):
    """A killed credential, for the board."""

    credential_id: bytes
    expires_at: datetime
    sequence: int


def lock_sequence(write: Write) -> None:
    """Let one transaction kill credentials at a time, so that sequence order is commit order.

    Comes before anything else that locks: whoever follows a sequence has then seen everything below it.
    """
    write.execute("select pg_advisory_xact_lock(%s)", (_SEQUENCE_LOCK,))


def lock_person(write: Write, person: PersonRef) -> None:
    """Let one change of this person's credentials through at a time, until the transaction ends."""
    write.execute("select person_ref from person where person_ref = %s for no key update", (person,))


def insert(write: Write, row: CredentialRow) -> None:
    """Add a credential, and note whether its holder has no decision yet: such ones are looked at apart."""
    write.execute(
        "insert into credential (credential_id, person_ref, kind, card_kind, generation, session_id, public_key,"
        " text_sealed, seal_key, issued_at, expires_at, undecided)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, not exists (select from status where person_ref = %s))",
        (*row, row.person),
    )


def live(read: Read, person: PersonRef, kind: str, at: datetime) -> list[CredentialRow]:
    """The credentials of a kind that a person holds: neither killed nor past their life, the oldest first."""
    rows = read.rows(
        "select credential_id, person_ref, kind, card_kind, generation, session_id, public_key, text_sealed, seal_key,"
        " issued_at, expires_at from credential"
        " where person_ref = %s and kind = %s and expires_at > %s and killed_at is null order by issued_at, generation",
        (person, kind, at),
    )
    return [_row(row) for row in rows]


def last_generation(read: Read, person: PersonRef, kind: str, card_kind: int) -> int:
    """The generation of the latest credential of that kind; 0 when there never was one."""
    last: int = read.value(
        "select coalesce(max(generation), 0) from credential where person_ref = %s and kind = %s and card_kind = %s",
        (person, kind, card_kind),
    )
    return last


def issued_since(read: Read, person: PersonRef, kind: str, since: datetime) -> int:
    """How many credentials of a kind a person was given since then."""
    count: int = read.value(
        "select count(*) from credential where person_ref = %s and kind = %s and issued_at > %s", (person, kind, since)
    )
    return count


def kill(write: Write, credential_ids: Sequence[bytes], at: datetime) -> int:
    """Kill those of the credentials that live; how many. Needs `lock_sequence`."""
    return write.execute(
        "update credential set killed_at = %s, sequence = nextval('credential_sequence')"
        " where credential_id = any(%s) and killed_at is null",
        (at, list(credential_ids)),
    )


def killed_since(read: Read, sequence: int, limit: int) -> list[KilledRow]:
    """Credentials killed after `sequence`, in that order. Reading on from the last one's sequence misses nothing."""
    rows = read.rows(
        "select credential_id, expires_at, sequence from credential where sequence > %s order by sequence limit %s",
        (sequence, limit),
    )
    return [KilledRow(bytes(credential_id), expires_at, number) for credential_id, expires_at, number in rows]


def last_killed(read: Read) -> int:
    """The last sequence that was drawn, whether or not its row still exists; 0 when none was."""
    last: int = read.value("select coalesce(pg_sequence_last_value('credential_sequence'), 0)")
    return last


def settle_undecided(write: Write) -> int:
    """No longer look apart at the credentials whose holders have a decision by now; how many."""
    return write.execute(
        "update credential as c set undecided = false"
        " where c.undecided and exists (select from status s where s.person_ref = c.person_ref)"
    )


def delete_ended(write: Write, before: datetime) -> int:
    """Forget credentials whose life ended before that, but of each person's cards the latest, which counts them."""
    return write.execute(
        "delete from credential as c where c.expires_at < %s and (c.kind = 'device' or exists ("
        " select from credential n where n.person_ref = c.person_ref and n.kind = c.kind"
        " and n.card_kind = c.card_kind and n.generation > c.generation))",
        (before,),
    )


def _row(row: tuple[Any, ...]) -> CredentialRow:
    return CredentialRow(
        credential_id=bytes(row[0]),
        person=PersonRef(row[1]),
        kind=row[2],
        card_kind=row[3],
        generation=row[4],
        session_id=None if row[5] is None else bytes(row[5]),
        public_key=None if row[6] is None else bytes(row[6]),
        text_sealed=bytes(row[7]),
        seal_key=row[8],
        issued_at=row[9],
        expires_at=row[10],
    )
