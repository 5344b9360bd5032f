"""From the commit of a laboratory's result to the gate's board, while 5,000 rows a second flow.

Everybody has a result and a status already. Ten files of 500 rows come each second for twenty seconds. Twenty people
of each file are watched on the board. The baseline is the commit of one row on the same server in the same run.
"""

from __future__ import annotations

import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from bench import labfiles, system
from bench.intake import load_and_wait
from bench.plain import Line
from tianfu.platform.database import Purpose
from tianfu.status.read import Board

TARGET_MS: Final = 1_000
SECONDS: Final = 20
FILE_ROWS: Final = 500
FILES_PER_SECOND: Final = 10
WATCHED: Final = 20
_COMMITS: Final = 200
_SEED: Final = 20_261_125
_LOOK_SECONDS: Final = 0.003


def measure() -> Line:
    """About forty seconds."""
    numbers = list(range(SECONDS * FILES_PER_SECOND * FILE_ROWS))
    random.Random(_SEED).shuffle(numbers)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    with system.running() as running:
        load_and_wait(running, numbers, now - timedelta(hours=30), "A")
        baseline_ms = _commit_ms(running)
        before, started = running.cpu(), time.perf_counter()
        delays = sorted(_flow(running, numbers, now - timedelta(hours=6)))
        seconds, cpu = time.perf_counter() - started, running.cpu().since(before)
    p50, p99 = (delays[len(delays) * share // 100] * 1000 for share in (50, 99))
    return Line(
        name="feed-latency",
        figure=round(p99),
        unit="ms from commit to board at p99",
        target=TARGET_MS,
        is_met=p99 <= TARGET_MS,
        baseline=f"commit of one row {baseline_ms:.1f} ms",
        note=f"p50 {p50:.0f} ms at {len(numbers) / seconds:,.0f} rows/s; {cpu.per_row(len(numbers))}",
    )


def _flow(running: system.System, numbers: list[int], sampled_at: datetime) -> list[float]:
    """Send the files in time and watch the board: the delay of everybody watched, in seconds.

    The numbers that people were given on the board are those of the order in which they first came, so of each file the
    people watched are found by their position in the first round.
    """
    minute = int(sampled_at.timestamp()) // 60
    files = labfiles.lab_files(numbers, sampled_at, "B", rows=FILE_ROWS)
    with running.database.read(Purpose.BATCH) as read:
        persons = dict(read.rows("select source_record, person_ref from evidence where source = 'laboratory'"))
    watched = [
        [persons[f"SYN-LAB-1/A-{number}"] for number in numbers[at : at + FILE_ROWS : FILE_ROWS // WATCHED]]
        for at in range(0, len(numbers), FILE_ROWS)
    ]
    board = Board(running.var / "board")
    delays: list[float] = []
    committed: list[float] = []
    pending: list[tuple[int, int]] = []
    seen: dict[int, list[float]] = {number: [] for number in range(len(files))}
    sent, begun = 0, time.perf_counter()
    while len(delays) < len(files) * WATCHED:
        if time.perf_counter() - begun > SECONDS + system.PATIENCE_SECONDS:
            raise system.NotReachedError
        while sent < len(files) and time.perf_counter() - begun >= sent / FILES_PER_SECOND:
            running.files.put(files[sent])
            pending += [(sent, person) for person in watched[sent]]
            sent += 1
        while not running.loaded.empty():
            committed.append(running.loaded.get())
        board.refresh()
        at = time.time()
        still = []
        for number, person in pending:
            found = board.look_up(person)
            if found is not None and found.sampled_at == minute:
                seen[number].append(at)
            else:
                still.append((number, person))
        pending = still
        # Two loaders take the files in turn; the n-th commit is taken for that of the n-th file.
        delays = [
            max(0.0, when - committed[number])
            for number, whens in seen.items()
            if number < len(committed)
            for when in whens
        ]
        time.sleep(_LOOK_SECONDS)
    board.close()
    return delays


def _commit_ms(running: system.System) -> float:
    """The median commit of one row."""
    times = []
    with running.database.write(Purpose.BATCH) as write:
        write.execute("create table bench_commit (at timestamptz)")
    for _ in range(_COMMITS):
        started = time.perf_counter()
        with running.database.write(Purpose.BATCH) as write:
            write.execute("insert into bench_commit values (now())")
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)
