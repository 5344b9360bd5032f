"""Follow-up: epidemiologists plan and assign, field workers see and do the tasks of their county.

Every page and every opening of a person is in the trail, in the transaction that read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from litestar import post
from litestar.params import FromPath, RawBody

from tianfu.access import budget
from tianfu.access.accounts import Account
from tianfu.access.budget import ReadBudgetSpentError
from tianfu.access.decide import Allowed, ForbiddenError, Grant, Resource, decide, require
from tianfu.access.roles import Action, Purpose
from tianfu.audit import trail
from tianfu.clock import shanghai_day
from tianfu.console import pages
from tianfu.console.followup_forms import (
    AssignAnswer,
    AssignForm,
    InterviewForm,
    OutcomeForm,
    PlanAnswer,
    PlanForm,
    TaskAnswer,
    TaskPage,
    TaskQuery,
)
from tianfu.console.parts import Console, ConsoleParts, operator
from tianfu.console.purposes import PurposeForm
from tianfu.errors import Fault, InputInvalidError
from tianfu.ids import PersonRef, parse_person_ref
from tianfu.platform import database as db
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.platform.database import Write
from tianfu.tracing import incidents, interviews
from tianfu.tracing.followup import contact_details, planning, store, work, work_store
from tianfu.tracing.followup.contact_details import ContactDetails
from tianfu.tracing.followup.model import TEAM_PREFIX, Task, TaskNotFoundError
from tianfu.tracing.followup.plan import TaskState
from tianfu.tracing.followup.rule_schedule import schedules_of
from tianfu.tracing.followup.work_store import Filter

OPENED: Final = "follow_up_open"
# A task that can still be done is what opens a person's details.
_WORKABLE: Final = frozenset({TaskState.PLANNED, TaskState.ASSIGNED, TaskState.MISSED})


class By(NamedTuple):
    """Who does something, for which stated purpose and by which right; `grant` None: by none."""

    account: Account
    purpose: Purpose
    grant: Grant | None = None


@post(
    "/incidents/{incident_no:str}/follow-up/plan",
    status_code=200,
    operation_class=documented(PlanForm),
    sync_to_thread=True,
)
def plan_tasks(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> PlanAnswer:
    """Plan the tasks of every confirmed contact; again changes only what the list, rules or ledger changed."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(PlanForm, body)
    with console.database.read(db.Purpose.OPERATOR) as read:
        incident = incidents.find(read, incident_no)
    by = may_assign(account, incident.place, sent.stated)
    schedules = schedules_of(incident.rules, shanghai_day(at))
    planned = planning.plan_incident(console.database, incident, schedules, at=at, extend=sent.extend)
    synced = work.sync(console.database, incident.incident_ref, at=at)
    with console.database.write(db.Purpose.OPERATOR) as write:
        noted(write, by, "follow_up_plan", at, incident=incident_no, detail={"people": planned.people})
    return PlanAnswer(
        people=planned.people,
        begun=planned.begun,
        replanned=planned.replanned,
        closed=planned.closed,
        inserted=planned.inserted,
        cancelled=planned.cancelled,
        done_by_results=synced.done,
        reopened=synced.reopened,
    )


@post("/incidents/{incident_no:str}/tasks", status_code=200, operation_class=documented(TaskQuery), sync_to_thread=True)
def tasks(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> TaskPage:
    """A page of the tasks of a county (or prefecture, for whoever is responsible there), in the order they are due."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(TaskQuery, body)
    by = asked(console, By(account, sent.stated), "follow_up_list_refused", at, may_see, sent.place)
    wanted = Filter(
        place=sent.place,
        states=sent.states,
        kinds=sent.kinds,
        assignee=account.username if sent.mine else None,
        overdue_at=at if sent.overdue else None,
    )
    key = pages.after(sent.after, 1)
    with console.database.write(db.Purpose.OPERATOR) as write:
        incident = incidents.find(write, incident_no)
        position = None if key is None else (key[0], key[1][0])
        found = work_store.page(write, incident.incident_ref, wanted, after=position, limit=sent.limit)
        noted(write, by, "follow_up_list", at, incident=incident_no, detail={"count": len(found)})
    last = found[-1] if len(found) == sent.limit else None
    return TaskPage(
        tuple(TaskAnswer.of(task) for task in found),
        None if last is None else pages.cursor(last.due_until, last.task_ref),
    )


@post(
    "/incidents/{incident_no:str}/assignments",
    status_code=200,
    operation_class=documented(AssignForm),
    sync_to_thread=True,
)
def assign(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> AssignAnswer:
    """Assign people of a county, with the tasks they have and will have."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(AssignForm, body)
    by = may_assign(account, sent.place, sent.stated)
    if (sent.assignee is None) == bool(sent.people):
        sentence = ("被分派者与人员须同时给出。", "The assignee and the people go together.")
        raise InputInvalidError(faults=(Fault("assignee", "assignee", *sentence),))
    persons = [parse_person_ref(person) for person in sent.people]
    with console.database.write(db.Purpose.OPERATOR) as write:
        incident_ref = incidents.find(write, incident_no).incident_ref
        if sent.assignee is None:
            done = work.assign_in_turn(write, incident_ref, sent.place, at=at)
        else:
            done = work.assign_to(write, incident_ref, sent.place, persons, sent.assignee, at=at)
        detail: dict[str, str | int] = {"people": done.people, "place": sent.place}
        noted(write, by, "follow_up_assign", at, incident=incident_no, detail=detail)
    return AssignAnswer(people=done.people, tasks=done.tasks, shares=dict(done.shares))


@post("/tasks/{task_ref:int}/person", status_code=200, operation_class=documented(PurposeForm), sync_to_thread=True)
def open_person(request: AnyRequest, console: ConsoleParts, task_ref: FromPath[int], body: RawBody) -> ContactDetails:
    """Name and phone of the person of a task that is mine or my team's and still to be done.

    Counted, and written where the person sees it. Anything else is refused alike, and that is written down too.
    """
    at = console.clock.now()
    account = operator(console, request, at)
    purpose = read_body(PurposeForm, body).stated
    details: ContactDetails | None = None
    with console.database.write(db.Purpose.OPERATOR) as write:
        within = budget.spend(write, account.account_ref, at)
        task = store.task(write, task_ref)
        by = None if task is None else _may_do(account, task, purpose)
        allowed = within and task is not None and by is not None and task.state in _WORKABLE
        if allowed and task is not None:
            details = contact_details.opened(write, task.person, pseudonym=console.pseudonym)
        action = OPENED if allowed else f"{OPENED}_refused"
        noted(write, by or By(account, purpose), action, at, person=None if task is None else task.person)
    if not within:
        console.log.error("an account has spent its reading budget", code=ReadBudgetSpentError.code)
        raise ReadBudgetSpentError
    if details is None:
        raise ForbiddenError
    return details


@post("/tasks/{task_ref:int}/outcome", status_code=200, operation_class=documented(OutcomeForm), sync_to_thread=True)
def outcome(request: AnyRequest, console: ConsoleParts, task_ref: FromPath[int], body: RawBody) -> TaskAnswer:
    """Write down what became of a task of mine, my team's, or of a county where I may assign."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(OutcomeForm, body)
    if (sent.outcome is None) == (sent.lost is None):
        sentence = ("请填写结果或失联原因之一。", "Please give the outcome, or why the person was not found.")
        raise InputInvalidError(faults=(Fault("outcome", "outcome", *sentence),))
    with console.database.write(db.Purpose.OPERATOR) as write:
        task = store.task(write, task_ref)
        if task is None:
            raise TaskNotFoundError
        by = _may_do(account, task, sent.stated) or may_assign(account, task.place, sent.stated)
        if sent.outcome is not None:
            done_at = sent.done_at or at
            work.done(write, task_ref, outcome=sent.outcome, by=account.username, done_at=done_at, at=at)
        elif sent.lost is not None:
            work.lost(write, task_ref, reason=sent.lost, by=account.username, at=at)
        detail = {"kind": task.kind.value, "outcome": sent.outcome or "lost"}
        noted(write, by, "follow_up_outcome", at, person=task.person, detail=detail)
        after_it = store.task(write, task_ref)
    return TaskAnswer.of(after_it or task)


@post(
    "/incidents/{incident_no:str}/interviews",
    status_code=204,
    operation_class=documented(InterviewForm),
    sync_to_thread=True,
)
def interviewed(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> None:
    """Write down when the core facts and the report of a case were there."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(InterviewForm, body)
    person = parse_person_ref(sent.person)
    with console.database.write(db.Purpose.OPERATOR) as write:
        incident = incidents.find(write, incident_no)
        by = may_assign(account, incident.place, sent.stated)
        interviews.record(
            write,
            incident.incident_ref,
            person,
            core_facts_at=sent.core_facts_at,
            reported_at=sent.reported_at,
            by=account.username,
            at=at,
        )
        noted(write, by, "case_interviewed", at, incident=incident_no, person=person)


def may_assign(account: Account, place: str, purpose: Purpose) -> By:
    """By what somebody may plan, assign and hand over there for `purpose`. Raises `ForbiddenError`."""
    return By(account, purpose, require(account.principal, Action.ASSIGN_FOLLOW_UP, Resource(place), purpose=purpose))


def may_see(account: Account, place: str, purpose: Purpose) -> By:
    """By what somebody may see tasks there, to do or to assign them. Raises `ForbiddenError`."""
    return _following(account, place, purpose) or may_assign(account, place, purpose)


def asked(
    console: Console, by: By, refused: str, at: datetime, may: Callable[[Account, str, Purpose], By], place: str
) -> By:
    """By what `may` says that people there may be read; a refusal goes into the trail as `refused` and is raised."""
    try:
        return may(by.account, place, by.purpose)
    except ForbiddenError:
        with console.database.write(db.Purpose.OPERATOR) as write:
            noted(write, by, refused, at)
        raise


def noted(
    write: Write,
    by: By,
    action: str,
    at: datetime,
    *,
    incident: str = "",
    person: PersonRef | None = None,
    detail: Mapping[str, str | int] | None = None,
) -> None:
    """Put what an operator did into the trail, with the purpose they stated; comes last in its transaction."""
    role = {} if by.grant is None else {"role": by.grant.role.value}
    trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="operator",
            actor=by.account.username,
            action=action,
            purpose=by.purpose.value,
            person=person,
            subject=f"incident:{incident}" if incident else "",
            detail=role | dict(detail or {}),
        ),
    )


def _may_do(account: Account, task: Task, purpose: Purpose) -> By | None:
    """By what somebody may do this task: theirs or their county's team's, in their county."""
    mine = task.assignee in {account.username, TEAM_PREFIX + task.place}
    return _following(account, task.place, purpose) if mine else None


def _following(account: Account, place: str, purpose: Purpose) -> By | None:
    verdict = decide(account.principal, Action.FOLLOW_UP, Resource(place), purpose=purpose)
    return By(account, purpose, verdict.grant) if isinstance(verdict, Allowed) else None


HANDLERS: Final = (plan_tasks, tasks, assign, open_person, outcome, interviewed)
