from __future__ import annotations

import errno
import os
from datetime import date, timedelta
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.lake.test_roll import sound
from tests.support.lake import (
    NOON,
    PERMIT,
    compact_all,
    day_later,
    essence,
    events_in,
    fails_at,
    files_of_days,
    plain,
    put_segment,
    roll_all,
    scan,
    visits_in,
    write_day,
)
from tianfu.lake import days, incoming, layout, parquet_store, read, rows, state
from tianfu.lake.segment import LakeFullError
from tianfu.lake.state import LakeBrokenError
from tianfu.scans.event import KIND_GUARD

DAY = "2022-03-01"
LATE = NOON + timedelta(minutes=4)


def rolled(lake: Path, *numbers: int, at_turn: int = 0) -> None:
    put_segment(lake, 3, [scan(number, venue=number % 3) for number in numbers])
    roll_all(lake, NOON + timedelta(hours=at_turn))


def test_a_day_that_is_over_becomes_one_part_and_today_stays_a_buffer(tmp_path: Path) -> None:
    rolled(tmp_path, *range(9))
    rolled(tmp_path, 20)
    put_segment(tmp_path, 3, [scan(50, at=NOON + timedelta(days=1))])
    roll_all(tmp_path, NOON + timedelta(days=1))

    (done,) = compact_all(tmp_path, NOON + timedelta(days=1))

    assert (done.day, done.parts, done.scans, done.visits) == (DAY, 2, 10, 10)
    current = state.load(tmp_path)
    assert [part.closed for part in current.days[DAY]] == [True]
    assert [part.closed for part in current.days["2022-03-02"]] == [False]
    assert compact_all(tmp_path, NOON + timedelta(days=1)) == []
    sound(tmp_path)


def test_what_comes_late_is_readable_at_once_and_merged_at_night_without_repeats(tmp_path: Path) -> None:
    first = [scan(number) for number in range(5)]
    put_segment(tmp_path, 3, first)
    roll_all(tmp_path)
    compact_all(tmp_path, day_later())
    late = [scan(3, at=LATE), scan(4, at=NOON - timedelta(minutes=9)), scan(8), scan(9, kind=KIND_GUARD)]
    put_segment(tmp_path, 3, late)
    roll_all(tmp_path, day_later())
    assert {visit[3] for visit in visits_in(tmp_path)} == {0, 1, 2, 3, 4, 8, 9}

    (done,) = compact_all(tmp_path, day_later(2))

    assert (done.parts, done.scans, done.repeats) == (2, 7, 2)
    scans, visits = plain([*first, *late])
    assert sorted(map(repr, map(essence, events_in(tmp_path)))) == sorted(map(repr, scans))
    assert sorted(visits_in(tmp_path)) == sorted(visits)
    sound(tmp_path)


def test_the_parquet_of_a_closed_day_has_every_field_in_venue_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_store, "FILE_SCANS_MAX", 4)
    items = [scan(number, venue=7 - number, at=NOON + timedelta(minutes=number % 2)) for number in range(7)]
    put_segment(tmp_path, 3, [*items, scan(40, kind=KIND_GUARD, venue=2)._replace(flags=3, colour=2, checkpoint=5)])
    roll_all(tmp_path)
    compact_all(tmp_path, day_later())

    files = sorted((tmp_path / "days" / DAY).glob(f"*/{parquet_store.PATTERN}"))
    closed = [file for file in files if file.parent.name == state.load(tmp_path).days[DAY][0].name]
    table = duckdb.connect().read_parquet([str(file) for file in closed])

    assert table.columns == list(parquet_store.COLUMNS)
    found = table.fetchall()
    assert len(closed) == 2
    assert found == sorted(found, key=lambda row: row[:3])
    by_name = dict(zip(table.columns, next(row for row in found if row[2] == 40), strict=True))
    assert by_name == {
        "venue": 2,
        "minute": 720,
        "person": 40,
        "kind": KIND_GUARD,
        "colour": 2,
        "flags": 3,
        "checker": 77,
        "gate": 3,
        "checkpoint": 5,
        "happened_at": round(NOON.timestamp() * 1000),
        "received_at": round(NOON.timestamp() * 1000),
        "nonce": int.from_bytes((40).to_bytes(8, "big"), "little"),
    }


def test_a_reader_keeps_the_files_it_has_mapped_while_the_day_is_replaced(tmp_path: Path) -> None:
    rolled(tmp_path, *range(5))
    with read.open_days(tmp_path, PERMIT, date(2022, 3, 1), date(2022, 3, 1)) as visits:
        (before,) = visits.partitions
        compact_all(tmp_path, day_later())
        put_segment(tmp_path, 3, [scan(90, at=day_later())])
        roll_all(tmp_path, day_later() + timedelta(seconds=state.RETIRED_SECONDS - 1))
        assert len(files_of_days(tmp_path)) == 3

        put_segment(tmp_path, 3, [scan(91, at=day_later())])
        roll_all(tmp_path, day_later() + timedelta(seconds=state.RETIRED_SECONDS))

        assert len(files_of_days(tmp_path)) <= 3
        assert (
            before.by_venue.tolist()
            == layout.venue_words(np.array([0, 0, 1, 1, 2]), np.full(5, 720), np.array([0, 3, 1, 4, 2])).tolist()
        )


def test_a_day_given_as_arrays_takes_late_scans_and_keeps_its_visits(tmp_path: Path) -> None:
    write_day(tmp_path, layout.day_number(NOON.date()), [(9, 720, 1), (9, 721, 2), (9, 721, 2)])
    rolled(tmp_path, 4, 7)
    put_segment(tmp_path, 3, [scan(1)])
    roll_all(tmp_path)

    compact_all(tmp_path, day_later())

    expected = [(DAY, 1, 720, 4), (DAY, 1, 720, 7), (DAY, 9, 720, 1), (DAY, 9, 721, 2)]
    assert sorted(visits_in(tmp_path)) == expected
    (part,) = state.load(tmp_path).days[DAY]
    assert (part.bare, part.scans, part.visits) == (True, 3, 4)
    sound(tmp_path)


def test_a_damaged_day_is_left_as_it_was(tmp_path: Path) -> None:
    rolled(tmp_path, *range(5))
    compact_all(tmp_path, day_later())
    put_segment(tmp_path, 3, [scan(9)])
    roll_all(tmp_path, day_later())
    before = state.load(tmp_path)
    (file,) = (tmp_path / "days" / DAY / before.days[DAY][0].name).glob(parquet_store.PATTERN)
    data = file.read_bytes()
    file.write_bytes(data[:50] + b"x" + data[51:])

    with pytest.raises(LakeBrokenError):
        compact_all(tmp_path, day_later(2))

    assert (state.load(tmp_path).days, state.load(tmp_path).compacting) == (before.days, "")


def test_a_full_disk_leaves_the_day_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rolled(tmp_path, *range(5))
    before = state.load(tmp_path)
    for step in (3, 4, 5, 6, 7, 8):
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", fails_at(step, lambda: OSError(errno.ENOSPC, "no space left")))
            with pytest.raises(LakeFullError):
                compact_all(tmp_path, day_later())
        assert state.load(tmp_path).days == before.days
        assert files_of_days(tmp_path) == {f"{DAY}/{before.days[DAY][0].name}"}
    assert len(compact_all(tmp_path, day_later())) == 1


def test_the_lake_stops_before_the_disk_is_full_so_that_gates_can_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolled(tmp_path, *range(5))
    before = state.load(tmp_path)
    put_segment(tmp_path, 3, [scan(9)])
    monkeypatch.setattr(days, "RESERVE_BYTES", 2**60)

    with pytest.raises(LakeFullError):
        roll_all(tmp_path)
    with pytest.raises(LakeFullError):
        compact_all(tmp_path, day_later())
    with pytest.raises(LakeFullError):
        write_day(tmp_path, 19_000, [(1, 2, 3)])

    assert state.load(tmp_path) == before
    assert len(incoming.listed(tmp_path, 3)) == 1


def test_scans_go_on_coming_while_a_day_is_compacted_and_none_is_lost_or_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolled(tmp_path, *range(5))
    write = parquet_store.write

    def meanwhile(folder: Path, found: rows.Rows, order: NDArray[np.intp]) -> list[state.LakeFile]:
        for number in (7, 8):
            put_segment(tmp_path, 3, [scan(number)])
            roll_all(tmp_path, day_later())
        return write(folder, found, order)

    monkeypatch.setattr(parquet_store, "write", meanwhile)
    compact_all(tmp_path, day_later())

    parts = state.load(tmp_path).days[DAY]
    assert [(part.closed, part.scans) for part in parts] == [(True, 5), (False, 1), (False, 1)]
    assert sorted(item.person for item in events_in(tmp_path)) == [0, 1, 2, 3, 4, 7, 8]
    sound(tmp_path)


def test_a_day_that_is_erased_while_it_is_compacted_stays_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolled(tmp_path, *range(5))
    write = parquet_store.write

    def meanwhile(folder: Path, found: rows.Rows, order: NDArray[np.intp]) -> list[state.LakeFile]:
        with state.alone(tmp_path) as current:
            counts = state.Counts(erased=5)
            state.commit(tmp_path, msgspec.structs.replace(current, days={}, counts=counts))
        return write(folder, found, order)

    monkeypatch.setattr(parquet_store, "write", meanwhile)

    assert compact_all(tmp_path, day_later()) == []
    assert state.load(tmp_path).days == {}
    assert not (tmp_path / "compacting").exists()
