"""Doing what was planned: assign, done, lost; tests close their tasks by themselves; time makes the rest missed.

Whether the caller may is decided before, by the edge; what is written here goes into the trail there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from tianfu.access import accounts
from tianfu.access.decide import covers
from tianfu.access.roles import Role
from tianfu.errors import Fault, InputInvalidError, TianfuError
from tianfu.evidence import ledger
from tianfu.evidence.care_kinds import Isolation, IsolationStage
from tianfu.evidence.kinds import Test
from tianfu.evidence.model import Evidence
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose, Read, Write
from tianfu.tracing.followup import store, work_store
from tianfu.tracing.followup.model import (
    LOST_REASONS,
    OUTCOMES,
    TEAM_PREFIX,
    FollowUp,
    Task,
    TaskClosedError,
    TaskNotFoundError,
)
from tianfu.tracing.followup.plan import Held, Sample, TaskKind, TaskState, closed_by

# People of one transaction when results are looked up; tasks of one when they are marked missed.
PEOPLE_AT_ONCE: Final = 1_000
TASKS_AT_ONCE: Final = 10_000
PAGE_TASKS_MAX: Final = 500
# Who closed a task that nobody had to close.
LEDGER: Final = "ledger"


class NoFieldWorkerError(TianfuError):
    """The county has no open account of a field worker to assign people to."""

    code = "no_field_worker"
    status = 409
    zh = "该区县没有可分派的社区随访人员。"
    en = "This county has no field worker to assign people to."


class Synced(NamedTuple):
    """What the ledger did to tasks: done by a result, opened again because the result was withdrawn."""

    done: int
    reopened: int

    def plus(self, other: Synced) -> Synced:
        """Both together."""
        return Synced(self.done + other.done, self.reopened + other.reopened)


class Assigned(NamedTuple):
    """How many people and open tasks went to whom."""

    people: int
    tasks: int
    shares: tuple[tuple[str, int], ...]


def sync(database: Database, incident_ref: int, *, at: datetime) -> Synced:
    """Close tests, and moves to quarantine, that the ledger says were done; open those whose proof was withdrawn.

    Nucleic-acid results only, as `closed_by` says; indeterminate ones close nothing. Idempotent.
    """
    total = Synced(0, 0)
    for part in sync_parts(database, incident_ref, at=at):
        total = total.plus(part)
    return total


def sync_parts(database: Database, incident_ref: int, *, at: datetime) -> Iterator[Synced]:
    """`sync` in its parts, each done when it is yielded, in a transaction of its own."""
    after, more = 0, True
    while more:
        with database.write(Purpose.BATCH) as write:
            persons = store.with_tests_due(write, incident_ref, after, PEOPLE_AT_ONCE, at)
            part = sync_people(write, incident_ref, persons, at=at)
        yield part
        more = len(persons) == PEOPLE_AT_ONCE
        after = persons[-1] if more else after


def sync_people(write: Write, incident_ref: int, persons: Sequence[PersonRef], *, at: datetime) -> Synced:
    """`sync` for these people, in the caller's transaction."""
    followed = store.follow_ups(write, incident_ref, persons)
    tasks = store.held(write, incident_ref, persons)
    statements = ledger.about_many(write, persons)
    closed = store.closed_by_ledger(write, incident_ref, persons)
    wanted: dict[int, Sample] = {}
    by_hand: set[int] = set()
    for person, owner in followed.items():
        wanted |= closed_by(
            [task for task in tasks[person] if task.kind is TaskKind.TEST], _samples(statements[person])
        )
        wanted |= _moves(owner, tasks[person], statements[person])
        by_hand |= {
            task.task_ref for task in tasks[person] if task.state is TaskState.DONE and task.task_ref not in closed
        }
    lost_proof = [number for number in closed if number not in wanted]
    store.set_undone(write, lost_proof, at)
    # What a person wrote down as done by hand gets its result, and keeps its instant.
    new = {number: sample for number, sample in wanted.items() if closed.get(number) != sample.evidence_id}
    store.set_done(
        write,
        [(number, sample.result, sample.sampled_at, LEDGER, sample.evidence_id) for number, sample in new.items()],
        at,
    )
    return Synced(len(new.keys() - by_hand), len(lost_proof))


def sweep(database: Database, *, at: datetime) -> int:
    """Mark as missed what was not done in its time, in all incidents; how many. A second call finds nothing."""
    return sum(sweep_parts(database, at=at))


def sweep_parts(database: Database, *, at: datetime) -> Iterator[int]:
    """`sweep` in its parts, each done when it is yielded, in a transaction of its own."""
    missed = TASKS_AT_ONCE
    while missed == TASKS_AT_ONCE:
        with database.write(Purpose.BATCH) as write:
            missed = store.set_missed(write, at, TASKS_AT_ONCE)
        yield missed


def done(write: Write, task_ref: int, *, outcome: str, by: str, done_at: datetime, at: datetime) -> Task:
    """Write down that a task was done at `done_at`, late or not; the task as it was.

    The release at the end of the last stage closes the follow-up. Doing it again with the same outcome changes
    nothing. Raises `TaskNotFoundError`, `TaskClosedError`, `InputInvalidError` for an outcome that the kind does not
    have or an instant to come.
    """
    task = _task(write, task_ref)
    _require(
        outcome in OUTCOMES[task.kind],
        "outcome",
        f"该类任务的结果为：{'、'.join(sorted(OUTCOMES[task.kind]))}。",
        f"This kind of task has the outcomes {', '.join(sorted(OUTCOMES[task.kind]))}.",
    )
    _require(done_at <= at, "done_at", "完成时间不能晚于现在。", "It cannot have been done later than now.")
    if task.state is TaskState.DONE and task.outcome == outcome:
        return task
    if task.state in {TaskState.DONE, TaskState.CANCELLED}:
        raise TaskClosedError
    store.set_done(write, [(task_ref, outcome, done_at, by, None)], at)
    owner = store.follow_up(write, task.incident_ref, task.person)
    if task.kind is TaskKind.END and outcome == "released" and owner is not None and task.on >= owner.ends_on:
        store.close(write, task.incident_ref, [task.person], reason="ended", at=at)
    return task


def lost(write: Write, task_ref: int, *, reason: str, by: str, at: datetime) -> Task:
    """Write down that the person was not found; the task as it was. Raises as `done`; again changes nothing."""
    task = _task(write, task_ref)
    _require(reason in LOST_REASONS, "reason", "请选择失联原因。", "Please choose why the person was not found.")
    if task.state is TaskState.LOST and task.reason == reason:
        return task
    if task.state in {TaskState.DONE, TaskState.CANCELLED}:
        raise TaskClosedError
    store.set_lost(write, task_ref, reason=reason, by=by, at=at)
    return task


def workers(read: Read, place: str) -> list[str]:
    """The field workers of a county, by name: open accounts that hold the role there or above."""
    return sorted(
        account.username
        for account in accounts.every(read)
        if not account.closed
        and any(grant.role is Role.FIELD_WORKER and covers(grant.district, place) for grant in account.grants)
    )


def assign_in_turn(write: Write, incident_ref: int, place: str, *, at: datetime, limit: int = 10_000) -> Assigned:
    """Deal out the people of a county that nobody looks after yet: each to the worker with the fewest.

    A person's tasks, those to come too, go to one worker. Raises `NoFieldWorkerError`. A second call finds nobody.
    """
    names = workers(write, place)
    if not names:
        raise NoFieldWorkerError
    persons = work_store.unassigned(write, incident_ref, place, limit)
    burden = work_store.load(write, names)
    shares: dict[str, list[PersonRef]] = {name: [] for name in names}
    for person in persons:
        name = min(names, key=lambda candidate: (burden[candidate], candidate))
        burden[name] += 1
        shares[name].append(person)
    tasks = sum(work_store.assign(write, incident_ref, dealt, name, at) for name, dealt in shares.items() if dealt)
    return Assigned(len(persons), tasks, tuple((name, len(dealt)) for name, dealt in shares.items()))


def assign_to(
    write: Write, incident_ref: int, place: str, persons: Sequence[PersonRef], assignee: str, *, at: datetime
) -> Assigned:
    """Give these people of a county, and all their open tasks, to a field worker of it or to its team.

    `assignee` is an account or `team:` and the county. Raises `InputInvalidError` for somebody who is neither, or a
    person whom that county does not follow here.
    """
    known = assignee == TEAM_PREFIX + place or assignee in workers(write, place)
    _require(known, "assignee", "被分派者不是该区县的随访人员。", "This is no field worker or team of the county.")
    followed = store.follow_ups(write, incident_ref, persons)
    here = all(
        (owner := followed.get(person)) is not None and owner.closed_at is None and owner.place == place
        for person in persons
    )
    _require(here, "people", "有人不由该区县随访。", "Somebody is not followed by this county.")
    tasks = work_store.assign(write, incident_ref, list(persons), assignee, at)
    return Assigned(len(persons), tasks, ((assignee, len(persons)),))


def _task(write: Write, task_ref: int) -> Task:
    task = store.task(write, task_ref)
    if task is None:
        raise TaskNotFoundError
    return task


def _samples(statements: Sequence[Evidence]) -> list[Sample]:
    """What counts as a test: nucleic-acid results that say yes or no."""
    return [
        Sample(test.sampled_at, test.result.value, statement.evidence_id)
        for statement in statements
        if isinstance(test := statement.attributes, Test)
        and test.method is TestMethod.NUCLEIC_ACID
        and test.result is not TestResult.INDETERMINATE
    ]


def _moves(owner: FollowUp, tasks: Sequence[Held], statements: Sequence[Evidence]) -> dict[int, Sample]:
    """The move to quarantine, by a stay in isolation that began after the exposure."""
    stays = sorted(
        Sample(stay.began_at, "moved", statement.evidence_id)
        for statement in statements
        if isinstance(stay := statement.attributes, Isolation)
        and stay.stage is not IsolationStage.MONITORING
        and stay.began_at >= owner.last_exposure
    )
    moves = [task for task in tasks if task.kind is TaskKind.MOVE]
    latest = max(moves, key=lambda task: task.on, default=None)
    return {latest.task_ref: stays[0]} if latest is not None and stays else {}


def _require(holds: bool, field: str, zh: str, en: str) -> None:  # noqa: FBT001 - a condition and its sentences
    if not holds:
        raise InputInvalidError(faults=(Fault(field, field, zh, en),))
