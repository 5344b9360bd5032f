"""Looking at the whole lake: every file as it was written, every array in order, every scan accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tianfu.lake import aside, days, layout, parquet_store, roll, rows, state
from tianfu.lake.layout import Words
from tianfu.lake.state import LakeBrokenError, LakeFile, Part, State


class Finding(NamedTuple):
    """One thing that was looked at; `fault` is empty when it is sound, a fixed English phrase otherwise."""

    what: str
    scans: int
    visits: int
    fault: str


def verify(lake: Path) -> Iterator[Finding]:
    """Look at every part of every day, at what is aside, and at the sums, telling each. Raises `LakeBrokenError`.

    Nobody is kept out. What is replaced or erased while it is looked at is passed over.
    """
    current = state.load(lake)
    for day, part in [(day, part) for day, parts in sorted(current.days.items()) for part in parts]:
        fault = _fault_of_part(lake, day, part)
        if fault and part not in state.load(lake).days.get(day, ()):
            continue
        yield Finding(f"{day} {part.name}", part.scans, part.visits, fault)
    for entry in current.aside:
        file = LakeFile(entry.name, entry.records * entry.record_bytes, entry.sha256)
        fault = _fault_of_file(aside.folder(lake), file)
        if not fault or entry in state.load(lake).aside:
            yield Finding(f"aside {entry.name}", entry.records, 0, fault)
    current = state.load(lake)
    taken = sum(current.gates.values())
    yield Finding("sums", taken, 0, "" if taken == accounted(current) else "scans do not add up")


def accounted(current: State) -> int:
    """Where every record taken from gates is: in days, aside, a repeat, or erased. Equals the sum of the offsets."""
    counts = current.counts
    return (
        sum(part.scans for parts in current.days.values() for part in parts)
        + sum(entry.records for entry in current.aside)
        + counts.repeats
        + counts.erased
        + counts.aside_erased
        + counts.unrolled_erased
    )


def _fault_of_part(lake: Path, day: str, part: Part) -> str:
    folder = state.part_folder(lake, day, part.name)
    for file in part.files:
        if fault := _fault_of_file(folder, file):
            return f"{file.name} {fault}"
    try:
        by_venue = days.read_words(lake, day, part, days.BY_VENUE)
        by_person = days.read_words(lake, day, part, days.BY_PERSON)
        if len(by_venue) != part.visits or not _ascends(by_venue) or not _ascends(by_person):
            return "the arrays are not in order"
        if not np.array_equal(layout.turned(by_venue), by_person):
            return "the two orders hold different visits"
        if not part.bare:
            events = parquet_store.read(folder, part) if part.closed else roll.read_rows(lake, day, part)
            if len(events) != part.scans or not np.array_equal(rows.words(events), by_venue):
                return "the events and the arrays hold different visits"
    except LakeBrokenError:
        return "cannot be read"
    return ""


def _fault_of_file(folder: Path, file: LakeFile) -> str:
    try:
        if (folder / file.name).stat().st_size != file.bytes:
            return "has another length"
        if days.file_digest(folder / file.name) != file.sha256:
            return "was altered"
    except OSError:
        return "is missing"
    return ""


def _ascends(words: Words) -> bool:
    return bool(np.all(words[1:] >= words[:-1]))
