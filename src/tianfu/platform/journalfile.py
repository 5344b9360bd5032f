"""The journal on disk: records in packed values, one LMDB file per gate process.

The key of a value is the sequence number (from 0) of its first record, eight bytes big-endian, so that values lie in
order and are only ever appended; the value is a header (layout version, record length, count) and the records. A
write is synced before it returns: what it returned from survives kill -9 and loss of power.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

import lmdb

from tianfu.errors import TianfuError
from tianfu.platform.mapped import DISK_FULL, MapUnreadableError, extend_file, open_map

# 19 million scans a day over 20 gates are 42 MB of records a day each; 8 GiB hold half a year of unshipped scans.
JOURNAL_MAP_BYTES: Final = 8 * 1024**3
# Deleting needs pages too, for copies of those it changes. Records leave it this much (half of a map that is smaller),
# so that a full journal can always be emptied.
_RESERVE_BYTES: Final = 64 * 1024**2
_RESERVE_SHARE: Final = 2

# One transaction, during which nothing can be written: 2,000 deletions are some milliseconds.
TRIM_VALUES_MAX: Final = 2_000

_VERSION: Final = 1
_HEADER: Final = struct.Struct("<HHI")
_KEY: Final = struct.Struct(">Q")
_DATABASE: Final = b"records"


class JournalFullError(TianfuError):
    """The disk or the journal's share of it is full, or the disk fails. The record was not acknowledged."""

    code = "journal_full"
    status = 503
    zh = "登记暂时无法保存，请稍后再试或改用人工登记。"
    en = "This cannot be recorded at the moment; please try again later or register with the staff."

    def __init__(self) -> None:
        """Trying again makes sense once somebody has made room."""
        super().__init__(retry_after_seconds=30)


class JournalBrokenError(TianfuError):
    """The journal file is damaged or of another layout; nothing was written to it."""

    code = "journal_broken"
    status = 503
    zh = "登记文件损坏，暂时无法登记，请改用人工登记。"
    en = "The journal file is damaged and nothing can be recorded; please register with the staff."


class JournalFile:
    """One journal on disk. Every method is synchronous; one thread at a time writes."""

    def __init__(self, folder: Path, environment: lmdb.Environment) -> None:
        """Use `open`; this only puts the parts together. Raises `JournalBrokenError`."""
        self._environment = environment
        map_bytes = environment.info()["map_size"]
        self._data_bytes_max = map_bytes - min(_RESERVE_BYTES, map_bytes // _RESERVE_SHARE)
        try:
            was_short = extend_file(environment, folder)
            self._records = environment.open_db(_DATABASE)
            if was_short:
                self._check_all()
            self._next = self.end()
        except (lmdb.Error, struct.error, JournalBrokenError) as error:
            environment.close()
            raise JournalBrokenError from error

    @classmethod
    def open(cls, folder: Path, *, map_bytes: int = JOURNAL_MAP_BYTES) -> JournalFile:
        """The journal in `folder`, made when absent. Raises `JournalBrokenError`, `JournalFullError`."""
        try:
            return cls(folder, open_map(folder, map_bytes=map_bytes, databases_max=1, writable=True, may_be_short=True))
        except MapUnreadableError as error:
            raise JournalBrokenError from error
        except OSError as error:
            raise JournalFullError from error

    def close(self) -> None:
        """Release the file; doing so twice is harmless."""
        self._environment.close()

    def end(self) -> int:
        """The sequence number that the next record will get."""
        with self._environment.begin(self._records) as transaction, transaction.cursor() as cursor:
            return _end(cursor)

    def start(self) -> int:
        """The sequence number of the oldest record kept; equal to `end` when there is none."""
        with self._environment.begin(self._records) as transaction, transaction.cursor() as cursor:
            return int(_KEY.unpack(cursor.key())[0]) if cursor.first() else 0

    def write(self, records: list[bytes]) -> int:
        """Make `records`, all of one length, durable in one transaction; the sequence number of the first.

        Raises `JournalFullError` and leaves the file as it was when there is no room; `lmdb.Error` for the rest.
        """
        first = self._next
        value = _HEADER.pack(_VERSION, len(records[0]), len(records)) + b"".join(records)
        try:
            with self._environment.begin(self._records, write=True) as transaction:
                used = transaction.stat(self._records)
                pages = used["branch_pages"] + used["leaf_pages"] + used["overflow_pages"]
                if pages * used["psize"] + len(value) > self._data_bytes_max:
                    raise JournalFullError
                transaction.put(_KEY.pack(first), value, append=True)
        except lmdb.MapFullError as error:
            raise JournalFullError from error
        except lmdb.Error as error:
            if error.code in DISK_FULL:
                raise JournalFullError from error
            raise
        self._next = first + len(records)
        return first

    def _check_all(self) -> None:
        """Walk the whole file, which was shorter than it should be: of free pages, or of records. Raises for those."""
        expected = self.start()
        with self._environment.begin(self._records) as transaction, transaction.cursor() as cursor:
            for key, value in cursor:
                if _KEY.unpack(key)[0] != expected:
                    raise JournalBrokenError
                expected += len(_unpack(value))

    def read(self, start: int, limit: int) -> list[tuple[int, bytes]]:
        """At most `limit` records from sequence number `start` on, each with its own number.

        Begins at the oldest kept when `start` has been trimmed. Ends before a value that is damaged, and raises
        `JournalBrokenError` when that is the first.
        """
        found: list[tuple[int, bytes]] = []
        with self._environment.begin(self._records) as transaction, transaction.cursor() as cursor:
            # The value that holds `start` is the last one whose key is not after it.
            here = cursor.set_range(_KEY.pack(start + 1))
            here = (cursor.prev() or cursor.first()) if here else cursor.last()
            while here and len(found) < limit:
                first = int(_KEY.unpack(cursor.key())[0])
                try:
                    records = _unpack(cursor.value())
                except JournalBrokenError:
                    if found:
                        break
                    raise
                skipped = max(0, start - first)
                kept = records[skipped : skipped + limit - len(found)]
                found.extend(enumerate(kept, first + skipped))
                here = cursor.next()
        return found

    def trim(self, upto: int, *, values_max: int = TRIM_VALUES_MAX) -> int:
        """Delete the records before `upto` that were shipped; how many. The newest value stays, so `end` stays.

        Whole values only, so a few records before `upto` may remain, and at most `values_max` of them at once: the
        caller repeats until nothing is left. Trimming again does no harm.
        """
        trimmed = 0
        with self._environment.begin(self._records, write=True) as transaction, transaction.cursor() as cursor:
            newest_end = _end(cursor)
            here = cursor.first()
            left = values_max
            while here and left > 0:
                count = len(_unpack(cursor.value()))
                end = int(_KEY.unpack(cursor.key())[0]) + count
                if end > upto or end == newest_end:
                    break
                here = cursor.delete()
                trimmed += count
                left -= 1
        return trimmed


def _end(cursor: lmdb.Cursor[bytes]) -> int:
    if not cursor.last():
        return 0
    return int(_KEY.unpack(cursor.key())[0]) + len(_unpack(cursor.value()))


def _unpack(value: bytes) -> list[bytes]:
    if len(value) < _HEADER.size:
        raise JournalBrokenError
    version, length, count = _HEADER.unpack_from(value)
    if version != _VERSION or length == 0 or len(value) != _HEADER.size + length * count:
        raise JournalBrokenError
    return [value[at : at + length] for at in range(_HEADER.size, len(value), length)]
