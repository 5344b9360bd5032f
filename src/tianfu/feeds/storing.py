"""Rows that were accepted become evidence, in the caller's transaction: the one way from a feed into the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tianfu.evidence import delays, ledger, orders
from tianfu.evidence.circumstance_kinds import Emergency
from tianfu.evidence.model import NewEvidence
from tianfu.feeds import quarantine, store
from tianfu.feeds.contract import Row
from tianfu.feeds.parsing import Parsed
from tianfu.feeds.store import Batch
from tianfu.platform.database import Write
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import people


def require_orders(write: Write, rows: Sequence[Row]) -> None:
    """Refuse people named under an emergency order that two people did not register. Raises `OrderUnknownError`."""
    named = [row.attributes for row in rows if isinstance(row.attributes, Emergency)]
    if named:
        orders.require(write, named)


def append(
    write: Write, rows: Sequence[Row], *, source: str, pseudonym: Pseudonym, at: datetime, batch_id: int
) -> ledger.Appended:
    """Append `rows`, received `at`, to the ledger and count how old they are; new documents become people.

    Raises `OrderUnknownError`.
    """
    require_orders(write, rows)
    persons = people.refer(write, [row.document for row in rows], pseudonym=pseudonym, at=at)
    items = [
        NewEvidence(
            person=person,
            source=source,
            source_record=row.source_record,
            attributes=row.attributes,
            occurred_at=row.occurred_at,
            valid=row.valid,
            place=row.place,
        )
        for person, row in zip(persons, rows, strict=True)
    ]
    delays.note_receipt(write, source, [row.occurred_at for row in rows], at)
    return ledger.append(write, items, received_at=at, batch_id=batch_id)


def store_file(write: Write, batch: Batch, parsed: Parsed, *, pseudonym: Pseudonym, at: datetime) -> Batch:
    """Append everything in the file of `batch`, set aside what is wrong, and write down the counts."""
    appended = append(write, parsed.rows, source=batch.source, pseudonym=pseudonym, at=at, batch_id=batch.batch_id)
    quarantine.keep(write, batch.batch_id, parsed.set_aside, pseudonym=pseudonym)
    store.close_batch(
        write,
        batch.batch_id,
        rows=parsed.total,
        accepted=appended.accepted,
        duplicates=appended.duplicates,
        set_aside=len(parsed.set_aside),
    )
    stored = store.batch(write, batch.batch_id)
    if stored is None:
        message = "a batch is gone in its own transaction"
        raise RuntimeError(message)
    return stored
