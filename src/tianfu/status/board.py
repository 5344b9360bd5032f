"""The board's one writer: the statuses, venues and revoked sessions that every gate on this machine reads.

The board is derived from the database and can be built anew at any time. Every method is one transaction, synced
before it returns, so kill -9 or loss of power leaves the board of before or after, with the offset that fits.
Nothing here knows the database; the publisher of `status` does.
"""

from __future__ import annotations

import os
import shutil
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import lmdb

from tianfu.errors import TianfuError
from tianfu.platform.mapped import DISK_FULL, MapUnreadableError, extend_file, open_map
from tianfu.status import layout
from tianfu.status.layout import BoardUnreadableError, VenueRecord, current_folder
from tianfu.status.read import Board
from tianfu.status.record import RECORD_BYTES

# 100,000 scattered persons touch as many pages of 4 KiB: 400 MB copied in one transaction, and readers wait for none.
ROWS_MAX: Final = 100_000


class BoardFullError(TianfuError):
    """The disk or the board's share of it is full; the board is as it was before."""

    code = "board_full"
    status = 503
    zh = "状态数据无法写入：磁盘空间不足。"
    en = "The status data cannot be written: the disk is full."


class BoardWriter:
    """Writes one board. Only one process does so at a time (the holder of the status lease)."""

    def __init__(self, board: Path, folder: Path, *, map_bytes: int) -> None:
        """Use `open` or `begin_anew`. Raises `BoardUnreadableError`, `BoardFullError`."""
        self._board = board
        self._folder = folder
        try:
            self._environment = open_map(
                folder, map_bytes=map_bytes, databases_max=layout.BOARD_DATABASES_MAX, writable=True
            )
        except MapUnreadableError as error:
            raise BoardUnreadableError from error
        except OSError as error:
            raise BoardFullError from error
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
        numbers = [int(found.name[2:]) for found in board.glob("g-*") if found.name[2:].isdigit()]
        folder = board / f"g-{max(numbers, default=0) + 1:06d}"
        return cls(board, folder, map_bytes=map_bytes)

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
        """Release the files; doing so twice is harmless."""
        self._environment.close()

    def reader(self) -> Board:
        """A reader in this same process, which may open the files only once. Closing the writer closes it."""
        return Board.sharing(self._board, self._folder, self._environment)

    def offset(self) -> int:
        """The status sequence up to which `put` has written everything; 0 for an empty board."""
        return self._number(layout.META_OFFSET)

    def venue_offset(self) -> int:
        """The same for venues, whose sequence is their own."""
        return self._number(layout.META_VENUE_OFFSET)

    def killed_offset(self) -> int:
        """The same for killed credentials, whose sequence is their own."""
        return self._number(layout.META_KILLED_OFFSET)

    def put(self, rows: Iterable[tuple[int, bytes]], *, sequence: int, at_ms: int) -> int:
        """Write (person reference, record) rows and set the offset to `sequence`; how many persons changed.

        A person named twice keeps the last record. Writing the same rows again does no harm: readers are told of a
        change that is none. At most `ROWS_MAX` rows; more is the caller's bug and raises `ValueError`.
        """
        latest = dict(rows)
        if len(latest) > ROWS_MAX or any(len(record) != RECORD_BYTES for record in latest.values()):
            message = f"{len(latest)} rows at once, or a record that is not {RECORD_BYTES} bytes"
            raise ValueError(message)
        persons = sorted(latest)
        pack = layout.PERSON_KEY.pack
        items = [(pack(person), latest[person]) for person in persons]
        with self._changing() as transaction:
            with transaction.cursor(self._persons) as cursor:
                last = layout.PERSON_KEY.unpack(cursor.key())[0] if cursor.last() else 0
                # Beyond the last key LMDB can fill pages to the brim, which halves the file of a first load.
                known = bisect_right(persons, last)
                cursor.putmulti(items[:known])
                cursor.putmulti(items[known:], append=True)
            if persons:
                self._note_changes(transaction, persons)
            self._set(transaction, layout.META_OFFSET, sequence)
            self._set(transaction, layout.META_HEARTBEAT, at_ms)
        return len(persons)

    def put_venues(self, rows: Iterable[tuple[bytes, VenueRecord]], *, sequence: int) -> None:
        """Write (venue id, record) rows and set the venue offset to `sequence`. Again does no harm."""
        with self._changing() as transaction:
            for venue_id, record in rows:
                if len(venue_id) != layout.VENUE_ID_BYTES:
                    message = f"venue id of {len(venue_id)} bytes"
                    raise ValueError(message)
                transaction.put(venue_id, layout.pack_venue(record), db=self._venues)
            self._set(transaction, layout.META_VENUE_OFFSET, sequence)

    def heartbeat(self, at_ms: int) -> None:
        """Say that at `at_ms` (milliseconds since 1970) the board was complete up to its offset."""
        self._environment.reader_check()  # a gate killed in the middle of a look-up would hold its old pages for ever
        with self._changing() as transaction:
            self._set(transaction, layout.META_HEARTBEAT, at_ms)

    def revoke(self, session_ids: Iterable[bytes], *, at_ms: int) -> None:
        """Make the gates refuse these sessions from the next request on. Again does no harm."""
        with self._changing() as transaction:
            for session_id in session_ids:
                transaction.put(session_id, layout.NUMBER.pack(at_ms), db=self._sessions)

    def forget_revoked(self, *, before_ms: int) -> int:
        """Drop the sessions revoked before `before_ms`, which have expired by themselves since; how many."""
        forgotten = 0
        with self._changing() as transaction, transaction.cursor(self._sessions) as cursor:
            here = cursor.first()
            while here:
                if layout.NUMBER.unpack(cursor.value())[0] < before_ms:
                    here = cursor.delete() and bool(cursor.key())
                    forgotten += 1
                else:
                    here = cursor.next()
        return forgotten

    def kill(self, rows: Iterable[tuple[bytes, int]], *, sequence: int) -> None:
        """Make the gates refuse these credentials (id, end of life in seconds). Again does no harm."""
        with self._changing() as transaction:
            for credential_id, ends_at in rows:
                if len(credential_id) != layout.CREDENTIAL_ID_BYTES:
                    message = f"credential id of {len(credential_id)} bytes"
                    raise ValueError(message)
                transaction.put(credential_id, layout.NUMBER.pack(ends_at), db=self._killed)
            self._set(transaction, layout.META_KILLED_OFFSET, sequence)

    def forget_killed(self, *, before: int) -> int:
        """Drop the credentials whose life ended before `before` (seconds), killed or not; how many."""
        with self._changing() as transaction, transaction.cursor(self._killed) as cursor:
            ended = [key for key, value in cursor if layout.NUMBER.unpack(value)[0] < before]
            for key in ended:
                transaction.delete(key, db=self._killed)
        return len(ended)

    def put_lists(self, lists: Iterable[tuple[bytes, bytes]]) -> None:
        """Let the gates hand out these signed lists (kind, text) from now on."""
        with self._changing() as transaction:
            for kind, text in lists:
                transaction.put(kind, text, db=self._lists)

    def clear(self) -> None:
        """Empty the board in place, in one transaction: until it is filled again readers answer "being checked".

        To keep answering while building anew, use `begin_anew` and `switch`. The change numbers go on, so a reader
        that follows them notices.
        """
        with self._changing() as transaction:
            for database in (self._persons, self._venues, self._sessions, self._killed, self._lists):
                transaction.drop(database, delete=False)
            for name in (
                layout.META_OFFSET,
                layout.META_VENUE_OFFSET,
                layout.META_KILLED_OFFSET,
                layout.META_HEARTBEAT,
            ):
                self._set(transaction, name, 0)

    def _open_databases(self) -> None:
        open_db = self._environment.open_db
        self._persons = open_db(layout.PERSONS, integerkey=True)
        self._venues = open_db(layout.VENUES)
        self._sessions = open_db(layout.SESSIONS)
        self._killed = open_db(layout.KILLED)
        self._lists = open_db(layout.LISTS)
        self._changes = open_db(layout.CHANGES, integerkey=True)
        self._meta = open_db(layout.META)
        found = self._number(layout.META_LAYOUT)
        if found == 0:
            with self._environment.begin(write=True) as transaction:
                self._set(transaction, layout.META_LAYOUT, layout.LAYOUT_VERSION)
            extend_file(self._environment, self._folder)
        elif found != layout.LAYOUT_VERSION:
            raise BoardUnreadableError

    def _number(self, name: bytes) -> int:
        with self._environment.begin(self._meta) as transaction:
            return int(layout.NUMBER.unpack(transaction.get(name, layout.NUMBER.pack(0)))[0])

    def _set(self, transaction: lmdb.Transaction[bytes], name: bytes, value: int) -> None:
        transaction.put(name, layout.NUMBER.pack(value), db=self._meta)

    def _note_changes(self, transaction: lmdb.Transaction[bytes], persons: list[int]) -> None:
        """Add `persons` to the change ring and drop what is older than it needs."""
        first = layout.NUMBER.unpack(transaction.get(layout.META_CHANGES, layout.NUMBER.pack(1), db=self._meta))[0]
        after = first + len(persons)
        with transaction.cursor(self._changes) as cursor:
            cursor.put(layout.CHANGE_KEY.pack(first), array("I", persons).tobytes(), append=True)
            here = cursor.first()
            while here and after - layout.CHANGE_KEY.unpack(cursor.key())[0] > layout.CHANGES_KEPT_MAX:
                here = cursor.delete()
        self._set(transaction, layout.META_CHANGES, after)

    @contextmanager
    def _changing(self) -> Iterator[lmdb.Transaction[bytes]]:
        """One write transaction: afterwards it is synced and the file has its full length, or nothing changed."""
        try:
            with self._environment.begin(write=True) as transaction:
                yield transaction
            extend_file(self._environment, self._folder)
        except (lmdb.MapFullError, lmdb.DiskError, OSError) as error:
            raise BoardFullError from error
        except lmdb.Error as error:
            raise (BoardFullError if error.code in DISK_FULL else BoardUnreadableError) from error


def _remove_others(board: Path, kept: Path) -> None:
    """Delete every other board; readers that have one open keep it until they look for the current one."""
    for folder in board.glob("g-*"):
        if folder != kept:
            shutil.rmtree(folder, ignore_errors=True)
