"""The board of a whole province: its size, how soon it is open, what a look-up costs, and changes while it is read.

    tianfu bench board --people 150000000 --folder DIR

Processor time is what counts on a machine with other work; the least of many slices is what the code costs, the median
what its neighbours leave of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.plain import Line
from tianfu.clock import now_milliseconds
from tianfu.status import layout
from tianfu.status.board import BoardWriter
from tianfu.status.layout import current_folder
from tianfu.status.read import Board
from tianfu.status.record import BoardRecord, pack

NAME: Final = "board"
PEOPLE: Final = 1_000_000
SIZE_MB_MAX: Final = 6_000
OPEN_MS_MAX: Final = 1_000
LOOK_UP_NS_MAX: Final = 3_000
UPDATES_PER_SECOND: Final = 50_000

_LOAD_BLOCKS: Final = 4_000
_UPDATE_ROWS: Final = 20_000
_UPDATE_BATCHES: Final = 25
_SLICES: Final = 200
_SLICE: Final = 1_000
# As many look-ups as a busy gate does in one round of its loop.
_ROUND: Final = 64
_COLD: Final = 2_000
_SEED: Final = 20_261_125


def main(argv: list[str]) -> int:
    """Measure and print one line for each budget."""
    parser = argparse.ArgumentParser(prog="tianfu bench board")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--folder", type=Path, help="where to put the board; a temporary folder by default")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--seconds", type=float, help=argparse.SUPPRESS
    )  # for budgets with rounds; `tianfu bench` sends it
    parser.add_argument("--read", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.read:
        return _read(arguments.folder, arguments.people)
    with tempfile.TemporaryDirectory(prefix="tianfu-board-", dir=arguments.folder) as folder:
        for line in measure(Path(folder), arguments.people):
            sys.stdout.write((json.dumps(line.fields()) if arguments.json else line.text()) + "\n")
            sys.stdout.flush()
    return 0


def measure(folder: Path, people: int) -> list[Line]:
    """Build a board of `people` in `folder` and measure it."""
    began, cpu = time.perf_counter(), time.process_time()
    _build(folder, people)
    built = f"built in {time.perf_counter() - began:.0f} s, {time.process_time() - cpu:.0f} s of them processor time"
    sys.stderr.write(built + "\n")
    opened = min(_opened_ms(folder) for _ in range(5))
    cold = _cold_us(folder, people)
    own, shared = _look_up_ns(folder, people)
    writer = BoardWriter.open(folder)
    reader = subprocess.Popen(
        [sys.executable, "-m", "bench", NAME, "--read", "--folder", str(folder), "--people", str(people)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "reading\n"
    rates, update_us = _updates(writer, people)
    reader.terminate()
    served = reader.communicate()[0].strip()
    began = time.perf_counter()
    writer.close()
    closing = time.perf_counter() - began
    size = _size_mb(folder)
    load = f"load of the machine {os.getloadavg()[0]:.1f}"
    rate = round(statistics.median(rates))
    return [
        Line("board-size", size, f"MB for {people:,} people", SIZE_MB_MAX, size <= SIZE_MB_MAX, "none", built),
        Line("board-open", round(opened), "ms", OPEN_MS_MAX, opened <= OPEN_MS_MAX, "none", load),
        Line(
            "board-look-up",
            round(shared[0]),
            f"ns of processor time, {_ROUND} in one snapshot",
            LOOK_UP_NS_MAX,
            shared[0] <= LOOK_UP_NS_MAX,
            f"with a snapshot each {own[0]:,.0f} ns",
            f"least of {_SLICES} slices; median {shared[1]:,.0f} and {own[1]:,.0f} ns; "
            f"not in memory {cold:,.0f} µs by the clock",
        ),
        Line(
            "board-updates",
            rate,
            f"people/s, scattered, {_UPDATE_ROWS:,} at once",
            UPDATES_PER_SECOND,
            rate >= UPDATES_PER_SECOND,
            f"most {max(rates):,.0f}/s, least {min(rates):,.0f}/s",
            f"{update_us:.1f} µs of processor time each; meanwhile {served}; synced in {closing:.1f} s; {load}",
        ),
    ]


def _build(folder: Path, people: int) -> None:
    """Fill by whole blocks, as a snapshot from another machine does."""
    minutes = now_milliseconds() // 60_000
    records = [pack(BoardRecord(1, 0, 0, 1, 1, 0, minutes - n % 2880, 0, minutes, n)) for n in range(8_400)]
    contents = [b"".join(records[n : n + layout.BLOCK_PERSONS]) for n in range(0, 8_400, layout.BLOCK_PERSONS)]
    writer = BoardWriter.begin_anew(folder)
    blocks = people // layout.BLOCK_PERSONS + 1
    for first in range(0, blocks, _LOAD_BLOCKS):
        part = range(first, min(first + _LOAD_BLOCKS, blocks))
        writer.take_blocks([(number, contents[number % len(contents)]) for number in part], {})
    writer.heartbeat(now_milliseconds())
    writer.switch()
    writer.close()


def _opened_ms(folder: Path) -> float:
    began = time.perf_counter()
    board = Board.open(folder)
    board.look_up(1)
    took = time.perf_counter() - began
    board.close()
    return took * 1_000


def _cold_us(folder: Path, people: int) -> float:
    """A look-up whose page is on the disk only, by the clock."""
    current = current_folder(folder)
    assert current is not None
    descriptor = os.open(current / "data.mdb", os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)
    source = random.Random(_SEED + 1)
    persons = [source.randrange(people) for _ in range(_COLD)]
    board = Board.open(folder)
    began = time.perf_counter()
    for person in persons:
        board.look_up(person)
    took = time.perf_counter() - began
    board.close()
    with (current / "data.mdb").open("rb", buffering=0) as whole:  # back into memory for what follows
        while whole.read(16 * 1024 * 1024):
            pass
    return took / _COLD * 1e6


def _look_up_ns(folder: Path, people: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """(least, median) of a look-up with a snapshot of its own, and of one that shares its round's."""
    source = random.Random(_SEED)
    slices = [[source.randrange(people) for _ in range(_SLICE)] for _ in range(_SLICES)]
    alone = Board.open(folder)
    for part in slices:  # every page that will be read is mapped: a gate has run for a while
        _slice_ns(alone.look_up, part)
    own = [_slice_ns(alone.look_up, part) for part in slices]
    alone.close()

    async def rounds() -> list[float]:
        board = Board(folder, loop=asyncio.get_running_loop())
        board.refresh()
        taken = []
        for part in [*slices, *slices]:
            spent = 0.0
            for first in range(0, _SLICE, _ROUND):
                few = part[first : first + _ROUND]
                spent += _slice_ns(board.look_up, few) * len(few)
                await asyncio.sleep(0)
            taken.append(spent / _SLICE)
        board.close()
        return taken[_SLICES:]

    shared = asyncio.run(rounds())
    return (min(own), statistics.median(own)), (min(shared), statistics.median(shared))


def _slice_ns(look_up: Callable[[int], BoardRecord | None], persons: list[int]) -> float:
    began = time.process_time_ns()
    for person in persons:
        look_up(person)
    return (time.process_time_ns() - began) / len(persons)


def _updates(writer: BoardWriter, people: int) -> tuple[list[float], float]:
    """Rates of batches of scattered people, and the processor time for one of them."""
    source = random.Random(_SEED)
    rates = []
    cpu = 0.0
    for batch in range(_UPDATE_BATCHES):
        record = pack(BoardRecord(2, 0, 0, 1, 1, 0, 0, 0, 0, batch))
        rows = [(person, record) for person in source.sample(range(people), min(_UPDATE_ROWS, people // 2))]
        began, spent = time.perf_counter(), time.process_time()
        writer.put(rows, sequence=batch + 1, at_ms=now_milliseconds())
        rates.append(len(rows) / (time.perf_counter() - began))
        cpu += time.process_time() - spent
    return rates, cpu / (_UPDATE_BATCHES * min(_UPDATE_ROWS, people // 2)) * 1e6


def _read(folder: Path, people: int) -> int:
    """The reader beside the writer: look up at random until told to stop, then say how many."""
    source = random.Random(_SEED + 2)
    board = Board.open(folder)
    sys.stdout.write("reading\n")
    sys.stdout.flush()
    stopping = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    began, looked = time.perf_counter(), 0
    while not stopping:
        for _ in range(_SLICE):
            assert board.look_up(source.randrange(people)) is not None
        looked += _SLICE
    seconds = time.perf_counter() - began
    sys.stdout.write(f"one reader {looked / seconds:,.0f} look-ups/s\n")
    return 0


def _size_mb(folder: Path) -> int:
    current = current_folder(folder)
    assert current is not None
    return round((current / "data.mdb").stat().st_size / 1e6)
