"""The scan event: who was where, when, and how we know, in 44 bytes.

Fixed size so that a batch of scans is one value in the journal and one array in the lake. Little-endian, version
first. No name, number or phone: people and venues are dense integers.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

EVENT_VERSION: Final = 1
EVENT_BYTES: Final = 44
_LAYOUT: Final = struct.Struct("<BBBBIIIHHqq8s")

# How the visit is known. A poster scan is weak evidence; a guard's check of a live code is strong.
KIND_POSTER: Final = 1
KIND_GUARD: Final = 2

FLAG_OFFLINE: Final = 1
FLAG_REUSED_CODE: Final = 2


class EventUnreadableError(ValueError):
    """The bytes are not a scan event of this version."""


class ScanEvent(NamedTuple):
    """One scan. `colour` is what was shown (index into `tianfu.status.record.COLOURS`).

    `checker` is the account of the guard, 0 for a poster. `happened_at` and `received_at` are milliseconds since
    1970; they differ for scans sent later from an offline device. `nonce` is the code's `cti` for a guard's check
    and random for a poster scan, so that a scan sent twice can be recognised. A printed card has the same one always:
    with `happened_at` it names one scan.
    """

    kind: int
    colour: int
    flags: int
    person: int
    venue: int
    checker: int
    gate: int
    checkpoint: int
    happened_at: int
    received_at: int
    nonce: bytes


def pack(event: ScanEvent) -> bytes:
    """The 44 bytes of `event`."""
    return _LAYOUT.pack(EVENT_VERSION, *event)


def unpack(data: bytes | memoryview) -> ScanEvent:
    """The event that `pack` wrote. Raises `EventUnreadableError` for another length or version."""
    if len(data) != EVENT_BYTES:
        message = f"scan event of {len(data)} bytes, expected {EVENT_BYTES}"
        raise EventUnreadableError(message)
    fields = _LAYOUT.unpack(data)
    if fields[0] != EVENT_VERSION:
        message = f"scan event version {fields[0]}, expected {EVENT_VERSION}"
        raise EventUnreadableError(message)
    return ScanEvent._make(fields[1:])
