"""Messages to contacts and announcements of places: put in line, looked at. They are sent by `tianfu trace notify`."""

from __future__ import annotations

from typing import Final

from litestar import post
from litestar.params import FromPath, RawBody

from tianfu.clock import shanghai_day
from tianfu.console.followup import may_assign, noted
from tianfu.console.followup_forms import NoticeAnswer, NoticeForm, NoticeTextAnswer, NoticeTextForm
from tianfu.console.parts import Console, ConsoleParts, operator
from tianfu.console.purposes import PurposeForm
from tianfu.errors import NotFoundError
from tianfu.ids import parse_person_ref
from tianfu.platform import database as db
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.tracing import incidents
from tianfu.tracing.followup.rule_schedule import schedules_of
from tianfu.tracing.incidents import Incident
from tianfu.tracing.notices import send, store, texts
from tianfu.tracing.notices.send import Message


@post(
    "/incidents/{incident_no:str}/notices", status_code=200, operation_class=documented(NoticeForm), sync_to_thread=True
)
def queue(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> NoticeAnswer:
    """Put messages in line; who has had the same text gets none. How many are in each state then."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(NoticeForm, body)
    incident = _incident(console, incident_no)
    by = may_assign(account, incident.place, sent.stated)
    loaded = texts.load(texts.FILE)
    if sent.places:
        with console.database.write(db.Purpose.OPERATOR) as write:
            queued = send.queue_places(write, incident, loaded, by=account.username, at=at)
    else:
        schedules = schedules_of(incident.rules, shanghai_day(at))
        message = Message(loaded, schedules, account.username, at, sent.form, sent.audience)
        persons = [parse_person_ref(person) for person in sent.people] or None
        queued = send.queue_contacts(console.database, incident, message, persons=persons)
    with console.database.write(db.Purpose.OPERATOR) as write:
        noted(write, by, "notice_queue", at, incident=incident_no, detail={"count": queued})
        return _states(write, incident)


@post(
    "/incidents/{incident_no:str}/notices/counts",
    status_code=200,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def states(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> NoticeAnswer:
    """How many messages are in each state."""
    account = operator(console, request, console.clock.now())
    purpose = read_body(PurposeForm, body).stated
    incident = _incident(console, incident_no)
    may_assign(account, incident.place, purpose)
    with console.database.read(db.Purpose.OPERATOR) as read:
        return _states(read, incident)


@post(
    "/incidents/{incident_no:str}/notices/text",
    status_code=200,
    operation_class=documented(NoticeTextForm),
    sync_to_thread=True,
)
def text(request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody) -> NoticeTextAnswer:
    """What one person would be told; nothing is queued."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(NoticeTextForm, body)
    person = parse_person_ref(sent.person)
    incident = _incident(console, incident_no)
    by = may_assign(account, incident.place, sent.stated)
    with console.database.write(db.Purpose.OPERATOR) as write:
        followed = store.followed(write, incident.incident_ref, after=0, limit=1, persons=[person])
        noted(write, by, "notice_read", at, incident=incident_no, person=person)
    if not followed:
        raise NotFoundError
    told = send.told_of(followed[0], schedules_of(incident.rules, shanghai_day(at)), sent.audience)
    return NoticeTextAnswer(texts.contact_text(texts.load(texts.FILE), told, form=sent.form, language=sent.language))


def _incident(console: Console, number: str) -> Incident:
    with console.database.read(db.Purpose.OPERATOR) as read:
        return incidents.find(read, number)


def _states(read: db.Read, incident: Incident) -> NoticeAnswer:
    return NoticeAnswer({one.state: one.count for one in store.counts(read, incident.incident_ref)})


HANDLERS: Final = (queue, states, text)
