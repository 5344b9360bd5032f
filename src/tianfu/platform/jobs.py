"""Jobs: work that outlives a process. Leased, resumable, bounded.

A job is taken by one worker at a time and goes back by itself when the worker's lease ends: the next one resumes at
the last checkpoint. Each take counts as an attempt, also after a crash, so a job that kills its worker ends as
failed. Taking, the work of a step and its checkpoint belong into transactions as follows: take in one of its own,
each step together with its checkpoint, so that a step is never half remembered.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from psycopg.types.json import Jsonb

from tianfu.errors import TianfuError
from tianfu.platform.database import Read, Write

# With the waits below a job is tried for about eight hours before somebody must look at it.
ATTEMPTS_MAX: Final = 8
# 30 s, 2 min, 8 min, 32 min, then every 2 h: a feed that is down for the night is back by then.
BACKOFF_SECONDS_MIN: Final = 30
BACKOFF_FACTOR: Final = 4
BACKOFF_SECONDS_MAX: Final = 7_200
ERROR_LENGTH_MAX: Final = 500


class JobLostError(TianfuError):
    """The lease on the job ended and somebody else has it; what this transaction did for it must not be kept."""

    code = "job_lost"
    status = 409
    zh = "任务已由其他进程接手。"
    en = "The job has been taken over by another process."


class Job(msgspec.Struct, frozen=True):
    """A job in the hands of its worker. `progress` is the last checkpoint, empty before the first.

    `attempt` tells this worker from an earlier one that lost the job.
    """

    job_id: int
    kind: str
    arguments: dict[str, Any]
    progress: dict[str, Any]
    attempt: int
    lease_seconds: float


class Seen(msgspec.Struct, frozen=True):
    """How a job stands: `state` is waiting, running, done or failed; `error` is a machine-made word or None."""

    arguments: dict[str, Any]
    state: str
    progress: dict[str, Any]
    error: str | None


class Overview(msgspec.Struct, frozen=True):
    """How many jobs of a kind are in each state, for the board of figures."""

    kind: str
    state: str
    count: int


def enqueue(write: Write, *, kind: str, arguments: Mapping[str, Any] | msgspec.Struct, at: datetime) -> int:
    """Put a job in line, to run from `at` on; its number. Personal data does not belong into `arguments`."""
    number: int = write.value(
        "insert into job (kind, arguments, run_at, created_at) values (%s, %s, %s, %s) returning job_id",
        (kind, _json(arguments), at, at),
    )
    return number


def take(
    write: Write,
    *,
    at: datetime,
    lease_seconds: float,
    kinds: Collection[str] | None = None,
    attempts_max: int = ATTEMPTS_MAX,
) -> Job | None:
    """The next job that is due or whose worker was lost, ours until `at` + `lease_seconds`; None when there is none.

    `kinds` limits the choice. Jobs that another worker is just taking are passed over, not waited for. Lost jobs
    that have had their last attempt are marked failed on the way.
    """
    chosen = None if kinds is None else sorted(kinds)
    write.execute(
        "update job set state = 'failed', finished_at = %(at)s, lease_until = null, error = 'worker lost'"
        " where job_id in (select job_id from job where state = 'running' and lease_until <= %(at)s"
        " and attempts >= %(most)s and (%(kinds)s::text[] is null or kind = any(%(kinds)s)) for update skip locked)",
        {"at": at, "most": attempts_max, "kinds": chosen},
    )
    row = write.row(
        "update job set state = 'running', attempts = attempts + 1, lease_until = %(until)s"
        " where job_id = (select job_id from job"
        " where ((state = 'waiting' and run_at <= %(at)s) or (state = 'running' and lease_until <= %(at)s))"
        " and (%(kinds)s::text[] is null or kind = any(%(kinds)s))"
        " order by run_at, job_id limit 1 for update skip locked)"
        " returning job_id, kind, arguments, progress, attempts",
        {
            "at": at,
            "until": at + timedelta(seconds=lease_seconds),
            "kinds": chosen,
        },
    )
    if row is None:
        return None
    job_id, kind, arguments, progress, attempts = row
    return Job(
        job_id=job_id,
        kind=kind,
        arguments=arguments,
        progress=progress,
        attempt=attempts,
        lease_seconds=lease_seconds,
    )


def checkpoint(write: Write, job: Job, progress: Mapping[str, Any] | msgspec.Struct, at: datetime) -> Job:
    """Remember how far the job is, and keep it for another lease; the job with its new progress.

    Belongs into the transaction of the step it reports. Raises `JobLostError`, which undoes that step.
    """
    held = write.row(
        "update job set progress = %s, lease_until = %s"
        " where job_id = %s and state = 'running' and attempts = %s returning progress",
        (_json(progress), at + timedelta(seconds=job.lease_seconds), job.job_id, job.attempt),
    )
    if held is None:
        raise JobLostError
    return msgspec.structs.replace(job, progress=held[0])


def finish(write: Write, job: Job, at: datetime) -> None:
    """The job is done. Raises `JobLostError`."""
    done = write.execute(
        "update job set state = 'done', finished_at = %s, lease_until = null, error = null"
        " where job_id = %s and state = 'running' and attempts = %s",
        (at, job.job_id, job.attempt),
    )
    if done == 0:
        raise JobLostError


def fail(write: Write, job: Job, *, error: str, at: datetime, attempts_max: int = ATTEMPTS_MAX) -> bool:
    """End an attempt that failed; whether there will be another, after a wait. The checkpoint is kept.

    `error` is a machine-made word or sentence without personal data, cut to `ERROR_LENGTH_MAX`. To be called in a
    transaction of its own, because the failed step's is undone. Raises `JobLostError`.
    """
    again = job.attempt < attempts_max
    done = write.execute(
        "update job set state = %s, run_at = %s, finished_at = %s, lease_until = null, error = %s"
        " where job_id = %s and state = 'running' and attempts = %s",
        (
            "waiting" if again else "failed",
            at + timedelta(seconds=backoff_seconds(job.attempt)),
            None if again else at,
            error[:ERROR_LENGTH_MAX],
            job.job_id,
            job.attempt,
        ),
    )
    if done == 0:
        raise JobLostError
    return again


def backoff_seconds(attempt: int) -> int:
    """How long to wait after attempt number `attempt` (from 1) failed."""
    # The exponent is bounded first: nothing overflows however large `attempt` is.
    factor: int = BACKOFF_FACTOR ** min(attempt - 1, 16)
    return min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_MIN * factor)


def find(read: Read, job_id: int, *, kind: str) -> Seen | None:
    """How the job of that number and kind stands; None when there is none."""
    row = read.row("select arguments, state, progress, error from job where job_id = %s and kind = %s", (job_id, kind))
    return None if row is None else Seen(*row)


def overview(read: Read) -> list[Overview]:
    """The number of jobs by kind and state."""
    rows = read.rows("select kind, state, count(*) from job group by kind, state order by kind, state")
    return [Overview(kind=kind, state=state, count=count) for kind, state, count in rows]


def _json(value: Mapping[str, Any] | msgspec.Struct) -> Jsonb:
    return Jsonb(msgspec.to_builtins(value))
