"""A board that follows another machine's: a snapshot loaded beside the old board, then changes as long as it lives.

Each frame is one transaction together with the number up to which it brings the board, so a follower that is killed
goes on where it stopped, in the middle of a snapshot too. Where the source has another board, or no longer the changes
needed, a snapshot is loaded anew; until it is whole, gates keep the old board and its age.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from tianfu.status import layout
from tianfu.status.board import ROWS_MAX, BoardWriter, Row
from tianfu.status.layout import BLOCK_BYTES, PERSONS, BoardUnreadableError, Table, current_folder
from tianfu.status.record import RECORD_BYTES
from tianfu.status.source import BoardChangesGoneError
from tianfu.status.stream import KIND_CHANGES, KIND_PAGE, Frame, StreamBrokenError, person_key, person_number

# What `META_LOADING` says: the number of the table being loaded, or that only the changes meanwhile are missing.
_CATCHING_UP: Final = max(layout.TABLES) + 1


class Link(Protocol):
    """Where frames come from. Both raise a `TianfuError` when nothing comes; trying again is right."""

    def page(self, table: Table, after: bytes | None) -> Frame:
        """The next page of a table."""
        ...

    def changes(self, identity: int, after: int, heard_ms: int) -> Frame:
        """What changed; waits a while for something newer than `heard_ms`. Raises `BoardChangesGoneError`."""
        ...


class Step(NamedTuple):
    """What a step did: `loading` names the table of a page; `whole` says that nothing is missing."""

    loading: str
    rows: int
    position: int
    whole: bool


class Follower:
    """Keeps the board in a folder; the only one that writes there."""

    def __init__(self, board: Path) -> None:
        """Open nothing yet."""
        self._board = board
        self._writer: BoardWriter | None = None
        self._in_use = False

    def step(self, link: Link) -> Step:
        """Take one frame. Raises `BoardFullError`, `StreamBrokenError`, and what `link` raises; the board stays whole.

        After an error the next step goes on from what is on the disk.
        """
        writer = self._opened()
        try:
            if not self._in_use and (number := writer.number(layout.META_LOADING)) != _CATCHING_UP:
                return self._load(writer, link, layout.TABLES[number])
            return self._catch_up(writer, link)
        except BoardChangesGoneError:
            self._begin_anew()
            return Step("", 0, 0, whole=False)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Release the files; doing so twice is harmless."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    def _opened(self) -> BoardWriter:
        """The board as far as it is: one being loaded, or the one in use, or a new one."""
        if self._writer is None:
            self._writer, self._in_use = _begun(self._board), False
        if self._writer is None:
            self._writer, self._in_use = _followed(self._board), True
        return self._writer or self._begin_anew()

    def _begin_anew(self) -> BoardWriter:
        self.close()
        if (old := BoardWriter.go_on(self._board)) is not None:
            old.discard()
        self._board.mkdir(parents=True, exist_ok=True)
        self._writer = BoardWriter.begin_anew(self._board)
        self._writer.take({}, {}, {layout.META_LOADING: PERSONS.number})
        self._in_use = False
        return self._writer

    def _load(self, writer: BoardWriter, link: Link, table: Table) -> Step:
        """Take the page after the last key that is here."""
        last = writer.last_key(table)
        if last is not None and table is PERSONS:
            last = person_key(layout.PERSON_KEY.unpack(last)[0])
        frame = link.page(table, last)
        source = writer.number(layout.META_SOURCE)
        if source not in {0, frame.identity}:
            raise BoardChangesGoneError
        numbers = {layout.META_LOADING: table.number + (1 if frame.whole else 0), layout.META_SOURCE: frame.identity}
        if source == 0:
            # Pages are of different instants: what changes from here on is applied at the end.
            numbers[layout.META_FOLLOWED] = frame.position
        rows = take_page(writer, frame, table, last, numbers)
        return Step(table.name.decode(), rows, frame.position, whole=False)

    def _catch_up(self, writer: BoardWriter, link: Link) -> Step:
        """Take changes; with the last ones, a board that was loaded comes into use."""
        source, followed = writer.number(layout.META_SOURCE), writer.number(layout.META_FOLLOWED)
        frame = link.changes(source, followed, writer.number(layout.META_HEARTBEAT) if self._in_use else 0)
        if frame.identity != source:
            raise BoardChangesGoneError
        rows = take_changes(writer, frame, followed)
        if frame.whole and not self._in_use:
            self._use(writer)
        return Step("", rows, frame.position, frame.whole)

    def _use(self, writer: BoardWriter) -> None:
        (self._board / layout.ORIGIN_FILE).unlink(missing_ok=True)
        writer.switch()
        self._in_use = True


def take_page(writer: BoardWriter, frame: Frame, table: Table, last: bytes | None, numbers: dict[bytes, int]) -> int:
    """Write a page of `table` that goes on after `last`; how many rows. Raises `StreamBrokenError`."""
    if frame.kind != KIND_PAGE or [section.table for section in frame.sections] != [table]:
        raise StreamBrokenError
    rows = frame.sections[0].rows
    if table is not PERSONS:
        if any(value is None for _, value in rows):
            raise StreamBrokenError
        writer.take({}, {table: rows}, numbers)
        return len(rows)
    blocks = [(person_number(key), value) for key, value in rows if value is not None and len(value) == BLOCK_BYTES]
    order = [-1 if last is None else person_number(last), *(number for number, _ in blocks)]
    if len(blocks) != len(rows) or sorted(set(order)) != order:
        raise StreamBrokenError
    writer.take_blocks(blocks, numbers)
    return len(blocks)


def take_changes(writer: BoardWriter, frame: Frame, followed: int) -> int:
    """Write changes to a board that holds everything before `followed`; how many rows.

    Changes that are here already do no harm. Raises `StreamBrokenError` when some are missing in between.
    """
    if frame.kind != KIND_CHANGES or not frame.first <= followed:
        raise StreamBrokenError
    if frame.position < followed:
        return 0
    numbers = {layout.META_FOLLOWED: frame.position}
    if frame.whole:
        numbers[layout.META_HEARTBEAT] = frame.heartbeat_ms
        numbers[layout.META_OFFSET] = frame.offset
        numbers[layout.META_VENUE_OFFSET] = frame.venue_offset
    persons: dict[int, bytes] = {}
    tables: dict[Table, list[Row]] = {}
    for section in frame.sections:
        if section.table is PERSONS:
            persons.update(_records(section.rows))
        else:
            tables.setdefault(section.table, []).extend(section.rows)
    if len(persons) > ROWS_MAX:
        raise StreamBrokenError
    writer.take(persons, tables, numbers)
    return len(persons) + sum(len(rows) for rows in tables.values())


def _records(rows: Iterable[Row]) -> Iterable[tuple[int, bytes]]:
    for key, value in rows:
        if value is None or len(value) != RECORD_BYTES:
            raise StreamBrokenError
        yield person_number(key), value


def _begun(board: Path) -> BoardWriter | None:
    """A board whose loading was interrupted."""
    writer = BoardWriter.go_on(board)
    if writer is not None and writer.number(layout.META_LOADING) == 0:
        writer.discard()
        return None
    return writer


def _followed(board: Path) -> BoardWriter | None:
    """The board in use, if it came from another machine and can be read."""
    try:
        if current_folder(board) is None:
            return None
        writer = BoardWriter.open(board)
    except BoardUnreadableError:
        return None
    if writer.number(layout.META_SOURCE):
        return writer
    writer.close()
    return None
