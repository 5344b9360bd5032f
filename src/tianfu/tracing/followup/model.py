"""Who is followed, and the tasks of it, as they are kept and told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

import msgspec

from tianfu.clock import Instant
from tianfu.errors import NotFoundError, TianfuError
from tianfu.evidence.care_kinds import IsolationStage
from tianfu.ids import PersonRef
from tianfu.tracing.followup.plan import TaskKind, TaskState
from tianfu.tracing.model import Tier

# A county's team instead of an account: whoever works there takes the task.
TEAM_PREFIX: Final = "team:"

NO_ANSWER: Final = "no_answer"
SYMPTOMATIC: Final = "symptomatic"
# What a task of each kind can end with. `no_answer` is an attempt and no contact.
OUTCOMES: Final[Mapping[TaskKind, frozenset[str]]] = {
    TaskKind.MOVE: frozenset({"moved", "refused"}),
    TaskKind.VISIT: frozenset({"well", SYMPTOMATIC, "refused", NO_ANSWER}),
    TaskKind.TEST: frozenset({"sampled", "negative", "positive", "refused"}),
    TaskKind.MONITOR: frozenset({"begun", "refused"}),
    TaskKind.END: frozenset({"released", "kept"}),
}
# Why somebody could not be found.
LOST_REASONS: Final = frozenset({"wrong_phone", "wrong_address", "moved_away", "not_reached", "unknown_person"})


class TaskNotFoundError(NotFoundError):
    """There is no such task, or not where the asker may look."""

    code = "task_not_found"
    zh = "没有这项任务，或不在您的辖区。"
    en = "There is no such task in your district."


class TaskClosedError(TianfuError):
    """The task was done with another outcome, lost or cancelled already."""

    code = "task_closed"
    status = 409
    zh = "该任务已办结或已取消。"
    en = "This task has been completed or cancelled already."


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """One person followed in one incident; `place` is the county that answers for them."""

    incident_ref: int
    person: PersonRef
    tier: Tier
    setting: str
    last_exposure: Instant
    designated_at: Instant
    place: str
    rules: str
    plan_hash: bytes
    assignee: str | None
    ends_on: date
    closed_at: Instant | None
    closed_reason: str | None


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One task, [`due_from`, `due_until`). `day` counts from the last exposure."""

    task_ref: int
    incident_ref: int
    person: PersonRef
    kind: TaskKind
    stage: IsolationStage
    on: date
    day: int
    due_from: datetime
    due_until: datetime
    place: str
    state: TaskState
    assignee: str | None
    outcome: str | None
    reason: str | None
    done_at: datetime | None
    done_by: str | None
