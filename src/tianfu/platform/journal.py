"""The journal: records that are durable before anybody is told so.

Group commit by "pack, then sync": everything that waits at the moment becomes ONE value, written and synced in one
transaction by one thread, and one call on the event loop tells everybody who waits. What was acknowledged survives
kill -9 and loss of power; what was not may be there or not. The file itself is `tianfu.platform.journalfile`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import lmdb

from tianfu.clock import monotonic_seconds
from tianfu.errors import TianfuError
from tianfu.platform.hot import Joint, Told, settle
from tianfu.platform.http import BusyError
from tianfu.platform.journalfile import JOURNAL_MAP_BYTES, JournalBrokenError, JournalFile, JournalFullError
from tianfu.platform.observe import Log

# A commit takes 0.2 to 2 ms, there is one in 2 ms, and a gate writes at most 30,000 records a second, so 120 wait at a
# time. 4,096 waiting mean 140 ms of backlog: the disk has stalled, and "busy" is the better answer.
PENDING_RECORDS_MAX: Final = 4_096
# A commit costs the processor 0.1 ms, however few records it carries. One in 2 ms at most keeps that to a twentieth of
# a core; a record that comes after a quiet moment waits for nothing, nor do as many as are worth a commit.
COMMIT_SPACING_SECONDS: Final = 0.002
RECORDS_ENOUGH: Final = 32
# After a start on a full disk; opening a file costs a millisecond on the event loop.
REOPEN_SECONDS: Final = 1.0


class JournalTakenError(TianfuError):
    """Another process has this gate's journal open. Two gates on one machine need two numbers."""

    code = "journal_taken"
    status = 503
    zh = "本检验点的登记文件正被另一进程使用，请为每个检验点进程设置不同的编号（TIANFU_GATE_NUMBER）。"
    en = "Another process has this gate's journal open; give each gate its own TIANFU_GATE_NUMBER."


class _Batch:
    """Records that will be committed together, and who is to be told."""

    __slots__ = ("records", "told")

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.told: list[Told] = []

    def resolve(self, failure: TianfuError | None) -> None:
        """Tell everybody, on the event loop's thread."""
        told, self.told = self.told, []
        for tell in told:
            tell(failure)


class Journal:
    """The gate's journal: `append` from the event loop, committed by one thread of its own.

    Each commit takes whatever arrived during the one before, so batches grow with load and a lone record waits for
    one sync only. After `close` nothing may be appended.
    """

    def __init__(
        self, folder: Path, file: JournalFile, *, lock: int, loop: asyncio.AbstractEventLoop, map_bytes: int
    ) -> None:
        """Use `open`."""
        self._folder = folder
        self._map_bytes = map_bytes
        self._file = file
        self._lock_descriptor = lock
        self._loop = loop
        self._mutex = threading.Lock()
        self._enough = threading.Event()
        self._filling: _Batch | None = None
        # Batches whose waiters were not told yet: one being filled, one being committed, one on its way back.
        self._open: list[_Batch] = []
        # Holds at most the batch being filled and the end mark: a new batch is begun only after this was taken.
        self._batches: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._committer = threading.Thread(target=self._commit_batches, name="journal", daemon=True)
        self._committer.start()

    @classmethod
    def open(cls, folder: Path, *, loop: asyncio.AbstractEventLoop, map_bytes: int = JOURNAL_MAP_BYTES) -> Journal:
        """The journal in `folder` for this process alone.

        Raises `JournalTakenError`, `JournalBrokenError` when it is damaged, `JournalFullError` without room.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalFullError from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file = JournalFile.open(folder, map_bytes=map_bytes)
        except BlockingIOError as error:
            os.close(descriptor)
            raise JournalTakenError from error
        except TianfuError:
            os.close(descriptor)
            raise
        return cls(folder, file, lock=descriptor, loop=loop, map_bytes=map_bytes)

    def take(self, records: Sequence[bytes], told: Told) -> None:
        """Accept `records` on the event loop's thread; `told` hears None when they are durable, all or none of them.

        Raises `BusyError` at once when too many wait. `told` hears `JournalFullError` when they could not be written;
        then nothing was acknowledged, and the caller may try again with the same nonces.
        """
        with self._mutex:
            batch = self._filling
            if batch is None:
                batch = self._filling = _Batch()
                self._open = [*(earlier for earlier in self._open if earlier.told), batch]
                self._batches.put(batch)
            elif len(batch.records) + len(records) > PENDING_RECORDS_MAX:
                raise BusyError
            batch.records += records
            batch.told.append(told)
            if len(batch.records) >= RECORDS_ENOUGH:
                self._enough.set()

    def when_settled(self, told: Told) -> None:
        """`told` hears None when everything taken so far is durable, or what kept any of it from being."""
        open_batches = [batch for batch in self._open if batch.told]
        joint = Joint(told, len(open_batches) or 1)
        for batch in open_batches:
            batch.told.append(joint.told)
        if not open_batches:
            joint.told(None)

    def append(self, *records: bytes) -> asyncio.Future[None]:
        """As `take`, as a future. Whoever stops waiting for it takes nothing back."""
        durable: asyncio.Future[None] = self._loop.create_future()
        self.take(records, partial(settle, durable))
        return durable

    def end(self) -> int:
        """The sequence number that the next record will get, as far as the file knows."""
        return self._file.end()

    def read(self, start: int, limit: int) -> list[tuple[int, bytes]]:
        """As `JournalFile.read`."""
        return self._file.read(start, limit)

    def close(self) -> None:
        """Commit what waits, end the thread, release the file. Not to be called from a coroutine that waits on it."""
        if self._committer.is_alive():
            self._batches.put(None)
            self._committer.join()
            self._file.close()
            os.close(self._lock_descriptor)

    def _commit_batches(self) -> None:
        """The committer thread."""
        earliest = monotonic_seconds()
        while (batch := self._batches.get()) is not None:
            early = earliest - monotonic_seconds()
            if early > 0:
                self._enough.wait(early)
            earliest = monotonic_seconds() + COMMIT_SPACING_SECONDS
            with self._mutex:
                self._filling = None
                self._enough.clear()
            failure: TianfuError | None = None
            try:
                self._file.write(batch.records)
            except TianfuError as error:
                failure = error
            except lmdb.Error as error:
                failure = self._reopen(error)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
                self._loop.call_soon_threadsafe(batch.resolve, failure)

    def _reopen(self, cause: lmdb.Error) -> TianfuError:
        """After a failed sync LMDB refuses everything until the file is opened anew. What to tell the waiters."""
        failure: TianfuError = JournalFullError()
        failure.__cause__ = cause
        self._file.close()
        try:
            self._file = JournalFile.open(self._folder, map_bytes=self._map_bytes)
        except TianfuError as error:
            failure = error
        return failure


class ClosedJournal:
    """Stands in for a journal that cannot be opened: scans are refused with the reason, codes are still shown.

    Where there was no room, the scan that comes `REOPEN_SECONDS` later tries again with `reopen`; once that has
    succeeded, this stands for the journal.
    """

    def __init__(self, reason: TianfuError, reopen: Callable[[], Journal] | None = None) -> None:
        """`reason` is what everybody who wants something recorded is told."""
        self.reason = reason
        self.journal: Journal | None = None
        self._reopen = reopen
        self._again_at = monotonic_seconds() + REOPEN_SECONDS

    def take(self, records: Sequence[bytes], told: Told) -> None:
        """As the journal's, once there is one. Raises the reason."""
        self._present().take(records, told)

    def when_settled(self, told: Told) -> None:
        """As the journal's, once there is one. Raises the reason."""
        self._present().when_settled(told)

    def close(self) -> None:
        """Close the journal, if it was opened after all."""
        if self.journal is not None:
            self.journal.close()

    def _present(self) -> Journal:
        if self.journal is not None:
            return self.journal
        at = monotonic_seconds()
        if self._reopen is None or not isinstance(self.reason, JournalFullError) or at < self._again_at:
            raise self.reason
        self._again_at = at + REOPEN_SECONDS
        try:
            self.journal = self._reopen()
        except TianfuError as error:
            self.reason = error
            raise
        return self.journal


def open_or_explain(folder: Path, *, loop: asyncio.AbstractEventLoop, log: Log) -> Journal | ClosedJournal:
    """The journal in `folder`, or a stand-in that tells why it takes nothing when it is full or damaged.

    Raises `JournalTakenError`: then this process has the wrong number and must not serve at all.
    """
    try:
        return Journal.open(folder, loop=loop)
    except (JournalBrokenError, JournalFullError) as error:
        closed = ClosedJournal(error, lambda: Journal.open(folder, loop=loop))
    log.error("the journal cannot be opened, scans are refused", code=closed.reason.code)
    return closed
