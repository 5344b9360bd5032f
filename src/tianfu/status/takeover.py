"""A new policy takes over: people whom it can change are decided again, in the background.

For each earlier policy that statuses name, `tianfu.policy.affected` says whom the change can concern: nobody, people
with certain kinds of evidence, or everybody. They are walked in order of their number, and each step writes down how
far it is in its own transaction; after a crash it goes on there. Who is not concerned keeps a status that names the
earlier policy and says what the new one would; new evidence brings the new policy to anybody at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from tianfu.ids import PersonRef
from tianfu.platform import jobs
from tianfu.platform.database import Database, Purpose, Read, Write
from tianfu.policy import store as publications
from tianfu.policy.affected import EVERYBODY, Affected, affected
from tianfu.policy.compile import Policy
from tianfu.policy.load import PolicyInvalidError
from tianfu.policy.publish import NoPolicyInForceError, Policies, PolicyAlteredError
from tianfu.residents import merging
from tianfu.status import recompute, store, takeover_store
from tianfu.status.recompute import Recomputed
from tianfu.status.takeover_store import Stretch

JOB_KIND: Final = "status.takeover"
# A step takes 0.1 s and comes after the queue of evidence is empty; a job without a step for this long is lost.
JOB_LEASE_SECONDS: Final = 60
STEP_PEOPLE: Final = recompute.BATCH_PEOPLE_MAX
# What stands for a publication where the policy at hand is not the published one (a test, a tool).
NOT_PUBLISHED: Final = 0


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
        self._policies = Policies()
        self._job: jobs.Job | None = None
        self._settled: dict[str, object] = {}

    def step(self, policy: Policy, at: datetime) -> Recomputed | None:
        """Decide the next people by `policy`; None when nobody is left whom it can change.

        A step may find nobody to decide among those it looks at. People whose decision fails are left to the queue. A
        database error leaves everything as it was; the next step goes on from the last one that was kept.
        """
        with self._database.read(Purpose.WORKER) as read:
            arguments = {"policy": policy.hash, "publication": governing(read, policy, at)}
        if self._settled == arguments:
            return None
        try:
            if self._job is None or self._job.arguments != arguments:
                with self._database.write(Purpose.WORKER) as write:
                    self._job = self._take(write, policy, arguments, at)
            if self._job is not None and (result := self._advance(self._job, policy, at)) is not None:
                return result
        except BaseException:
            # Whether the step was kept is not known here; the job as stored says so next time.
            self._job = None
            raise
        self._job, self._settled = None, arguments
        return None

    def progress(self) -> Progress:
        """How far the present job is; zeros when there is none."""
        return Progress() if self._job is None else msgspec.convert(self._job.progress, Progress)

    def _take(self, write: Write, policy: Policy, arguments: dict[str, object], at: datetime) -> jobs.Job | None:
        """The job to go on with, a new one if need be; None when `policy` can change nobody who is left."""
        publication = governing(write, policy, at)
        takeover_store.forget_others(write, policy.hash, publication)
        if self._next_stretch(write, policy, publication, at) is None:
            return None
        # What was begun for a policy that has been replaced since ends here.
        while (job := jobs.take(write, at=at, lease_seconds=JOB_LEASE_SECONDS, kinds=[JOB_KIND])) is not None:
            if job.arguments == arguments:
                return job
            jobs.finish(write, job, at)
        jobs.enqueue(write, kind=JOB_KIND, arguments=arguments, at=at)
        return jobs.take(write, at=at, lease_seconds=JOB_LEASE_SECONDS, kinds=[JOB_KIND])

    def _advance(self, job: jobs.Job, policy: Policy, at: datetime) -> Recomputed | None:
        with self._database.write(Purpose.WORKER) as write:
            stretch = self._next_stretch(write, policy, job.arguments["publication"], at)
            if stretch is None:
                jobs.finish(write, job, at)
                return None
            seen = _look(write, stretch)
            # Evidence under one number decides about the person's other numbers too.
            persons = merging.together(write, _concerned(write, stretch, merging.together(write, seen)))
            result = recompute.people(write, policy, persons, at) if persons else Recomputed()
            done = stretch.done + len(seen)
            over = len(seen) < STEP_PEOPLE
            stretch = msgspec.structs.replace(
                stretch,
                done=done,
                total=done if over else max(done, stretch.total),
                after=int(seen[-1]) if seen else stretch.after,
                updated_at=at,
                finished_at=at if over else None,
            )
            takeover_store.save(write, stretch)
            progress = Progress(replacing=stretch.old_hash, after=stretch.after, done=stretch.done, total=stretch.total)
            self._job = jobs.checkpoint(write, job, progress, at)
        return result

    def _next_stretch(self, write: Write, policy: Policy, publication: int, at: datetime) -> Stretch | None:
        """The stretch to go on with, or to begin; policies that the new one cannot change anybody of end here."""
        known = {stretch.old_hash: stretch for stretch in takeover_store.stretches(write, policy.hash, publication)}
        old_hash = ""
        while (found := store.next_policy_hash(write, beyond=old_hash, other_than=policy.hash)) is not None:
            old_hash = found
            stretch = known.get(old_hash)
            if stretch is None:
                scope = scope_of(write, self._policies, old_hash, policy)
                stretch = Stretch(
                    old_hash=old_hash,
                    new_hash=policy.hash,
                    publication_id=publication,
                    scope=scope,
                    total=_count(write, old_hash, scope),
                    started_at=at,
                    updated_at=at,
                    finished_at=at if scope.nobody else None,
                )
                takeover_store.save(write, stretch)
            if stretch.finished_at is None:
                return stretch
        return None


def governing(read: Read, policy: Policy, at: datetime) -> int:
    """The number of the publication by which `policy` governs `at`; `NOT_PUBLISHED` when another one does."""
    publication = publications.in_force(read, at)
    if publication is None or publication.policy_hash != policy.hash:
        return NOT_PUBLISHED
    return publication.publication_id


def scope_of(read: Read, policies: Policies, old_hash: str, policy: Policy) -> Affected:
    """Whom going from an earlier policy to `policy` can change; everybody when the earlier one cannot be read."""
    try:
        old = policies.by_hash(read, old_hash)
    except (NoPolicyInForceError, PolicyAlteredError, PolicyInvalidError):
        return EVERYBODY
    return affected(old.rule_set, policy.rule_set)


def _by_kind(scope: Affected) -> bool:
    """Whether its people are few enough to be found by their evidence."""
    return not scope.everybody and takeover_store.COMMON_KINDS.isdisjoint(scope.kinds)


def _count(read: Read, old_hash: str, scope: Affected) -> int:
    """About how many people will be looked at."""
    if scope.nobody:
        return 0
    if _by_kind(scope):
        return takeover_store.count_with(read, scope.kinds)
    return store.count_decided_by(read, old_hash, most=takeover_store.COUNTED_MAX)


def _look(read: Read, stretch: Stretch) -> list[PersonRef]:
    """The next people to look at, by number; fewer than `STEP_PEOPLE` are the last."""
    after = PersonRef(stretch.after)
    if not _by_kind(stretch.scope):
        return store.decided_by(read, stretch.old_hash, after=after, limit=STEP_PEOPLE)
    # The lowest numbers of all kinds together are among the lowest of each.
    found = {
        person
        for kind in stretch.scope.kinds
        for person in takeover_store.people_with(read, kind, after=after, limit=STEP_PEOPLE)
    }
    return sorted(found)[:STEP_PEOPLE]


def _concerned(read: Read, stretch: Stretch, seen: Sequence[PersonRef]) -> list[PersonRef]:
    """Those of the people looked at who are to be decided again."""
    if not seen or stretch.scope.everybody:
        return list(seen)
    if _by_kind(stretch.scope):
        return store.decided_among(read, stretch.old_hash, seen)
    return sorted(takeover_store.having(read, seen, stretch.scope.kinds))
