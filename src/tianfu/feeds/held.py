"""Deciding about whole batches: a second person approves or rejects what is held, two people withdraw what was loaded.

Each decision is one transaction with one entry in the trail; taking the same decision again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from tianfu.access.two_people import require_word
from tianfu.audit import trail
from tianfu.errors import NotFoundError, TianfuError
from tianfu.evidence import ledger
from tianfu.feeds import accounts, held_file, intake, parsing, quarantine, store, storing
from tianfu.feeds.contracts import CONTRACTS
from tianfu.feeds.intake import Loaded
from tianfu.feeds.parsing import Progress
from tianfu.feeds.store import Batch, BatchState
from tianfu.platform.database import Database, Purpose, Write
from tianfu.platform.pseudonym import Pseudonym

_WITHDRAWN_WITH_BATCH = "batch_withdrawn"


class BatchNotFoundError(NotFoundError):
    """No batch has this number."""

    code = "feed_batch_not_found"
    zh = "没有这个批次。"
    en = "There is no batch with this number."


class BatchDecidedError(TianfuError):
    """The batch is in another state than the decision is about."""

    code = "feed_batch_decided"
    status = 409
    zh = "该批次的状态不允许此操作：可能已批准、驳回或撤回。"
    en = "The batch is not in a state for this: it was approved, rejected or withdrawn, or still waits."


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """What withdrawing a batch did: statements withdrawn now, and waiting rows discarded with it."""

    batch_id: int
    withdrawn: int
    discarded: int
    already_withdrawn: bool


def approve(
    database: Database,
    batch_id: int,
    *,
    by: str,
    pseudonym: Pseudonym,
    at: datetime,
    progress: Progress | None = None,
) -> Loaded:
    """Load a held batch on the word of `by`, who did not send it. Its statements are received now, not when it came.

    Raises `BatchNotFoundError`, `BatchDecidedError`, `FeedNeedsTwoError`, `InputInvalidError` or a database error;
    then nothing was kept. Approving again changes nothing.
    """
    require_word("by", by)
    with database.read(Purpose.BATCH) as read:
        batch = _require(store.batch(read, batch_id))
        accounts.require_two(batch.loaded_by, by)
        if batch.state is BatchState.LOADED:
            return intake.told(batch, "", already_loaded=True)
        _require_state(batch, BatchState.HELD)
        data = held_file.restore(read, batch, pseudonym=pseudonym)
    parsed = parsing.parse(data, CONTRACTS[batch.feed], at, progress)
    with database.write(Purpose.BATCH) as write:
        store.prepare(write)
        batch = _require(store.lock_batch(write, batch_id))
        if batch.state is BatchState.LOADED:
            return intake.told(batch, parsed.encoding, already_loaded=True)
        _require_state(batch, BatchState.HELD)
        store.drop_file(write, batch_id)
        store.decide(write, batch_id, BatchState.LOADED, decided_by=by, at=at)
        batch = storing.store_file(write, batch, parsed, pseudonym=pseudonym, at=at)
        counts = {"rows": batch.rows, "duplicates": batch.duplicates, "set_aside": batch.set_aside}
        _note(write, "feed.approve", batch, by, at, counts)
    return intake.told(batch, parsed.encoding, already_loaded=False, parsed=parsed)


def reject(database: Database, batch_id: int, *, by: str, reason: str, at: datetime) -> Batch:
    """Refuse a held batch: its file is forgotten and the same file again changes nothing.

    Whoever sent it may take it back in this way too. Raises as `approve` does.
    """
    require_word("by", by)
    require_word("reason", reason)
    with database.write(Purpose.OPERATOR) as write:
        batch = _require(store.lock_batch(write, batch_id))
        if batch.state is BatchState.REJECTED:
            return batch
        _require_state(batch, BatchState.HELD)
        store.drop_file(write, batch_id)
        store.decide(write, batch_id, BatchState.REJECTED, decided_by=by, at=at, reason=reason)
        _note(write, "feed.reject", batch, by, at, {"reason": reason, "rows": batch.rows})
    return msgspec.structs.replace(batch, state=BatchState.REJECTED)


def withdraw(
    database: Database, batch_id: int, *, by: str, approved_by: str | None, reason: str, at: datetime
) -> Withdrawal:
    """Take back a loaded batch as one: its statements count as never made, its waiting rows are discarded.

    Over the size that needs two people to load, it needs two to withdraw. Raises as `approve` does.
    """
    require_word("by", by)
    require_word("reason", reason)
    if approved_by is not None:
        require_word("approved_by", approved_by)
        accounts.require_two(by, approved_by)
    with database.write(Purpose.BATCH) as write:
        store.prepare(write)
        batch = _require(store.lock_batch(write, batch_id))
        most = CONTRACTS[batch.feed].second_person_over
        if most is not None and batch.accepted > most:
            accounts.require_two(by, approved_by)
        if batch.state is BatchState.WITHDRAWN:
            return Withdrawal(batch_id=batch_id, withdrawn=0, discarded=0, already_withdrawn=True)
        _require_state(batch, BatchState.LOADED)
        withdrawn = ledger.withdraw_batch(write, batch_id, received_at=at)
        discarded = quarantine.discard_waiting(write, batch_id, decided_by=by, at=at, reason=_WITHDRAWN_WITH_BATCH)
        store.decide(write, batch_id, BatchState.WITHDRAWN, decided_by=by, at=at, reason=reason)
        detail: dict[str, str | int] = {"reason": reason, "rows": withdrawn, "set_aside": discarded}
        if approved_by is not None:
            detail["approved_by"] = approved_by
        _note(write, "feed.withdraw", batch, by, at, detail)
    return Withdrawal(batch_id=batch_id, withdrawn=withdrawn, discarded=discarded, already_withdrawn=False)


def _require(batch: Batch | None) -> Batch:
    if batch is None:
        raise BatchNotFoundError
    return batch


def _require_state(batch: Batch, state: BatchState) -> None:
    if batch.state is not state:
        raise BatchDecidedError


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
