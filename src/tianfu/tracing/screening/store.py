"""SQL of screenings: facts, runs, steps, people. A run is written once; nothing here changes one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from psycopg.types.json import Json

from tianfu.platform.database import Read, Write
from tianfu.tracing.screening.definition import Funnel
from tianfu.tracing.screening.funnel import Screening, StepResult

PAGE_MAX: Final = 500
# Packed and sent together: 7 MB with eight steps.
_ROWS_AT_ONCE: Final = 100_000
# Values in a row, each four bytes of length and its bytes.
_COLUMNS: Final = 8


class ScreeningRow(NamedTuple):
    """A screening and its latest run."""

    screening_ref: int
    incident_ref: int
    funnel: str
    funnel_hash: bytes
    as_of: datetime
    created_by: str
    run_ref: int
    action: str
    step: str | None
    definition: Any
    undone: list[str]
    judged_until: int
    at: datetime
    made_by: str
    people: int
    listed: int


class NewRun(NamedTuple):
    """A run about to be written: what was done (`action`, at which `step`), by whom, with which funnel."""

    action: str
    step: str | None
    funnel: Funnel
    undone: Sequence[str]
    made_by: str
    at: datetime


class Wanted(NamedTuple):
    """Which people of a run: None means any.

    `county` is a half-open range of division codes, `unknown_county` adds those whose county nobody knows.
    """

    listed: bool | None = None
    reason: int | None = None
    step: int | None = None
    county: tuple[int, int] = (0, 1_000_000)
    unknown_county: bool = True


class PersonRow(NamedTuple):
    """What became of one person in a run."""

    person_ref: int
    listed: bool
    reason: int
    step: int
    evidence: int
    county: int
    history: bytes


_RUNS: Final = """
    select s.screening_ref, s.incident_ref, s.funnel, s.funnel_hash, s.as_of, s.created_by,
           r.run_ref, r.action, r.step, r.definition, r.undone, r.judged_until, r.at, r.made_by, r.people, r.listed
    from screening s join screening_run r on r.screening_ref = s.screening_ref
"""


def insert(
    write: Write, *, incident_ref: int, funnel: str, funnel_hash: bytes, as_of: datetime, created_by: str
) -> int:
    """A new screening; its number."""
    number: int = write.value(
        "insert into screening (incident_ref, funnel, funnel_hash, as_of, created_by) values (%s, %s, %s, %s, %s)"
        " returning screening_ref",
        (incident_ref, funnel, funnel_hash, as_of, created_by),
    )
    return number


def insert_facts(write: Write, screening_ref: int, packed: dict[str, bytes]) -> None:
    """Keep what the sources said."""
    for source, body in packed.items():
        write.execute(
            "insert into screening_facts (screening_ref, source, packed) values (%s, %s, %s)",
            (screening_ref, source, body),
        )


def facts(read: Read, screening_ref: int) -> dict[str, bytes]:
    """What `insert_facts` kept."""
    rows = read.rows(
        "select source, packed from screening_facts where screening_ref = %s", (screening_ref,), binary=True
    )
    return {source: bytes(packed) for source, packed in rows}


def lock(write: Write, screening_ref: int) -> None:
    """Wait until nobody else runs this screening again."""
    write.execute("select from screening where screening_ref = %s for update", (screening_ref,))


def latest(read: Read, incident_ref: int) -> ScreeningRow | None:
    """The newest run of the newest screening of an incident."""
    row = read.row(
        _RUNS + " where s.incident_ref = %s order by s.screening_ref desc, r.run_ref desc limit 1", (incident_ref,)
    )
    return None if row is None else ScreeningRow._make(row)


def runs(read: Read, screening_ref: int, limit: int) -> list[ScreeningRow]:
    """Up to `limit` runs of a screening, newest first."""
    rows = read.rows(_RUNS + " where s.screening_ref = %s order by r.run_ref desc limit %s", (screening_ref, limit))
    return [ScreeningRow._make(row) for row in rows]


def insert_run(
    write: Write,
    screening_ref: int,
    new: NewRun,
    *,
    judged_until: int,
    screening: Screening,
    counties: NDArray[np.int32],
) -> int:
    """Write a run with its steps and people; its number."""
    listed = int(np.count_nonzero(screening.listed))
    run_ref: int = write.value(
        "insert into screening_run (screening_ref, action, step, definition, undone, judged_until, at, made_by, people,"
        " listed) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning run_ref",
        (
            screening_ref,
            new.action,
            new.step,
            Json(msgspec.to_builtins(new.funnel)),
            list(new.undone),
            judged_until,
            new.at,
            new.made_by,
            len(screening.person),
            listed,
        ),
    )
    write.execute_many(
        "insert into screening_step (run_ref, position, result) values (%s, %s, %s)",
        [(run_ref, result.position, Json(msgspec.to_builtins(result))) for result in screening.results],
    )
    for start in range(0, len(screening.person), _ROWS_AT_ONCE):
        rows = _packed(run_ref, screening, counties, slice(start, start + _ROWS_AT_ONCE))
        write.copy_binary(
            "copy screened (run_ref, person_ref, listed, reason, step, evidence, county, history)"
            " from stdin (format binary)",
            rows,
        )
    return run_ref


def results(read: Read, run_ref: int) -> tuple[StepResult, ...]:
    """The steps of a run, in order."""
    rows = read.rows("select result from screening_step where run_ref = %s order by position", (run_ref,))
    return tuple(msgspec.convert(row[0], StepResult) for row in rows)


def page(read: Read, run_ref: int, wanted: Wanted, *, after: int, limit: int) -> list[PersonRow]:
    """Up to `limit` (and `PAGE_MAX`) people of a run with numbers above `after`, ascending."""
    low, high = wanted.county
    rows = read.rows(
        """
        select person_ref, listed, reason, step, evidence, county, history from screened
        where run_ref = %(run)s and person_ref > %(after)s
          and (%(listed)s::boolean is null or listed = %(listed)s)
          and (%(reason)s::smallint is null or reason = %(reason)s)
          and (%(step)s::smallint is null or step = %(step)s)
          and ((county >= %(low)s and county < %(high)s) or (%(unknown)s and county = 0))
        order by person_ref limit %(limit)s
        """,
        {
            "run": run_ref,
            "after": after,
            "listed": wanted.listed,
            "reason": wanted.reason,
            "step": wanted.step,
            "low": low,
            "high": high,
            "unknown": wanted.unknown_county,
            "limit": min(limit, PAGE_MAX),
        },
        binary=True,
    )
    return [PersonRow._make(row) for row in rows]


def person(read: Read, run_ref: int, person_ref: int) -> PersonRow | None:
    """What became of one person in a run; None when no source named them."""
    row = read.row(
        "select person_ref, listed, reason, step, evidence, county, history from screened"
        " where run_ref = %s and person_ref = %s",
        (run_ref, person_ref),
    )
    return None if row is None else PersonRow._make(row)


def counties(read: Read, run_ref: int) -> list[tuple[int, int]]:
    """How many are on the list in each county (0: unknown), by county."""
    rows = read.rows(
        "select county, count(*)::integer from screened where run_ref = %s and listed group by county order by county",
        (run_ref,),
    )
    return [(county, number) for county, number in rows]


def last_judgement(read: Read, incident_ref: int) -> int:
    """The number of the newest judgement of an incident, 0 when there is none."""
    number: int = read.value(
        "select coalesce(max(judgement_ref), 0) from field_judgement where incident_ref = %s", (incident_ref,)
    )
    return number


def _packed(run_ref: int, screening: Screening, county: NDArray[np.int32], part: slice) -> list[bytes]:
    """The people of `part` as rows of PostgreSQL's binary format, all of one length, made at once."""
    steps = screening.history.shape[0]
    layout = np.dtype(
        [
            *(("columns", ">i2"), ("n0", ">i4"), ("run", ">i4"), ("n1", ">i4"), ("person", ">i4")),
            *(("n2", ">i4"), ("listed", "u1"), ("n3", ">i4"), ("reason", ">i2"), ("n4", ">i4"), ("step", ">i2")),
            *(("n5", ">i4"), ("evidence", ">i2"), ("n6", ">i4"), ("county", ">i4")),
            *(("n7", ">i4"), ("history", "u1", (steps,))),
        ]
    )
    person = screening.person[part]
    rows = np.zeros(len(person), layout)
    rows["columns"] = _COLUMNS
    for number, length in enumerate((4, 4, 1, 2, 2, 2, 4, steps)):
        rows[f"n{number}"] = length
    rows["run"], rows["person"], rows["listed"] = run_ref, person, screening.listed[part]
    rows["reason"], rows["step"] = screening.reason[part], screening.step[part]
    rows["evidence"], rows["county"] = screening.evidence[part], county[part]
    rows["history"] = screening.history[:, part].T
    return [rows.tobytes()] if len(person) else []
