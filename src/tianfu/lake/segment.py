"""A segment: consecutive records of one gate's journal in one file that is never changed.

56 bytes of header, then the records, all of one length. The checksum covers both, so a file that was cut, altered or
renamed is found out. Written beside, synced, renamed: under its own name a segment is whole or absent.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from tianfu.errors import TianfuError

SUFFIX: Final = ".scans"
SEGMENT_VERSION: Final = 1
# 4.4 MB of scan events: read, hashed and written in 50 ms, held in memory whole.
SEGMENT_RECORDS_MAX: Final = 100_000
_MAGIC: Final = b"TFSG"
# Magic, version, gate, number of the first record, count, length of a record, zero, SHA-256.
_HEADER: Final = struct.Struct("<4sHHQIHH32s")
_HEADER_HASHED: Final = _HEADER.size - 32
_NAME: Final = re.compile(r"(\d{12,20})-(\d{12,20})" + re.escape(SUFFIX), re.ASCII)


class SegmentBrokenError(TianfuError):
    """A segment file is not what was written: cut, altered, renamed, or of another version."""

    code = "segment_broken"
    status = 500
    zh = "登记分段文件损坏。"
    en = "A segment of scans is damaged."


class LakeFullError(TianfuError):
    """There is no room for a segment; the journal keeps its records."""

    code = "lake_full"
    status = 503
    zh = "登记数据无法转存：磁盘空间不足，原登记文件保持不变。"
    en = "Scans cannot be moved on: the disk is full. The journal keeps them."


class Segment(NamedTuple):
    """What a segment file holds: records `first` to before `end` of a gate's journal."""

    path: Path
    first: int
    end: int


def named(path: Path) -> Segment | None:
    """The segment that the name of `path` speaks of; None for another sort of file."""
    match = _NAME.fullmatch(path.name)
    return Segment(path, int(match[1]), int(match[2])) if match else None


def write(folder: Path, gate: int, first: int, records: Sequence[bytes]) -> Segment:
    """Make `records`, all of one length, a segment in `folder`; durable when this returns.

    Killed at any moment it leaves the segment whole or not there, and perhaps a `.part` that the next call replaces.
    Raises `LakeFullError`.
    """
    end = first + len(records)
    path = folder / f"{first:012d}-{end:012d}{SUFFIX}"
    body = b"".join(records)
    head = _HEADER.pack(_MAGIC, SEGMENT_VERSION, gate, first, len(records), len(records[0]), 0, bytes(32))
    head = head[:_HEADER_HASHED]
    part = folder / "segment.part"
    try:
        write_synced(part, head + hashlib.sha256(head + body).digest() + body)
        part.replace(path)
        sync_folder(folder)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise LakeFullError from error
    return Segment(path, first, end)


def read(segment: Segment, gate: int) -> list[bytes]:
    """The records of a segment, all checked. Raises `SegmentBrokenError`."""
    body, length = read_body(segment, gate)
    return [body[at : at + length] for at in range(0, len(body), length)]


def read_body(segment: Segment, gate: int) -> tuple[bytes, int]:
    """The records of a segment in one piece, checked, and the length of each. Raises `SegmentBrokenError`."""
    try:
        data = segment.path.read_bytes()
    except OSError as error:
        raise SegmentBrokenError from error
    if len(data) < _HEADER.size:
        raise SegmentBrokenError
    magic, version, of_gate, first, count, length, zero, digest = _HEADER.unpack_from(data)
    body = data[_HEADER.size :]
    said = (magic, version, of_gate, first, first + count, zero)
    if said != (_MAGIC, SEGMENT_VERSION, gate, segment.first, segment.end, 0) or len(body) != count * length:
        raise SegmentBrokenError
    hashed = hashlib.sha256(data[:_HEADER_HASHED])
    hashed.update(body)
    if hashed.digest() != digest:
        raise SegmentBrokenError
    return body, length


def write_synced(path: Path, content: bytes) -> None:
    """Put `content` into `path` and onto the disk. Raises `OSError`."""
    with path.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Make what was renamed in `folder` durable. Raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
