"""SQL of who does which tasks: pages and assignments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write
from tianfu.tracing.followup.model import Task
from tianfu.tracing.followup.plan import TaskKind, TaskState
from tianfu.tracing.followup.store import TASK, task_of


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which tasks: `place` a county or a prefix of one, `overdue_at` only open and missed ones due by then."""

    place: str = ""
    states: tuple[TaskState, ...] = ()
    kinds: tuple[TaskKind, ...] = ()
    assignee: str | None = None
    overdue_at: datetime | None = None


def page(
    read: Read, incident_ref: int, wanted: Filter, *, after: tuple[datetime, int] | None, limit: int
) -> list[Task]:
    """Tasks in order of `due_until`, after the key of the last one of the page before.

    A whole county is found by an index of its own; a prefecture is a filter over the incident's order.
    """
    exact = wanted.place if len(wanted.place) == len("510104") else None
    rows = read.rows(
        TASK + " where incident_ref = %(incident)s"
        " and (%(exact)s::text is null or place = %(exact)s) and (%(prefix)s::text is null or place like %(prefix)s)"
        " and (%(states)s::text[] is null or state = any(%(states)s))"
        " and (%(kinds)s::text[] is null or kind = any(%(kinds)s))"
        " and (%(assignee)s::text is null or assignee = %(assignee)s)"
        " and (%(overdue)s::timestamptz is null"
        " or (due_until <= %(overdue)s and state in ('planned', 'assigned', 'missed')))"
        " and (%(due)s::timestamptz is null or (due_until, task_ref) > (%(due)s, %(task)s))"
        " order by due_until, task_ref limit %(limit)s",
        {
            "incident": incident_ref,
            "exact": exact,
            "prefix": None if exact is not None or not wanted.place else wanted.place + "%",
            "states": [state.value for state in wanted.states] or None,
            "kinds": [kind.value for kind in wanted.kinds] or None,
            "assignee": wanted.assignee,
            "overdue": wanted.overdue_at,
            "due": None if after is None else after[0],
            "task": None if after is None else after[1],
            "limit": limit,
        },
    )
    return [task_of(row) for row in rows]


def unassigned(write: Write, incident_ref: int, place: str, limit: int) -> list[PersonRef]:
    """People of a county whom nobody was told to look after, by number; locked until the transaction ends."""
    rows = write.rows(
        "select person_ref from followup where incident_ref = %s and place = %s and closed_at is null"
        " and assignee is null order by person_ref limit %s for update",
        (incident_ref, place, limit),
    )
    return [PersonRef(row[0]) for row in rows]


def load(read: Read, assignees: Sequence[str]) -> dict[str, int]:
    """How many people each of these looks after now, in all incidents."""
    rows = read.rows(
        "select assignee, count(*) from followup where assignee = any(%s) and closed_at is null group by assignee",
        (list(assignees),),
    )
    return dict.fromkeys(assignees, 0) | dict(rows)


def assign(write: Write, incident_ref: int, persons: Sequence[PersonRef], assignee: str, at: datetime) -> int:
    """These people, their open tasks and all that will come are this assignee's; how many tasks."""
    write.execute(
        "update followup set assignee = %s where incident_ref = %s and person_ref = any(%s) and closed_at is null",
        (assignee, incident_ref, list(persons)),
    )
    return write.execute(
        "update followup_task set state = 'assigned', assignee = %s, changed_at = %s"
        " where incident_ref = %s and person_ref = any(%s) and state in ('planned', 'assigned')",
        (assignee, at, incident_ref, list(persons)),
    )
