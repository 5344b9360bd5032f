"""How the board lies on disk: what its one writer and its many readers must agree on.

`board/current` names the folder in use, such as `g-000001`; a board that is built anew goes into the next folder and
`current` is replaced in one step, so a reader sees the old board or the new one, never half of either. Inside is one
LMDB file of seven databases. Keys that are numbers are in the machine's byte order, which LMDB compares fastest: a
board is rebuilt on another machine, not copied.

| Database | Key | Value |
|---|---|---|
| persons | person reference, 4 bytes | board record, 24 bytes (`tianfu.status.record`) |
| venues | venue id, 16 random bytes | `VenueRecord`, 8 bytes |
| killed | credential id, 16 bytes | when its life would have ended, seconds since 1970, 8 bytes |
| lists | `trust` or `not-green` | the text of the signed list (`tianfu.passcode.lists`) |
| sessions | session id, 8 bytes | when it was revoked, milliseconds since 1970, 8 bytes |
| changes | number of the first change of a batch, 8 bytes | the persons of the batch, 4 bytes each |
| meta | one of the `META_` names | an 8-byte number |
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final, NamedTuple

from tianfu.errors import TianfuError

LAYOUT_VERSION: Final = 1

# 150 million records of 38.4 bytes in full pages are 5.8 GB; pages copied on write while readers hold old ones, the
# change ring and 5 million venues of 40 bytes come on top. Address space only: the file is as long as it is full.
BOARD_MAP_BYTES: Final = 16 * 1024**3
BOARD_DATABASES_MAX: Final = 8

# A reader comes by ten times a second and the writer puts at most 120,000 persons a second, so it misses nothing
# unless it slept for eight seconds; then it wakes everybody, which is harmless.
CHANGES_KEPT_MAX: Final = 1_000_000

CURRENT_FILE: Final = "current"
PERSONS: Final = b"persons"
VENUES: Final = b"venues"
SESSIONS: Final = b"sessions"
KILLED: Final = b"killed"
LISTS: Final = b"lists"
CHANGES: Final = b"changes"
META: Final = b"meta"

META_LAYOUT: Final = b"layout"
META_OFFSET: Final = b"offset"
META_VENUE_OFFSET: Final = b"venue-offset"
META_KILLED_OFFSET: Final = b"killed-offset"
META_HEARTBEAT: Final = b"heartbeat"
META_CHANGES: Final = b"changes"

PERSON_KEY: Final = struct.Struct("=I")
CHANGE_KEY: Final = struct.Struct("=Q")
NUMBER: Final = struct.Struct("=Q")
_VENUE: Final = struct.Struct("<IHBx")

VENUE_ID_BYTES: Final = 16
SESSION_ID_BYTES: Final = 8
CREDENTIAL_ID_BYTES: Final = 16


class BoardUnreadableError(TianfuError):
    """The board's files are damaged, of another layout, or open elsewhere in this process. Rebuild it."""

    code = "board_unreadable"
    status = 503
    zh = "状态数据无法读取，正在核验，请稍后再试。"
    en = "The status data cannot be read; it is being checked, please try again later."


class VenueRecord(NamedTuple):
    """One venue as the gate holds it. `generation` is that of the poster in force; older posters are dead."""

    venue_ref: int
    generation: int
    open: bool


def pack_venue(record: VenueRecord) -> bytes:
    """The 8 bytes of `record`."""
    return _VENUE.pack(*record)


def unpack_venue(data: bytes) -> VenueRecord:
    """The record that `pack_venue` wrote."""
    venue_ref, generation, is_open = _VENUE.unpack(data)
    return VenueRecord(venue_ref, generation, bool(is_open))


def current_folder(board: Path) -> Path | None:
    """The folder that readers use now; None when there is no board yet. Raises `BoardUnreadableError`."""
    try:
        name = (board / CURRENT_FILE).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BoardUnreadableError from error
    if not name.startswith("g-") or not name[2:].isdigit():
        raise BoardUnreadableError
    return board / name
