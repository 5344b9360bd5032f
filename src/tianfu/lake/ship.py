"""From a gate's journal into the lake: every record exactly once, by its number.

A segment is written and durable, then the offset is noted, and only then may the journal forget. Killed between any
two of these, the next turn goes on from what is there: a record is in the journal, in a segment, or for a moment in
both, and in one segment only. Reading takes no lock that the gate needs; forgetting takes its writer's lock for a
millisecond or two at a time.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import lmdb

from tianfu.errors import TianfuError
from tianfu.lake import incoming, segment
from tianfu.lake.incoming import Offset
from tianfu.lake.segment import SEGMENT_RECORDS_MAX, LakeFullError
from tianfu.platform.journalfile import JournalBrokenError, JournalFile

# A value is one commit of the gate; 256 of them are deleted in about a millisecond and one sync, during which the
# gate's next commit waits. The pause lets it go first.
FORGET_VALUES_MAX: Final = 256
FORGET_PAUSE_SECONDS: Final = 0.02


class JournalChangedError(TianfuError):
    """The journal does not go on where the last segment ended: records are missing, or it is another journal."""

    code = "journal_changed"
    status = 500
    zh = "登记文件与已转存的部分不衔接，已停止转存，未丢弃任何数据。"
    en = "The journal does not go on where its last segment ended; nothing was moved and nothing deleted."


class ShippedElsewhereError(TianfuError):
    """Another process is moving this journal right now."""

    code = "shipping_taken"
    status = 503
    zh = "另一进程正在转存该登记文件。"
    en = "Another process is moving this journal on."


class Shipped(NamedTuple):
    """What a turn did: records moved on in how many segments, up to which number, and records the journal forgot."""

    records: int
    segments: int
    end: int
    forgotten: int


def ship(journal: Path, lake: Path, gate: int, *, segments_max: int = 1_000) -> Shipped:
    """Move what is new in the journal in folder `journal` of `gate` to `lake`, then let the journal forget it.

    Raises `JournalBrokenError` (sound records before the damage are moved by then), `JournalChangedError`,
    `LakeFullError`, `SegmentBrokenError`, `SegmentsGapError`; nothing is forgotten then. `ShippedElsewhereError` when
    somebody else is at it.
    """
    with _alone(incoming.gate_folder(lake, gate)):
        taken = incoming.offset(lake, gate)
        file = JournalFile.open(journal)
        try:
            _require_same(file, taken)
            # A crash may have come after the segment and before the note.
            incoming.note(lake, gate, taken)
            moved, segments = _move(file, lake, gate, taken, segments_max)
            forgotten = _forget(file, moved.end)
        except lmdb.Error as error:
            raise JournalBrokenError from error
        finally:
            file.close()
    return Shipped(moved.end - taken.end, segments, moved.end, forgotten)


def _require_same(file: JournalFile, taken: Offset) -> None:
    """Nobody but us deletes from the journal: it must reach to the offset, and say the same where both speak."""
    if not file.start() <= taken.end <= file.end():
        raise JournalChangedError
    if taken.end > file.start():
        ((_, last),) = file.read(taken.end - 1, 1)
        if incoming.digest(last) != taken.last:
            raise JournalChangedError


def _move(file: JournalFile, lake: Path, gate: int, taken: Offset, segments_max: int) -> tuple[Offset, int]:
    """Write segments until nothing is left; the new offset and how many."""
    folder = incoming.gate_folder(lake, gate)
    for done in range(segments_max):
        numbered = file.read(taken.end, SEGMENT_RECORDS_MAX)
        if not numbered:
            return taken, done
        if [numbered[0][0], numbered[-1][0]] != [taken.end, taken.end + len(numbered) - 1]:
            raise JournalChangedError
        length = len(numbered[0][1])
        # A journal that outlived a change of the event's size has records of both; a segment has one sort.
        records = [record for _, record in numbered if len(record) == length]
        if len(records) < len(numbered):
            records = records[: next(at for at, (_, record) in enumerate(numbered) if len(record) != length)]
        made = segment.write(folder, gate, taken.end, records)
        taken = Offset(made.end, incoming.digest(records[-1]))
        incoming.note(lake, gate, taken)
    return taken, segments_max


def _forget(file: JournalFile, upto: int) -> int:
    forgotten = 0
    while trimmed := file.trim(upto, values_max=FORGET_VALUES_MAX):
        forgotten += trimmed
        time.sleep(FORGET_PAUSE_SECONDS)
    return forgotten


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only one who ships into `folder`. Raises `ShippedElsewhereError`, `LakeFullError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "shipper.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LakeFullError from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ShippedElsewhereError from error
    finally:
        os.close(descriptor)
