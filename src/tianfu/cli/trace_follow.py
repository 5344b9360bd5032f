"""`tianfu trace follow`: tasks of an incident, from planning to done."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import click

from tianfu.cli.follow_parts import local, note, opened, person_argument, plural
from tianfu.cli.instant import InstantParameter
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock, shanghai_day
from tianfu.errors import Fault, InputInvalidError
from tianfu.ids import format_person_ref, parse_person_ref
from tianfu.platform.database import Database, Purpose
from tianfu.tracing import incidents, interviews
from tianfu.tracing.followup import planning, work, work_store
from tianfu.tracing.followup.model import LOST_REASONS, OUTCOMES, Task
from tianfu.tracing.followup.plan import TaskKind, TaskState
from tianfu.tracing.followup.rule_schedule import schedules_of
from tianfu.tracing.followup.work_store import Filter
from tianfu.tracing.incidents import Incident

_EPILOG: Final = """\b
Examples:
  tianfu trace follow 2022-510112-003 plan
  tianfu trace follow 2022-510112-003 assign --place 510112
  tianfu trace follow 2022-510112-003 tasks --place 510112 --kind test
  tianfu trace follow 2022-510112-003 done 1204 --outcome well
  tianfu trace follow 2022-510112-003 overdue
"""


@click.group(epilog=_EPILOG)
@click.argument("incident")
@click.pass_context
def command(ctx: click.Context, incident: str) -> None:
    """Follow up the confirmed contacts of INCIDENT."""
    ctx.obj = incident


@command.command()
@click.option("--extend", is_flag=True, help="Go on with those whom nobody met at the end, day by day.")
@click.option("--at", type=InstantParameter(), help="As of this instant; now when left out.")
@click.pass_obj
def plan(number: str, at: datetime | None, *, extend: bool) -> None:
    """Plan the tasks, close tests by results, mark what was missed.

    Running it again changes nothing but what the list, the rules or the ledger changed.
    """
    now = at or SystemClock().now()
    with opened() as (database, _):
        incident = _incident(database, number)
        schedules = schedules_of(incident.rules, shanghai_day(now))
        planned = planning.plan_incident(database, incident, schedules, at=now, extend=extend)
        synced = work.sync(database, incident.incident_ref, at=now)
        missed = work.sweep(database, at=now)
        with database.write(Purpose.OPERATOR) as write:
            note(write, "follow_up_plan", now, incident=number, detail={"people": planned.people})
    click.echo(f"{plural(planned.people, 'confirmed contact')}: {planned.begun:,} begun, {planned.replanned:,} changed")
    click.echo(f"{plural(planned.inserted, 'task')} planned, {planned.cancelled:,} cancelled")
    if planned.closed:
        click.echo(f"{plural(planned.closed, 'person')} off the list")
    click.echo(f"{synced.done:,} closed by results, {synced.reopened:,} opened again; {missed:,} missed everywhere")


@command.command()
@click.option("--place", default="", help="A county, or the first digits of one.")
@click.option("--state", "states", multiple=True, type=click.Choice([state.value for state in TaskState]))
@click.option("--kind", "kinds", multiple=True, type=click.Choice([kind.value for kind in TaskKind]))
@click.option("--assignee", help="An account, or team:510112.")
@click.option("--limit", type=click.IntRange(1, work.PAGE_TASKS_MAX), default=50, show_default=True)
@click.pass_obj
def tasks(
    number: str, place: str, states: tuple[str, ...], kinds: tuple[str, ...], assignee: str | None, limit: int
) -> None:
    """List tasks in the order in which they are due."""
    wanted = Filter(
        place=place,
        states=tuple(map(TaskState, states)),
        kinds=tuple(map(TaskKind, kinds)),
        assignee=assignee,
    )
    _list(number, wanted, limit)


@command.command()
@click.option("--place", default="", help="A county, or the first digits of one.")
@click.option("--limit", type=click.IntRange(1, work.PAGE_TASKS_MAX), default=50, show_default=True)
@click.pass_obj
def overdue(number: str, place: str, limit: int) -> None:
    """List what was not done in its time, the oldest first."""
    _list(number, Filter(place=place, overdue_at=SystemClock().now()), limit)


@command.command()
@click.option("--place", required=True, help="The county whose people are assigned.")
@click.option("--to", "assignee", help="An account or team:510112; in turn to the county's field workers without it.")
@person_argument
@click.pass_obj
def assign(number: str, place: str, assignee: str | None, persons: tuple[str, ...]) -> None:
    """Assign people: those named to one, or all who have nobody in turn."""
    if (assignee is None) == bool(persons):
        sentence = ("--to 与人员编号须同时给出。", "--to and the people go together.")
        raise InputInvalidError(faults=(Fault("to", "to", *sentence),))
    now = SystemClock().now()
    with opened() as (database, _):
        incident = _incident(database, number)
        with database.write(Purpose.OPERATOR) as write:
            if assignee is None:
                done = work.assign_in_turn(write, incident.incident_ref, place, at=now)
            else:
                named = [parse_person_ref(person) for person in persons]
                done = work.assign_to(write, incident.incident_ref, place, named, assignee, at=now)
            note(write, "follow_up_assign", now, incident=number, detail={"people": done.people, "place": place})
    click.echo(f"{plural(done.people, 'person')}, {plural(done.tasks, 'task')}")
    for name, share in done.shares:
        click.echo(f"  {name:<32} {share:,}")


@command.command()
@click.argument("task", type=int)
@click.option(
    "--outcome",
    required=True,
    help="; ".join(f"{kind.value}: {', '.join(sorted(outcomes))}" for kind, outcomes in OUTCOMES.items()),
)
@click.option("--at", type=InstantParameter(), help="When it was done; now when left out.")
@click.pass_obj
def done(number: str, task: int, outcome: str, at: datetime | None) -> None:
    """Write down that TASK was done, and with what outcome."""
    now = SystemClock().now()
    with opened() as (database, _), database.write(Purpose.OPERATOR) as write:
        found = work.done(write, task, outcome=outcome, by=terminal_actor(), done_at=at or now, at=now)
        note(write, "follow_up_done", now, incident=number, person=found.person, detail={"outcome": outcome})
    click.echo(f"{task}: {found.kind.value} of day {found.day} done, {outcome}")


@command.command()
@click.argument("task", type=int)
@click.option("--reason", required=True, type=click.Choice(sorted(LOST_REASONS)))
@click.pass_obj
def lost(number: str, task: int, reason: str) -> None:
    """Write down that the person of TASK was not found."""
    now = SystemClock().now()
    with opened() as (database, _), database.write(Purpose.OPERATOR) as write:
        found = work.lost(write, task, reason=reason, by=terminal_actor(), at=now)
        note(write, "follow_up_lost", now, incident=number, person=found.person, detail={"reason": reason})
    click.echo(f"{task}: not found, {reason}")


@command.command()
@click.argument("person")
@click.option("--core-facts-at", type=InstantParameter(), help="Now when left out.")
@click.option("--reported-at", type=InstantParameter(), help="When the report was there, if it is.")
@click.pass_obj
def interviewed(number: str, person: str, core_facts_at: datetime | None, reported_at: datetime | None) -> None:
    """Write down when the core facts of the case PERSON were there."""
    now = SystemClock().now()
    case = parse_person_ref(person)
    with opened() as (database, _), database.write(Purpose.OPERATOR) as write:
        incident = incidents.find(write, number)
        interviews.record(
            write,
            incident.incident_ref,
            case,
            core_facts_at=core_facts_at or now,
            reported_at=reported_at,
            by=terminal_actor(),
            at=now,
        )
        note(write, "case_interviewed", now, incident=number, person=case)
    click.echo(f"{format_person_ref(case)}: core facts {local(core_facts_at or now)}, report {local(reported_at)}")


def _list(number: str, wanted: Filter, limit: int) -> None:
    now = SystemClock().now()
    with opened() as (database, _), database.write(Purpose.OPERATOR) as write:
        incident = incidents.find(write, number)
        found = work_store.page(write, incident.incident_ref, wanted, after=None, limit=limit)
        note(write, "follow_up_list", now, incident=number, detail={"count": len(found)})
    if not found:
        click.echo("there is no such task")
    for task in found:
        click.echo(_line(task))


def _line(task: Task) -> str:
    what = f"{task.kind.value} day {task.day}"
    became = task.outcome or task.reason or ""
    return (
        f"{task.task_ref:>8}  {local(task.due_until)}  {format_person_ref(task.person)}  {task.place}"
        f"  {what:<15} {task.state.value:<9} {task.assignee or '-':<16} {became}".rstrip()
    )


def _incident(database: Database, number: str) -> Incident:
    with database.read(Purpose.OPERATOR) as read:
        return incidents.find(read, number)
