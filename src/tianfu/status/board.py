"""The board's one writer: everything that every gate on this machine reads.

The board is derived and can be built anew at any time. Every method is one transaction: kill -9 leaves the board of
before or after, with the offset that fits. Nothing is synced before `close`, which is what makes tens of thousands of
scattered changes a second possible; after a loss of power the board is refused (`tianfu.platform.unsynced`) and built
anew. Where a loss of power could not be noticed, everything is synced. Nothing here knows the database; the publisher
of `status` does.
"""

from __future__ import annotations

import os
import secrets
import shutil
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import lmdb

from tianfu.errors import TianfuError
from tianfu.platform import unsynced
from tianfu.platform.mapped import DISK_FULL, MapUnreadableError, extend_file, open_map
from tianfu.status import layout
from tianfu.status.layout import BLOCK_PERSONS, BoardUnreadableError, Table, VenueRecord, current_folder
from tianfu.status.read import Board
from tianfu.status.record import RECORD_BYTES

# 100,000 scattered persons touch as many pages of 4 KiB: 400 MB copied in one transaction, and readers wait for none.
ROWS_MAX: Final = 100_000
_IDENTITY_BITS: Final = 63

Row = tuple[bytes, bytes | None]


class BoardFullError(TianfuError):
    """The disk or the board's share of it is full; the board is as it was before."""

    code = "board_full"
    status = 503
    zh = "状态数据无法写入：磁盘空间不足。"
    en = "The status data cannot be written: the disk is full."


class BoardWriter:
    """Writes one board. Only one process does so at a time (the holder of the status lease, or the follower)."""

    def __init__(self, board: Path, folder: Path, *, map_bytes: int) -> None:
        """Use `open` or `begin_anew`. Raises `BoardUnreadableError`, `BoardFullError`."""
        self._board = board
        self._folder = folder
        if unsynced.is_lost(folder):
            raise BoardUnreadableError
        try:
            folder.mkdir(parents=True, exist_ok=True)
            synced = not unsynced.run_of_machine()
            if not synced:
                unsynced.mark(folder)
            self._environment = open_map(
                folder, map_bytes=map_bytes, databases_max=layout.BOARD_DATABASES_MAX, writable=True, synced=synced
            )
        except MapUnreadableError as error:
            raise BoardUnreadableError from error
        except OSError as error:
            raise BoardFullError from error
        self._is_open = True
        try:
            self._open_databases()
        except (lmdb.Error, BoardUnreadableError) as error:
            self._environment.close()
            if isinstance(error, lmdb.MapFullError | lmdb.DiskError):
                raise BoardFullError from error
            raise BoardUnreadableError from error

    @classmethod
    def open(cls, board: Path, *, map_bytes: int = layout.BOARD_MAP_BYTES) -> BoardWriter:
        """The board that readers use, made empty when there is none. What an interrupted rebuild left is removed."""
        folder = current_folder(board)
        if folder is not None:
            writer = cls(board, folder, map_bytes=map_bytes)
            _remove_others(board, folder)
            return writer
        writer = cls.begin_anew(board, map_bytes=map_bytes)
        writer.switch()
        return writer

    @classmethod
    def begin_anew(cls, board: Path, *, map_bytes: int = layout.BOARD_MAP_BYTES) -> BoardWriter:
        """An empty board that no reader sees before `switch`; the present one stays in use meanwhile.

        Works also when the present board is unreadable.
        """
        return cls(board, board / f"g-{max(_numbers(board), default=0) + 1:06d}", map_bytes=map_bytes)

    @classmethod
    def go_on(cls, board: Path, *, map_bytes: int = layout.BOARD_MAP_BYTES) -> BoardWriter | None:
        """The newest board that was begun and not switched to, as far as it got; None when there is none to use."""
        newest = board / f"g-{max(_numbers(board), default=0):06d}"
        try:
            if not newest.is_dir() or newest == current_folder(board):
                return None
            return cls(board, newest, map_bytes=map_bytes)
        except BoardUnreadableError:
            return None

    def switch(self) -> None:
        """Make this board the one that readers use, in one step, and remove the others."""
        temporary = self._board / f"{layout.CURRENT_FILE}.new"
        with temporary.open("w", encoding="ascii") as handle:
            handle.write(self._folder.name + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(self._board / layout.CURRENT_FILE)
        _remove_others(self._board, self._folder)

    def close(self) -> None:
        """Sync and release the files; doing so twice is harmless. A board that cannot be synced stays marked."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._environment.sync(True)  # noqa: FBT003 - LMDB's own parameter: wait for the disk
            self._environment.close()
            unsynced.unmark(self._folder)
        except (lmdb.Error, OSError):
            self._environment.close()

    def discard(self) -> None:
        """Close a board that no reader has in use and delete it."""
        self._is_open = False
        self._environment.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def reader(self) -> Board:
        """A reader in this same process, which may open the files only once. Closing the writer closes it."""
        return Board.sharing(self._board, self._folder, self._environment)

    def offset(self) -> int:
        """The status sequence up to which `put` has written everything; 0 for an empty board."""
        return self.number(layout.META_OFFSET)

    def venue_offset(self) -> int:
        """The same for venues, whose sequence is their own."""
        return self.number(layout.META_VENUE_OFFSET)

    def number(self, name: bytes) -> int:
        """One of the `META_` numbers; 0 when it was never set."""
        with self._environment.begin(self._meta) as transaction:
            return int(layout.NUMBER.unpack(transaction.get(name, bytes(layout.NUMBER.size)))[0])

    def last_key(self, table: Table) -> bytes | None:
        """The last key of `table`, for persons that of the last block; None when it is empty."""
        with self._environment.begin(self._databases[table]) as transaction, transaction.cursor() as cursor:
            return cursor.key() if cursor.last() else None

    def put(self, rows: Iterable[tuple[int, bytes]], *, sequence: int, at_ms: int) -> int:
        """Write (person reference, record) rows and set the offset to `sequence`; how many persons changed.

        A person named twice keeps the last record. Writing the same rows again does no harm: readers are told of a
        change that is none. At most `ROWS_MAX` rows; more is the caller's bug and raises `ValueError`.
        """
        latest = dict(rows)
        with self._changing() as transaction:
            self._put_persons(transaction, latest)
            self._set(transaction, {layout.META_OFFSET: sequence, layout.META_HEARTBEAT: at_ms})
        return len(latest)

    def put_venues(self, rows: Iterable[tuple[bytes, VenueRecord]], *, sequence: int) -> None:
        """Write (venue id, record) rows and set the venue offset to `sequence`. Again does no harm."""
        with self._changing() as transaction:
            packed = [(venue_id, layout.pack_venue(record)) for venue_id, record in rows]
            self._put_rows(transaction, layout.VENUES, packed)
            self._set(transaction, {layout.META_VENUE_OFFSET: sequence})

    def heartbeat(self, at_ms: int) -> None:
        """Say that at `at_ms` (milliseconds since 1970) the board was complete up to its offset."""
        self._environment.reader_check()  # a gate killed in the middle of a look-up would hold its old pages for ever
        with self._changing() as transaction:
            self._set(transaction, {layout.META_HEARTBEAT: at_ms})

    def revoke(self, session_ids: Iterable[bytes], *, at_ms: int) -> None:
        """Make the gates refuse these sessions from the next request on. Again does no harm."""
        stamp = layout.NUMBER.pack(at_ms)
        with self._changing() as transaction:
            self._put_rows(transaction, layout.SESSIONS, [(session_id, stamp) for session_id in session_ids])

    def forget_revoked(self, *, before_ms: int) -> int:
        """Drop the sessions revoked before `before_ms`, which have expired by themselves since; how many."""
        return self._forget(layout.SESSIONS, before_ms)

    def kill(self, credentials: Iterable[tuple[bytes, int]]) -> None:
        """Make the gates refuse these credentials, each until it ends by itself (milliseconds). Again does no harm."""
        with self._changing() as transaction:
            packed = [(credential, layout.NUMBER.pack(ends_ms)) for credential, ends_ms in credentials]
            self._put_rows(transaction, layout.CREDENTIALS, packed)

    def forget_killed(self, *, before_ms: int) -> int:
        """Drop the killed credentials that ended by themselves before `before_ms`; how many."""
        return self._forget(layout.CREDENTIALS, before_ms)

    def put_list(self, kind: str, text: bytes) -> None:
        """Give the gates the signed list of this kind, in place of the one before."""
        with self._changing() as transaction:
            self._put_rows(transaction, layout.LISTS, [(layout.list_key(kind), text)])

    def take_blocks(self, blocks: Sequence[tuple[int, bytes]], numbers: Mapping[bytes, int]) -> None:
        """Write whole blocks of records (block number, 2,016 bytes) in rising order, and meta numbers with them.

        For filling a board that nobody reads yet: no change is noted.
        """
        items = [(layout.PERSON_KEY.pack(number), content) for number, content in blocks]
        if any(len(content) != layout.BLOCK_BYTES for _, content in items):
            message = f"a block that is not {layout.BLOCK_BYTES} bytes"
            raise ValueError(message)
        with self._changing() as transaction:
            self._put_blocks(transaction, [number for number, _ in blocks], items)
            self._set(transaction, numbers)

    def take(
        self, persons: Mapping[int, bytes], tables: Mapping[Table, Sequence[Row]], numbers: Mapping[bytes, int]
    ) -> None:
        """Write records and rows of other tables (None deletes), and meta numbers with them. Again does no harm."""
        self._environment.reader_check()  # as for a heartbeat
        with self._changing() as transaction:
            self._put_persons(transaction, persons)
            for table, rows in tables.items():
                self._put_rows(transaction, table, rows)
            self._set(transaction, numbers)

    def _open_databases(self) -> None:
        open_db = self._environment.open_db
        self._databases = {
            table: open_db(table.name, integerkey=table is layout.PERSONS) for table in layout.TABLES.values()
        }
        self._changes = open_db(layout.CHANGES, integerkey=True)
        self._meta = open_db(layout.META)
        found = self.number(layout.META_LAYOUT)
        if found == 0:
            with self._environment.begin(write=True) as transaction:
                begun = {
                    layout.META_LAYOUT: layout.LAYOUT_VERSION,
                    layout.META_IDENTITY: secrets.randbits(_IDENTITY_BITS) or 1,
                    layout.META_CHANGES: 1,
                }
                self._set(transaction, begun)
            extend_file(self._environment, self._folder)
        elif found != layout.LAYOUT_VERSION:
            raise BoardUnreadableError

    def _put_persons(self, transaction: lmdb.Transaction[bytes], latest: Mapping[int, bytes]) -> None:
        """Write one record into its block each, and note who changed."""
        if not latest:
            return
        if len(latest) > ROWS_MAX or any(len(record) != RECORD_BYTES for record in latest.values()):
            message = f"{len(latest)} rows at once, or a record that is not {RECORD_BYTES} bytes"
            raise ValueError(message)
        persons = sorted(latest)
        pack, database = layout.PERSON_KEY.pack, self._databases[layout.PERSONS]
        numbers: list[int] = []
        items: list[tuple[bytes, bytearray]] = []
        block, content = -1, bytearray()
        for person in persons:
            number, place = divmod(person, BLOCK_PERSONS)
            if number != block:
                block, key = number, pack(number)
                content = bytearray(transaction.get(key, layout.EMPTY_BLOCK, database))
                numbers.append(number)
                items.append((key, content))
            content[place * RECORD_BYTES : (place + 1) * RECORD_BYTES] = latest[person]
        self._put_blocks(transaction, numbers, items)
        self._note_changes(transaction, layout.PERSONS, array("I", persons).tobytes(), len(persons))

    def _put_blocks(
        self, transaction: lmdb.Transaction[bytes], numbers: list[int], items: Sequence[tuple[bytes, bytes | bytearray]]
    ) -> None:
        with transaction.cursor(self._databases[layout.PERSONS]) as cursor:
            last = layout.PERSON_KEY.unpack(cursor.key())[0] if cursor.last() else -1
            # Beyond the last key LMDB can fill pages to the brim, which halves the file of a first load.
            known = bisect_right(numbers, last)
            cursor.putmulti(items[:known])
            cursor.putmulti(items[known:], append=True)

    def _put_rows(self, transaction: lmdb.Transaction[bytes], table: Table, rows: Sequence[Row]) -> None:
        """Write or delete rows of a table that is not that of persons, and note the keys that changed."""
        database = self._databases[table]
        for key, value in rows:
            if len(key) != table.key_bytes:
                message = f"key of {len(key)} bytes for {table.name!r}"
                raise ValueError(message)
            if value is None:
                transaction.delete(key, db=database)
            else:
                transaction.put(key, value, db=database)
        if rows:
            self._note_changes(transaction, table, b"".join(key for key, _ in rows), len(rows))

    def _forget(self, table: Table, before_ms: int) -> int:
        """Drop the rows of `table` whose value is an instant before `before_ms`; how many."""
        with self._changing() as transaction:
            with transaction.cursor(self._databases[table]) as cursor:
                old: list[Row] = [(key, None) for key, at in cursor if layout.NUMBER.unpack(at)[0] < before_ms]
            self._put_rows(transaction, table, old)
        return len(old)

    def _set(self, transaction: lmdb.Transaction[bytes], numbers: Mapping[bytes, int]) -> None:
        for name, value in numbers.items():
            transaction.put(name, layout.NUMBER.pack(value), db=self._meta)

    def _note_changes(self, transaction: lmdb.Transaction[bytes], table: Table, keys: bytes, count: int) -> None:
        """Add `count` keys to the change ring and drop what is older than it needs."""
        first = layout.NUMBER.unpack(transaction.get(layout.META_CHANGES, b"", self._meta))[0]
        after = first + count
        with transaction.cursor(self._changes) as cursor:
            cursor.put(layout.CHANGE_KEY.pack(first), bytes([table.number]) + keys, append=True)
            here = cursor.first()
            while here and after - layout.CHANGE_KEY.unpack(cursor.key())[0] > layout.CHANGES_KEPT_MAX:
                here = cursor.delete()
        self._set(transaction, {layout.META_CHANGES: after})

    @contextmanager
    def _changing(self) -> Iterator[lmdb.Transaction[bytes]]:
        """One write transaction: afterwards the file has its full length, or nothing changed."""
        try:
            with self._environment.begin(write=True) as transaction:
                yield transaction
            extend_file(self._environment, self._folder)
        except (lmdb.MapFullError, lmdb.DiskError, OSError) as error:
            raise BoardFullError from error
        except lmdb.Error as error:
            raise (BoardFullError if error.code in DISK_FULL else BoardUnreadableError) from error


def _numbers(board: Path) -> list[int]:
    return [int(found.name[2:]) for found in board.glob("g-*") if found.name[2:].isdigit()]


def _remove_others(board: Path, kept: Path) -> None:
    """Delete every other board; readers that have one open keep it until they look for the current one."""
    for folder in board.glob("g-*"):
        if folder != kept:
            shutil.rmtree(folder, ignore_errors=True)
