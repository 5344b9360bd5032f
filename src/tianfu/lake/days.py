"""Writing parts of days: two sorted arrays, and the events they come from.

    lake/days/2022-03-01/000000000012/by-venue.u64    little-endian uint64, ascending: venue, minute, person
                                      by-person.u64   the same visits: person, minute, venue
                                      scans.bin       the events, 44 bytes each, in venue order (open parts)
                                      scans-00000.parquet …   the same in Parquet (closed parts)

A part is written and durable before a state names it, and never changed afterwards.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from tianfu.errors import TianfuError
from tianfu.lake import layout, segment, state
from tianfu.lake.layout import WORD_BYTES, Partition, Words
from tianfu.lake.segment import LakeFullError
from tianfu.lake.state import LakeBrokenError, LakeFile, Part, Retired, State

BY_VENUE: Final = "by-venue.u64"
BY_PERSON: Final = "by-person.u64"
SCANS: Final = "scans.bin"
# Writes whatever events belong to a part into its folder and says which files those are.
WriteEvents = Callable[[Path], Sequence[LakeFile]]

# Gates on the same disk record scans as long as there is room: the lake stops before they must. 25 minutes of scans at
# 10,000 a second, 44 bytes each, in the journal and once more in segments.
RESERVE_BYTES: Final = 1_280 * 1024 * 1024
_HASHED_AT_ONCE: Final = 8 * 1024 * 1024
_SAMPLED: Final = 64


class DayTakenError(TianfuError):
    """There are visits of that day already; whole days are given only to a day that has none."""

    code = "lake_day_taken"
    status = 409
    zh = "该日已有登记数据，不能整日写入。"
    en = "There are visits of that day already; a whole day can only be given to an empty one."


def write_arrays(lake: Path, partition: Partition) -> None:
    """Make `partition` a closed day of the lake, without events; for synthetic provinces and measurements.

    Both arrays must be ascending and hold the same visits (`layout.partition` makes them so); a visit that stands
    there twice is kept twice. Memory: none beside the arrays. Durable when this returns. Raises `DayTakenError`,
    `LakeFullError`, `LakeBusyError`, `ValueError` for arrays of different length.
    """
    if len(partition.by_venue) != len(partition.by_person):
        message = "the two orders hold different numbers of visits"
        raise ValueError(message)
    day = layout.day_of(partition.day).isoformat()
    with state.alone(lake) as before:
        if before.days.get(day):
            raise DayTakenError
        require_room(lake, 2 * partition.by_venue.nbytes)
        remove_remains(lake, before)
        part = Part(name=part_name(before), closed=True, bare=True)
        folder = state.part_folder(lake, day, part.name)
        part = write_part(folder, part, partition.by_venue, partition.by_person)
        state.commit(
            lake,
            msgspec.structs.replace(before, generation=before.generation + 1, days={**before.days, day: (part,)}),
        )


def part_name(before: State) -> str:
    """The name of a part that the commit after `before` adds to a day: no folder ever had it under a state."""
    return f"{before.generation + 1:012d}"


def write_part(folder: Path, part: Part, by_venue: Words, by_person: Words, events: WriteEvents | None = None) -> Part:
    """Write the files of `part` into `folder`, which is made, durably, and say which they are.

    In its place (`state.part_folder`) it belongs to its day once a committed state names it. Raises `LakeFullError`,
    and nothing of it stays.
    """
    try:
        folder.mkdir(parents=True)
        files = [_write_words(folder / BY_VENUE, by_venue), _write_words(folder / BY_PERSON, by_person)]
        if events is not None:
            files += events(folder)
        for path in (folder, folder.parent, folder.parent.parent):
            segment.sync_folder(path)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise LakeFullError from error
    return msgspec.structs.replace(part, visits=len(by_venue), files=tuple(files))


def require_room(lake: Path, bytes_needed: int) -> None:
    """Raise `LakeFullError` unless `bytes_needed` fit on the disk and leave `RESERVE_BYTES` to the gates' journals."""
    try:
        free = shutil.disk_usage(lake).free
    except OSError as error:
        raise LakeFullError from error
    if free < bytes_needed + RESERVE_BYTES:
        raise LakeFullError


def write_file(path: Path, content: memoryview) -> LakeFile:
    """Put `content` into `path` and onto the disk. Raises `OSError`."""
    digest = hashlib.sha256()
    with path.open("wb") as handle:
        for start in range(0, len(content), _HASHED_AT_ONCE):
            piece = content[start : start + _HASHED_AT_ONCE]
            digest.update(piece)
            handle.write(piece)
        handle.flush()
        os.fsync(handle.fileno())
    return LakeFile(path.name, len(content), digest.hexdigest())


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hex. Raises `OSError`."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def open_words(lake: Path, day: str, part: Part, name: str) -> Words:
    """One array of a part, mapped from its file and not read. Raises `LakeBrokenError`, `FileNotFoundError`.

    Refused are a file of another length and one whose words, taken from a few places, do not ascend.
    """
    path = state.part_folder(lake, day, part.name) / name
    if path.stat().st_size != part.visits * WORD_BYTES:
        raise LakeBrokenError
    if part.visits == 0:
        return np.empty(0, np.uint64)
    words = np.memmap(path, dtype="<u8", mode="r")
    sample = words[:: max(1, part.visits // _SAMPLED)]
    if np.any(sample[1:] < sample[:-1]):
        raise LakeBrokenError
    return words


def read_words(lake: Path, day: str, part: Part, name: str) -> Words:
    """One array of a part, read whole and checked against the state. Raises `LakeBrokenError`."""
    try:
        data = (state.part_folder(lake, day, part.name) / name).read_bytes()
    except OSError as error:
        raise LakeBrokenError from error
    if digest(data) not in {file.sha256 for file in part.files if file.name == name}:
        raise LakeBrokenError
    return np.frombuffer(data, "<u8")


def remove_remains(lake: Path, current: State) -> None:
    """Delete what a crash left: folders of days that `current` neither names nor keeps for a while.

    The caller is the only one who changes the lake.
    """
    known = {(day, part.name) for day, parts in current.days.items() for part in parts}
    known |= {(retired.day, retired.name) for retired in current.retired}
    for folder in state.days_folder(lake).glob("????-??-??/*"):
        if (folder.parent.name, folder.name) not in known:
            shutil.rmtree(folder, ignore_errors=True)
    for folder in state.days_folder(lake).glob("????-??-??"):
        if folder.name not in current.days and not any(folder.iterdir()):
            folder.rmdir()


def retired(day: str, parts: Sequence[Part], at: datetime) -> tuple[Retired, ...]:
    """`parts` of `day`, to be kept for a while after `at` for those who read them by name."""
    until = int(at.timestamp()) + state.RETIRED_SECONDS
    return tuple(Retired(day, part.name, until) for part in parts)


def remove_retired(lake: Path, current: State, at_seconds: int) -> None:
    """Delete the folders that were kept until `at_seconds`."""
    for entry in current.retired:
        if entry.until <= at_seconds:
            shutil.rmtree(state.part_folder(lake, entry.day, entry.name), ignore_errors=True)


def digest(data: bytes) -> str:
    """The SHA-256 that a state has of a file with this content, in hex."""
    return hashlib.sha256(data).hexdigest()


def _write_words(path: Path, words: Words) -> LakeFile:
    return write_file(path, np.ascontiguousarray(words, dtype="<u8").view(np.uint8).data)
