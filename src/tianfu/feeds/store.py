"""SQL of feed batches: what came, from whom, and what became of it."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from tianfu.platform.database import Read, Write

_BATCH: Final = """
    select batch_id, feed, source, received_at, rows, accepted, duplicates, set_aside, state, loaded_by, digest
    from feed_batch
"""


class BatchState(enum.Enum):
    """Where a batch is: waiting for its second person, loaded, refused by that person, or taken back as one."""

    HELD = "held"
    LOADED = "loaded"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One file that came. Of a loaded one rows = accepted + duplicates + set aside; of others nothing was accepted.

    `loaded_by` is None for what this system itself loaded.
    """

    batch_id: int
    feed: str
    source: str
    received_at: datetime
    rows: int
    accepted: int
    duplicates: int
    set_aside: int
    state: BatchState
    loaded_by: str | None
    digest: bytes


class HeldPart(NamedTuple):
    """One sealed part of a held file."""

    part: int
    data_sealed: bytes
    seal_key: str


def open_batch(
    write: Write,
    *,
    feed: str,
    source: str,
    digest: bytes,
    received_at: datetime,
    state: BatchState = BatchState.LOADED,
    loaded_by: str | None = None,
) -> int | None:
    """Number a new batch; None when this file came before. Two loads of one file wait for each other."""
    prepare(write)
    row = write.row(
        """
        insert into feed_batch (feed, source, digest, received_at, rows, accepted, duplicates, set_aside,
                                state, loaded_by)
        values (%s, %s, %s, %s, 0, 0, 0, 0, %s, %s)
        on conflict (feed, source, digest) do nothing
        returning batch_id
        """,
        (feed, source, digest, received_at, state.value, loaded_by),
    )
    return None if row is None else int(row[0])


def prepare(write: Write) -> None:
    """Settings of a transaction that appends a batch."""
    # Appends of one source wait for each other; behind a full batch that is ten seconds, not the usual two.
    write.execute("set local lock_timeout = '60s'")
    # A plan kept from when the tables were small would read them whole for each batch.
    write.execute("set local plan_cache_mode = force_custom_plan")


def close_batch(write: Write, batch_id: int, *, rows: int, accepted: int, duplicates: int, set_aside: int) -> None:
    """Write down what became of the rows, in the transaction that opened the batch."""
    write.execute(
        "update feed_batch set rows = %s, accepted = %s, duplicates = %s, set_aside = %s where batch_id = %s",
        (rows, accepted, duplicates, set_aside, batch_id),
    )


def count_released(write: Write, batch_id: int, *, accepted: int, duplicates: int) -> None:
    """Rows that were set aside have been accepted after all."""
    write.execute(
        """
        update feed_batch
        set accepted = accepted + %s, duplicates = duplicates + %s, set_aside = set_aside - %s
        where batch_id = %s
        """,
        (accepted, duplicates, accepted + duplicates, batch_id),
    )


def decide(
    write: Write, batch_id: int, state: BatchState, *, decided_by: str, at: datetime, reason: str | None = None
) -> None:
    """Write down that somebody decided about the batch."""
    write.execute(
        "update feed_batch set state = %s, decided_by = %s, decided_at = %s, reason = %s where batch_id = %s",
        (state.value, decided_by, at, reason, batch_id),
    )


def find_batch(read: Read, *, feed: str, source: str, digest: bytes) -> Batch | None:
    """The batch that this file came as."""
    row = read.row(_BATCH + " where feed = %s and source = %s and digest = %s", (feed, source, digest))
    return None if row is None else _batch(row)


def batch(read: Read, batch_id: int) -> Batch | None:
    """The batch with this number."""
    row = read.row(_BATCH + " where batch_id = %s", (batch_id,))
    return None if row is None else _batch(row)


def lock_batch(write: Write, batch_id: int) -> Batch | None:
    """The batch with this number; whoever else decides about it waits until this transaction ends."""
    row = write.row(_BATCH + " where batch_id = %s for update", (batch_id,))
    return None if row is None else _batch(row)


def held_batches(read: Read, limit: int) -> list[Batch]:
    """The batches that wait for a second person, the oldest first."""
    return [_batch(row) for row in read.rows(_BATCH + " where state = 'held' order by batch_id limit %s", (limit,))]


def keep_file(write: Write, batch_id: int, parts: Iterable[HeldPart]) -> None:
    """Keep the sealed parts of a held file."""
    write.copy(
        "copy feed_held (batch_id, part, data_sealed, seal_key) from stdin",
        ((batch_id, *part) for part in parts),
    )


def file_parts(read: Read, batch_id: int) -> list[HeldPart]:
    """The sealed parts of a held file, in order; none when it was decided."""
    rows = read.rows("select part, data_sealed, seal_key from feed_held where batch_id = %s order by part", (batch_id,))
    return [HeldPart(row[0], bytes(row[1]), row[2]) for row in rows]


def drop_file(write: Write, batch_id: int) -> None:
    """Forget a held file once it is decided."""
    write.execute("delete from feed_held where batch_id = %s", (batch_id,))


def _batch(row: tuple[Any, ...]) -> Batch:
    return Batch(
        batch_id=row[0],
        feed=row[1],
        source=row[2],
        received_at=row[3],
        rows=row[4],
        accepted=row[5],
        duplicates=row[6],
        set_aside=row[7],
        state=BatchState(row[8]),
        loaded_by=row[9],
        digest=bytes(row[10]),
    )
