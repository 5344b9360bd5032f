"""What is sent and answered about follow-up, as JSON shapes. People travel as references, other numbers as text."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec

from tianfu.clock import Instant
from tianfu.console.pages import PAGE_ROWS, PAGE_ROWS_MAX
from tianfu.console.purposes import StatedForm
from tianfu.ids import format_person_ref
from tianfu.tracing.followup.handover import PEOPLE_MAX
from tianfu.tracing.followup.handover_store import Handover
from tianfu.tracing.followup.model import Task
from tianfu.tracing.followup.plan import TaskKind, TaskState
from tianfu.tracing.notices.texts import Audience, Form

Place = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$")]
People = Annotated[tuple[str, ...], msgspec.Meta(max_length=PEOPLE_MAX)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


Scope = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,6}$")]
Rows = Annotated[int, msgspec.Meta(ge=1, le=PAGE_ROWS_MAX)]


class PlanForm(StatedForm, frozen=True, kw_only=True):
    """Planning; `extend` goes on with those whom nobody met at the end."""

    extend: bool = False


class PlanAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What planning did: people, and tasks."""

    people: int
    begun: int
    replanned: int
    closed: int
    inserted: int
    cancelled: int
    done_by_results: int
    reopened: int


class TaskQuery(StatedForm, frozen=True, kw_only=True):
    """Which tasks: of a county or the first digits of one; `mine`: assigned to me; `overdue`: not done in time.

    `after` is the `next` of the page before.
    """

    place: Scope = ""
    states: tuple[TaskState, ...] = ()
    kinds: tuple[TaskKind, ...] = ()
    mine: bool = False
    overdue: bool = False
    after: str | None = None
    limit: Rows = PAGE_ROWS


class TaskAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One task. `day` counts from the last exposure, day 0."""

    task_ref: str
    person: str
    kind: str
    stage: str
    on: date
    day: int
    due_from: datetime
    due_until: datetime
    place: str
    state: str
    assignee: str | None
    outcome: str | None
    reason: str | None
    done_at: datetime | None

    @classmethod
    def of(cls, task: Task) -> TaskAnswer:
        """The answer for `task`."""
        return cls(
            task_ref=str(task.task_ref),
            person=format_person_ref(task.person),
            kind=task.kind.value,
            stage=task.stage.value,
            on=task.on,
            day=task.day,
            due_from=task.due_from,
            due_until=task.due_until,
            place=task.place,
            state=task.state.value,
            assignee=task.assignee,
            outcome=task.outcome,
            reason=task.reason,
            done_at=task.done_at,
        )


class TaskPage(msgspec.Struct, frozen=True):
    """Tasks in the order they are due; `next` is the `after` of the next page, None on the last one."""

    tasks: tuple[TaskAnswer, ...]
    next: str | None


class AssignForm(StatedForm, frozen=True, kw_only=True):
    """`people` to `assignee`; without both, all people of the county whom nobody looks after, in turn."""

    place: Place
    assignee: Word | None = None
    people: People = ()


class AssignAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How many people and tasks, and to whom how many people."""

    people: int
    tasks: int
    shares: dict[str, int]


class OutcomeForm(StatedForm, frozen=True, kw_only=True):
    """What became of a task: `outcome` of one that was done (now, or at `done_at`), or `lost` and why."""

    outcome: Word | None = None
    done_at: Instant | None = None
    lost: Word | None = None


class InterviewForm(StatedForm, frozen=True, kw_only=True):
    """When the core facts of a case, and its report, were there."""

    person: str
    core_facts_at: Instant
    reported_at: Instant | None = None


class HandoverForm(StatedForm, frozen=True, kw_only=True):
    """People offered by the county that follows them to another place."""

    from_place: Place
    to_place: Place
    people: People


class AnswerForm(StatedForm, frozen=True, kw_only=True):
    """The other side's answer about `people`, or about all who are still asked about; a refusal has a reason."""

    accept: bool
    people: People = ()
    reason: Word | None = None


class HandoverAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A hand-over: how many are open, accepted, refused."""

    handover_ref: str
    from_place: str
    to_place: str
    requested_at: datetime
    due_at: datetime
    reminded_at: datetime | None
    asked: int
    accepted: int
    refused: int

    @classmethod
    def of(cls, found: Handover) -> HandoverAnswer:
        """The answer for `found`."""
        return cls(
            handover_ref=str(found.handover_ref),
            from_place=found.from_place,
            to_place=found.to_place,
            requested_at=found.requested_at,
            due_at=found.due_at,
            reminded_at=found.reminded_at,
            asked=found.asked,
            accepted=found.accepted,
            refused=found.refused,
        )


class HandoverQuery(StatedForm, frozen=True, kw_only=True):
    """Which hand-overs, from or to a place: open ones; `every`: answered ones too; `overdue`: past their hour."""

    place: Scope = ""
    every: bool = False
    overdue: bool = False
    after: str | None = None
    limit: Rows = PAGE_ROWS


class HandoverPage(msgspec.Struct, frozen=True):
    """Hand-overs by the hour their answer is due; `next` as in `TaskPage`."""

    handovers: tuple[HandoverAnswer, ...]
    next: str | None


class NoticeForm(StatedForm, frozen=True, kw_only=True):
    """Messages to be queued: to `people`, to everybody who is followed without them, or about `places`."""

    form: Form = Form.SHORT
    audience: Audience = Audience.SELF
    people: People = ()
    places: bool = False


class NoticeAnswer(msgspec.Struct, frozen=True):
    """Messages by state: queued, sent, failed, unreachable, cancelled."""

    states: dict[str, int]


class NoticeTextForm(StatedForm, frozen=True, kw_only=True):
    """Whose message to show, in which language and form."""

    person: str
    language: Annotated[str, msgspec.Meta(pattern="^(zh|en)$")] = "zh"
    form: Form = Form.SHORT
    audience: Audience = Audience.SELF


class NoticeTextAnswer(msgspec.Struct, frozen=True):
    """The words."""

    text: str
