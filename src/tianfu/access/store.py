"""SQL of ended sessions and of reading budgets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from tianfu.platform.database import Read, Write


def revoke_session(write: Write, session_id: bytes, *, expires_at: datetime, at: datetime) -> None:
    """End a session before its time; ending it twice changes nothing."""
    write.execute(
        "insert into revoked_session (session_id, expires_at, revoked_at) values (%s, %s, %s)"
        " on conflict (session_id) do nothing",
        (session_id, expires_at, at),
    )


def is_revoked(read: Read, session_id: bytes) -> bool:
    """Whether a session was ended before its time."""
    return bool(read.value("select exists (select from revoked_session where session_id = %s)", (session_id,)))


def revoked_sessions(read: Read, at: datetime) -> Sequence[bytes]:
    """The ids of every session that was ended and would still be alive, for the gates' list."""
    rows = read.rows("select session_id from revoked_session where expires_at > %s order by revoked_at", (at,))
    return [bytes(session_id) for (session_id,) in rows]


def delete_expired_sessions(write: Write, at: datetime) -> int:
    """Forget ended sessions that would have ended by themselves by now."""
    return write.execute("delete from revoked_session where expires_at <= %s", (at,))


def count_read(write: Write, account_ref: int, day: date) -> int:
    """Count one reading of a person's record by an account; the count of the day so far, this one included."""
    reads = write.value(
        "insert into read_budget (account_ref, day, reads) values (%s, %s, 1)"
        " on conflict (account_ref, day) do update set reads = read_budget.reads + 1 returning reads",
        (account_ref, day),
    )
    return int(reads)
