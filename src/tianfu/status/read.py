"""Reading the board on the gate's hot path: one person, one venue, one session at a time, in a few microseconds.

The reader never fails for want of a board. While there is none, or one it cannot read, everybody is "being
checked"; so are persons the board does not know, persons whose record has lapsed, and everybody when the board has
not been heard of for too long. No colour is ever guessed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tianfu.platform.settings import BOARD_AGE_MAX_SECONDS_DEFAULT
from tianfu.status import layout
from tianfu.status.boardfile import BoardFile
from tianfu.status.layout import VenueRecord, unpack_venue
from tianfu.status.record import RECORD_BYTES, BoardRecord, unpack_at

# A record may outlive its own end for a moment, until the worker's new decision has arrived.
LAPSE_GRACE_SECONDS: Final = 60
# Two clocks of one province differ by seconds. A heartbeat from further ahead is a broken clock, and says nothing.
_HEARTBEAT_AHEAD_MAX_MS: Final = 300_000
AGE_UNKNOWN_SECONDS: Final = 2**31 - 1

_NOTHING: Final = BoardRecord(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
_KEY: Final = layout.PERSON_KEY.pack
_MINUTE_SECONDS: Final = 60


class Board(BoardFile):
    """One process's view of the board in a folder; used from one thread."""

    @classmethod
    def open(cls, folder: Path, *, age_max_seconds: int = BOARD_AGE_MAX_SECONDS_DEFAULT) -> Board:
        """The board in `folder`, which may still be absent. Raises `BoardUnreadableError` for a damaged one."""
        board = cls(folder, age_max_seconds=age_max_seconds)
        board.refresh()
        return board

    def look_up(self, person: int) -> BoardRecord | None:
        """The record of `person` as stored; None when there is none or it is of an unknown version."""
        block, place = divmod(person, layout.BLOCK_PERSONS)
        data = self._get(self._persons, _KEY(block)) if self._environment is not None else None
        return unpack_at(data, place * RECORD_BYTES) if data is not None else None

    def shown(self, person: int, at_ms: int) -> BoardRecord:
        """What may be said of `person` at `at_ms`: the record, or "being checked" (colour 0) and nothing else.

        Only the sequence is kept of a record that may not be relied on, so that a change is still noticed.
        """
        record = self.look_up(person)
        if record is None:
            return _NOTHING
        age_ms = at_ms - self._heartbeat_ms
        if not -_HEARTBEAT_AHEAD_MAX_MS <= age_ms <= self._age_max_seconds * 1000:
            return _NOTHING._replace(sequence=record.sequence)
        if record.lapses_at and at_ms > (record.lapses_at * _MINUTE_SECONDS + LAPSE_GRACE_SECONDS) * 1000:
            return _NOTHING._replace(sequence=record.sequence)
        return record

    def venue(self, venue_id: bytes) -> VenueRecord | None:
        """The venue with this id (16 bytes); None when the board does not know it."""
        data = self._get(self._venues, venue_id) if self._environment is not None else None
        return unpack_venue(data) if data is not None else None

    def is_revoked(self, session_id: bytes) -> bool:
        """Whether the session with this id (8 bytes) was ended before its time, as far as the board knows."""
        return self._environment is not None and self._get(self._sessions, session_id) is not None

    def is_killed(self, credential: bytes) -> bool:
        """Whether the credential with this id (16 bytes) was taken out of use before its end."""
        return self._environment is not None and self._get(self._credentials, credential) is not None

    def signed_list(self, kind: str) -> bytes | None:
        """The text of the signed list of this kind; None while there is none."""
        if self._environment is None:
            return None
        return self._get(self._databases[layout.LISTS], layout.list_key(kind))

    def age_seconds(self, at_ms: int) -> int:
        """Seconds since the board was last known to be complete; `AGE_UNKNOWN_SECONDS` when it never was."""
        self._listen()
        if self._heartbeat_ms == 0:
            return AGE_UNKNOWN_SECONDS
        return max(0, at_ms - self._heartbeat_ms) // 1000
