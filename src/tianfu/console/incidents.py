"""Incidents over the operators' API: open and close them, their cases, runs, the list in pages, and why.

Every request states its purpose in its body (`tianfu.console.purposes`), and no person is in an address. Answers about
people are read under `READ_INCIDENT` at the incident's place; somebody who holds it elsewhere sees the people who live
there.
"""

from __future__ import annotations

from typing import Final

from litestar import post
from litestar.params import FromPath, RawBody

from tianfu.access.decide import Resource, require
from tianfu.access.roles import Action
from tianfu.console.incident_access import changing, districts, reading
from tianfu.console.incident_forms import (
    AskedAnswer,
    CaseAnswer,
    CaseForm,
    ChildrenForm,
    ContactPage,
    IncidentAnswer,
    ListForm,
    OpenForm,
    PageForm,
    PeriodForm,
    PersonForm,
    RunForm,
    TraceRunAnswer,
    WhyAnswer,
)
from tianfu.console.parts import ConsoleParts, operator
from tianfu.console.purposes import PurposeForm
from tianfu.errors import Fault, InputInvalidError
from tianfu.ids import parse_person_ref
from tianfu.lake import permit
from tianfu.platform import database as db
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.tracing import acting, asked, automatic, cases, incidents, pages, rule_files, run, why
from tianfu.tracing.acting import Actor
from tianfu.tracing.asked import Asked
from tianfu.tracing.incidents import IncidentClosedError
from tianfu.tracing.infectious import Period
from tianfu.tracing.page_store import Filters
from tianfu.tracing.pages import PAGE_ROWS_MAX, AnnouncedPage, Counts

# Hops that a rule set can have.
HOPS_MAX: Final = 16


@post("/incidents", status_code=201, operation_class=documented(OpenForm), sync_to_thread=True)
def open_incident(request: AnyRequest, console: ConsoleParts, body: RawBody) -> IncidentAnswer:
    """Open an incident in a county of mine."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(OpenForm, body)
    grant = require(account.principal, Action.OPEN_INCIDENT, Resource(sent.place), purpose=sent.stated)
    if sent.rules is not None:
        rule_files.find(sent.rules)
    actor = Actor.operator(account.username, grant, sent.stated)
    with console.database.write(db.Purpose.OPERATOR) as write:
        opened = incidents.open_incident(write, actor, place=sent.place, rules=sent.rules, at=at)
    return IncidentAnswer.of(opened)


@post("/incidents/list", status_code=200, operation_class=documented(ListForm), sync_to_thread=True)
def list_incidents(request: AnyRequest, console: ConsoleParts, body: RawBody) -> list[IncidentAnswer]:
    """The incidents of my districts, newest first; names nobody."""
    account = operator(console, request, console.clock.now())
    sent = read_body(ListForm, body)
    scopes = districts(account, Action.READ_INCIDENT, sent.stated)
    with console.database.read(db.Purpose.OPERATOR) as read:
        found = incidents.listed(read, scopes, with_closed=sent.with_closed, before=sent.before)
    return [IncidentAnswer.of(incident) for incident in found]


@post("/incidents/{incident_no:str}", status_code=200, operation_class=documented(PurposeForm), sync_to_thread=True)
def incident(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> IncidentAnswer:
    """One incident; names nobody."""
    account = operator(console, request, console.clock.now())
    purpose = read_body(PurposeForm, body).stated
    with console.database.read(db.Purpose.OPERATOR) as read:
        found = incidents.find(read, incident_no)
    require(account.principal, Action.READ_INCIDENT, Resource(found.place), purpose=purpose)
    return IncidentAnswer.of(found)


@post(
    "/incidents/{incident_no:str}/closing",
    status_code=204,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def close_incident(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> None:
    """Close an incident of mine; its list stays readable."""
    at = console.clock.now()
    account = operator(console, request, at)
    purpose = read_body(PurposeForm, body).stated
    with console.database.write(db.Purpose.OPERATOR) as write:
        _, _, actor = changing(write, account, incident_no, Action.OPEN_INCIDENT, purpose)
        incidents.close(write, actor, incident_no, at=at)


@post(
    "/incidents/{incident_no:str}/reopening",
    status_code=204,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def reopen_incident(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> None:
    """Open an incident of mine again; the tracer brings its list to the present."""
    at = console.clock.now()
    account = operator(console, request, at)
    purpose = read_body(PurposeForm, body).stated
    with console.database.write(db.Purpose.OPERATOR) as write:
        _, _, actor = changing(write, account, incident_no, Action.OPEN_INCIDENT, purpose)
        incidents.reopen(write, actor, incident_no, at=at)


@post("/incidents/{incident_no:str}/cases", status_code=201, operation_class=documented(CaseForm), sync_to_thread=True)
def add_case(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> CaseAnswer:
    """Make somebody a case. Without a period it is worked out from what the ledger says of them."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(CaseForm, body)
    person = parse_person_ref(sent.person)
    with console.database.write(db.Purpose.OPERATOR) as write:
        found, _, actor = changing(write, account, incident_no, Action.TRACE, sent.stated)
        known = automatic.positive_of(write, person, found.rules, at=at)
        if sent.infectious_from is not None:
            period = Period(sent.infectious_from, sent.infectious_to)
        elif known is not None:
            period = known.period if sent.infectious_to is None else Period(known.period.since, sent.infectious_to)
        else:
            fault = Fault(
                "infectious_from", "missing", "台账中没有此人的阳性记录，请填写感染期。",
                "The ledger knows no positive of this person; please state the period.",
            )  # fmt: skip
            raise InputInvalidError(faults=(fault,))
        stated = sent.infectious_from is not None or sent.infectious_to is not None
        evidence_id = None if known is None else known.evidence_id
        cases.add(write, actor, incident_no, person, period, at=at, stated=stated, evidence_id=evidence_id)
        return CaseAnswer.of(cases.find(write, incident_no, person))


@post(
    "/incidents/{incident_no:str}/cases/list",
    status_code=200,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def list_cases(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody
) -> list[CaseAnswer]:
    """The cases of an incident, those that were withdrawn too."""
    at = console.clock.now()
    account = operator(console, request, at)
    purpose = read_body(PurposeForm, body).stated
    found = reading(
        console,
        account,
        incident_no,
        purpose,
        "incident_cases",
        lambda read, incident, _: cases.listed(read, incident.incident_ref, with_withdrawn=True),
        at=at,
    )
    return [CaseAnswer.of(case) for case in found]


@post(
    "/incidents/{incident_no:str}/cases/withdrawal",
    status_code=204,
    operation_class=documented(PersonForm),
    sync_to_thread=True,
)
def withdraw_case(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> None:
    """Take a case out: what only it supported leaves the list."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(PersonForm, body)
    person = parse_person_ref(sent.person)
    with console.database.write(db.Purpose.OPERATOR) as write:
        _, _, actor = changing(write, account, incident_no, Action.TRACE, sent.stated)
        cases.withdraw(write, actor, incident_no, person, at=at)


@post(
    "/incidents/{incident_no:str}/cases/period",
    status_code=200,
    operation_class=documented(PeriodForm),
    sync_to_thread=True,
)
def change_period(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> CaseAnswer:
    """Say since when and until when a case could infect others; evidence does not move it any more."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(PeriodForm, body)
    person = parse_person_ref(sent.person)
    with console.database.write(db.Purpose.OPERATOR) as write:
        _, _, actor = changing(write, account, incident_no, Action.TRACE, sent.stated)
        since = sent.infectious_from or cases.find(write, incident_no, person).infectious_from
        cases.change_period(write, actor, incident_no, person, Period(since, sent.infectious_to), stated=True, at=at)
        return CaseAnswer.of(cases.find(write, incident_no, person))


@post("/incidents/{incident_no:str}/runs", status_code=202, operation_class=documented(RunForm), sync_to_thread=True)
def ask_run(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> AskedAnswer:
    """Have the incident traced; the answer's number tells how it goes. Other rules or hops are kept for later runs."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(RunForm, body)
    purpose = sent.stated
    if sent.hops is not None and not 1 <= sent.hops <= HOPS_MAX:
        fault = Fault("hops", "range", f"层数应为 1 到 {HOPS_MAX}。", f"Between 1 and {HOPS_MAX} hops.")
        raise InputInvalidError(faults=(fault,))
    if sent.rules is not None:
        rule_files.find(sent.rules)
    if sent.as_of is not None:
        run.require_as_of(sent.as_of, at)
    with console.database.write(db.Purpose.OPERATOR) as write:
        found, _, actor = changing(write, account, incident_no, Action.TRACE, purpose)
        if found.closed_at is not None:
            raise IncidentClosedError
        incidents.set_terms(write, actor, incident_no, rules=sent.rules, hops=sent.hops, at=at)
        allowed = permit.for_operator(
            write, account.principal, account.username, incident=incident_no, place=found.place, purpose=purpose, at=at
        )
        wanted = Asked(number=incident_no, actor=actor, permit=allowed, as_of=sent.as_of, everything=sent.everything)
        return AskedAnswer(asked.ask(write, wanted, at=at))


@post(
    "/incidents/{incident_no:str}/runs/{run:int}",
    status_code=200,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def run_progress(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], run: FromPath[int], body: RawBody
) -> TraceRunAnswer:
    """How a run that was asked for stands; counts only, names nobody."""
    account = operator(console, request, console.clock.now())
    purpose = read_body(PurposeForm, body).stated
    with console.database.read(db.Purpose.OPERATOR) as read:
        found = incidents.find(read, incident_no)
        require(account.principal, Action.READ_INCIDENT, Resource(found.place), purpose=purpose)
        stands = asked.progress(read, incident_no, run)
    return TraceRunAnswer(state=stands.state, error=stands.error, report=stands.report)


@post("/incidents/{incident_no:str}/people", status_code=200, operation_class=documented(PageForm), sync_to_thread=True)
def people_page(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> ContactPage:
    """A page of the list, by hop, exposure and person; `after` of one page asks for the next."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(PageForm, body)
    wanted = Filters(tier=sent.tier, hop=sent.hop, state=sent.state, place=sent.place)
    page = reading(
        console,
        account,
        incident_no,
        sent.stated,
        "incident_people",
        lambda read, incident, scopes: pages.page(
            read, incident.incident_ref, wanted.within(scopes), after=sent.after, limit=sent.limit or PAGE_ROWS_MAX
        ),
        at=at,
        people_elsewhere=True,
    )
    return ContactPage.of(page)


@post(
    "/incidents/{incident_no:str}/counts", status_code=200, operation_class=documented(PurposeForm), sync_to_thread=True
)
def counts(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> Counts:
    """The list in numbers: by tier, hop, state, county and day."""
    at = console.clock.now()
    account = operator(console, request, at)
    purpose = read_body(PurposeForm, body).stated
    return reading(
        console,
        account,
        incident_no,
        purpose,
        "incident_counts",
        lambda read, incident, scopes: pages.counts(read, incident.incident_ref, scopes=scopes),
        at=at,
        people_elsewhere=True,
    )


@post("/incidents/{incident_no:str}/why", status_code=200, operation_class=documented(PersonForm), sync_to_thread=True)
def why_listed(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> WhyAnswer:
    """Why somebody is listed: the chain from the case, each link with place and minutes. The person sees it."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(PersonForm, body)
    person = parse_person_ref(sent.person)
    purpose = sent.stated
    found = reading(console, account, incident_no, purpose, "incident_why", lambda _, incident, __: incident, at=at)
    with console.database.write(db.Purpose.OPERATOR) as write:
        _, _, actor = changing(write, account, incident_no, Action.TRACE, purpose)
        allowed = permit.for_operator(
            write, account.principal, account.username, incident=incident_no, place=found.place, purpose=purpose, at=at
        )
        acting.record(write, actor, "incident_why", incident_no, at=at, person=person, purpose=purpose)
    return WhyAnswer.of(why.explain(console.database, console.lake, found, person, permit=allowed, at=at))


@post(
    "/incidents/{incident_no:str}/through",
    status_code=200,
    operation_class=documented(ChildrenForm),
    sync_to_thread=True,
)
def listed_through(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody
) -> ContactPage:
    """Who is listed through a case or a contact: one level of the chain, in pages by person."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(ChildrenForm, body)
    person = parse_person_ref(sent.person)
    page = reading(
        console,
        account,
        incident_no,
        sent.stated,
        "incident_through",
        lambda read, incident, scopes: pages.children(
            read, incident.incident_ref, person, scopes=scopes, after=sent.after, limit=sent.limit or PAGE_ROWS_MAX
        ),
        at=at,
    )
    return ContactPage.of(page)


@post(
    "/incidents/{incident_no:str}/announcements",
    status_code=200,
    operation_class=documented(PageForm),
    sync_to_thread=True,
)
def announced(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> AnnouncedPage:
    """Places whose crowds are told together, with the scans withheld; names nobody. Only `after` and `limit` count."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(PageForm, body)
    return reading(
        console,
        account,
        incident_no,
        sent.stated,
        "incident_announcements",
        lambda read, incident, _: pages.announcements(
            read, incident.incident_ref, after=sent.after, limit=sent.limit or PAGE_ROWS_MAX
        ),
        at=at,
    )


ROUTES: Final = [
    open_incident,
    list_incidents,
    incident,
    close_incident,
    reopen_incident,
    add_case,
    list_cases,
    withdraw_case,
    change_period,
    ask_run,
    run_progress,
    people_page,
    counts,
    why_listed,
    listed_through,
    announced,
]
