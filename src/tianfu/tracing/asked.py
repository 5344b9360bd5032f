"""A run that an operator asks for: put in line with the permit, done by the tracer, followed by its number."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from tianfu.errors import NotFoundError, TianfuError
from tianfu.lake.permit import Permit
from tianfu.platform import jobs
from tianfu.platform.database import Database, Purpose, Read, Write
from tianfu.platform.jobs import Job
from tianfu.tracing import run
from tianfu.tracing.acting import Actor

KIND: Final = "trace"
# The longest run: a thousand cases in a large city.
LEASE_SECONDS: Final = 600.0
# A run that kills its process is not tried for ever.
ATTEMPTS_MAX: Final = 3


class RunNotFoundError(NotFoundError):
    """No run of that number was asked for in this incident."""

    code = "run_not_found"
    zh = "该事件没有这个编号的追踪任务。"
    en = "No run of that number was asked for in this incident."


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for. `as_of` None is the moment the run begins; `everything` expands every case again."""

    number: str
    actor: Actor
    permit: Permit
    as_of: datetime | None
    everything: bool


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How a run stands: `state` is waiting, running, done or failed; `error` the code of why it failed.

    `report` is there when it is done.
    """

    state: str
    error: str | None = None
    report: dict[str, Any] | None = None


def ask(write: Write, asked: Asked, *, at: datetime) -> int:
    """Put a run in line; its number."""
    return jobs.enqueue(write, kind=KIND, arguments=asked, at=at)


def progress(read: Read, number: str, job_id: int) -> Progress:
    """How a run stands. Raises `RunNotFoundError`."""
    seen = jobs.find(read, job_id, kind=KIND)
    if seen is None or seen.arguments.get("number") != number:
        raise RunNotFoundError
    return Progress(state=seen.state, error=seen.error, report=seen.progress.get("report"))


def work(database: Database, lake: Path, *, at: datetime) -> str | None:
    """Do the next run that was asked for; `done`, or the code of its failure, or None when none waits.

    A refusal that a retry cannot change ends it; anything else is tried again later.
    """
    with database.write(Purpose.WORKER) as write:
        job = jobs.take(write, at=at, lease_seconds=LEASE_SECONDS, kinds=[KIND], attempts_max=ATTEMPTS_MAX)
    if job is None:
        return None
    asked = msgspec.convert(job.arguments, Asked)
    try:
        report = run.trace(
            database,
            lake,
            asked.number,
            actor=asked.actor,
            permit_for=lambda _: asked.permit,
            as_of=asked.as_of or at,
            at=at,
            everything=asked.everything,
        )
    except TianfuError as error:
        _end(database, job, error, at)
        return error.code
    except Exception as error:  # noqa: BLE001 - one run that breaks must not stop the process that traces for everybody
        _end(database, job, TianfuError(), at)
        return type(error).__name__
    with database.write(Purpose.WORKER) as write:
        held = jobs.checkpoint(write, job, {"report": msgspec.to_builtins(report)}, at)
        jobs.finish(write, held, at)
    return "done"


def _end(database: Database, job: Job, error: TianfuError, at: datetime) -> None:
    refused = 400 <= error.status < 500  # noqa: PLR2004 - what HTTP calls the asker's side
    with database.write(Purpose.WORKER) as write:
        jobs.fail(write, job, error=error.code, at=at, attempts_max=1 if refused else ATTEMPTS_MAX)
