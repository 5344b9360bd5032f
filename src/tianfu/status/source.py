"""The board of this machine as frames for other machines: pages of a snapshot, and what changed since a number.

Each frame is read in one short read transaction, so nobody who reads slowly keeps old pages alive. Pages are therefore
of different instants; whoever loads them applies the changes since the first page afterwards, which makes them one.
"""

from __future__ import annotations

from typing import Final

import lmdb

from tianfu.errors import TianfuError
from tianfu.status import layout
from tianfu.status.boardfile import Batch, BoardFile, batches
from tianfu.status.layout import BLOCK_PERSONS, EMPTY_BLOCK, PERSONS, Table
from tianfu.status.record import RECORD_BYTES
from tianfu.status.stream import KIND_CHANGES, KIND_PAGE, PAGE_BYTES_MAX, Frame, Row, Section, person_key, person_number

# 20,000 persons are looked up and packed in 80 ms and make 0.7 MB.
CHANGES_MAX: Final = 20_000


class BoardAbsentError(TianfuError):
    """There is no board here yet."""

    code = "board_absent"
    status = 503
    zh = "状态数据尚未就绪。"
    en = "There is no status data here yet."


class BoardChangesGoneError(TianfuError):
    """The changes asked for are of another board, or older than those kept. Load a snapshot."""

    code = "board_changes_gone"
    status = 410
    zh = "所需的状态变更已不再保留，请重新加载全部数据。"
    en = "The changes asked for are not kept any more; load a snapshot."


class Source(BoardFile):
    """One process's view of the board for handing it on; used from one thread."""

    def identity(self) -> int:
        """The number of the board in use; 0 without one."""
        return 0 if self._environment is None else self._number(layout.META_IDENTITY)

    def heartbeat_ms(self) -> int:
        """When the board was last known to be complete."""
        return 0 if self._environment is None else self._number(layout.META_HEARTBEAT)

    def page(self, table: Table, after: bytes | None) -> Frame:
        """The rows of `table` whose key comes after `after` (all: None), as many as fit a page.

        Raises `BoardAbsentError`.
        """
        with self._reading() as transaction:
            rows: list[Row] = []
            size = 0
            with transaction.cursor(self._databases[table]) as cursor:
                here = cursor.first() if after is None else _beyond(cursor, _key_here(table, after))
                while here and size < PAGE_BYTES_MAX:
                    key, value = cursor.item()
                    rows.append((_key_on_the_wire(table, key), value))
                    size += len(key) + len(value)
                    here = cursor.next()
            end = self._value(transaction, layout.META_CHANGES)
            return self._frame(transaction, KIND_PAGE, end, end, (Section(table, rows),), whole=not here)

    def changes(self, identity: int, after: int) -> Frame:
        """The rows that changed from number `after` on, as they are now, of at most about `CHANGES_MAX` changes.

        Raises `BoardAbsentError`, and `BoardChangesGoneError` for numbers of another board or no longer kept.
        """
        with self._reading() as transaction:
            end = self._value(transaction, layout.META_CHANGES)
            if identity != self._value(transaction, layout.META_IDENTITY) or not 0 < after <= end:
                raise BoardChangesGoneError
            found = batches(transaction, self._changes, after, CHANGES_MAX)
            if after < end and (not found or found[0].first > after):
                raise BoardChangesGoneError
            position = found[-1].end if found else end
            sections = tuple(self._sections(transaction, found))
            return self._frame(transaction, KIND_CHANGES, after, position, sections, whole=position == end)

    def _reading(self) -> lmdb.Transaction[bytes]:
        if self._environment is None:
            raise BoardAbsentError
        return self._begin()

    def _value(self, transaction: lmdb.Transaction[bytes], name: bytes) -> int:
        return int(layout.NUMBER.unpack(transaction.get(name, bytes(layout.NUMBER.size), self._meta))[0])

    def _frame(
        self,
        transaction: lmdb.Transaction[bytes],
        kind: int,
        first: int,
        position: int,
        sections: tuple[Section, ...],
        *,
        whole: bool,
    ) -> Frame:
        names = (layout.META_HEARTBEAT, layout.META_OFFSET, layout.META_VENUE_OFFSET)
        heartbeat_ms, offset, venue_offset = (self._value(transaction, name) for name in names)
        identity = self._value(transaction, layout.META_IDENTITY)
        return Frame(kind, identity, first, position, whole, heartbeat_ms, offset, venue_offset, sections)

    def _sections(self, transaction: lmdb.Transaction[bytes], found: list[Batch]) -> list[Section]:
        """What changed, each key once, as it is now."""
        persons = sorted({person for batch in found for person in batch.persons()})
        sections = [Section(PERSONS, [(person_key(person), self._record(transaction, person)) for person in persons])]
        for table in layout.TABLES.values():
            if table is not PERSONS:
                keys = {
                    batch.keys[at : at + table.key_bytes]
                    for batch in found
                    if batch.table is table
                    for at in range(0, len(batch.keys), table.key_bytes)
                }
                database = self._databases[table]
                sections.append(Section(table, [(key, transaction.get(key, None, database)) for key in sorted(keys)]))
        return [section for section in sections if section.rows]

    def _record(self, transaction: lmdb.Transaction[bytes], person: int) -> bytes:
        number, place = divmod(person, BLOCK_PERSONS)
        block = transaction.get(layout.PERSON_KEY.pack(number), EMPTY_BLOCK, self._persons)
        return block[place * RECORD_BYTES : (place + 1) * RECORD_BYTES]


def _key_here(table: Table, key: bytes) -> bytes:
    return layout.PERSON_KEY.pack(person_number(key)) if table is PERSONS else key


def _key_on_the_wire(table: Table, key: bytes) -> bytes:
    return person_key(layout.PERSON_KEY.unpack(key)[0]) if table is PERSONS else key


def _beyond(cursor: lmdb.Cursor[bytes], key: bytes) -> bool:
    return cursor.set_range(key) and (cursor.key() != key or cursor.next())
