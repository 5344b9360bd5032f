"""Plans as tables for every rule set, and what a new plan may do to an old one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianfu.clock import shanghai_day
from tianfu.evidence.care_kinds import IsolationStage
from tianfu.tracing.followup.plan import (
    OPEN,
    Changes,
    Held,
    Sample,
    TaskKind,
    TaskState,
    Wanted,
    closed_by,
    extended,
    plan,
    reconcile,
)
from tianfu.tracing.followup.schedule import Schedule, Stage

CENTRAL, HOME, MONITORING = IsolationStage.CENTRAL, IsolationStage.HOME, IsolationStage.MONITORING
# 20:00 in Shanghai on 1 March.
EXPOSED = datetime(2022, 3, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)

EIGHTH = Schedule(
    rules="eighth",
    stages=(Stage(stage=CENTRAL, days=14, tests=(1, 4, 7, 14)), Stage(stage=HOME, days=7, tests=(2, 7))),
)
NINTH = Schedule(
    rules="ninth", stages=(Stage(stage=CENTRAL, days=7, tests=(1, 2, 3, 5, 7)), Stage(stage=HOME, days=3, tests=(3,)))
)
NOVEMBER = Schedule(
    rules="november", stages=(Stage(stage=CENTRAL, days=5, tests=(1, 2, 3, 5)), Stage(stage=HOME, days=3, tests=(1, 3)))
)
SECONDARY = Schedule(rules="ninth", stages=(Stage(stage=HOME, days=7, tests=(1, 4, 7)),))
NOTHING = Schedule(rules="ninth")


def days(tasks: tuple[Wanted, ...], kind: TaskKind) -> list[int]:
    return [task.day for task in tasks if task.kind is kind]


@pytest.mark.parametrize(
    ("schedule", "tests", "ends", "monitors", "visits"),
    [
        (EIGHTH, [1, 4, 7, 14, 16, 21], [14, 21], [15], 22),
        (NINTH, [1, 2, 3, 5, 7, 10], [7, 10], [8], 11),
        (NOVEMBER, [1, 2, 3, 5, 6, 8], [5, 8], [6], 9),
        (SECONDARY, [1, 4, 7], [7], [], 8),
        (NOTHING, [], [], [], 0),
    ],
)
def test_a_contact_named_on_the_day_of_the_exposure_has_the_days_of_the_rules(
    schedule: Schedule, tests: list[int], ends: list[int], monitors: list[int], visits: int
) -> None:
    tasks = plan(schedule, last_exposure=EXPOSED, designated_at=EXPOSED + timedelta(hours=2))

    assert days(tasks, TaskKind.TEST) == tests
    assert days(tasks, TaskKind.END) == ends
    assert days(tasks, TaskKind.MONITOR) == monitors
    assert len(days(tasks, TaskKind.VISIT)) == visits
    assert [task.due_until for task in tasks if task.kind is TaskKind.MOVE] == (
        [EXPOSED + timedelta(hours=14)] if schedule.stages else []
    )


@pytest.mark.parametrize(
    ("named_on_day", "moves", "tests", "visits"),
    [
        (2, 1, [2, 3, 5, 7, 10], [2, 3, 4, 5, 6, 7, 8, 9, 10]),
        # The tests of days 1, 2 and 3 become one on day 4.
        (4, 1, [4, 5, 7, 10], [4, 5, 6, 7, 8, 9, 10]),
        # The central part is over: home only, and one test for all those gone by.
        (9, 0, [9, 10], [9, 10]),
        (11, 0, [], []),
    ],
)
def test_nothing_is_asked_for_days_before_somebody_was_named(
    named_on_day: int, moves: int, tests: list[int], visits: list[int]
) -> None:
    tasks = plan(NINTH, last_exposure=EXPOSED, designated_at=EXPOSED + named_on_day * DAY)

    assert len(days(tasks, TaskKind.MOVE)) == moves
    assert days(tasks, TaskKind.TEST) == tests
    assert days(tasks, TaskKind.VISIT) == visits


def test_day_one_begins_at_midnight_in_shanghai() -> None:
    late = datetime(2022, 3, 1, 15, 59, tzinfo=UTC)

    before, after = (plan(SECONDARY, last_exposure=at, designated_at=at) for at in (late, late + timedelta(minutes=1)))

    first = [next(task for task in tasks if task.kind is TaskKind.TEST) for tasks in (before, after)]
    assert [task.on for task in first] == [date(2022, 3, 2), date(2022, 3, 3)]
    assert first[0].due_from == datetime(2022, 3, 1, 16, 0, tzinfo=UTC)
    assert first[0].due_until == datetime(2022, 3, 2, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("met", "today", "until"),
    [
        ([], date(2022, 3, 11), None),
        ([], date(2022, 3, 12), date(2022, 3, 12)),
        ([date(2022, 3, 10)], date(2022, 3, 13), date(2022, 3, 13)),
        ([date(2022, 3, 11)], date(2022, 3, 13), None),
        ([], date(2022, 5, 1), date(2022, 3, 25)),
    ],
)
def test_an_end_without_contact_is_put_off_until_somebody_meets_the_person(
    met: list[date], today: date, until: date | None
) -> None:
    assert extended(date(2022, 3, 11), met, today) == until


def test_an_extended_plan_has_visits_to_its_new_end() -> None:
    tasks = plan(NINTH, last_exposure=EXPOSED, designated_at=EXPOSED, extended_to=date(2022, 3, 13))

    assert days(tasks, TaskKind.END) == [7, 12]
    assert days(tasks, TaskKind.VISIT) == list(range(13))


def held_of(wanted: tuple[Wanted, ...], *, start: int = 1) -> list[Held]:
    return [
        Held(
            task_ref=number,
            kind=task.kind,
            on=task.on,
            stage=task.stage,
            state=TaskState.PLANNED,
            due_from=task.due_from,
            due_until=task.due_until,
            day=task.day,
        )
        for number, task in enumerate(wanted, start=start)
    ]


def put(held: list[Held], number: int, state: TaskState, **more: object) -> None:
    """Give the task of that number another state."""
    held[:] = [
        Held(**({field: getattr(task, field) for field in task.__struct_fields__} | {"state": state} | more))
        if task.task_ref == number
        else task
        for task in held
    ]


def apply(held: list[Held], changes: Changes) -> list[Held]:
    """The tasks after the changes, as the store makes them."""
    after = list(held)
    for number in changes.cancel:
        put(after, number, TaskState.CANCELLED)
    for number, task in changes.move:
        hours = {"due_from": task.due_from, "due_until": task.due_until}
        put(after, number, TaskState.PLANNED, day=task.day, stage=task.stage, **hours)
    return after + held_of(changes.insert, start=len(held) + 1)


schedules = st.sampled_from([EIGHTH, NINTH, NOVEMBER, SECONDARY, NOTHING])
instants = st.integers(0, 20 * 24 * 60).map(lambda minutes: EXPOSED + timedelta(minutes=minutes))
episodes = st.lists(st.tuples(schedules, instants, instants), min_size=1, max_size=4)
ends = st.dictionaries(st.integers(1, 60), st.sampled_from([TaskState.DONE, TaskState.MISSED, TaskState.LOST]))


@given(episodes, st.lists(ends, min_size=4, max_size=4))
def test_planning_again_changes_nothing_and_loses_nothing_that_was_done(
    told: list[tuple[Schedule, datetime, datetime]], happened: list[dict[int, TaskState]]
) -> None:
    held: list[Held] = []
    for (schedule, exposed, named), finished in zip(told, happened, strict=False):
        wanted = plan(schedule, last_exposure=exposed, designated_at=max(exposed, named))
        kept = {task.task_ref: task for task in held if task.state not in OPEN | {TaskState.CANCELLED}}

        held = apply(held, reconcile(wanted, held))

        assert reconcile(wanted, held) == Changes((), (), ())
        assert all(task in held for task in kept.values())
        standing = [(task.kind, task.on) for task in held if task.state is not TaskState.CANCELLED]
        assert len(standing) == len(set(standing))
        asked = {(task.kind, task.on) for task in wanted}
        assert {(task.kind, task.on) for task in held if task.state in OPEN} <= asked
        assert {key for key in asked if key[0] is not TaskKind.MOVE} <= set(standing)
        for number, state in finished.items():
            if number <= len(held) and held[number - 1].state in OPEN:
                put(held, number, state)


@given(schedules, instants, st.integers(1, 30))
def test_a_new_exposure_restarts_the_days(schedule: Schedule, exposed: datetime, later: int) -> None:
    again = exposed + later * DAY
    held = held_of(plan(schedule, last_exposure=exposed, designated_at=exposed))

    after = apply(held, reconcile(plan(schedule, last_exposure=again, designated_at=again), held))

    open_days = {(task.kind, task.on): task.day for task in after if task.state in OPEN}
    fresh = {(task.kind, task.on): task.day for task in plan(schedule, last_exposure=again, designated_at=again)}
    assert open_days == fresh


def test_somebody_in_quarantine_is_not_moved_again_but_somebody_released_is() -> None:
    held = held_of(plan(NINTH, last_exposure=EXPOSED, designated_at=EXPOSED))
    move = next(task.task_ref for task in held if task.kind is TaskKind.MOVE)
    put(held, move, TaskState.DONE)
    again = plan(NINTH, last_exposure=EXPOSED + 3 * DAY, designated_at=EXPOSED + 3 * DAY)

    inside = reconcile(again, held)
    put(held, next(task.task_ref for task in held if task.kind is TaskKind.END), TaskState.DONE)
    released = reconcile(plan(NINTH, last_exposure=EXPOSED + 9 * DAY, designated_at=EXPOSED + 9 * DAY), held)

    assert [task.kind for task in inside.insert].count(TaskKind.MOVE) == 0
    assert [task.kind for task in released.insert].count(TaskKind.MOVE) == 1


def sample(day: int, hour: int = 1, number: int = 1, result: str = "negative") -> Sample:
    return Sample(datetime(2022, 3, 1 + day, hour, tzinfo=UTC), result, number)


@pytest.mark.parametrize(
    ("samples", "closed"),
    [
        ([], {}),
        ([sample(1)], {1: 1}),
        # Nobody was tested on day 1, day 2's sample is day 2's.
        ([sample(2)], {2: 2}),
        # Taken on day 4, it does for day 3 what came late, and nothing for day 5.
        ([sample(4)], {3: 4}),
        ([sample(1, 1), sample(1, 3, 2)], {1: 1}),
        # Before the first day and long after the last: nothing.
        ([sample(0)], {}),
        ([sample(14)], {}),
        ([sample(13)], {10: 13}),
    ],
)
def test_a_result_closes_the_test_of_its_day_or_the_latest_one_before(
    samples: list[Sample], closed: dict[int, int]
) -> None:
    tests = [
        task
        for task in held_of(plan(NINTH, last_exposure=EXPOSED, designated_at=EXPOSED))
        if task.kind is TaskKind.TEST
    ]

    found = closed_by(tests, samples)

    day = {task.task_ref: task.day for task in tests}
    zero = shanghai_day(EXPOSED)
    assert {day[number]: (shanghai_day(taken.sampled_at) - zero).days for number, taken in found.items()} == closed


def test_a_stage_cannot_have_a_test_outside_its_days() -> None:
    with pytest.raises(ValueError, match="tests"):
        Stage(stage=MONITORING, days=3, tests=(4,))
