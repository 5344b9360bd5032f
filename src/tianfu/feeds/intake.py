"""Loading one file of a department: parse, match to people, append, set aside what is wrong; all in one transaction.

The same file again changes nothing and says so. The same rows in another file are repetitions to the ledger.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from tianfu.audit import trail
from tianfu.evidence import ledger, sources
from tianfu.evidence.model import NewEvidence
from tianfu.feeds import quarantine, store, table
from tianfu.feeds.contracts import Contract, Row
from tianfu.feeds.quarantine import SetAside
from tianfu.platform.database import Database, Purpose, Write
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import people

_PROGRESS_ROWS: Final = 2_000

Progress = Callable[[str, int, int], None]


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file. Rows = accepted + duplicates + set aside.

    `already_loaded` says that this very file was loaded before: the counts are those of that time and nothing was
    done. `reasons` counts the rows set aside by column and reason, `first_rows` has the lowest row number of each.
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
    loaded_by: str | None = None,
    progress: Progress | None = None,
) -> Loaded:
    """Load the file `data`, received `at`; `progress(step, done, total)` is called along the way.

    The trail says what was loaded and by whom: `loaded_by` is an operator, None this system itself.

    Raises `FeedRefusedError` (the file), `SourceUnknownError`, or a database error; then nothing was kept. A retry
    after any failure, a lost commit included, is harmless.
    """
    sources.find(source)
    digest = hashlib.sha256(data).digest()
    content = table.read(data, contract)
    rows, set_aside = _parse(content.rows, contract, at, progress)
    with database.write(Purpose.BATCH) as write:
        batch_id = store.open_batch(write, feed=contract.feed, source=source, digest=digest, received_at=at)
        if batch_id is None:
            return _loaded_before(write, contract, source, digest, content.encoding)
        appended = _append(write, rows, source=source, pseudonym=pseudonym, at=at, batch_id=batch_id)
        quarantine.keep(write, batch_id, set_aside, pseudonym=pseudonym)
        counts = {
            "rows": len(rows) + len(set_aside),
            "accepted": appended.accepted,
            "duplicates": appended.duplicates,
            "set_aside": len(set_aside),
        }
        store.close_batch(write, batch_id, **counts)
        trail.record(
            write,
            trail.Entry(
                at=at,
                actor_kind="system" if loaded_by is None else "operator",
                actor=loaded_by or "tianfu",
                action="feed.load",
                purpose="feed",
                subject=f"batch:{batch_id}",
                detail={
                    "feed": contract.feed,
                    "source": source,
                    "batch": batch_id,
                    "rows": counts["rows"],
                    "duplicates": counts["duplicates"],
                    "set_aside": counts["set_aside"],
                },
            ),
        )
    return Loaded(
        batch_id=batch_id,
        feed=contract.feed,
        source=source,
        encoding=content.encoding,
        already_loaded=False,
        reasons=_count(set_aside),
        **counts,
    )


def _parse(
    table_rows: Sequence[table.TableRow], contract: Contract, at: datetime, progress: Progress | None
) -> tuple[list[Row], list[SetAside]]:
    rows: list[Row] = []
    set_aside: list[SetAside] = []
    for done, line in enumerate(table_rows):
        if progress is not None and done % _PROGRESS_ROWS == 0:
            progress("read", done, len(table_rows))
        if line.cells is None:
            set_aside.append(SetAside(line.number, "", "cells", line.raw))
            continue
        parsed = contract.parse(line.cells, at)
        if isinstance(parsed, Row):
            rows.append(parsed)
        else:
            set_aside.append(SetAside(line.number, parsed[0].field, parsed[0].code, line.raw))
    if progress is not None:
        progress("store", len(table_rows), len(table_rows))
    return rows, set_aside


def _append(
    write: Write, rows: Sequence[Row], *, source: str, pseudonym: Pseudonym, at: datetime, batch_id: int
) -> ledger.Appended:
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
    return ledger.append(write, items, received_at=at, batch_id=batch_id)


def _loaded_before(write: Write, contract: Contract, source: str, digest: bytes, encoding: str) -> Loaded:
    batch = store.find_batch(write, feed=contract.feed, source=source, digest=digest)
    if batch is None:
        message = "a batch that stood in the way of this one is gone"
        raise RuntimeError(message)
    return Loaded(
        batch_id=batch.batch_id,
        feed=batch.feed,
        source=batch.source,
        encoding=encoding,
        already_loaded=True,
        rows=batch.rows,
        accepted=batch.accepted,
        duplicates=batch.duplicates,
        set_aside=batch.set_aside,
    )


def _count(set_aside: Sequence[SetAside]) -> tuple[ReasonCount, ...]:
    counts = Counter((row.field, row.reason) for row in set_aside)
    first = {(row.field, row.reason): row.row_number for row in reversed(set_aside)}
    return tuple(
        ReasonCount(field, reason, rows, first[field, reason]) for (field, reason), rows in counts.most_common()
    )
