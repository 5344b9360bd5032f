"""What the gates' journals have given away and nobody has rolled into days yet: `lake/incoming/gate-NNNNN/`.

For each gate the segments follow each other without gap or overlap, and `offset` says up to where records were
taken. Whoever rolls segments on may remove one as soon as `offset` is not before its end; nobody ever writes one again.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from tianfu.errors import TianfuError
from tianfu.lake import segment
from tianfu.lake.segment import LakeFullError, Segment, SegmentBrokenError
from tianfu.scans.event import EventUnreadableError, ScanEvent, unpack

OFFSET_FILE: Final = "offset"
_GATE_FOLDER: Final = re.compile(r"gate-(\d{5})", re.ASCII)
_GATE_MAX: Final = 65_535
_LISTED_TIMES: Final = 3


class SegmentsGapError(TianfuError):
    """Between two segments of a gate records are missing, or some are there twice."""

    code = "segments_gap"
    status = 500
    zh = "登记分段文件之间有缺失或重复。"
    en = "Between the segments of a gate records are missing or doubled."


class Offset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to which record a gate's journal was taken over, and the SHA-256 (hex) of the last one taken."""

    end: int = 0
    last: str = ""


def gate_folder(lake: Path, gate: int) -> Path:
    """Where the segments of one gate are."""
    return lake / "incoming" / f"gate-{gate:05d}"


def gates(folder: Path) -> list[int]:
    """The numbers of the gates that have a folder in `folder`, such as `var/journal`."""
    found = (_GATE_FOLDER.fullmatch(path.name) for path in folder.glob("gate-*"))
    return sorted(int(match[1]) for match in found if match and int(match[1]) <= _GATE_MAX)


def segments(lake: Path, gate: int) -> list[Segment]:
    """The segments of one gate in their order. Raises `SegmentsGapError` unless each begins where the last ended."""
    for _ in range(_LISTED_TIMES):
        found = listed(lake, gate)
        if all(before.end == after.first for before, after in itertools.pairwise(found)):
            return found
        # The roller may have removed some while the folder was read.
    raise SegmentsGapError


def listed(lake: Path, gate: int) -> list[Segment]:
    """The segments of one gate that are there, in their order, whether or not some are missing between them."""
    names = (segment.named(path) for path in gate_folder(lake, gate).glob(f"*{segment.SUFFIX}"))
    return sorted((item for item in names if item is not None), key=lambda item: (item.first, item.end))


def may_be_removed(lake: Path, gate: int) -> int:
    """Segments that end at or before this record may be removed once they are rolled. Raises `SegmentBrokenError`.

    A folder without a note has no shipper: its segments were copied here from a gate's machine.
    """
    if not (gate_folder(lake, gate) / OFFSET_FILE).exists():
        return 2**63
    return _noted(lake, gate).end


def events(item: Segment, gate: int) -> Iterator[tuple[int, ScanEvent]]:
    """Each scan of a segment with its number in the journal, the file checked first. Raises `SegmentBrokenError`."""
    for number, record in enumerate(segment.read(item, gate), item.first):
        try:
            yield number, unpack(record)
        except EventUnreadableError as error:
            raise SegmentBrokenError from error


def offset(lake: Path, gate: int) -> Offset:
    """Up to where the journal of `gate` was taken over. Raises `SegmentBrokenError`, `SegmentsGapError`.

    A segment under its name counts even when the note of it was not written any more.
    """
    noted = _noted(lake, gate)
    found = segments(lake, gate)
    if found and found[-1].end > noted.end:
        return Offset(found[-1].end, digest(segment.read(found[-1], gate)[-1]))
    return noted


def note(lake: Path, gate: int, taken: Offset) -> None:
    """Write down, durably, that everything before `taken.end` was taken over. Raises `LakeFullError`."""
    folder = gate_folder(lake, gate)
    part = folder / "offset.part"
    try:
        segment.write_synced(part, msgspec.json.encode(taken) + b"\n")
        part.replace(folder / OFFSET_FILE)
        segment.sync_folder(folder)
    except OSError as error:
        raise LakeFullError from error


def digest(record: bytes) -> str:
    """What is remembered of the last record taken, to know the journal again."""
    return hashlib.sha256(record).hexdigest()


def _noted(lake: Path, gate: int) -> Offset:
    try:
        return msgspec.json.decode((gate_folder(lake, gate) / OFFSET_FILE).read_bytes(), type=Offset)
    except FileNotFoundError:
        return Offset()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SegmentBrokenError from error
