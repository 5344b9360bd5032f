"""Tracing two weeks of a whole province: two hops from 100 and 1,000 cases, and DuckDB with the same definition.

    tianfu bench trace            267 million visits: 4.3 GB of arrays and 1.7 GB for DuckDB under TMPDIR, five minutes
    tianfu bench trace --quick    a hundredth of it
    tianfu bench trace-billion    10⁹ visits, the same people, venues and days: 16 GB, without DuckDB

Everybody scans at random (`bench.province`), every case is infectious on all days, windows are ±30 minutes. The arrays
are mapped and have been read once. What DuckDB finds must be equal to the last person and minute.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from bench import province
from bench.memory import Peak
from bench.plain import Line
from bench.province import Province
from bench.trace_duckdb import DuckTrace
from tianfu.lake.layout import DAY_MINUTES, Partition
from tianfu.tracing import copresence
from tianfu.tracing.model import VENUE_TYPES_MAX, Hop, Reach, Sources

NAME: Final = "trace"
BILLION_NAME: Final = "trace-billion"
NAMES: Final = (NAME, BILLION_NAME)
WINDOW_MINUTES: Final = 30
CROWD: Final = 200
TIMES_DUCKDB: Final = 10
# The billion may take four times as long; the memory of a run, beside the mapped arrays, must leave them theirs.
TIMES_BILLION: Final = 4
MEMORY_MB_MAX: Final = 2_000

_ROUNDS: Final = 3
_SEED: Final = 5
# DuckDB's file takes 6.2 bytes a visit, and it spills.
_DUCKDB_BYTES_A_VISIT: Final = 8


class Task(NamedTuple):
    """A trace to measure; `crowd` 0 is no limit."""

    name: str
    cases: int
    crowd: int
    seconds_max: int


WITH_CROWD_RULE: Final = Task("trace-crowd-rule", 100, CROWD, 1)
UNCAPPED: Final = Task("trace-uncapped", 100, 0, 5)
THOUSAND: Final = Task("trace-thousand", 1_000, 0, 15)
TASKS: Final = (WITH_CROWD_RULE, UNCAPPED, THOUSAND)


class Took(NamedTuple):
    """Seconds of a trace, of each hop alone, and of the very first run; what it found; memory beside the arrays."""

    seconds: float
    hops: tuple[float, ...]
    first: float
    found: Sequence[Hop]
    memory_mb: int


def main(argv: list[str]) -> int:
    """Measure and print one line for each budget."""
    name, *rest = argv
    parser = argparse.ArgumentParser(prog=f"tianfu bench {name}")
    parser.add_argument("--folder", type=Path, help="where to put the arrays; a temporary folder by default")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="a province of a hundredth: rough figures")
    parser.add_argument("--people", type=int, help=f"of the province, {province.FULL.people:,} by default")
    for unused in ("--seconds", "--storm-seconds"):  # for budgets with rounds; `tianfu bench` sends them
        parser.add_argument(unused, type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args(rest)
    size = province.BILLION if name == BILLION_NAME else province.FULL
    if arguments.people or arguments.quick:
        size = province.scaled(size, arguments.people or size.people // 100)
    with tempfile.TemporaryDirectory(prefix="tianfu-trace-", dir=arguments.folder) as folder:
        for line in measure(Path(folder), size, times=TIMES_BILLION if name == BILLION_NAME else 1):
            sys.stdout.write((json.dumps(line.fields()) if arguments.json else line.text()) + "\n")
            sys.stdout.flush()
    return 0


def measure(folder: Path, size: Province, *, times: int = 1) -> Iterator[Line]:
    """Make the province in `folder` and trace. With `times` 1 DuckDB traces too; else so much more time is fine."""
    needed = size.array_bytes + (size.visits * _DUCKDB_BYTES_A_VISIT if times == 1 else 0)
    if (free := shutil.disk_usage(folder).free) < needed:
        msg = f"{folder} has {free / 1e9:.0f} GB free, {needed / 1e9:.0f} are needed: set TMPDIR"
        raise SystemExit(msg)
    began = time.perf_counter()
    partitions = province.make(folder, size)
    made = f"{size.visits:,} visits of {size.people:,} people, made in {time.perf_counter() - began:.0f} s"
    sys.stderr.write(made + "\n")
    memory = 0
    uncapped: Took | None = None
    for task in TASKS:
        took = _trace(partitions, size, task)
        memory = max(memory, took.memory_mb)
        if task == UNCAPPED:
            uncapped = took
        yield _line(task, took, task.seconds_max * times)
    assert uncapped is not None
    yield Line(
        "trace-memory",
        memory,
        f"MB beside {size.array_bytes / 1e6:,.0f} MB of mapped arrays",
        MEMORY_MB_MAX * times,
        memory <= MEMORY_MB_MAX * times,
        "none",
        made,
    )
    if times == 1:
        yield _compared(folder, partitions, size, uncapped)


def cases(size: Province, count: int) -> Sources:
    """So many people at random, infectious on all days."""
    chosen = np.random.default_rng(_SEED).choice(size.people, min(count, size.people // 10), replace=False)
    person = np.sort(chosen).astype(np.uint32)
    return Sources(person, np.zeros(len(person), np.int32), np.full(len(person), end(size), np.int32))


def end(size: Province) -> int:
    """The minute after the last."""
    return (province.FIRST_DAY + size.days) * DAY_MINUTES


def reach(crowd: int) -> Reach:
    """±30 minutes everywhere."""
    minutes = np.full(VENUE_TYPES_MAX, WINDOW_MINUTES, np.int32)
    return Reach(minutes, minutes, np.full(VENUE_TYPES_MAX, crowd, np.int32))


def _trace(partitions: Sequence[Partition], size: Province, task: Task) -> Took:
    sources, rule = cases(size, task.cases), reach(task.crowd)
    kinds = np.zeros(size.venues, np.uint8)

    def hops() -> tuple[list[Hop], tuple[float, ...]]:
        """What `copresence.trace` does, with a look at the clock between."""
        began = time.perf_counter()
        first = copresence.hop(partitions, sources, reach=rule, venue_type=kinds, people=size.people)
        middle = time.perf_counter()
        contacts = Sources(*first.reached, np.full(len(first.reached.person), end(size), np.int32))
        second = copresence.hop(
            partitions, contacts, reach=rule, venue_type=kinds, people=size.people, excluded=sources.person
        )
        return [first, second], (middle - began, time.perf_counter() - middle)

    with Peak() as peak:
        began = time.perf_counter()
        found = copresence.trace(
            partitions, sources, reaches=[rule, rule], venue_type=kinds, people=size.people, until=end(size)
        )
        cold = time.perf_counter() - began
    apart, seconds = hops()
    assert all(_same(one, other) for one, other in zip(apart, found, strict=True))
    del apart
    rounds = [seconds, *(hops()[1] for _ in range(_ROUNDS - 1))]
    each = tuple(statistics.median(column) for column in zip(*rounds, strict=True))
    return Took(statistics.median(map(sum, rounds)), each, cold, found, peak.megabytes)


def _same(one: Hop, other: Hop) -> bool:
    equal = (np.array_equal(mine, theirs) for mine, theirs in zip(one.reached, other.reached, strict=True))
    return all(equal) and one.announcements == other.announcements


def _line(task: Task, took: Took, seconds_max: int) -> Line:
    people = " and ".join(f"{len(hop.reached.person):,}" for hop in took.found)
    scanned = sum(hop.scanned for hop in took.found)
    crowds = sum(len(hop.announcements) for hop in took.found)
    crowd_rule = f"crowds over {task.crowd} announced, {crowds:,} of them" if task.crowd else "no crowd rule"
    return Line(
        task.name,
        round(took.seconds, 3),
        f"s for {task.cases:,} cases, two hops",
        seconds_max,
        took.seconds <= seconds_max,
        "none",
        f"hops {' and '.join(f'{seconds:.3f}' for seconds in took.hops)} s, the very first run {took.first:.2f} s; "
        f"reached {people}, {scanned:,} visits looked at; {crowd_rule}; median of {_ROUNDS}; "
        f"load of the machine {os.getloadavg()[0]:.1f}",
    )


def _compared(folder: Path, partitions: Sequence[Partition], size: Province, uncapped: Took) -> Line:
    began = time.perf_counter()
    with DuckTrace(folder, partitions) as duck:
        loaded = time.perf_counter() - began
        sources = cases(size, UNCAPPED.cases)
        # The second time its file has been read.
        answers = [duck.trace(sources, WINDOW_MINUTES, crowd=0) for _ in range(2)]
        with_rule, _ = duck.trace(sources, WINDOW_MINUTES, crowd=CROWD)
    theirs, best = min(answers, key=lambda answer: sum(answer[1]))
    ours = copresence.trace(
        partitions,
        sources,
        reaches=[reach(CROWD)] * 2,
        venue_type=np.zeros(size.venues, np.uint8),
        people=size.people,
        until=end(size),
    )
    for mine, other in [*zip(uncapped.found, theirs, strict=True), *zip(ours, with_rule, strict=True)]:
        assert np.array_equal(mine.reached.person, other.person), "DuckDB reached other people"
        assert np.array_equal(mine.reached.exposed_at, other.exposed_at), "DuckDB found other exposures"
    ratio = sum(best) / uncapped.seconds
    return Line(
        "trace-duckdb",
        round(ratio, 1),
        "times as fast as DuckDB, 100 cases, no crowd rule",
        TIMES_DUCKDB,
        ratio >= TIMES_DUCKDB,
        f"DuckDB {sum(best):.2f} s",
        f"hops {' and '.join(f'{one:.2f}' for one in best)} s, the better of two, same people and minutes with and "
        f"without crowd rule; loaded in {loaded:.0f} s",
    )
