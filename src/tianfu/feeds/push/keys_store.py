"""SQL of departments' keys, of signatures already seen, and of rows a day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

import msgspec

from tianfu.platform.database import Read, Write

_KEY: Final = """
    select key_id, source, algorithm, public_key, feeds, rows_per_day, made_by, created_at, expires_at, revoked_at
    from feed_key
"""


class FeedKey(msgspec.Struct, frozen=True, kw_only=True):
    """One department's key: whose it is, what it may send, and until when. `public_key` is DER."""

    key_id: str
    source: str
    algorithm: str
    public_key: bytes
    feeds: tuple[str, ...]
    rows_per_day: int
    made_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


def insert(write: Write, key: FeedKey) -> None:
    """Keep a new key."""
    write.execute(
        """
        insert into feed_key (key_id, source, algorithm, public_key, feeds, rows_per_day, made_by, created_at,
                              expires_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            key.key_id,
            key.source,
            key.algorithm,
            key.public_key,
            list(key.feeds),
            key.rows_per_day,
            key.made_by,
            key.created_at,
            key.expires_at,
        ),
    )


def find(read: Read, key_id: str) -> FeedKey | None:
    """The key with this id."""
    row = read.row(_KEY + " where key_id = %s", (key_id,))
    return None if row is None else _key(row)


def every(read: Read) -> list[FeedKey]:
    """Every key, by source and age."""
    return [_key(row) for row in read.rows(_KEY + " order by source, created_at, key_id")]


def revoke(write: Write, key_id: str, *, by: str, at: datetime) -> bool:
    """Take a key out of use; False when it was before."""
    return (
        write.execute(
            "update feed_key set revoked_at = %s, revoked_by = %s where key_id = %s and revoked_at is null",
            (at, by, key_id),
        )
        == 1
    )


def use_nonce(write: Write, key_id: str, nonce: str, at: datetime) -> bool:
    """Remember a nonce; False when it was used before."""
    return (
        write.execute(
            "insert into feed_nonce (key_id, nonce, seen_at) values (%s, %s, %s) on conflict do nothing",
            (key_id, nonce, at),
        )
        == 1
    )


def forget_nonces(write: Write, before: datetime) -> None:
    """Forget nonces whose signatures are too old to be accepted anyway."""
    write.execute("delete from feed_nonce where seen_at < %s", (before,))


def spend_rows(write: Write, key_id: str, day: date, rows: int, limit: int) -> bool:
    """Count rows of a key on a day; False, and nothing counted, when that would be over the limit."""
    return rows <= limit and (
        write.execute(
            """
            insert into feed_key_day as spent (key_id, day, rows) values (%s, %s, %s)
            on conflict (key_id, day) do update set rows = spent.rows + excluded.rows
            where spent.rows + excluded.rows <= %s
            """,
            (key_id, day, rows, limit),
        )
        == 1
    )


def _key(row: tuple[Any, ...]) -> FeedKey:
    return FeedKey(
        key_id=row[0],
        source=row[1],
        algorithm=row[2],
        public_key=bytes(row[3]),
        feeds=tuple(row[4]),
        rows_per_day=row[5],
        made_by=row[6],
        created_at=row[7],
        expires_at=row[8],
        revoked_at=row[9],
    )
