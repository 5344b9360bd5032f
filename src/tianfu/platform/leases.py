"""Leases: a name is held by one process at a time, and lapses by itself.

A lease keeps two processes from doing the same work twice; it is no lock. A holder that was paused past the end of
its lease may still be working when the next one starts, so what it does must be harmless twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tianfu.platform.database import Write


def acquire(write: Write, *, name: str, holder: str, at: datetime, seconds: float) -> bool:
    """Whether `holder` has the lease until `at` + `seconds`: it was free, had lapsed, or was its own already.

    Of two that ask at once, one waits for the other's transaction and gets the answer that follows from it.
    """
    return (
        write.execute(
            "insert into lease (name, holder, expires_at) values (%(name)s, %(holder)s, %(until)s)"
            " on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at"
            " where lease.holder = excluded.holder or lease.expires_at <= %(at)s",
            {"name": name, "holder": holder, "at": at, "until": at + timedelta(seconds=seconds)},
        )
        == 1
    )


def renew(write: Write, *, name: str, holder: str, at: datetime, seconds: float) -> bool:
    """Whether `holder` still had the lease at `at`, and has it until `at` + `seconds` now.

    False means that it lapsed, even if nobody took it since: the holder stops its work and acquires anew.
    """
    return (
        write.execute(
            "update lease set expires_at = %s where name = %s and holder = %s and expires_at > %s",
            (at + timedelta(seconds=seconds), name, holder, at),
        )
        == 1
    )


def release(write: Write, *, name: str, holder: str) -> bool:
    """Give the lease back before its end; whether `holder` had it. Somebody else's lease is left alone."""
    return write.execute("delete from lease where name = %s and holder = %s", (name, holder)) == 1
