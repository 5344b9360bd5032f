"""Files for `tianfu trace files`, and running an engine on them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from tests.support.naive_tracing import Case, Visit, csv_text, written
from tianfu.tracing.files.model import Job
from tianfu.tracing.files.run import Trace, run


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
