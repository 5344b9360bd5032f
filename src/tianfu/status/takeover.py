"""A new policy takes over: everybody decided by another one is decided again, in the background.

A job walks the people in order of their number and writes down how far it is after each step, in the transaction of
that step; after a crash it goes on there. Until it reaches a person their status says which policy it came from, and
new evidence brings the new policy to them at once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from tianfu.ids import PersonRef
from tianfu.platform import jobs
from tianfu.platform.database import Database, Purpose, Write
from tianfu.policy.compile import Policy
from tianfu.status import recompute, store
from tianfu.status.recompute import Recomputed

JOB_KIND: Final = "status.takeover"
# A step takes 0.1 s and comes after the queue of evidence is empty; a job without a step for this long is lost.
JOB_LEASE_SECONDS: Final = 60
STEP_PEOPLE: Final = recompute.BATCH_PEOPLE_MAX


class Progress(msgspec.Struct, frozen=True):
    """How far a takeover is: whom it is replacing, the last person done, and how many are done of how many."""

    replacing: str = ""
    after: int = 0
    done: int = 0
    total: int = 0


class Takeover:
    """The takeover under way, if any; used by the holder of the status lease."""

    def __init__(self, database: Database) -> None:
        """Nothing is looked up before `step`."""
        self._database = database
        self._job: jobs.Job | None = None
        self._settled = ""

    def step(self, policy: Policy, at: datetime) -> Recomputed | None:
        """Decide the next people by `policy`; None when nobody is left.

        People whose decision fails are left to the queue. A database error leaves everything as it was; the next
        step goes on from the last one that was kept.
        """
        if self._settled == policy.hash:
            return None
        try:
            if self._job is None or self._job.arguments["policy"] != policy.hash:
                with self._database.write(Purpose.WORKER) as write:
                    self._job = _take(write, policy, at)
            if self._job is not None and (result := self._advance(self._job, policy, at)) is not None:
                return result
        except BaseException:
            # Whether the step was kept is not known here; the job as stored says so next time.
            self._job = None
            raise
        self._job, self._settled = None, policy.hash
        return None

    def progress(self) -> Progress:
        """How far the present job is; zeros when there is none."""
        return Progress() if self._job is None else msgspec.convert(self._job.progress, Progress)

    def _advance(self, job: jobs.Job, policy: Policy, at: datetime) -> Recomputed | None:
        before = msgspec.convert(job.progress, Progress)
        with self._database.write(Purpose.WORKER) as write:
            replacing, persons = _next_people(write, policy, before)
            if not persons:
                jobs.finish(write, job, at)
                return None
            total = before.total or store.count_outdated(write, policy.hash)
            result = recompute.people(write, policy, persons, at)
            after = Progress(replacing=replacing, after=int(persons[-1]), done=before.done + len(persons), total=total)
            self._job = jobs.checkpoint(write, job, after, at)
        return result


def _take(write: Write, policy: Policy, at: datetime) -> jobs.Job | None:
    """The job to go on with, a new one if need be; None when everybody is decided by `policy`."""
    if not store.any_outdated(write, policy.hash):
        return None
    # What was begun for a policy that has been replaced since ends here.
    while (job := jobs.take(write, at=at, lease_seconds=JOB_LEASE_SECONDS, kinds=[JOB_KIND])) is not None:
        if job.arguments["policy"] == policy.hash:
            return job
        jobs.finish(write, job, at)
    jobs.enqueue(write, kind=JOB_KIND, arguments={"policy": policy.hash}, at=at)
    return jobs.take(write, at=at, lease_seconds=JOB_LEASE_SECONDS, kinds=[JOB_KIND])


def _next_people(write: Write, policy: Policy, before: Progress) -> tuple[str, list[PersonRef]]:
    """The next people and the policy they were decided by; nobody when all are done."""
    replacing, after = before.replacing, PersonRef(before.after)
    persons = store.decided_by(write, replacing, after=after, limit=STEP_PEOPLE) if replacing else []
    while not persons:
        found = store.next_policy_hash(write, beyond=replacing, other_than=policy.hash)
        if found is None:
            return replacing, []
        replacing = found
        persons = store.decided_by(write, replacing, after=PersonRef(0), limit=STEP_PEOPLE)
    return replacing, persons
