"""Rolling: segments become parts of days, every scan exactly once, by its number in its gate's journal.

A turn reads segments from where the state says the last turn ended, writes the parts of the days they belong to, and
commits a state with both: the parts and the new offsets. Killed before the commit, the parts are remains and the
segments are read again; killed behind it, the segments are remains. There is no third moment.

New scans absorb the newest open parts of their day while those are at most twice as large, so that a day of n turns
has about log2(n) parts and each scan is written about as often.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np

from tianfu.clock import shanghai_day
from tianfu.errors import TianfuError
from tianfu.lake import aside, days, incoming, layout, rows, segment, state
from tianfu.lake.layout import WORD_BYTES
from tianfu.lake.rows import Rows
from tianfu.lake.segment import Segment
from tianfu.lake.state import LakeBrokenError, LakeFile, Part, State
from tianfu.scans.event import EVENT_BYTES

# 44 MB of events, and about five times that while they are sorted and written.
RECORDS_PER_TURN: Final = 1_000_000
# A part this large is left for compaction: a day of 19 million scans has about ten of them in the evening.
PART_SCANS_MAX: Final = 2_000_000
_ABSORBED_SHARE: Final = 2
# An event and its two words.
_SCAN_BYTES: Final = EVENT_BYTES + 2 * WORD_BYTES


class RollGapError(TianfuError):
    """A gate's segments do not go on where the days end: some are missing. That gate is not rolled until they come."""

    code = "roll_gap"
    status = 500
    zh = "登记分段文件与已入湖部分不衔接，该闸机的登记暂停入湖，未丢弃任何数据。"
    en = "A gate's segments do not go on where the days end; they are kept and wait."


class Rolled(NamedTuple):
    """What a turn did: records taken, those set aside by reason, repeats dropped, days touched.

    `more`: there is more than a turn takes. `troubles`: gates that were left as they are, with the code of the error.
    """

    records: int
    aside: dict[str, int]
    repeats: int
    days: tuple[str, ...]
    more: bool
    troubles: dict[int, str]


class _Taken(NamedTuple):
    """Segments read in one turn: events, records of another length by their length, new offsets."""

    events: list[Rows]
    odd: list[tuple[bytes, int]]
    gates: dict[int, int]
    more: bool
    troubles: dict[int, str]


def roll(lake: Path, *, at: datetime, days_kept: int, records_max: int = RECORDS_PER_TURN) -> Rolled:
    """One turn: at most about `records_max` records from segments into days, then remove the segments.

    Scans of days older than `days_kept` days before `at` are set aside, as are those from the future and those that
    cannot be read. Raises `LakeFullError`, `LakeBrokenError`, `LakeBusyError`; nothing has changed then.
    """
    with state.alone(lake) as found:
        remove_remains(lake, found)
        before = _tidied(lake, found, at)
        taken = _take(lake, before, records_max)
        records = sum(taken.gates[gate] - before.gates.get(gate, 0) for gate in taken.gates)
        after, told = _with_new(lake, before, taken, at, days_kept) if records else (before, {})
        if after is not found:
            state.commit(lake, after)
        _remove_segments(lake, after)
    repeats = after.counts.repeats - before.counts.repeats
    return Rolled(records, told, repeats, _touched(before, after), taken.more, taken.troubles)


def remove_remains(lake: Path, current: State) -> None:
    """Delete what a crash left behind. The caller is the only one who changes the lake."""
    days.remove_remains(lake, current)
    aside.remove_remains(lake, current)


def read_rows(lake: Path, day: str, part: Part) -> Rows:
    """The events of an open part, checked against the state. Raises `LakeBrokenError`."""
    path = state.part_folder(lake, day, part.name) / days.SCANS
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LakeBrokenError from error
    if days.digest(data) not in {file.sha256 for file in part.files if file.name == days.SCANS}:
        raise LakeBrokenError
    return rows.decode(data)


def _take(lake: Path, before: State, records_max: int) -> _Taken:
    events: list[Rows] = []
    odd: list[tuple[bytes, int]] = []
    offsets: dict[int, int] = {}
    troubles: dict[int, str] = {}
    left = records_max
    more = False
    for gate in incoming.gates(lake / "incoming"):
        offset = before.gates.get(gate, 0)
        for item in incoming.listed(lake, gate):
            if item.end <= offset:
                continue
            if left <= 0:
                more = True
                break
            try:
                body, length = _after(item, gate, offset)
            except TianfuError as error:
                troubles[gate] = error.code
                break
            if length == EVENT_BYTES:
                events.append(rows.decode(body))
            else:
                odd.append((body, length))
            left -= item.end - offset
            offset = offsets[gate] = item.end
    return _Taken(events, odd, offsets, more, troubles)


def _after(item: Segment, gate: int, offset: int) -> tuple[bytes, int]:
    """The records of a segment from number `offset` on, and their length."""
    if item.first > offset:
        raise RollGapError
    body, length = segment.read_body(item, gate)
    return body[(offset - item.first) * length :], length


def _with_new(lake: Path, before: State, taken: _Taken, at: datetime, days_kept: int) -> tuple[State, dict[str, int]]:
    """The state with what was taken, all its files written; and how many records were set aside, by reason."""
    today = layout.day_number(shanghai_day(at))
    found = rows.by_day(
        np.concatenate(taken.events) if taken.events else np.empty(0, rows.EVENT),
        first_day=today - days_kept,
        at_ms=int(at.timestamp() * 1000),
    )
    all_days = dict(before.days)
    gone = before.retired
    repeats = 0
    for number, new in found.days.items():
        day = layout.day_of(number).isoformat()
        parts = before.days.get(day, ())
        kept, absorbed = (parts, ()) if day == before.compacting else _to_absorb(parts, len(new))
        days.require_room(lake, _SCAN_BYTES * (sum(old.scans for old in absorbed) + len(new)))
        part, dropped = _write(
            lake, day, days.part_name(before), [*(read_rows(lake, day, old) for old in absorbed), new]
        )
        all_days[day] = (*kept, part)
        gone = (*gone, *days.retired(day, absorbed, at))
        repeats += dropped
    put_aside = [
        aside.write(lake, before, reason, memoryview(some.tobytes()), EVENT_BYTES, at)
        for reason, some in found.aside.items()
    ]
    put_aside += [
        aside.write(lake, before, rows.REASON_UNREADABLE, memoryview(body), length, at, number=number)
        for number, (body, length) in enumerate(taken.odd, 1)
    ]
    told: dict[str, int] = {}
    for entry in put_aside:
        told[entry.reason] = told.get(entry.reason, 0) + entry.records
    after = msgspec.structs.replace(
        before,
        generation=before.generation + 1,
        gates={**before.gates, **taken.gates},
        days=all_days,
        aside=(*before.aside, *put_aside),
        retired=gone,
        counts=msgspec.structs.replace(before.counts, repeats=before.counts.repeats + repeats),
    )
    return after, told


def _to_absorb(parts: tuple[Part, ...], scans: int) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Which parts stay, and which of the newest open ones go into a new part of `scans`."""
    cut = len(parts)
    total = scans
    while cut and not parts[cut - 1].closed:
        older = parts[cut - 1].scans
        if older > _ABSORBED_SHARE * total or older + total > PART_SCANS_MAX:
            break
        total += older
        cut -= 1
    return parts[:cut], parts[cut:]


def _write(lake: Path, day: str, name: str, pieces: Sequence[Rows]) -> tuple[Part, int]:
    """An open part of these rows, written; and how many repeats were dropped."""
    together = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    found = rows.unique(together)
    found = found[rows.venue_order(found)]
    by_venue = rows.words(found)

    def write_events(folder: Path) -> list[LakeFile]:
        return [days.write_file(folder / days.SCANS, found.view(np.uint8).data)]

    part = Part(name=name, scans=len(found))
    folder = state.part_folder(lake, day, name)
    part = days.write_part(folder, part, by_venue, layout.turned(by_venue), write_events)
    return part, len(together) - len(found)


def _tidied(lake: Path, before: State, at: datetime) -> State:
    """The state without what was kept for readers by name until now, which is removed; not committed yet."""
    now = int(at.timestamp())
    left = tuple(entry for entry in before.retired if entry.until > now)
    if len(left) == len(before.retired):
        return before
    days.remove_retired(lake, before, now)
    return msgspec.structs.replace(before, retired=left)


def _remove_segments(lake: Path, current: State) -> None:
    """Remove segments whose records are all in committed days; the oldest first."""
    for gate, offset in current.gates.items():
        try:
            upto = min(offset, incoming.may_be_removed(lake, gate))
        except TianfuError:
            # The shipper reports a damaged note; segments wait.
            continue
        for item in incoming.listed(lake, gate):
            if item.end <= upto:
                item.path.unlink(missing_ok=True)


def _touched(before: State, after: State) -> tuple[str, ...]:
    return tuple(sorted(day for day in after.days if after.days[day] != before.days.get(day)))
