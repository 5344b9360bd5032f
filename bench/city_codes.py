"""How fast the holders of old city codes are taken over: a synthetic city's file, on a server of its own.

`python -m bench.city_codes --people N [--again PERCENT]` writes a file of N rows (a hundredth of them faulty, a
hundredth the same document twice), loads it into an empty, durable, embedded PostgreSQL with two processes, and
prints rows a second for each step and in all, index building and statistics included.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from stdnum.cn import ric

from tianfu.evidence import changes
from tianfu.platform import migrate, settings
from tianfu.platform.database import Database
from tianfu.platform.keyring import RecordKeys, records_path
from tianfu.platform.postgres import EmbeddedPostgres
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents.city_codes import load
from tianfu.residents.city_codes.desk import Desk
from tianfu.synth.names import GIVEN, SURNAMES

NAME: Final = "city-codes"
MAPPING: Final = settings.PROJECT_ROOT / "mappings" / "chengdu.toml"
DISTRICTS: Final = ("锦江区", "青羊区", "金牛区", "武侯区", "成华区", "新都区", "温江区", "双流区")
# 150 million people in an hour.
TARGET_PER_SECOND: Final = 150_000_000 / 3_600
# Of each hundred rows this one is the row before once more, and that one has a faulty number.
AGAIN: Final = 99
FAULTY: Final = 50
SHORT_NAMES: Final = 0.2
OTHER_NAMES: Final = 0.1
WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS: Final = "10X98765432"


def open_desk(url: str, var: str) -> Desk:
    """In each process."""
    database = Database.open(url, settings.load({}).database)
    return Desk(database, Pseudonym(RecordKeys.load_or_create(records_path(Path(var)))), changes.mark)


def write_file(path: Path, people: int, seed: int) -> None:
    """A file as Chengdu's mapping describes; documents differ by their birth dates and sequences."""
    chance = random.Random(seed)
    offset = chance.randrange(20_000) * 1_000
    with path.open("w", encoding="utf-8") as file:
        file.write("姓名,证件类型,证件号码,手机号码,居住区县,注册时间\n")
        for number in range(people):
            which = number - 1 if number % 100 == AGAIN else number
            file.write(_row(which, offset, chance, faulty=number % 100 == FAULTY))


def _row(which: int, offset: int, chance: random.Random, *, faulty: bool) -> str:
    day, sequence = divmod(which + offset, 1_000)
    days, county = day % 20_160, day // 20_160
    year, rest = divmod(days, 336)
    month, of_month = divmod(rest, 28)
    body = f"5101{county + 4:02d}{1950 + year}{month + 1:02d}{of_month + 1:02d}{sequence:03d}"
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, body, strict=True))
    check = "?" if faulty else CHECKS[total % 11]
    # The name follows from the number, so that a document comes back under the same name, but for one in ten.
    chance = random.Random(which if chance.random() > OTHER_NAMES else -1 - which)
    name = (
        chance.choice(SURNAMES) + chance.choice(GIVEN) + (chance.choice(GIVEN) if chance.random() > SHORT_NAMES else "")
    )
    phone = f"1{chance.choice('3578')}{chance.randrange(10**9):09d}"
    when = f"202{chance.randrange(2)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"
    when += f" {chance.randrange(24):02d}:{chance.randrange(60):02d}:00"
    return f"{name},身份证,{body}{check},{phone},{chance.choice(DISTRICTS)},{when}\n"


def main(words: list[str] | None = None) -> int:
    """Measure; the exit code is 0 also below the target."""
    parser = argparse.ArgumentParser(prog=f"tianfu bench {NAME}")
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--files", type=int, default=1, help="that many files of --people rows, one after the other")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--seconds", type=float, help="accepted for the other budgets' sake; a load takes what it takes"
    )
    arguments = parser.parse_args(words)
    sample = _row(0, 0, random.Random(1), faulty=False).split(",")[2]
    assert ric.calc_check_digit(sample) == sample[-1]
    folder = Path(tempfile.mkdtemp(prefix="tianfu-bench-"))
    server = EmbeddedPostgres(folder / "postgres")
    try:
        url = server.start()
        with Database.open(url, settings.load({}).database) as database:
            migrate.apply(database, settings.PROJECT_ROOT / "migrations")
        RecordKeys.load_or_create(records_path(folder))
        for number in range(arguments.files):
            line = _measure(folder, url, number, arguments.people, arguments.processes)
            sys.stdout.write((json.dumps(line) if arguments.json else _said(line)) + "\n")
            sys.stdout.flush()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _measure(folder: Path, url: str, number: int, people: int, processes: int) -> dict[str, float]:
    path = folder / "city.csv"
    write_file(path, people, number)
    marks: dict[str, float] = {}
    counted: dict[str, int] = {}

    def progress(step: str, done: int, _total: int) -> None:
        marks[step] = time.perf_counter()
        counted[step] = done

    server_before, children_before = _server_seconds(folder), _children_seconds()
    began = time.perf_counter()
    loaded = load.load(
        partial(open_desk, url, str(folder)),
        path,
        MAPPING,
        at=datetime.now(UTC),
        loaded_by="bench",
        processes=processes,
        progress=progress,
    )
    seconds = time.perf_counter() - began
    counts = loaded.counts
    settled = counts.made + counts.known + counts.updated + counts.duplicates + counts.claimed
    assert counts.accepted + counts.set_aside == loaded.rows == people
    assert settled == counts.accepted
    return {
        "file": number + 1,
        "rows": people,
        "made": counts.made,
        "set_aside": counts.set_aside,
        "duplicates": counts.duplicates,
        "conflicts": counts.conflicts,
        "seconds": round(seconds, 1),
        "read_seconds": round(marks["read"] - began, 1),
        "settle_seconds": round(marks["settle"] - marks["read"], 1),
        "finish_seconds": round(began + seconds - marks["settle"], 1),
        "rows_per_second": round(people / seconds),
        "target": round(TARGET_PER_SECOND),
        "load_average": round(os.getloadavg()[0], 1),
        "python_us_a_row": round((_children_seconds() - children_before) * 1e6 / people, 1),
        "server_us_a_row": round((_server_seconds(folder) - server_before) * 1e6 / people, 1),
    }


def _children_seconds() -> float:
    """Processor time of the processes that read and settled, which have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _server_seconds(folder: Path) -> float:
    """Processor time of the server, of its processes that have ended and of those that have not."""
    postmaster = int((folder / "postgres" / "postmaster.pid").read_text(encoding="ascii").split()[0])
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            own, rest = path.read_text(encoding="utf-8").rsplit(")", 1)
        except OSError:
            continue
        fields = rest.split()
        if int(own.split()[0]) == postmaster:
            # User and system time, its own and its ended children's (proc(5), fields 14 to 17).
            ticks += sum(int(field) for field in fields[11:15])
        elif int(fields[1]) == postmaster:
            ticks += sum(int(field) for field in fields[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def _said(line: dict[str, float]) -> str:
    verdict = "met" if line["rows_per_second"] >= line["target"] else "below"
    return (
        f"city-codes file {line['file']}: {line['rows']:,} rows in {line['seconds']} s = "
        f"{line['rows_per_second']:,} rows/s  target {line['target']:,}  {verdict}  "
        f"(read {line['read_seconds']} s, settle {line['settle_seconds']} s, indexes {line['finish_seconds']} s; "
        f"{line['made']:,} people, {line['set_aside']:,} set aside, {line['duplicates']:,} duplicates, "
        f"{line['conflicts']:,} conflicts; load of the machine {line['load_average']}, "
        f"processor time a row: Python {line['python_us_a_row']} µs, PostgreSQL {line['server_us_a_row']} µs)"
    )


if __name__ == "__main__":
    sys.exit(main())
