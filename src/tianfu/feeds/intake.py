"""Loading one file of a department: parse, match to people, append, set aside what is wrong; all in one transaction.

The same file again changes nothing and says so. The same rows in another file are repetitions to the ledger. A file
with more rows than its contract lets one person load is held instead (see `feeds.held`): nothing of it counts until
somebody else approves it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from tianfu.audit import trail
from tianfu.evidence import sources
from tianfu.feeds import held_file, parsing, store, storing
from tianfu.feeds.contract import Contract
from tianfu.feeds.parsing import Parsed, Progress
from tianfu.feeds.quarantine import SetAside
from tianfu.feeds.store import Batch, BatchState
from tianfu.platform.database import Database, Purpose, Write
from tianfu.platform.pseudonym import Pseudonym


class Sender(msgspec.Struct, frozen=True):
    """Who loads a file: an operator's account, or a department's key.

    `admit(write, rows)` may refuse a new batch of so many rows by raising, in the transaction that loads it.
    """

    name: str
    kind: Literal["operator", "department"] = "operator"
    admit: Callable[[Write, int], None] | None = None


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file. Of a loaded one rows = accepted + duplicates + set aside.

    `already_loaded` says that this very file came before: the counts and the state are those of its batch now, and
    nothing was done. A `held` batch waits for a second person, and nothing of it was accepted. `reasons` counts the
    rows set aside by column and reason, with the lowest row number of each.
    """

    batch_id: int
    feed: str
    source: str
    encoding: str
    already_loaded: bool
    rows: int
    accepted: int
    duplicates: int
    set_aside: int
    state: BatchState = BatchState.LOADED
    reasons: tuple[ReasonCount, ...] = ()


class ReasonCount(msgspec.Struct, frozen=True):
    """How many rows were set aside because of one thing, and the first row it happened in."""

    field: str
    reason: str
    rows: int
    first_row: int


def load(
    database: Database,
    data: bytes,
    *,
    contract: Contract,
    source: str,
    pseudonym: Pseudonym,
    at: datetime,
    loaded_by: Sender | str | None = None,
    progress: Progress | None = None,
) -> Loaded:
    """Load the file `data`, received `at`; `progress(step, done, total)` is called along the way.

    The trail says what was loaded and by whom: `loaded_by` is an operator's account or a `Sender`, None this system
    itself, which needs no second person.

    Raises `FeedRefusedError` (the file), `SourceUnknownError`, `OrderUnknownError`, or a database error; then nothing
    was kept. A retry after any failure, a lost commit included, is harmless.
    """
    sources.find(source)
    digest = hashlib.sha256(data).digest()
    sender = Sender(loaded_by) if isinstance(loaded_by, str) else loaded_by
    parsed = parsing.parse(data, contract, at, progress)
    most = contract.second_person_over
    holds = sender is not None and most is not None and len(parsed.rows) > most
    with database.write(Purpose.BATCH) as write:
        batch_id = store.open_batch(
            write,
            feed=contract.feed,
            source=source,
            digest=digest,
            received_at=at,
            state=BatchState.HELD if holds else BatchState.LOADED,
            loaded_by=None if sender is None else sender.name,
        )
        if batch_id is None:
            return _came_before(write, contract, source, digest, parsed.encoding)
        if sender is not None and sender.admit is not None:
            sender.admit(write, parsed.total)
        batch = _opened(write, batch_id)
        if holds:
            storing.require_orders(write, parsed.rows)
            batch = held_file.keep(write, batch, data, parsed, pseudonym=pseudonym)
        else:
            batch = storing.store_file(write, batch, parsed, pseudonym=pseudonym, at=at)
        trail.record(write, _entry(batch, sender, at))
    return told(batch, parsed.encoding, already_loaded=False, parsed=parsed)


def told(batch: Batch, encoding: str, *, already_loaded: bool, parsed: Parsed | None = None) -> Loaded:
    """What to say of a batch."""
    return Loaded(
        batch_id=batch.batch_id,
        feed=batch.feed,
        source=batch.source,
        encoding=encoding,
        already_loaded=already_loaded,
        rows=batch.rows,
        accepted=batch.accepted,
        duplicates=batch.duplicates,
        set_aside=batch.set_aside,
        state=batch.state,
        reasons=() if parsed is None else _count(parsed.set_aside),
    )


def _opened(write: Write, batch_id: int) -> Batch:
    batch = store.batch(write, batch_id)
    if batch is None:
        message = "a batch is gone in its own transaction"
        raise RuntimeError(message)
    return batch


def _came_before(write: Write, contract: Contract, source: str, digest: bytes, encoding: str) -> Loaded:
    batch = store.find_batch(write, feed=contract.feed, source=source, digest=digest)
    if batch is None:
        message = "a batch that stood in the way of this one is gone"
        raise RuntimeError(message)
    return told(batch, encoding, already_loaded=True)


def _entry(batch: Batch, sender: Sender | None, at: datetime) -> trail.Entry:
    return trail.Entry(
        at=at,
        actor_kind="system" if sender is None else sender.kind,
        actor="tianfu" if sender is None else sender.name,
        action="feed.hold" if batch.state is BatchState.HELD else "feed.load",
        purpose="feed",
        subject=f"batch:{batch.batch_id}",
        detail={
            "feed": batch.feed,
            "source": batch.source,
            "batch": batch.batch_id,
            "rows": batch.rows,
            "duplicates": batch.duplicates,
            "set_aside": batch.set_aside,
        },
    )


def _count(set_aside: Sequence[SetAside]) -> tuple[ReasonCount, ...]:
    counts = Counter((row.field, row.reason) for row in set_aside)
    first = {(row.field, row.reason): row.row_number for row in reversed(set_aside)}
    return tuple(
        ReasonCount(field, reason, rows, first[field, reason]) for (field, reason), rows in counts.most_common()
    )
