"""The funnel through the operators' API: run it, undo, run again, look at who is on the list and why.

Running it takes the right to trace at the incident's place; its counts, the right to read the incident. People are
read for a stated purpose, all of an incident by who may read it, a county's own by who may there. Each reading is
counted and in the trail, refused ones too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from litestar import post
from litestar.params import FromPath, RawBody

from tianfu.access.accounts import Account
from tianfu.access.decide import Resource, require
from tianfu.access.roles import Action, Purpose
from tianfu.console.incident_access import ask
from tianfu.console.parts import Console, ConsoleParts, operator
from tianfu.console.purposes import PurposeForm
from tianfu.console.screening_forms import (
    FunnelForm,
    PageForm,
    PersonForm,
    ScreeningRunAnswer,
    StandingAnswer,
    StandingPage,
    ThresholdsForm,
)
from tianfu.errors import Fault, InputInvalidError, NotFoundError
from tianfu.ids import PersonRef, format_person_ref, parse_person_ref
from tianfu.lake.permit import for_operator
from tianfu.platform import database as db
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.platform.database import Write
from tianfu.tracing import incidents
from tianfu.tracing.incidents import Incident
from tianfu.tracing.screening import funnel_files, judge, noted, screenings, store
from tianfu.tracing.screening.lake_scans import from_lake
from tianfu.tracing.screening.screenings import Run
from tianfu.tracing.screening.store import PersonRow, Wanted

_Making = Callable[[Write, Incident, str, datetime], Run]


@post(
    "/incidents/{incident_no:str}/screening",
    status_code=201,
    operation_class=documented(FunnelForm),
    sync_to_thread=True,
)
def begin_screening(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody
) -> ScreeningRunAnswer:
    """Gather what the sources say of the incident now, and run a funnel on it. Earlier screenings stay."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(FunnelForm, body)
    loaded = funnel_files.find(console.funnels, sent.funnel or funnel_files.DEFAULT)
    with console.database.write(db.Purpose.OPERATOR) as write:
        place = incidents.find(write, incident_no).place
        # Recorded before the visits are opened, whatever becomes of the screening.
        permit = for_operator(
            write,
            account.principal,
            account.username,
            incident=incident_no,
            place=place,
            purpose=sent.stated,
            at=at,
        )
    scanned = from_lake(console.lake, permit)
    return _made(
        console,
        request,
        incident_no,
        sent.stated,
        lambda write, incident, by, at: screenings.begin(write, incident, loaded, by=by, at=at, scanned=scanned),
    )


@post(
    "/incidents/{incident_no:str}/screening/current",
    status_code=200,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def read_screening(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody
) -> ScreeningRunAnswer:
    """The newest run of the newest screening, step by step; no people."""
    account = operator(console, request, console.clock.now())
    purpose = read_body(PurposeForm, body).stated
    with console.database.read(db.Purpose.OPERATOR) as read:
        incident = _readable(account, incidents.find(read, incident_no), purpose)
        return ScreeningRunAnswer.of(screenings.current(read, incident))


@post(
    "/incidents/{incident_no:str}/screening/runs",
    status_code=200,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def read_runs(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody
) -> list[ScreeningRunAnswer]:
    """The runs of the newest screening, newest first: who undid or changed what."""
    account = operator(console, request, console.clock.now())
    purpose = read_body(PurposeForm, body).stated
    with console.database.read(db.Purpose.OPERATOR) as read:
        incident = _readable(account, incidents.find(read, incident_no), purpose)
        return [ScreeningRunAnswer.of(run) for run in screenings.history(read, incident)]


@post(
    "/incidents/{incident_no:str}/screening/steps/{step:str}/undoing",
    status_code=200,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def undo_step(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], step: FromPath[str], body: RawBody
) -> ScreeningRunAnswer:
    """Run again without this step; the later steps are applied anew."""
    return _made(
        console,
        request,
        incident_no,
        read_body(PurposeForm, body).stated,
        lambda write, incident, by, at: screenings.undo(write, incident, step, by=by, at=at),
    )


@post(
    "/incidents/{incident_no:str}/screening/steps/{step:str}/redoing",
    status_code=200,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def redo_step(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], step: FromPath[str], body: RawBody
) -> ScreeningRunAnswer:
    """Run again with a step that was undone."""
    return _made(
        console,
        request,
        incident_no,
        read_body(PurposeForm, body).stated,
        lambda write, incident, by, at: screenings.redo(write, incident, step, by=by, at=at),
    )


@post(
    "/incidents/{incident_no:str}/screening/steps/{step:str}/thresholds",
    status_code=200,
    operation_class=documented(ThresholdsForm),
    sync_to_thread=True,
)
def rerun_step(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], step: FromPath[str], body: RawBody
) -> ScreeningRunAnswer:
    """Run again with other thresholds at this step, and with what the field has judged since."""
    sent = read_body(ThresholdsForm, body)
    return _made(
        console,
        request,
        incident_no,
        sent.stated,
        lambda write, incident, by, at: screenings.rerun(write, incident, step, sent.thresholds, by=by, at=at),
    )


@post(
    "/incidents/{incident_no:str}/screening/pages",
    status_code=200,
    operation_class=documented(PageForm),
    sync_to_thread=True,
)
def read_page(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> StandingPage:
    """People of the newest run, by step, reason and county."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(PageForm, body)
    if not 1 <= sent.limit <= store.PAGE_MAX:
        fault = Fault("limit", "limit", f"应为 1 至 {store.PAGE_MAX}", f"must be 1 to {store.PAGE_MAX}")
        raise InputInvalidError(faults=(fault,))
    counties = screenings.county_range(sent.county or "")
    after = 0 if sent.after is None else parse_person_ref(sent.after)
    rows: list[PersonRow] = []
    with console.database.write(db.Purpose.OPERATOR) as write:
        incident = incidents.find(write, incident_no)
        run = screenings.current(write, incident)
        wanted = Wanted(
            listed=sent.listed,
            reason=screenings.reason_code(sent.reason),
            step=screenings.step_position(run.definition, sent.step),
            county=counties,
            unknown_county=sent.county is None,
        )
        asked = ask(write, account, incident, sent.stated, at, county=sent.county)
        if asked.allowed:
            rows = store.page(write, run.run_ref, wanted, after=after, limit=sent.limit)
        asked.record(write, noted.READ, noted.REFUSED, detail={"channel": "console", "count": len(rows)})
    asked.require(console)
    people = tuple(StandingAnswer.of(screenings.standing(run.definition, row)) for row in rows)
    full = len(rows) == sent.limit
    return StandingPage(people=people, next=format_person_ref(PersonRef(rows[-1].person_ref)) if full else None)


@post(
    "/incidents/{incident_no:str}/screening/people",
    status_code=200,
    operation_class=documented(PersonForm),
    sync_to_thread=True,
)
def read_person(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody
) -> StandingAnswer:
    """Why somebody is on the list or off it: what each step said, and what the field judged. The person sees it."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(PersonForm, body)
    person, purpose = parse_person_ref(sent.person), sent.stated
    with console.database.write(db.Purpose.OPERATOR) as write:
        incident = incidents.find(write, incident_no)
        run = screenings.current(write, incident)
        row = store.person(write, run.run_ref, person)
        county = f"{row.county:06d}" if row is not None and row.county else None
        asked = ask(write, account, incident, purpose, at, county=county)
        told = None if row is None else screenings.standing(run.definition, row)
        judgement = judge.latest(write, incident, person)
        asked.record(write, noted.READ, noted.REFUSED, person=person, detail={"channel": "console"})
    asked.require(console)
    if told is None:
        raise NotFoundError
    return StandingAnswer.of(told, judgement)


def _made(console: Console, request: AnyRequest, number: str, purpose: Purpose, make: _Making) -> ScreeningRunAnswer:
    """A run that the asker may make, in the trail with it."""
    at = console.clock.now()
    account = operator(console, request, at)
    with console.database.write(db.Purpose.BATCH) as write:
        incident = incidents.find(write, number)
        require(account.principal, Action.TRACE, Resource(incident.place), purpose=purpose)
        run = make(write, incident, account.username, at)
        noted.run(write, incident, run, actor=account.username, at=at, channel="console", purpose=purpose)
    return ScreeningRunAnswer.of(run)


def _readable(account: Account, incident: Incident, purpose: Purpose) -> Incident:
    require(account.principal, Action.READ_INCIDENT, Resource(incident.place), purpose=purpose)
    return incident


HANDLERS: Final = (begin_screening, read_screening, read_runs, undo_step, redo_step, rerun_step, read_page, read_person)
