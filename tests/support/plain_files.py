"""Files for `tianfu trace files`, and running an engine on them."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path

from tests.support.naive_tracing import Case, Visit, csv_text, written
from tianfu.tracing.files.model import Job
from tianfu.tracing.files.run import Trace, run

NAMES = ["007", "7", "A b", "A b ", "中文", 'q"uote', "a,b", "two\nlines", "é", "𝔸", "\uffff", "'"]
START = 27_701_250


def crowded(seed: int) -> tuple[list[Visit], list[Case]]:
    """Forty small towns, each with its own people and venues, all in the same few hours: ties everywhere."""
    chosen = random.Random(seed)
    visits = []
    for town in range(40):
        people = [f"{name}{town % 7}" for name in chosen.sample(NAMES, 6)]
        for _ in range(25):
            at = START + chosen.randint(-40, 40)
            visits.append(Visit(chosen.choice(people), f"{chosen.choice(NAMES[:3])} {town}", at))
    cases = []
    for _ in range(12):
        since = START + chosen.randint(-40, 20)
        cases.append(Case(chosen.choice(visits).person, since, since + chosen.randint(0, 20)))
    return visits, cases


def write(folder: Path, visits: Sequence[Visit], cases: Sequence[Case]) -> tuple[Path, Path]:
    """V.csv and C.csv in `folder`."""
    paths = folder / "V.csv", folder / "C.csv"
    rows = [[visit.person, visit.venue, written(visit.at)] for visit in visits]
    paths[0].write_text(csv_text(["person", "venue", "at"], rows), encoding="utf-8", newline="")
    periods = [[case.person, written(case.since), written(case.until)] for case in cases]
    paths[1].write_text(csv_text(["person", "from", "to"], periods), encoding="utf-8", newline="")
    return paths


def job(visits: Path, cases: Path, *, dwell: int = 30, hops: int = 2) -> Job:
    """A job whose result lies beside its visits."""
    return Job(visits=visits, cases=cases, out=visits.parent / "OUT.csv", dwell_minutes=dwell, hops=hops)


def rows(trace: Trace, asked: Job) -> list[list[str]]:
    """What the engine writes, the header first."""
    told: list[str] = []
    people = run(asked, trace, told.append)
    with asked.out.open(encoding="utf-8", newline="") as file:
        found = list(csv.reader(file))
    assert len(found) == people + 1
    return found
