"""Loading a city's file: planned, read by several processes into parts, settled by them into people.

The same file by the same mapping again changes nothing. A load that was killed, at any moment, goes on with the
blocks and buckets that are not done: each is done in one transaction that also says so. Two loads of one file at once
share the work.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED as FIRST
from concurrent.futures import Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any, Final

import msgspec

from tianfu.audit import trail
from tianfu.platform.database import Purpose, Write
from tianfu.residents.city_codes import blocks, city_store, mapping, settle, stage
from tianfu.residents.city_codes.blocks import Block, Plan
from tianfu.residents.city_codes.city_store import Counts, FileRow
from tianfu.residents.city_codes.desk import Desk, OpenDesk
from tianfu.residents.city_codes.read import Reader

# Work handed out ahead of the processes; the rest waits here, so that an interrupt is soon over.
_AHEAD: Final = 3
# Building the index of phones anew costs 2 µs a holder; filling it in random order costs ten times that a row.
REBUILD_WORTH: Final = 10
_COLLECT_EVERY: Final = 1_000_000
_PURPOSE: Final = "migration"

Progress = Callable[[str, int, int], None]
"""Told of the step (`read` or `settle`) with rows done and rows in all."""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file. `already_loaded` when it had been finished before, and nothing was changed."""

    file_id: int
    city: str
    already_loaded: bool
    resumed: bool
    rows: int
    counts: Counts


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is to know of a file."""

    path: Path
    mapping_path: Path
    mapping_digest: bytes
    header: bytes
    file_id: int
    city: str
    bits: int
    at: datetime


def load(
    open_desk: OpenDesk,
    path: Path,
    mapping_path: Path,
    *,
    at: datetime,
    loaded_by: str,
    processes: int = 2,
    progress: Progress | None = None,
    block_bytes: int = blocks.BLOCK_BYTES,
) -> Loaded:
    """Load the file at `path`. Raises `MappingInvalidError` or `CityFileInvalidError` before anything is written.

    With one process the work is done here, in this one.
    """
    known = mapping.load(mapping_path)
    plan = blocks.plan(path, has_header=not known.mapping.columns, block_bytes=block_bytes)
    Reader(known.mapping, plan.header, at=at)
    desk = open_desk()
    row, is_new = _begin(desk, plan, known, loaded_by=loaded_by, at=at)
    if row.finished_at is None:
        work = Work(
            path=path,
            mapping_path=mapping_path,
            mapping_digest=known.digest,
            header=plan.header,
            file_id=row.file_id,
            city=row.city,
            bits=row.bucket_bits,
            at=at,
        )
        with _executor(open_desk, processes) as executor:
            _run(desk, executor, work, row, progress or _silent, ahead=processes * _AHEAD)
        _finish(desk, work, loaded_by)
    with desk.database.read(Purpose.BATCH) as read:
        counts = city_store.counts(read, row.file_id)
    return Loaded(
        file_id=row.file_id,
        city=row.city,
        already_loaded=row.finished_at is not None,
        resumed=row.finished_at is None and not is_new,
        rows=row.rows,
        counts=counts,
    )


def _begin(desk: Desk, plan: Plan, known: mapping.Known, *, loaded_by: str, at: datetime) -> tuple[FileRow, bool]:
    """The file's row, and whether it was made now."""
    with desk.database.write(Purpose.BATCH) as write:
        number = city_store.insert_file(
            write, plan, city=known.mapping.city, mapping_digest=known.digest, loaded_by=loaded_by, at=at
        )
        row = city_store.find_file(write, digest=plan.digest, mapping_digest=known.digest)
        if row is None:
            message = "a file that stood in the way of this one is gone"
            raise RuntimeError(message)
        if number is not None:
            if row.rows * REBUILD_WORTH >= city_store.holders_about(write):
                city_store.drop_phone_index(write)
            _record(write, "city_codes.begin", row.file_id, loaded_by, at, {"rows": row.rows, "place": row.city})
    return row, number is not None


def _run(desk: Desk, executor: Executor | None, work: Work, row: FileRow, progress: Progress, *, ahead: int) -> None:
    """Read every block that waits, then settle every bucket that waits."""
    with desk.database.read(Purpose.BATCH) as read:
        waiting = city_store.open_blocks(read, work.file_id)
        done = row.rows - sum(_rows_about(block, row) for block in waiting)
    for rows in _each(executor, _stage, [(work, block) for block in waiting], desk, ahead):
        done += rows
        progress("read", min(done, row.rows), row.rows)
    with desk.database.read(Purpose.BATCH) as read:
        buckets = city_store.open_buckets(read, work.file_id)
        counts = city_store.counts(read, work.file_id)
    done = counts.accepted * counts.buckets_done // max(1, counts.buckets)
    for rows in _each(executor, _settle, [(work, bucket) for bucket in buckets], desk, ahead):
        done += rows
        progress("settle", min(done, counts.accepted), counts.accepted)


def _rows_about(block: Block, row: FileRow) -> int:
    """How many rows a block has, by its size."""
    return (block.ends_at - block.starts_at) * row.rows // max(1, row.size)


def _finish(desk: Desk, work: Work, loaded_by: str) -> None:
    with desk.database.write(Purpose.BATCH) as write:
        city_store.build_phone_index(write)
        city_store.refresh_statistics(write)
        if city_store.finish_file(write, work.file_id, work.at):
            counts = city_store.counts(write, work.file_id)
            detail = {"count": counts.made + counts.known, "set_aside": counts.set_aside, "place": work.city}
            detail["duplicates"] = counts.duplicates
            _record(write, "city_codes.load", work.file_id, loaded_by, work.at, detail)


def _record(write: Write, action: str, file_id: int, by: str, at: datetime, detail: dict[str, Any]) -> None:
    trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="operator",
            actor=by,
            action=action,
            purpose=_PURPOSE,
            subject=f"city_file:{file_id}",
            detail=detail,
        ),
    )


# --- processes --------------------------------------------------------------------------------------------------------


def _each(
    executor: Executor | None,
    task: Callable[[Desk, Work, Any], int],
    items: Sequence[tuple[Work, Any]],
    desk: Desk,
    ahead: int,
) -> Iterator[int]:
    """The answer of `task` for each item, in order of completion."""
    if executor is None:
        yield from (task(desk, *item) for item in items)
        return
    under_way: set[Future[int]] = set()
    left = iter(items)
    while True:
        for item in left:
            under_way.add(executor.submit(_here, task, *item))
            if len(under_way) >= ahead:
                break
        if not under_way:
            return
        finished, under_way = wait(under_way, return_when=FIRST)
        yield from (future.result() for future in finished)


_DESKS: Final[list[Desk]] = []


def _here(task: Callable[[Desk, Work, Any], int], work: Work, item: object) -> int:
    return task(_DESKS[0], work, item)


def _stage(desk: Desk, work: Work, block: Block) -> int:
    reader = _reader(work.mapping_path, work.mapping_digest, work.header, work.at)
    return stage.block(desk, reader, work.path, block, file_id=work.file_id, bits=work.bits, at=work.at)


@cache
def _reader(mapping_path: Path, mapping_digest: bytes, header: bytes, at: datetime) -> Reader:
    known = mapping.load(mapping_path)
    if known.digest != mapping_digest:
        raise mapping.MappingInvalidError(
            en="The mapping was changed while it was in use.", zh="对照文件在导入中被改动。"
        )
    return Reader(known.mapping, header, at=at)


def _settle(desk: Desk, work: Work, bucket: int) -> int:
    return settle.bucket(desk, bucket, file_id=work.file_id, city=work.city, at=work.at)


@contextmanager
def _executor(open_desk: OpenDesk, processes: int) -> Iterator[Executor | None]:
    if processes == 1:
        yield None
        return
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_enter, initargs=(open_desk,)
    ) as executor:
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=True, cancel_futures=True)
            raise


def _enter(open_desk: OpenDesk) -> None:
    """Ready a process of the pool. It ends with the one that started it, also when that was killed."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    # Millions of small tuples and no cycles: left alone, the collector walks them over and over.
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY, 50, 50)
    _DESKS.append(open_desk())


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _silent(_step: str, _done: int, _total: int) -> None:
    """Tells nobody."""
