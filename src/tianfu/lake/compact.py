"""Compaction: at night the parts of a day that is over become one, without repeats, as two arrays and Parquet.

What came late for a closed day is merged the same way. A day is replaced in one commit; who has mapped the old files
keeps them, who reads them by name has some minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from tianfu.clock import shanghai_day
from tianfu.lake import days, layout, parquet_store, roll, rows, state
from tianfu.lake.layout import Words
from tianfu.lake.rows import Rows
from tianfu.lake.state import LakeFile, Part, State


class Compacted(NamedTuple):
    """What became of a day: parts it had, scans and visits it has, repeats that were dropped."""

    day: str
    parts: int
    scans: int
    visits: int
    repeats: int


def due(current: State, at: datetime) -> list[str]:
    """The days that are over and not in one closed part, the oldest first."""
    today = shanghai_day(at).isoformat()
    return [
        day for day, parts in sorted(current.days.items()) if day < today and not (len(parts) == 1 and parts[0].closed)
    ]


def compact(lake: Path, *, at: datetime) -> Iterator[Compacted]:
    """Compact every day that is due, one by one, telling each; others may change the lake in between.

    Raises `LakeBrokenError` for a day that is left as it was, `LakeFullError`, `LakeBusyError`. A retry goes on.
    """
    for day in due(state.load(lake), at):
        done = compact_day(lake, day, at=at)
        if done is not None:
            yield done


def compact_day(lake: Path, day: str, *, at: datetime) -> Compacted | None:
    """Make one part of the parts of `day`; None when it is one already, or not over.

    Memory: about 80 bytes a scan, 1.5 GB for 19 million. Raises `LakeBrokenError`, `LakeFullError`, `LakeBusyError`;
    the day is as it was then.
    """
    with state.alone(lake) as before:
        if day not in due(before, at):
            return None
        roll.remove_remains(lake, before)
        parts = before.days[day]
        events = _events(lake, day, parts)
        taken = len(events)
        events = rows.in_venue_order(rows.unique(events))
        by_venue = _merged(rows.words(events), [_bare(lake, day, part) for part in parts if part.bare])

        def write_events(folder: Path) -> list[LakeFile]:
            return parquet_store.write(folder, events)

        made = Part(name=days.part_name(before), scans=len(events), closed=True, bare=any(part.bare for part in parts))
        made = days.write_part(lake, day, made, by_venue, layout.turned(by_venue), write_events)
        repeats = taken - len(events)
        counts = msgspec.structs.replace(before.counts, repeats=before.counts.repeats + repeats)
        after = msgspec.structs.replace(
            before,
            generation=before.generation + 1,
            days={**before.days, day: (made,)},
            retired=(*before.retired, *days.retired(day, parts, at)),
            counts=counts,
        )
        state.commit(lake, after)
    return Compacted(day, len(parts), made.scans, made.visits, repeats)


def note_done(lake: Path, *, at: datetime) -> None:
    """Write down that compaction went through everything at `at`. Raises `LakeFullError`, `LakeBusyError`."""
    with state.alone(lake) as before:
        state.commit(
            lake,
            msgspec.structs.replace(before, generation=before.generation + 1, compacted_at=int(at.timestamp())),
        )


def _events(lake: Path, day: str, parts: tuple[Part, ...]) -> Rows:
    """All events of a day in one array; parts are read one after another into it."""
    found = np.empty(sum(part.scans for part in parts), rows.EVENT)
    filled = 0
    for part in parts:
        if part.scans == 0:
            continue
        if part.closed:
            some = parquet_store.read(state.part_folder(lake, day, part.name), part)
        else:
            some = roll.read_rows(lake, day, part)
        found[filled : filled + part.scans] = some
        filled += part.scans
    return found


def _bare(lake: Path, day: str, part: Part) -> Words:
    return days.read_words(lake, day, part, days.BY_VENUE)


def _merged(by_venue: Words, others: list[Words]) -> Words:
    if not others:
        return by_venue
    merged = np.concatenate([by_venue, *others])
    merged.sort()
    return rows.distinct(merged)
