"""Lakes for tests: events in segments, the plain list they must come to, and a permit that nobody signed for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from tianfu.access.roles import Purpose
from tianfu.clock import SHANGHAI
from tianfu.lake import compact, days, incoming, layout, parquet_store, read, roll, segment, state
from tianfu.lake.permit import Permit
from tianfu.scans import event
from tianfu.scans.event import KIND_GUARD, KIND_POSTER, ScanEvent

DAYS_KEPT = 30
# Noon in Shanghai on 1 March 2022, the day that tests write scans of.
NOON = datetime(2022, 3, 1, 4, 0, tzinfo=UTC)
PERMIT = Permit(incident="2022-510112-003", purpose=Purpose.INVESTIGATION, actor="test", trail_id=1)
Visit = tuple[str, int, int, int]


def scan(
    number: int,
    *,
    at: datetime = NOON,
    person: int | None = None,
    venue: int = 9,
    kind: int = KIND_POSTER,
    received: datetime | None = None,
) -> ScanEvent:
    """A scan whose nonce is `number`."""
    happened_ms = round(at.timestamp() * 1000)
    received_ms = happened_ms if received is None else round(received.timestamp() * 1000)
    who = number if person is None else person
    checker = 77 if kind == KIND_GUARD else 0
    return ScanEvent(kind, 1, 0, who, venue, checker, 3, 0, happened_ms, received_ms, number.to_bytes(8, "big"))


def put_segment(lake: Path, gate: int, events: Sequence[ScanEvent | bytes], *, first: int | None = None) -> None:
    """Ship `events` of `gate` as the next segment, as the shipper does."""
    folder = incoming.gate_folder(lake, gate)
    folder.mkdir(parents=True, exist_ok=True)
    start = incoming.offset(lake, gate).end if first is None else first
    records = [item if isinstance(item, bytes) else event.pack(item) for item in events]
    made = segment.write(folder, gate, start, records)
    incoming.note(lake, gate, incoming.Offset(made.end, incoming.digest(records[-1])))


def roll_all(lake: Path, at: datetime = NOON, *, records_max: int = roll.RECORDS_PER_TURN) -> list[roll.Rolled]:
    """Turns until nothing is left."""
    turns = [roll.roll(lake, at=at, days_kept=DAYS_KEPT, records_max=records_max)]
    while turns[-1].more:
        turns.append(roll.roll(lake, at=at, days_kept=DAYS_KEPT, records_max=records_max))
    return turns


def compact_all(lake: Path, at: datetime) -> list[compact.Compacted]:
    return list(compact.compact(lake, at=at))


def visit_of(item: ScanEvent) -> Visit:
    """Day, venue, minute of the day and person, by the calendar and not by arithmetic."""
    local = datetime.fromtimestamp(item.happened_at // 1000, SHANGHAI)
    return local.date().isoformat(), item.venue, local.hour * 60 + local.minute, item.person


def plain(items: Sequence[ScanEvent]) -> tuple[set[tuple[object, ...]], set[Visit]]:
    """What the lake must come to, said in the plainest way: scans without repeats, and their visits."""
    kept: dict[tuple[object, ...], ScanEvent] = {}
    for item in items:
        day = visit_of(item)[0]
        key: tuple[object, ...] = (day, item.kind, item.person, item.venue, item.nonce)
        if item.kind == KIND_GUARD:
            key = (*key, item.happened_at)
        if key not in kept or item.happened_at < kept[key].happened_at:
            kept[key] = item
    found = list(kept.values())
    return {essence(item) for item in found}, {visit_of(item) for item in found}


def essence(item: ScanEvent) -> tuple[object, ...]:
    return item.kind, item.person, item.venue, item.happened_at, item.nonce


def events_in(lake: Path) -> list[ScanEvent]:
    """Every event in every day."""
    found = []
    for day, parts in state.load(lake).days.items():
        for part in parts:
            if part.closed:
                rows = parquet_store.read(state.part_folder(lake, day, part.name), part)
            else:
                rows = roll.read_rows(lake, day, part)
            data = rows.tobytes()
            found += [event.unpack(data[at : at + 44]) for at in range(0, len(data), 44)]
    return found


def visits_in(lake: Path) -> list[Visit]:
    """Every visit as readers see it, the two orders compared."""
    found: list[Visit] = []
    with read.open_days(lake, PERMIT, layout.day_of(0), layout.day_of(40_000)) as visits:
        for part in visits.partitions:
            assert np.array_equal(layout.turned(np.asarray(part.by_venue)), part.by_person)
            for word in part.by_venue.tolist():
                venue, rest = divmod(word, 2**39)
                minute, person = divmod(rest, 2**28)
                found.append((layout.day_of(part.day).isoformat(), venue, minute, person))
    return found


def day_later(days_on: int = 1) -> datetime:
    """Three in the morning, so many days after `NOON`'s."""
    return NOON + timedelta(days=days_on, hours=-9)


def files_of_days(lake: Path) -> set[str]:
    """Folders of parts that are on the disk."""
    return {path.relative_to(state.days_folder(lake)).as_posix() for path in state.days_folder(lake).glob("*-*-*/*")}


def write_day(lake: Path, day: int, visits: Sequence[tuple[int, int, int]]) -> None:
    """A closed day from (venue, minute, person)."""
    columns = np.array(visits, np.int64).reshape(-1, 3).T
    days.write_arrays(lake, layout.partition(day, columns[0], columns[1], columns[2]))


def fails_at(step: int, error: Callable[[], OSError]) -> Callable[..., None]:
    """A stand-in for `os.fsync` that fails at call number `step`, counting from one, and from then on."""
    calls = 0

    def instead(_descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls >= step:
            raise error()

    return instead
