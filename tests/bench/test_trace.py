from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench import province, trace
from bench.province import Province
from tianfu.lake.layout import turned

SMALL = Province(people=20_000, venues=500, days=3, scans=4_000)


def test_two_weeks_are_traced_as_duckdb_traces_them_and_every_budget_is_a_line(tmp_path: Path) -> None:
    lines = {line.name: line for line in trace.measure(tmp_path, SMALL)}

    assert list(lines) == ["trace-crowd-rule", "trace-uncapped", "trace-thousand", "trace-memory", "trace-duckdb"]
    assert lines["trace-duckdb"].baseline.startswith("DuckDB")
    for line in lines.values():
        assert line.figure > 0 or line.name == "trace-memory"
        assert line.verdict == ("met" if line.is_met else "below")


def test_the_billion_has_no_duckdb_and_four_times_the_time(tmp_path: Path) -> None:
    lines = list(trace.measure(tmp_path, SMALL, times=trace.TIMES_BILLION))

    assert [line.name for line in lines] == ["trace-crowd-rule", "trace-uncapped", "trace-thousand", "trace-memory"]
    assert [line.target for line in lines[:3]] == [4, 20, 60]


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="are needed"):
        list(trace.measure(tmp_path, SMALL._replace(scans=10**13)))

    assert list(tmp_path.iterdir()) == []


def test_the_province_is_the_same_each_time_and_in_both_orders(tmp_path: Path) -> None:
    folders = tmp_path / "one", tmp_path / "other"
    for folder in folders:
        folder.mkdir()
    made, again = (province.make(folder, SMALL, threads=threads) for threads, folder in enumerate(folders, 1))

    for one, other in zip(made, again, strict=True):
        assert np.array_equal(one.by_venue, other.by_venue)
        assert np.array_equal(one.by_person, turned(other.by_venue))
        assert len(one.by_venue) == SMALL.scans
