"""Deciding about rows that were set aside: fixed, released as they are, or discarded; one by one or all of a reason.

A fixed or released row is parsed by its contract as it is now and appended in the transaction that marks it released.
Every decision leaves one entry in the trail; taking the same decision again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from tianfu.access.two_people import require_word
from tianfu.audit import trail
from tianfu.errors import Fault, InputInvalidError, TianfuError
from tianfu.feeds import accounts, held, quarantine, store, storing
from tianfu.feeds.contract import Contract, Row
from tianfu.feeds.contracts import CONTRACTS
from tianfu.feeds.quarantine import Kept
from tianfu.feeds.store import Batch, BatchState
from tianfu.feeds.table import CELL_CHARACTERS_MAX
from tianfu.platform.database import Write
from tianfu.platform.pseudonym import Pseudonym

Decision = Literal["released", "discarded"]


class RowDecidedError(TianfuError):
    """The row was decided otherwise before."""

    code = "quarantine_row_decided"
    status = 409
    zh = "这条暂存记录已作其他处理。"
    en = "Something else was decided about this row before."


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision did: rows decided now, how many of them were new to the ledger, and rows that wait on."""

    batch_id: int
    decision: Decision
    rows: int
    accepted: int = 0
    still_waiting: int = 0


def fix(
    write: Write, quarantine_id: int, corrections: Mapping[str, str], *, by: str, pseudonym: Pseudonym, at: datetime
) -> Decided:
    """Accept a row with `corrections` (cells by column name) put over what it says; without any, as it is.

    Raises `InputInvalidError` naming every column that is still wrong or unknown, `QuarantineRowNotFoundError`,
    `RowDecidedError`, or `BatchDecidedError` when the batch was withdrawn. A retry changes nothing.
    """
    kept, batch = _locked(write, quarantine_id, by, pseudonym)
    if kept.state == "released":
        return Decided(batch_id=batch.batch_id, decision="released", rows=0)
    if kept.state == "discarded":
        raise RowDecidedError
    parsed = _parse(CONTRACTS[batch.feed], kept, corrections, at)
    if not isinstance(parsed, Row):
        raise InputInvalidError(faults=parsed)
    accepted = _release(write, batch, [(kept, parsed)], by=by, pseudonym=pseudonym, at=at)
    action = "quarantine.fix" if corrections else "quarantine.release"
    _note(write, action, batch, by, at, {"row": kept.row_number, "count": 1})
    return Decided(batch_id=batch.batch_id, decision="released", rows=1, accepted=accepted)


def discard(write: Write, quarantine_id: int, *, by: str, reason: str, pseudonym: Pseudonym, at: datetime) -> Decided:
    """Decide that a row will never be accepted; `reason` is one word for the trail. Raises as `fix` does."""
    require_word("reason", reason)
    kept, batch = _locked(write, quarantine_id, by, pseudonym)
    if kept.state == "discarded":
        return Decided(batch_id=batch.batch_id, decision="discarded", rows=0)
    if kept.state == "released":
        raise RowDecidedError
    quarantine.decide(write, [quarantine_id], "discarded", decided_by=by, at=at, reason=reason)
    _note(write, "quarantine.discard", batch, by, at, {"row": kept.row_number, "reason": reason, "count": 1})
    return Decided(batch_id=batch.batch_id, decision="discarded", rows=1)


def release_all(
    write: Write,
    batch_id: int,
    reason: str,
    *,
    by: str,
    pseudonym: Pseudonym,
    at: datetime,
    approved_by: str | None = None,
) -> Decided:
    """Accept every row of the batch that waits for `reason` and fits its contract by now; the others wait on.

    More rows than one person may load need `approved_by`, or `FeedNeedsTwoError`. Raises as `fix` does.
    """
    batch = _loaded(write, batch_id, by)
    contract = CONTRACTS[batch.feed]
    waiting = quarantine.lock_waiting(write, batch_id, reason, pseudonym=pseudonym)
    fitting = [(kept, row) for kept in waiting if isinstance(row := _parse(contract, kept, {}, at), Row)]
    most = contract.second_person_over
    if most is not None and len(fitting) > most:
        accounts.require_two(by, approved_by)
    accepted = _release(write, batch, fitting, by=by, pseudonym=pseudonym, at=at)
    if fitting:
        detail: dict[str, str | int] = {"reason": reason, "count": len(fitting)}
        if approved_by is not None:
            require_word("approved_by", approved_by)
            detail["approved_by"] = approved_by
        _note(write, "quarantine.release", batch, by, at, detail)
    return Decided(
        batch_id=batch_id,
        decision="released",
        rows=len(fitting),
        accepted=accepted,
        still_waiting=len(waiting) - len(fitting),
    )


def discard_all(
    write: Write, batch_id: int, reason: str, *, because: str, by: str, pseudonym: Pseudonym, at: datetime
) -> Decided:
    """Discard every row of the batch that waits for `reason`; `because` is one word for the trail."""
    require_word("reason", because)
    batch = _loaded(write, batch_id, by)
    waiting = [kept.quarantine_id for kept in quarantine.lock_waiting(write, batch_id, reason, pseudonym=pseudonym)]
    if waiting:
        quarantine.decide(write, waiting, "discarded", decided_by=by, at=at, reason=because)
        _note(write, "quarantine.discard", batch, by, at, {"reason": because, "count": len(waiting)})
    return Decided(batch_id=batch_id, decision="discarded", rows=len(waiting))


def _locked(write: Write, quarantine_id: int, by: str, pseudonym: Pseudonym) -> tuple[Kept, Batch]:
    """The row and its batch, held in the order that every decision takes: batch first, then rows."""
    batch_id = quarantine.show(write, quarantine_id, pseudonym=pseudonym).batch_id
    batch = _loaded(write, batch_id, by)
    return quarantine.lock(write, quarantine_id, pseudonym=pseudonym), batch


def _loaded(write: Write, batch_id: int, by: str) -> Batch:
    require_word("by", by)
    store.prepare(write)
    batch = store.lock_batch(write, batch_id)
    if batch is None:
        raise held.BatchNotFoundError
    if batch.state is not BatchState.LOADED:
        raise held.BatchDecidedError
    return batch


def _parse(contract: Contract, kept: Kept, corrections: Mapping[str, str], at: datetime) -> Row | tuple[Fault, ...]:
    """The row with `corrections`, or everything that is wrong with it. What one cell may hold is what a file's may."""
    known = {column.name for column in contract.columns}
    faults = [
        Fault(name, "column_unknown", "没有这一列的约定。", "no such column is agreed")
        for name in corrections
        if name not in known
    ]
    faults += [
        Fault(
            name, "too_long", f"超过 {CELL_CHARACTERS_MAX} 个字符。", f"is longer than {CELL_CHARACTERS_MAX} characters"
        )
        for name, cell in corrections.items()
        if len(cell) > CELL_CHARACTERS_MAX
    ]
    if kept.cells is None and not corrections:
        faults.append(
            Fault(
                "row",
                "cells",
                "单元格数量与表头不符，只能逐列更正。",
                "does not have the columns of its file; give its cells column by column",
            )
        )
    if faults:
        return tuple(faults)
    return contract.parse({**(kept.cells or {}), **corrections}, at)


def _release(
    write: Write, batch: Batch, rows: Sequence[tuple[Kept, Row]], *, by: str, pseudonym: Pseudonym, at: datetime
) -> int:
    """Append the rows and mark them; how many were new to the ledger."""
    if not rows:
        return 0
    appended = storing.append(
        write, [row for _, row in rows], source=batch.source, pseudonym=pseudonym, at=at, batch_id=batch.batch_id
    )
    quarantine.decide(write, [kept.quarantine_id for kept, _ in rows], "released", decided_by=by, at=at)
    store.count_released(write, batch.batch_id, accepted=appended.accepted, duplicates=appended.duplicates)
    return appended.accepted


def _note(write: Write, action: str, batch: Batch, by: str, at: datetime, detail: Mapping[str, str | int]) -> None:
    trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="operator",
            actor=by,
            action=action,
            purpose="feed",
            subject=f"batch:{batch.batch_id}",
            detail={"feed": batch.feed, "source": batch.source, "batch": batch.batch_id, **detail},
        ),
    )
