"""The board on the wire: frames that machines of any byte order read, each checked whole. Pure.

A frame is a page of the snapshot (rows of one table by key; of persons, whole blocks) or the changes since a number
(rows as they are now, `None` for one that is gone). Applying a frame twice, or an older one first, ends in the same
board as long as the last one is the newest: rows say what is, not what to do. Everything is little-endian.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tianfu.errors import TianfuError
from tianfu.status import layout
from tianfu.status.layout import Table

STREAM_VERSION: Final = 1
KIND_PAGE: Final = 1
KIND_CHANGES: Final = 2
# A page is about 4 MiB; one signed list may be larger than a page by itself.
PAGE_BYTES_MAX: Final = 4 * 1024 * 1024
FRAME_BYTES_MAX: Final = 64 * 1024 * 1024

_MAGIC: Final = b"TFBF"
# Magic, version, kind, flags, identity, first, position, heartbeat, offset, venue offset, sections, bytes of the body.
_HEAD: Final = struct.Struct("<4sHBBQQQQQQII")
_SECTION: Final = struct.Struct("<BI")
_ROW: Final = struct.Struct("<BI")
_PERSON: Final = struct.Struct("<I")
_GONE: Final = 2**32 - 1
_WHOLE: Final = 1
_DIGEST_BYTES: Final = 32

Row = tuple[bytes, bytes | None]


class StreamBrokenError(TianfuError):
    """What came is no frame of a board, was cut or altered, or does not fit what came before it."""

    code = "board_stream_broken"
    status = 502
    zh = "收到的状态数据不完整或已损坏，未予采用。"
    en = "The status data that came is incomplete or damaged; it was not used."


class Section(NamedTuple):
    """Rows of one table. The key of a person, or of a block of them, is 4 bytes little-endian."""

    table: Table
    rows: Sequence[Row]


class Frame(NamedTuple):
    """One step of a stream.

    `identity` names the board. Changes are those from number `first` to before `position`; a page was read when
    `position` was the next number. `whole` says that the table has no page after this one, or that nothing has changed
    since `position`: only then do heartbeat and offsets hold for whoever has applied it.
    """

    kind: int
    identity: int
    first: int
    position: int
    whole: bool
    heartbeat_ms: int
    offset: int
    venue_offset: int
    sections: tuple[Section, ...] = ()


def person_key(number: int) -> bytes:
    """The key of a person, or of a block, on the wire."""
    return _PERSON.pack(number)


def person_number(key: bytes) -> int:
    """The number that `person_key` wrote."""
    return int(_PERSON.unpack(key)[0])


def pack(frame: Frame) -> bytes:
    """The bytes of `frame`."""
    body = b"".join(_packed(frame.sections))
    head = _HEAD.pack(
        *(_MAGIC, STREAM_VERSION, frame.kind, _WHOLE if frame.whole else 0, frame.identity, frame.first),
        *(frame.position, frame.heartbeat_ms, frame.offset, frame.venue_offset, len(frame.sections), len(body)),
    )
    return b"".join((head, body, hashlib.sha256(head + body).digest()))


def frame_bytes(head: bytes) -> int:
    """How long the frame is that begins with `head` (`HEAD_BYTES`). Raises `StreamBrokenError`."""
    if len(head) < _HEAD.size or head[:4] != _MAGIC:
        raise StreamBrokenError
    size = _HEAD.size + int(_HEAD.unpack_from(head)[-1]) + _DIGEST_BYTES
    if size > FRAME_BYTES_MAX:
        raise StreamBrokenError
    return size


HEAD_BYTES: Final = _HEAD.size


def unpack(data: bytes) -> Frame:
    """The frame that `pack` wrote. Raises `StreamBrokenError` for anything else."""
    if frame_bytes(data) != len(data):
        raise StreamBrokenError
    if hashlib.sha256(data[:-_DIGEST_BYTES]).digest() != data[-_DIGEST_BYTES:]:
        raise StreamBrokenError
    _, version, kind, flags, identity, first, position, heartbeat_ms, offset, venue_offset, count, _ = (
        _HEAD.unpack_from(data)
    )
    if version != STREAM_VERSION or kind not in {KIND_PAGE, KIND_CHANGES} or flags > _WHOLE:
        raise StreamBrokenError
    body = data[_HEAD.size : -_DIGEST_BYTES]
    try:
        sections = tuple(_sections(body, count))
    except (struct.error, KeyError) as error:
        raise StreamBrokenError from error
    return Frame(kind, identity, first, position, flags == _WHOLE, heartbeat_ms, offset, venue_offset, sections)


def _packed(sections: Sequence[Section]) -> Iterator[bytes]:
    pack_row = _ROW.pack
    for section in sections:
        yield _SECTION.pack(section.table.number, len(section.rows))
        for key, value in section.rows:
            if value is None:
                yield pack_row(len(key), _GONE) + key
            else:
                yield pack_row(len(key), len(value)) + key + value


def _sections(body: bytes, count: int) -> Iterator[Section]:
    at = 0
    for _ in range(count):
        number, many = _SECTION.unpack_from(body, at)
        at += _SECTION.size
        table = layout.TABLES[number]
        rows: list[Row] = []
        for _ in range(many):
            key_bytes, value_bytes = _ROW.unpack_from(body, at)
            at += _ROW.size
            key = body[at : at + key_bytes]
            at += key_bytes
            gone = value_bytes == _GONE
            value = None if gone else body[at : at + value_bytes]
            at += 0 if gone else value_bytes
            if len(key) != table.key_bytes or at > len(body):
                raise StreamBrokenError
            rows.append((key, value))
        yield Section(table, rows)
    if at != len(body):
        raise StreamBrokenError
