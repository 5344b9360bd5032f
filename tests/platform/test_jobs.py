"""Jobs: taken once, resumed after a crash, tried a bounded number of times."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import NOON
from tianfu.platform import jobs
from tianfu.platform.database import Database, Purpose, Write
from tianfu.platform.jobs import Job, JobLostError

LEASE_SECONDS = 60.0


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def enqueue(database: Database, kind: str = "takeover", at: datetime = NOON, **arguments: str | int) -> int:
    with database.write(Purpose.WORKER) as write:
        return jobs.enqueue(write, kind=kind, arguments=arguments, at=at)


def take(database: Database, at: datetime, kinds: Collection[str] | None = None, attempts_max: int = 8) -> Job | None:
    with database.write(Purpose.WORKER) as write:
        return jobs.take(write, at=at, lease_seconds=LEASE_SECONDS, kinds=kinds, attempts_max=attempts_max)


def taken(database: Database, at: datetime) -> Job:
    job = take(database, at)
    assert job is not None
    return job


def checkpoint(database: Database, job: Job, at: datetime, **progress: int) -> Job:
    with database.write(Purpose.WORKER) as write:
        return jobs.checkpoint(write, job, progress, at)


def states(database: Database) -> dict[str, int]:
    with database.read(Purpose.WORKER) as read:
        return {line.state: line.count for line in jobs.overview(read)}


def test_a_job_is_taken_when_its_time_has_come_with_its_arguments(database: Database) -> None:
    number = enqueue(database, at=after(10), policy="abc", limit=5)

    assert take(database, after(9.9)) is None
    job = taken(database, after(10))

    assert (job.job_id, job.kind, job.arguments) == (number, "takeover", {"policy": "abc", "limit": 5})
    assert (job.progress, job.attempt) == ({}, 1)


def test_a_running_job_is_not_taken_twice(database: Database) -> None:
    enqueue(database)

    with database.write(Purpose.WORKER) as first, database.write(Purpose.WORKER) as second:
        assert jobs.take(first, at=NOON, lease_seconds=LEASE_SECONDS) is not None
        # The first taker has not committed: the second passes over the row instead of waiting for it.
        assert jobs.take(second, at=NOON, lease_seconds=LEASE_SECONDS) is None
    assert take(database, after(59)) is None


def test_jobs_run_in_the_order_of_their_times_and_kinds_can_be_chosen(database: Database) -> None:
    late = enqueue(database, "roll", after(2))
    early = enqueue(database, "trace", after(1))

    assert take(database, after(5), kinds=["rest"]) is None
    assert taken(database, after(5)).job_id == early
    job = take(database, after(5), kinds=["roll"])

    assert job is not None
    assert job.job_id == late


def test_a_finished_job_is_never_taken_again(database: Database) -> None:
    enqueue(database)
    job = taken(database, NOON)

    with database.write(Purpose.WORKER) as write:
        jobs.finish(write, job, after(1))

    assert states(database) == {"done": 1}
    assert take(database, after(10_000)) is None


def test_after_a_crash_another_worker_resumes_at_the_last_checkpoint(database: Database) -> None:
    enqueue(database)
    first = taken(database, NOON)
    first = checkpoint(database, first, after(30), done=10, total=40)

    # The checkpoint prolonged the lease: it ends 60 s after second 30.
    assert take(database, after(89)) is None
    second = taken(database, after(90))

    assert first.progress == {"done": 10, "total": 40}
    assert second.progress == {"done": 10, "total": 40}
    assert second.attempt == 2


def test_a_worker_that_lost_its_job_can_no_longer_touch_it(database: Database) -> None:
    enqueue(database)
    slow = taken(database, NOON)
    taken(database, after(60))

    with pytest.raises(JobLostError):
        checkpoint(database, slow, after(61), done=1)
    with pytest.raises(JobLostError), database.write(Purpose.WORKER) as write:
        jobs.finish(write, slow, after(61))
    with pytest.raises(JobLostError), database.write(Purpose.WORKER) as write:
        jobs.fail(write, slow, error="late", at=after(61))


def test_the_work_of_a_step_is_undone_together_with_a_lost_checkpoint(database: Database) -> None:
    enqueue(database)
    slow = taken(database, NOON)
    taken(database, after(60))

    def step(write: Write) -> None:
        write.execute("insert into person (first_seen_at) values (%s)", (NOON,))
        jobs.checkpoint(write, slow, {"done": 1}, after(61))

    with pytest.raises(JobLostError), database.write(Purpose.WORKER) as write:
        step(write)

    with database.read(Purpose.WORKER) as read:
        assert read.value("select count(*) from person") == 0


def test_a_failed_attempt_is_repeated_after_a_wait_and_keeps_its_progress(database: Database) -> None:
    enqueue(database)
    job = checkpoint(database, taken(database, NOON), NOON, done=3)

    with database.write(Purpose.WORKER) as write:
        assert jobs.fail(write, job, error="feed unreachable", at=NOON)

    assert take(database, after(29.9)) is None
    assert taken(database, after(30)).progress == {"done": 3}


def test_the_last_attempt_ends_the_job(database: Database) -> None:
    enqueue(database)

    for attempt in range(1, 4):
        job = taken(database, NOON + timedelta(days=attempt))
        with database.write(Purpose.WORKER) as write:
            again = jobs.fail(write, job, error="x" * 1_000, at=NOON + timedelta(days=attempt), attempts_max=3)
        assert again is (attempt < 3)

    assert states(database) == {"failed": 1}
    assert take(database, NOON + timedelta(days=30)) is None


def test_a_job_that_kills_its_workers_ends_as_failed(database: Database) -> None:
    enqueue(database)

    for crash in range(3):
        assert take(database, after(60 * crash), attempts_max=3) is not None

    assert take(database, after(180), attempts_max=3) is None
    assert states(database) == {"failed": 1}


@given(attempt=st.integers(1, 10**9))
def test_the_wait_grows_within_its_bounds(attempt: int) -> None:
    wait = jobs.backoff_seconds(attempt)

    assert jobs.BACKOFF_SECONDS_MIN <= wait <= jobs.BACKOFF_SECONDS_MAX
    assert wait <= jobs.backoff_seconds(attempt + 1)
