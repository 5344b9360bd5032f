"""Hand-overs: asked by the county that follows somebody, answered by the one that is asked, within a day.

Another province has no account here: the county that asked enters its answer.
"""

from __future__ import annotations

from typing import Final

from litestar import Response, post
from litestar.params import FromPath, RawBody

from tianfu.access.accounts import Account
from tianfu.access.decide import Resource, require
from tianfu.access.roles import Action, Purpose
from tianfu.clock import shanghai_day
from tianfu.console import pages
from tianfu.console.followup import By, may_assign, noted
from tianfu.console.followup_forms import AnswerForm, HandoverAnswer, HandoverForm, HandoverPage, HandoverQuery
from tianfu.console.parts import ConsoleParts, operator
from tianfu.console.purposes import PurposeForm
from tianfu.ids import parse_person_ref
from tianfu.platform import database as db
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.tracing import incidents, rule_files
from tianfu.tracing.followup import handover, handover_store
from tianfu.tracing.followup.handover import HandoverNotFoundError
from tianfu.tracing.followup.handover_store import Handover
from tianfu.tracing.followup.letter import compose


@post(
    "/incidents/{incident_no:str}/handovers",
    status_code=201,
    operation_class=documented(HandoverForm),
    sync_to_thread=True,
)
def ask(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> HandoverAnswer:
    """Offer people of my county to another county or province; until they are accepted they stay mine."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(HandoverForm, body)
    by = may_assign(account, sent.from_place, sent.stated)
    persons = [parse_person_ref(person) for person in sent.people]
    with console.database.write(db.Purpose.OPERATOR) as write:
        incident = incidents.find(write, incident_no)
        hours = rule_files.in_force(shanghai_day(at), incident.rules).rules.clocks.handover
        asked = handover.ask(
            write,
            incident.incident_ref,
            persons,
            from_place=sent.from_place,
            to_place=sent.to_place,
            by=account.username,
            at=at,
            answer_hours=hours,
        )
        for person in sorted(set(persons)):
            detail: dict[str, str | int] = {"place": sent.to_place, "number": asked.handover_ref}
            noted(write, by, "handover_ask", at, incident=incident_no, person=person, detail=detail)
    return HandoverAnswer.of(asked)


@post(
    "/handovers/{handover_ref:int}/answer",
    status_code=200,
    operation_class=documented(AnswerForm),
    sync_to_thread=True,
)
def answer(request: AnyRequest, console: ConsoleParts, handover_ref: FromPath[int], body: RawBody) -> HandoverAnswer:
    """Take people over, or return them with a reason."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(AnswerForm, body)
    persons = [parse_person_ref(person) for person in sent.people] or None
    with console.database.write(db.Purpose.OPERATOR) as write:
        found = handover_store.find(write, handover_ref)
        if found is None:
            raise HandoverNotFoundError
        answering = found.to_place if handover.in_province(found.to_place) else found.from_place
        by = may_assign(account, answering, sent.stated)
        if sent.accept:
            answered = handover.accept(write, handover_ref, by=account.username, at=at, persons=persons)
        else:
            answered = handover.refuse(
                write, handover_ref, reason=sent.reason or "", by=account.username, at=at, persons=persons
            )
        action = "handover_accept" if sent.accept else "handover_refuse"
        detail = {"number": handover_ref, "people": answered.accepted if sent.accept else answered.refused}
        noted(write, by, action, at, detail=detail)
    return HandoverAnswer.of(answered)


@post("/handovers", status_code=200, operation_class=documented(HandoverQuery), sync_to_thread=True)
def handovers(request: AnyRequest, console: ConsoleParts, body: RawBody) -> HandoverPage:
    """A page of the hand-overs from or to my place, by the hour their answer is due. Nobody is named."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(HandoverQuery, body)
    may_assign(account, sent.place, sent.stated)
    key = pages.after(sent.after, 1)
    with console.database.read(db.Purpose.OPERATOR) as read:
        found = handover_store.page(
            read,
            sent.place,
            after=None if key is None else (key[0], key[1][0]),
            limit=sent.limit,
            open_only=not sent.every,
            overdue_at=at if sent.overdue else None,
        )
    last = found[-1] if len(found) == sent.limit else None
    return HandoverPage(
        tuple(HandoverAnswer.of(one) for one in found),
        None if last is None else pages.cursor(last.due_at, last.handover_ref),
    )


@post(
    "/handovers/{handover_ref:int}/letter",
    status_code=200,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def letter(request: AnyRequest, console: ConsoleParts, handover_ref: FromPath[int], body: RawBody) -> Response[bytes]:
    """The letter to another province as CSV: names and phones of those still asked about, each opening in the trail."""
    at = console.clock.now()
    account = operator(console, request, at)
    purpose = read_body(PurposeForm, body).stated
    with console.database.write(db.Purpose.OPERATOR) as write:
        found = handover_store.find(write, handover_ref)
        if found is None or handover.in_province(found.to_place):
            raise HandoverNotFoundError
        by = _may_export(account, found, purpose)
        people = handover_store.people(write, handover_ref)
        asked = [person for person, (state, _) in people.items() if state == handover.ASKED]
        made = compose(write, found, asked, pseudonym=console.pseudonym, at=at)
        handover_store.set_file(write, handover_ref, made.file, made.digest)
        for person in asked:
            noted(write, by, "handover_letter", at, person=person, detail={"number": handover_ref})
    disposition = f'attachment; filename="{made.file}"'
    return Response(made.content, media_type="text/csv; charset=utf-8", headers={"content-disposition": disposition})


def _may_export(account: Account, found: Handover, purpose: Purpose) -> By:
    place = Resource(found.from_place)
    return By(account, purpose, require(account.principal, Action.EXPORT_CONTACTS, place, purpose=purpose))


HANDLERS: Final = (ask, answer, handovers, letter)
