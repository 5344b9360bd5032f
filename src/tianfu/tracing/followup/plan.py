"""What is to be done with a contact, day by day, and what a new plan changes about an old one. Pure.

Day 0 is the Shanghai day of the last exposure. A plan depends on the contact and the schedule alone, never on when it
is made, so planning again changes nothing, and a plan that was changed and changed back is the first one again.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from tianfu.clock import day_start, shanghai_day
from tianfu.evidence.care_kinds import IsolationStage
from tianfu.tracing.followup.schedule import Schedule

# Whoever is not found at the end is looked for this much longer, then stays on the list of the lost.
EXTENSION_DAYS_MAX: Final = 14
# The last test of a plan may be closed by a sample of so many days later.
LATE_DAYS_MAX: Final = 3
_DAY: Final = timedelta(days=1)


class TaskKind(enum.Enum):
    """Move to quarantine, daily visit or call, test, start of the next stage, end of a stage."""

    MOVE = "move"
    VISIT = "visit"
    TEST = "test"
    MONITOR = "monitor"
    END = "end"


class TaskState(enum.Enum):
    """Where a task stands. A missed one can still be done; done, lost and missed ones are never taken back."""

    PLANNED = "planned"
    ASSIGNED = "assigned"
    DONE = "done"
    MISSED = "missed"
    LOST = "lost"
    CANCELLED = "cancelled"


OPEN: Final = frozenset({TaskState.PLANNED, TaskState.ASSIGNED})


class Wanted(NamedTuple):
    """One task of a plan: [`due_from`, `due_until`), on the Shanghai day `on`, `day` days after the last exposure."""

    kind: TaskKind
    on: date
    day: int
    stage: IsolationStage
    due_from: datetime
    due_until: datetime


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One task that exists: all that a new plan asks of it."""

    task_ref: int
    kind: TaskKind
    on: date
    stage: IsolationStage
    state: TaskState
    due_from: datetime
    due_until: datetime
    day: int


class Changes(NamedTuple):
    """What turns the held tasks into the plan; `move` gives an open one other hours or another day number."""

    insert: tuple[Wanted, ...]
    cancel: tuple[int, ...]
    move: tuple[tuple[int, Wanted], ...]


class Sample(NamedTuple):
    """A test in the ledger: when the sample was taken, what was found, and which statement says so."""

    sampled_at: datetime
    result: str
    evidence_id: int


def plan(
    schedule: Schedule, *, last_exposure: datetime, designated_at: datetime, extended_to: date | None = None
) -> tuple[Wanted, ...]:
    """The tasks of one contact, in order of day and kind.

    Nothing is asked for a day before the one on which the person was named (`designated_at`): tests of days gone by
    become one test on that day. Named after the last day, there is nothing to do. `extended_to` makes the last stage
    end on that day, at most `EXTENSION_DAYS_MAX` later than the schedule says, with a visit on each day.
    """
    return tuple(sorted(_tasks(schedule, last_exposure, designated_at, extended_to), key=_order))


def last_day(schedule: Schedule, last_exposure: datetime) -> date:
    """The Shanghai day on which the schedule ends; the day of the exposure itself when there is nothing to do."""
    return shanghai_day(last_exposure) + schedule.days * _DAY


def extended(ends_on: date, contacts: Iterable[date], today: date) -> date | None:
    """Until when a follow-up goes on because nobody met the person on or after `ends_on`; None when it ends as planned.

    `contacts` are the days on which somebody did. One day at a time, for `EXTENSION_DAYS_MAX` days.
    """
    if today <= ends_on or any(met >= ends_on for met in contacts):
        return None
    return min(today, ends_on + EXTENSION_DAYS_MAX * _DAY)


def reconcile(wanted: Sequence[Wanted], held: Sequence[Held]) -> Changes:
    """How to get from the tasks that exist (cancelled ones may be among them) to the plan.

    What was done, missed or lost stays and is not asked for again on its day. Somebody who was moved and not released
    since is not moved again.
    """
    standing = {(task.kind, task.on): task for task in held if task.state is not TaskState.CANCELLED}
    in_quarantine = _in_quarantine(standing.values())
    asked = {
        (task.kind, task.on): task
        for task in wanted
        if not (task.kind is TaskKind.MOVE and in_quarantine and (task.kind, task.on) not in standing)
    }
    insert = tuple(task for key, task in asked.items() if key not in standing)
    cancel = tuple(sorted(task.task_ref for key, task in standing.items() if key not in asked and task.state in OPEN))
    move = tuple(
        (task.task_ref, asked[key])
        for key, task in standing.items()
        if key in asked and task.state in OPEN and _differs(task, asked[key])
    )
    return Changes(insert, cancel, move)


def closed_by(tests: Sequence[Held], samples: Iterable[Sample]) -> dict[int, Sample]:
    """Which test task is done by which sample: the earliest taken on its day or later, before the next one's day.

    `tests` are the tasks of one person, of whatever state. A sample closes one task; the last task takes one of up to
    `LATE_DAYS_MAX` days later. A sample of before the first day closes nothing.
    """
    ordered = sorted((task for task in tests if task.state is not TaskState.CANCELLED), key=lambda task: task.on)
    taken = sorted(samples)
    found: dict[int, Sample] = {}
    for position, task in enumerate(ordered):
        last = task.on + (LATE_DAYS_MAX + 1) * _DAY
        following = min(ordered[position + 1].on, last) if position + 1 < len(ordered) else last
        fitting = (sample for sample in taken if task.on <= shanghai_day(sample.sampled_at) < following)
        if (sample := next(fitting, None)) is not None:
            found[task.task_ref] = sample
    return found


def _tasks(
    schedule: Schedule, last_exposure: datetime, designated_at: datetime, extended_to: date | None
) -> Iterator[Wanted]:
    zero, named = shanghai_day(last_exposure), shanghai_day(designated_at)
    first = zero + _DAY
    overdue_test = False
    for number, stage in enumerate(schedule.stages):
        final = number + 1 == len(schedule.stages)
        last = first + (stage.days - 1) * _DAY
        planned_last = last
        if final and extended_to is not None:
            last = min(max(last, extended_to), last + EXTENSION_DAYS_MAX * _DAY)
        if named <= planned_last:
            at = (zero, stage.stage)
            if number == 0:
                until = designated_at + timedelta(hours=schedule.move_hours)
                yield Wanted(TaskKind.MOVE, named, (named - zero).days, stage.stage, designated_at, until)
            else:
                yield _whole_day(TaskKind.MONITOR, max(first, named), *at)
            begin = named if number == 0 else max(first, named)
            for offset in range((last - begin).days + 1):
                yield _whole_day(TaskKind.VISIT, begin + offset * _DAY, *at)
            tests = {first + (test - 1) * _DAY for test in stage.tests}
            for test in {max(test, named) for test in tests} | ({named} if overdue_test else set()):
                yield _whole_day(TaskKind.TEST, test, *at)
            overdue_test = False
            yield _whole_day(TaskKind.END, last, *at)
        else:
            overdue_test |= bool(stage.tests)
        first = planned_last + _DAY


def _whole_day(kind: TaskKind, on: date, zero: date, stage: IsolationStage) -> Wanted:
    return Wanted(kind, on, (on - zero).days, stage, day_start(on), day_start(on + _DAY))


def _order(task: Wanted) -> tuple[date, int]:
    return task.on, _KINDS.index(task.kind)


_KINDS: Final = tuple(TaskKind)


def _in_quarantine(held: Iterable[Held]) -> bool:
    """Whether somebody was moved, and no stage of theirs was ended since."""
    tasks = list(held)
    moved = [task.on for task in tasks if task.kind is TaskKind.MOVE and task.state is TaskState.DONE]
    ended = [task.on for task in tasks if task.kind is TaskKind.END and task.state is TaskState.DONE]
    return bool(moved) and not (ended and max(ended) >= max(moved))


def _differs(held: Held, wanted: Wanted) -> bool:
    return (held.due_from, held.due_until, held.day, held.stage) != (
        wanted.due_from,
        wanted.due_until,
        wanted.day,
        wanted.stage,
    )
