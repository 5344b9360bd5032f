"""Laboratory results from file to board: parsed, matched to people, appended, decided, published; all of it durable.

Everybody has a result and a status already; then each gets another result, in files of 20,000 rows. The baseline is a
COPY of the same statements into a table without an index, on the same server in the same run.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg

from bench import labfiles, system
from bench.plain import Line
from tianfu.status.read import Board

TARGET: Final = 20_000
PEOPLE: Final = 100_000
FILE_ROWS: Final = 20_000
_SEED: Final = 20_261_124


def measure() -> Line:
    """Two rounds of files, of which the second counts; about half a minute."""
    numbers = list(range(PEOPLE))
    random.Random(_SEED).shuffle(numbers)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    with system.running() as running:
        seconds_first, _ = load_and_wait(running, numbers, now - timedelta(hours=30), "A")
        seconds, cpu = load_and_wait(running, numbers, now - timedelta(hours=6), "B")
        baseline = _copy_rate(running)
    rate = PEOPLE / seconds
    return Line(
        name="intake",
        figure=round(rate),
        unit="rows/s",
        target=TARGET,
        is_met=rate >= TARGET,
        baseline=f"COPY into a table without an index {baseline:,} rows/s, ratio {rate / baseline:.2f}",
        note=f"{cpu.per_row(PEOPLE)}; people not seen before {PEOPLE / seconds_first:,.0f} rows/s",
    )


def load_and_wait(
    running: system.System, numbers: list[int], sampled_at: datetime, mark: str
) -> tuple[float, system.Cpu]:
    """Load a result for everybody until the board shows it of everybody; seconds and processor time."""
    files = labfiles.lab_files(numbers, sampled_at, mark, rows=FILE_ROWS)
    minute = int(sampled_at.timestamp()) // 60
    waiting = list(range(1, len(numbers) + 1))
    board = Board(running.var / "board")

    def everybody() -> bool:
        board.refresh()
        while waiting and (found := board.look_up(waiting[-1])) is not None and found.sampled_at == minute:
            waiting.pop()
        return not waiting

    before, started = running.cpu(), time.perf_counter()
    for file in files:
        running.files.put(file)
    for _ in files:
        running.loaded.get(timeout=system.PATIENCE_SECONDS)
    system.wait_until(everybody)
    seconds, cpu = time.perf_counter() - started, running.cpu().since(before)
    board.close()
    return seconds, cpu


def _copy_rate(running: system.System) -> int:
    """Rows a second of the baseline; its rows are ready in memory, as text."""
    columns = (
        "evidence_id, person_ref, kind, source, source_record, content_hash, occurred_at, received_at,"
        " valid_from, valid_until, grade, attributes"
    )
    with psycopg.connect(running.url, autocommit=True) as connection:
        connection.execute("create table bench_plain (like evidence)")
        with connection.cursor() as cursor:
            with cursor.copy(f"copy evidence ({columns}) to stdout") as source:
                rows = [bytes(row) for row in source]
            started = time.perf_counter()
            with cursor.copy(f"copy bench_plain ({columns}) from stdin") as sink:
                for row in rows:
                    sink.write(row)
    return round(len(rows) / (time.perf_counter() - started))
