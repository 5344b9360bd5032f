"""Rows of a batch that could not be accepted: sealed until they are fixed or discarded.

What the department wrote is personal data and may be wrong in any cell, so the whole row is sealed; only its number,
the first thing wrong with it and the column are kept in the open.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from tianfu.errors import NotFoundError
from tianfu.platform.database import Read, Write
from tianfu.platform.pseudonym import Pseudonym

PAGE_ROWS_MAX: Final = 1_000


class QuarantineRowNotFoundError(NotFoundError):
    """No row with this number is set aside."""

    code = "quarantine_row_not_found"
    zh = "没有这条暂存记录。"
    en = "No row with this number is set aside."


class SetAside(msgspec.Struct, frozen=True):
    """A row of a file that was not accepted, and why. `field` is the column, `reason` a stable code."""

    row_number: int
    field: str
    reason: str
    raw: tuple[str, ...] = ()


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is set aside, without what it says."""

    quarantine_id: int
    batch_id: int
    feed: str
    source: str
    received_at: datetime
    row_number: int
    field: str
    reason: str


def keep(write: Write, batch_id: int, rows: Iterable[SetAside], *, pseudonym: Pseudonym) -> None:
    """Seal `rows` and keep them with their batch."""
    write.copy(
        "copy feed_quarantine (batch_id, row_number, reason, field, row_sealed, seal_key) from stdin",
        (_sealed(batch_id, row, pseudonym) for row in rows),
    )


def waiting(read: Read, *, batch_id: int | None = None, after: int = 0, limit: int = PAGE_ROWS_MAX) -> list[Waiting]:
    """Rows that wait for somebody, by number, a page at a time (`after` the last number of the page before)."""
    rows = read.rows(
        """
        select q.quarantine_id, q.batch_id, b.feed, b.source, b.received_at, q.row_number, q.field, q.reason
        from feed_quarantine q join feed_batch b on b.batch_id = q.batch_id
        where q.state = 'waiting' and q.quarantine_id > %s and (%s::bigint is null or q.batch_id = %s)
        order by q.quarantine_id
        limit %s
        """,
        (after, batch_id, batch_id, min(limit, PAGE_ROWS_MAX)),
    )
    return [
        Waiting(
            quarantine_id=row[0],
            batch_id=row[1],
            feed=row[2],
            source=row[3],
            received_at=row[4],
            row_number=row[5],
            field=row[6],
            reason=row[7],
        )
        for row in rows
    ]


def show(read: Read, quarantine_id: int, *, pseudonym: Pseudonym) -> tuple[str, ...]:
    """The cells of one row as the department wrote them: personal data, so the caller leaves an entry in the trail.

    Raises `QuarantineRowNotFoundError`.
    """
    row = read.row(
        "select batch_id, row_number, row_sealed, seal_key from feed_quarantine where quarantine_id = %s",
        (quarantine_id,),
    )
    if row is None:
        raise QuarantineRowNotFoundError
    batch_id, row_number, sealed, key_id = row
    text = pseudonym.open(bytes(sealed), key_id, context=_context(batch_id, row_number))
    return msgspec.json.decode(text, type=tuple[str, ...])


def _sealed(batch_id: int, row: SetAside, pseudonym: Pseudonym) -> tuple[int, int, str, str, bytes, str]:
    text = msgspec.json.encode(row.raw).decode()
    sealed = pseudonym.seal(text, context=_context(batch_id, row.row_number))
    return batch_id, row.row_number, row.reason, row.field, sealed.data, sealed.key_id


def _context(batch_id: int, row_number: int) -> bytes:
    """Binds a sealed row to its place, so that two rows cannot be exchanged in the database."""
    return f"feed.quarantine:{batch_id}:{row_number}".encode()
