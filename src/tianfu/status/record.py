"""The board record: what the gate knows of one person, in 24 bytes.

Little-endian, version first; nothing in it is personal. Instants are whole minutes since 1970 (an unsigned 32-bit
count lasts until the year 10136), 0 where there is none. A lapse is rounded up and a sample down, so that rounding
never shortens a restriction nor freshens a test.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

RECORD_VERSION: Final = 1
RECORD_BYTES: Final = 24
_LAYOUT: Final = struct.Struct("<BBBBHBBIIII")

# Colour, popup and test words in the order of their byte; 0 is always "none".
COLOURS: Final = ("checking", "green", "yellow", "red")
POPUPS: Final = ("", "declare", "entry", "test", "report", "zone", "notice")
REASON_CLASSES: Final = (
    *("", "case", "test", "contact", "declaration", "zone", "entry", "emergency"),
    *("care", "elsewhere", "letter", "duty"),
)
# Bits of `flags`: what the popup keeps its holder from, and the add-ons: two bits of doses, one of travel.
BLOCKS_CODE: Final = 0b0001
BLOCKS_SCAN: Final = 0b0010
ADD_ONS_SHIFT: Final = 2
DOSES_MAX: Final = 3
TRAVEL: Final = 0b100
TEST_RESULTS: Final = ("", "negative", "positive", "indeterminate")


class RecordUnreadableError(ValueError):
    """The bytes are not a board record of this version."""


class BoardRecord(NamedTuple):
    """One person's status as the gate holds it.

    `colour`, `popup`, `reason` and `test` index the tuples above. `rule_set` is the number of the policy.
    `lapses_at` is when the decision changes by itself (minutes since 1970, 0 for never); past it the record says
    nothing any more. `sequence` is the status change that wrote it, modulo 2**32.
    """

    colour: int
    popup: int
    reason: int
    rule_set: int
    test: int
    flags: int
    sampled_at: int
    lapses_at: int
    decided_at: int
    sequence: int


def pack(record: BoardRecord) -> bytes:
    """The 24 bytes of `record`."""
    return _LAYOUT.pack(RECORD_VERSION, *record)


def unpack_at(data: bytes | memoryview, offset: int) -> BoardRecord | None:
    """The record at `offset` in a block of them; None where there is none of this version."""
    try:
        fields = _LAYOUT.unpack_from(data, offset)
    except struct.error:
        return None
    return BoardRecord._make(fields[1:]) if fields[0] == RECORD_VERSION else None


def unpack(data: bytes | memoryview) -> BoardRecord:
    """The record that `pack` wrote. Raises `RecordUnreadableError` for another length or version."""
    if len(data) != RECORD_BYTES:
        message = f"board record of {len(data)} bytes, expected {RECORD_BYTES}"
        raise RecordUnreadableError(message)
    fields = _LAYOUT.unpack(data)
    if fields[0] != RECORD_VERSION:
        message = f"board record version {fields[0]}, expected {RECORD_VERSION}"
        raise RecordUnreadableError(message)
    return BoardRecord._make(fields[1:])
