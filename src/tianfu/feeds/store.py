"""SQL of feed batches: what came, from whom, and what became of it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tianfu.platform.database import Read, Write


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One file that was loaded. Rows = accepted + duplicates + set aside."""

    batch_id: int
    feed: str
    source: str
    received_at: datetime
    rows: int
    accepted: int
    duplicates: int
    set_aside: int


def open_batch(write: Write, *, feed: str, source: str, digest: bytes, received_at: datetime) -> int | None:
    """Number a new batch; None when this file was loaded before. Two loads of one file wait for each other."""
    # Appends of one source wait for each other; behind a full batch that is ten seconds, not the usual two.
    write.execute("set local lock_timeout = '60s'")
    # A plan kept from when the tables were small would read them whole for each batch.
    write.execute("set local plan_cache_mode = force_custom_plan")
    row = write.row(
        """
        insert into feed_batch (feed, source, digest, received_at, rows, accepted, duplicates, set_aside)
        values (%s, %s, %s, %s, 0, 0, 0, 0)
        on conflict (feed, source, digest) do nothing
        returning batch_id
        """,
        (feed, source, digest, received_at),
    )
    return None if row is None else int(row[0])


def close_batch(write: Write, batch_id: int, *, rows: int, accepted: int, duplicates: int, set_aside: int) -> None:
    """Write down what became of the rows, in the transaction that opened the batch."""
    write.execute(
        "update feed_batch set rows = %s, accepted = %s, duplicates = %s, set_aside = %s where batch_id = %s",
        (rows, accepted, duplicates, set_aside, batch_id),
    )


def find_batch(read: Read, *, feed: str, source: str, digest: bytes) -> Batch | None:
    """The batch that loaded this file."""
    row = read.row(
        """
        select batch_id, received_at, rows, accepted, duplicates, set_aside
        from feed_batch where feed = %s and source = %s and digest = %s
        """,
        (feed, source, digest),
    )
    if row is None:
        return None
    return Batch(
        batch_id=row[0],
        feed=feed,
        source=source,
        received_at=row[1],
        rows=row[2],
        accepted=row[3],
        duplicates=row[4],
        set_aside=row[5],
    )
