"""Rows of a batch that could not be accepted: sealed until they are fixed, released or discarded.

What the department wrote is personal data and may be wrong in any cell, so the whole row is sealed; only its number,
the first thing wrong with it and the column are kept in the open. Deciding about rows is `feeds.decide_rows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from tianfu.errors import NotFoundError
from tianfu.platform.database import Read, Write
from tianfu.platform.pseudonym import Pseudonym

PAGE_ROWS_MAX: Final = 1_000

_KEPT: Final = """
    select quarantine_id, batch_id, row_number, field, reason, state, row_sealed, seal_key from feed_quarantine
"""
# A list of cells, or an object of cells by column.
_CONTENT: Final = msgspec.json.Decoder(tuple[str, ...] | dict[str, str])


class QuarantineRowNotFoundError(NotFoundError):
    """No row with this number is set aside."""

    code = "quarantine_row_not_found"
    zh = "没有这条暂存记录。"
    en = "No row with this number is set aside."


class SetAside(msgspec.Struct, frozen=True):
    """A row of a file that was not accepted, and why. `field` is the column, `reason` a stable code.

    `cells` are those of `raw` by column name; None when the row does not have the columns of its file.
    """

    row_number: int
    field: str
    reason: str
    raw: tuple[str, ...] = ()
    cells: Mapping[str, str] | None = None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A row with what it says. `cells` is None when it did not have the columns of its file; then `raw` says more."""

    quarantine_id: int
    batch_id: int
    row_number: int
    field: str
    reason: str
    state: str
    raw: tuple[str, ...]
    cells: dict[str, str] | None


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


def show(read: Read, quarantine_id: int, *, pseudonym: Pseudonym) -> Kept:
    """One row as the department wrote it: personal data, so the caller leaves an entry in the trail.

    Raises `QuarantineRowNotFoundError`.
    """
    row = read.row(_KEPT + " where quarantine_id = %s", (quarantine_id,))
    if row is None:
        raise QuarantineRowNotFoundError
    return _kept(row, pseudonym)


def lock(write: Write, quarantine_id: int, *, pseudonym: Pseudonym) -> Kept:
    """`show`, and whoever else decides about the row waits until this transaction ends."""
    row = write.row(_KEPT + " where quarantine_id = %s for update", (quarantine_id,))
    if row is None:
        raise QuarantineRowNotFoundError
    return _kept(row, pseudonym)


def lock_waiting(write: Write, batch_id: int, reason: str, *, pseudonym: Pseudonym) -> list[Kept]:
    """The rows of a batch that wait for `reason`, by row number, held until this transaction ends."""
    rows = write.rows(
        _KEPT + " where batch_id = %s and reason = %s and state = 'waiting' order by row_number for update",
        (batch_id, reason),
    )
    return [_kept(row, pseudonym) for row in rows]


def decide(
    write: Write, rows: Sequence[int], state: str, *, decided_by: str, at: datetime, reason: str | None = None
) -> None:
    """Write down what became of waiting rows: `released` or `discarded`."""
    write.execute(
        """
        update feed_quarantine set state = %s, decided_by = %s, decided_at = %s, decision_reason = %s
        where quarantine_id = any(%s) and state = 'waiting'
        """,
        (state, decided_by, at, reason, list(rows)),
    )


def discard_waiting(write: Write, batch_id: int, *, decided_by: str, at: datetime, reason: str) -> int:
    """Discard every waiting row of a batch; how many there were."""
    return write.execute(
        """
        update feed_quarantine set state = 'discarded', decided_by = %s, decided_at = %s, decision_reason = %s
        where batch_id = %s and state = 'waiting'
        """,
        (decided_by, at, reason, batch_id),
    )


def _kept(row: tuple[Any, ...], pseudonym: Pseudonym) -> Kept:
    quarantine_id, batch_id, row_number, field, reason, state, sealed, key_id = row
    text = pseudonym.open(bytes(sealed), key_id, context=_context(batch_id, row_number))
    content = _CONTENT.decode(text)
    cells = content if isinstance(content, dict) else None
    return Kept(
        quarantine_id=quarantine_id,
        batch_id=batch_id,
        row_number=row_number,
        field=field,
        reason=reason,
        state=state,
        raw=tuple(content.values()) if isinstance(content, dict) else content,
        cells=cells,
    )


def _sealed(batch_id: int, row: SetAside, pseudonym: Pseudonym) -> tuple[int, int, str, str, bytes, str]:
    text = msgspec.json.encode(row.raw if row.cells is None else dict(row.cells)).decode()
    sealed = pseudonym.seal(text, context=_context(batch_id, row.row_number))
    return batch_id, row.row_number, row.reason, row.field, sealed.data, sealed.key_id


def _context(batch_id: int, row_number: int) -> bytes:
    """Binds a sealed row to its place, so that two rows cannot be exchanged in the database."""
    return f"feed.quarantine:{batch_id}:{row_number}".encode()
