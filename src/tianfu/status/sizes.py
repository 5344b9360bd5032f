"""What a board holds, in numbers, for whoever operates it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tianfu.platform.mapped import file_bytes
from tianfu.status import layout
from tianfu.status.boardfile import BoardFile, batches
from tianfu.status.layout import BLOCK_PERSONS, CREDENTIALS, PERSONS, SESSIONS, VENUES
from tianfu.status.read import AGE_UNKNOWN_SECONDS


class Sizes(NamedTuple):
    """One board at one instant. People are counted by blocks: some numbers in a block may be nobody's."""

    blocks: int
    venues: int
    sessions: int
    credentials: int
    file_bytes: int
    offset: int
    venue_offset: int
    heartbeat_ms: int
    changes_from: int
    changes_end: int
    source: int
    followed: int

    @property
    def people_at_most(self) -> int:
        """How many people the blocks have room for."""
        return self.blocks * BLOCK_PERSONS

    def age_seconds(self, at_ms: int) -> int:
        """Seconds since the board was last known to be complete."""
        return AGE_UNKNOWN_SECONDS if self.heartbeat_ms == 0 else max(0, at_ms - self.heartbeat_ms) // 1000


class _Measured(BoardFile):
    def sizes(self, folder: Path) -> Sizes:
        with self._begin() as transaction:

            def rows(table: layout.Table) -> int:
                return int(transaction.stat(self._databases[table])["entries"])

            def number(name: bytes) -> int:
                return int(layout.NUMBER.unpack(transaction.get(name, bytes(layout.NUMBER.size), self._meta))[0])

            oldest = batches(transaction, self._changes, 0, 1)
            return Sizes(
                blocks=rows(PERSONS),
                venues=rows(VENUES),
                sessions=rows(SESSIONS),
                credentials=rows(CREDENTIALS),
                file_bytes=file_bytes(folder) or 0,
                offset=number(layout.META_OFFSET),
                venue_offset=number(layout.META_VENUE_OFFSET),
                heartbeat_ms=number(layout.META_HEARTBEAT),
                changes_from=oldest[0].first if oldest else number(layout.META_CHANGES),
                changes_end=number(layout.META_CHANGES),
                source=number(layout.META_SOURCE),
                followed=number(layout.META_FOLLOWED),
            )


def measure(board: Path) -> Sizes | None:
    """What the board in use holds; None when there is none. Raises `BoardUnreadableError`."""
    measured = _Measured(board)
    measured.refresh()
    folder = layout.current_folder(board)
    if folder is None or not measured.is_present:
        return None
    try:
        return measured.sizes(folder)
    finally:
        measured.close()
