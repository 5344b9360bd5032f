"""Laboratory results from file to board: parsed, matched to people, appended, decided, published; all of it durable.

Everybody has a result and a status already; then each gets another result, in files of 20,000 rows. This process is the
intake; the worker and PostgreSQL are processes of their own, and all share the cores of the machine. The baseline is a
COPY of the same rows into a table without an index, on the same server in the same run.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
from stdnum.cn import ric

from bench import system
from bench.plain import Line
from tianfu.feeds import intake
from tianfu.feeds.contracts import CONTRACTS
from tianfu.ids import PersonRef
from tianfu.platform.database import Purpose
from tianfu.status.read import Board

TARGET: Final = 20_000
FILE_ROWS: Final = 20_000
FILES: Final = 5
_CONTRACT: Final = CONTRACTS["lab"]
_HEADER: Final = "document_type,document_number,sample_id,sampled_at,resulted_at,result,method,laboratory,place"


def resident_id(number: int) -> str:
    """A well-formed number of a synthetic person: 0 to 999,999 tells people apart."""
    day, sequence = divmod(number, 1000)
    born = datetime(1950, 1, 1, tzinfo=UTC) + timedelta(days=day)
    digits = f"510104{born:%Y%m%d}{sequence:03d}"
    return digits + str(ric.calc_check_digit(digits + "0"))


def lab_file(numbers: list[int], sampled_at: datetime, mark: str) -> bytes:
    """A laboratory's file: a negative result for each of the people `numbers`."""
    shanghai = sampled_at + timedelta(hours=8)
    times = f"{shanghai:%Y-%m-%d %H:%M},{shanghai + timedelta(minutes=5):%Y-%m-%d %H:%M}"
    rows = (
        f"resident_id,{resident_id(number)},{mark}-{number},{times},negative,nucleic_acid,SYN-LAB-1,510104"
        for number in numbers
    )
    return "\r\n".join([_HEADER, *rows, ""]).encode()


def measure() -> Line:
    """One round of files after everybody has a status; about half a minute."""
    with system.running() as running:
        people = list(range(FILES * FILE_ROWS))
        random.Random(20_261_124).shuffle(people)
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        first, second = now - timedelta(hours=30), now - timedelta(hours=6)
        board = Board(running.var / "board")
        rounds = []
        for mark, sampled_at in (("A", first), ("B", second)):
            files = [
                lab_file(people[start : start + FILE_ROWS], sampled_at, mark)
                for start in range(0, len(people), FILE_ROWS)
            ]
            rounds.append(_round(running, board, files, sampled_at))
            board.refresh()
        board.close()
        baseline = _plain(running)
    (first_seconds, _), (seconds, cpu) = rounds
    rows = len(people)
    return Line(
        name="intake",
        figure=round(rows / seconds),
        unit="rows/s",
        target=TARGET,
        is_met=rows / seconds >= TARGET,
        baseline=f"COPY into a table without index {baseline:,} rows/s",
        note=f"{cpu.per_row(rows)}; with people not seen before {rows / first_seconds:,.0f} rows/s",
    )


def _round(running: system.System, board: Board, files: list[bytes], sampled_at: datetime) -> tuple[float, system.Cpu]:
    """Load `files` and wait until the board shows the sample of everybody; seconds and processor time."""
    minute = int(sampled_at.timestamp()) // 60
    before, started = running.cpu(), time.perf_counter()
    for file in files:
        intake.load(
            running.database,
            file,
            contract=_CONTRACT,
            source="laboratory",
            pseudonym=running.pseudonym,
            at=datetime.now(UTC),
        )
    waiting = list(range(1, FILES * FILE_ROWS + 1))

    def everybody() -> bool:
        board.refresh()
        while waiting:
            found = board.look_up(PersonRef(waiting[-1]))
            if found is None or found.sampled_at != minute:
                return False
            waiting.pop()
        return True

    system.wait_until(everybody)
    return time.perf_counter() - started, running.cpu().since(before)


def _plain(running: system.System) -> int:
    """Rows a second of the baseline."""
    with running.database.read(Purpose.BATCH) as read:
        rows = read.rows(
            "select evidence_id, person_ref, kind, source, source_record, content_hash, place::text, occurred_at, received_at, valid_from, valid_until, grade, attributes::text, supersedes, withdraws, batch_id from evidence"
        )
    with psycopg.connect(running.database._conninfo, autocommit=True) as connection:  # noqa: SLF001 - not a pool's
        connection.execute("create table bench_plain (like evidence)")
        started = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy("copy bench_plain from stdin") as sink:
            for row in rows:
                sink.write_row(row)
        return round(len(rows) / (time.perf_counter() - started))
