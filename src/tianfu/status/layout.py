"""How the board lies on disk: what its one writer and its many readers must agree on.

`board/current` names the folder in use, such as `g-000001`; a board that is built anew goes into the next folder and
`current` is replaced in one step, so a reader sees the old board or the new one, never half of either. Inside is one
LMDB file of seven databases. Keys that are numbers are in the machine's byte order, which LMDB compares fastest; every
value is little-endian. Other machines get a board by its stream (`tianfu.status.stream`), not as a copy of the file.

| Database | Key | Value |
|---|---|---|
| persons | person reference div 84, 4 bytes | block of 84 board records of 24 bytes (`tianfu.status.record`) |
| venues | venue id, 16 random bytes | `VenueRecord`, 8 bytes |
| sessions | session id, 8 bytes | when it was revoked, milliseconds since 1970, 8 bytes |
| credentials | credential id, 16 bytes | when a killed credential ends by itself, milliseconds since 1970, 8 bytes |
| lists | kind of a signed list, ASCII, zeros to 16 bytes | the list as its text |
| changes | number of the first change of a batch, 8 bytes | number of the table, 1 byte; the keys changed |
| meta | one of the `META_` names | an 8-byte number |
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final, NamedTuple

from tianfu.errors import TianfuError
from tianfu.status.record import RECORD_BYTES

LAYOUT_VERSION: Final = 2

# Persons are dense numbers, so a block needs one key for all its records. 84 records are 2,016 bytes; with key and
# header two blocks fill a page of 4 KiB, which is 24.5 bytes a person. One more would not fit into half a page.
BLOCK_PERSONS: Final = 84
BLOCK_BYTES: Final = BLOCK_PERSONS * RECORD_BYTES
EMPTY_BLOCK: Final = bytes(BLOCK_BYTES)

# 150 million records are 3.7 GB; pages copied on write while readers hold old ones, the change ring and 5 million
# venues of 40 bytes come on top. Address space only: the file is as long as it is full.
BOARD_MAP_BYTES: Final = 16 * 1024**3
BOARD_DATABASES_MAX: Final = 8

# A gate on another machine may be away for as long as this lasts: 400 s at 50,000 changes a second, most of a day at
# the rate of 19 million results a day. Beyond it, it loads a snapshot. 80 MB.
CHANGES_KEPT_MAX: Final = 20_000_000

CURRENT_FILE: Final = "current"
# Says beside the board which database it was built from; absent where it came from another machine.
ORIGIN_FILE: Final = "origin"


class Table(NamedTuple):
    """A database whose changes are numbered and sent on. `number` stands for it in the ring and in the stream."""

    number: int
    name: bytes
    key_bytes: int


PERSON_BYTES: Final = 4
VENUE_ID_BYTES: Final = 16
SESSION_ID_BYTES: Final = 8
CREDENTIAL_ID_BYTES: Final = 16
LIST_KIND_BYTES: Final = 16

PERSONS: Final = Table(1, b"persons", PERSON_BYTES)
VENUES: Final = Table(2, b"venues", VENUE_ID_BYTES)
SESSIONS: Final = Table(3, b"sessions", SESSION_ID_BYTES)
CREDENTIALS: Final = Table(4, b"credentials", CREDENTIAL_ID_BYTES)
LISTS: Final = Table(5, b"lists", LIST_KIND_BYTES)
TABLES: Final = {table.number: table for table in (PERSONS, VENUES, SESSIONS, CREDENTIALS, LISTS)}
CHANGES: Final = b"changes"
META: Final = b"meta"

META_LAYOUT: Final = b"layout"
# A random number that tells this board from any other, an earlier one of the same database included.
META_IDENTITY: Final = b"identity"
META_OFFSET: Final = b"offset"
META_VENUE_OFFSET: Final = b"venue-offset"
META_HEARTBEAT: Final = b"heartbeat"
META_CHANGES: Final = b"changes"
# On a machine that follows another: the identity of that board, its change number up to which this one holds
# everything, and whether its snapshot is still being loaded.
META_SOURCE: Final = b"source"
META_FOLLOWED: Final = b"followed"
META_LOADING: Final = b"loading"

PERSON_KEY: Final = struct.Struct("=I")
CHANGE_KEY: Final = struct.Struct("=Q")
NUMBER: Final = struct.Struct("<Q")
_VENUE: Final = struct.Struct("<IHBx")


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


def list_key(kind: str) -> bytes:
    """The key of the signed list of this kind."""
    key = kind.encode("ascii").ljust(LIST_KIND_BYTES, b"\0")
    if len(key) != LIST_KIND_BYTES:
        message = f"list kind of {len(kind)} characters"
        raise ValueError(message)
    return key


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
