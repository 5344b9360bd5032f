"""The board's files as a reader has them open: taking up the current one, and one snapshot for each round of the loop.

What the look-ups mean is `tianfu.status.read`, which is what the gate uses.
"""

from __future__ import annotations

import asyncio
import struct
from array import array
from pathlib import Path
from typing import NamedTuple, Self

import lmdb

from tianfu.platform import unsynced
from tianfu.platform.mapped import HeldFile, MapUnreadableError, open_map
from tianfu.platform.settings import BOARD_AGE_MAX_SECONDS_DEFAULT
from tianfu.status import layout
from tianfu.status.layout import BoardUnreadableError, Table, current_folder


class Batch(NamedTuple):
    """Keys of one table that changed together, under the numbers from `first` to before `end`."""

    first: int
    end: int
    table: Table
    keys: bytes

    def persons(self) -> array[int]:
        """The persons among them."""
        return array("I", self.keys) if self.table is layout.PERSONS else array("I")


class BoardFile:
    """One process's hold on the board in `folder`; used from one thread."""

    def __init__(
        self,
        folder: Path,
        *,
        age_max_seconds: int = BOARD_AGE_MAX_SECONDS_DEFAULT,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Do no I/O: everybody is "being checked" until `refresh` has found a board.

        With `loop`, look-ups of one round of the loop share one snapshot; without, each has its own.
        """
        self._folder = folder
        self._loop = loop
        self._snapshot: lmdb.Transaction[bytes] | None = None
        self._age_max_seconds = age_max_seconds
        self._in_use: Path | None = None
        self._shared = False
        self._environment: lmdb.Environment | None = None
        self._seen_transaction = -1
        self._held: HeldFile | None = None
        self._heartbeat_ms = 0

    @classmethod
    def sharing(cls, folder: Path, in_use: Path, environment: lmdb.Environment) -> Self:
        """A reader over files that a writer in this process has open; it stays with them."""
        board = cls(folder)
        board._take(in_use, environment)
        board._shared = True
        return board

    def refresh(self) -> bool:
        """Take up a board that has appeared or been built anew; whether one was. Cheap enough for ten times a second.

        Raises `BoardUnreadableError`; the board in use stays in use then, unless its own file was cut short or written
        over, where reading on could end this process with SIGBUS, or another file was put in its place.
        """
        if self._shared:
            return False
        if self._held is not None and not self._held.is_whole():
            self.close()
            raise BoardUnreadableError
        folder = current_folder(self._folder)
        if folder is None:
            return False
        if folder == self._in_use:
            if self._held is None or not self._held.is_replaced():
                return False
            self.close()  # both may have the same lock file, which a process may have open only once
        try:
            self._take_up(folder)
        except BoardUnreadableError:
            if current_folder(self._folder) == folder:
                raise
            return self.refresh()  # another board came into use while this one was opened, and this one went
        return True

    def _take_up(self, folder: Path) -> None:
        try:
            environment = open_map(
                folder,
                map_bytes=layout.BOARD_MAP_BYTES,
                databases_max=layout.BOARD_DATABASES_MAX,
                writable=False,
            )
        except (MapUnreadableError, OSError) as error:
            raise BoardUnreadableError from error
        if unsynced.is_lost(folder):
            environment.close()
            raise BoardUnreadableError
        self.close()
        self._take(folder, environment)
        self._held = HeldFile.open(folder)

    def close(self) -> None:
        """Release the files; everybody is "being checked" from then on."""
        self._drop_snapshot()
        if self._environment is not None and not self._shared:
            self._environment.close()
        if self._held is not None:
            self._held.close()
        self._held = None
        self._environment = None
        self._in_use = None
        self._heartbeat_ms = 0

    @property
    def is_present(self) -> bool:
        """Whether there is a board to read."""
        return self._environment is not None

    def changes_end(self) -> int:
        """The number that the next change will get; 0 without a board."""
        if self._environment is None:
            return 0
        return self._number(layout.META_CHANGES)

    def changes_since(self, number: int, keys_max: int) -> list[Batch]:
        """The batches from the one that holds `number` on, whole: `keys_max` keys at most, unless the first has more.

        Older ones than kept are left out: a first number above the one asked for says that some are missing. Raises
        `BoardUnreadableError`.
        """
        if self._environment is None:
            return []
        try:
            with self._environment.begin() as transaction:
                return batches(transaction, self._changes, number, keys_max)
        except (lmdb.Error, struct.error, LookupError) as error:
            raise BoardUnreadableError from error

    def _take(self, folder: Path, environment: lmdb.Environment) -> None:
        try:
            databases = {
                table: environment.open_db(table.name, integerkey=table is layout.PERSONS, create=False)
                for table in layout.TABLES.values()
            }
            changes = environment.open_db(layout.CHANGES, integerkey=True, create=False)
            meta = environment.open_db(layout.META, create=False)
        except lmdb.Error as error:
            environment.close()
            raise BoardUnreadableError from error
        self._environment, self._in_use = environment, folder
        self._databases, self._changes, self._meta = databases, changes, meta
        self._persons, self._venues = databases[layout.PERSONS], databases[layout.VENUES]
        self._sessions, self._credentials = databases[layout.SESSIONS], databases[layout.CREDENTIALS]
        self._begin = environment.begin
        self._seen_transaction = -1
        if self._number(layout.META_LAYOUT) != layout.LAYOUT_VERSION:
            self.close()
            raise BoardUnreadableError

    def _get(self, database: lmdb._Database, key: bytes) -> bytes | None:
        """One look-up. A page that cannot be read counts as nothing found, so it ends in "being checked"."""
        try:
            snapshot = self._snapshot or self._take_snapshot()
            return snapshot.get(key, None, database)
        except (lmdb.Error, BoardUnreadableError):
            return None
        finally:
            if self._loop is None:
                self._drop_snapshot()

    def _take_snapshot(self) -> lmdb.Transaction[bytes]:
        """Begin a read transaction, which ends with the event loop's present round.

        All requests of a round share it. Beginning one for each look-up would let go of the interpreter three times
        as often, and each time the journal's thread may take it. Raises `BoardUnreadableError`, and lets go of the
        board, when its file was cut short.
        """
        if self._held is not None and self._held.is_shorter():
            self.close()
            raise BoardUnreadableError
        snapshot = self._snapshot = self._begin()
        if self._loop is not None:
            self._loop.call_soon(self._drop_snapshot)
        if snapshot.id() != self._seen_transaction:
            # The writer has committed since: its heartbeat may be newer. Otherwise the one remembered is exact.
            self._seen_transaction = snapshot.id()
            self._heartbeat_ms = layout.number(snapshot.get(layout.META_HEARTBEAT, None, self._meta))
        return snapshot

    def _listen(self) -> None:
        """Take note of the latest heartbeat, which a look-up in this round of the loop has done already."""
        if self._snapshot is None and self._environment is not None:
            self._number(layout.META_HEARTBEAT)

    def _drop_snapshot(self) -> None:
        if self._snapshot is not None:
            self._snapshot.abort()
            self._snapshot = None

    def _number(self, name: bytes) -> int:
        return layout.number(self._get(self._meta, name))


def batches(transaction: lmdb.Transaction[bytes], changes: lmdb._Database, number: int, keys_max: int) -> list[Batch]:
    """As `BoardFile.changes_since`, in the caller's transaction on the ring `changes`."""
    found: list[Batch] = []
    count = 0
    with transaction.cursor(changes) as cursor:
        # The batch that holds `number` is the last one whose key is not after it.
        here = cursor.set_range(layout.CHANGE_KEY.pack(number + 1))
        here = (cursor.prev() or cursor.first()) if here else cursor.last()
        while here:
            first = int(layout.CHANGE_KEY.unpack(cursor.key())[0])
            value = cursor.value()
            table = layout.TABLES[value[0]]
            batch = Batch(first, first + (len(value) - 1) // table.key_bytes, table, value[1:])
            if batch.end > number:
                count += batch.end - first
                if found and count > keys_max:
                    break
                found.append(batch)
            here = cursor.next()
    return found
