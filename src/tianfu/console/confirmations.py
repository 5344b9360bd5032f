"""The field's judgements and the confirmation of results through the operators' API.

Whoever confirms is the account that asks. More than a few people wait until another account approves, or asks to take
them back as well.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from litestar import post
from litestar.params import FromPath, RawBody

from tianfu.access.accounts import Account
from tianfu.access.decide import Resource, require
from tianfu.access.roles import Action, Purpose
from tianfu.console.parts import ConsoleParts, operator
from tianfu.console.purposes import PurposeForm
from tianfu.console.screening_forms import (
    ConfirmationAnswer,
    ConfirmationForm,
    JudgementAnswer,
    JudgementForm,
    WithdrawalForm,
)
from tianfu.errors import Fault, InputInvalidError
from tianfu.evidence.kinds import ContactSetting, ContactTier
from tianfu.ids import parse_person_ref
from tianfu.platform import database as db
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.platform.database import Write
from tianfu.tracing import incidents
from tianfu.tracing.incidents import Incident
from tianfu.tracing.screening import confirm, judge, noted, screenings
from tianfu.tracing.screening.confirm import Choice, Confirmation
from tianfu.tracing.screening.judge import Finding, JudgedBy


@post(
    "/incidents/{incident_no:str}/judgements",
    status_code=201,
    operation_class=documented(JudgementForm),
    sync_to_thread=True,
)
def judge_person(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody
) -> JudgementAnswer:
    """Judge somebody a contact of a tier, or no contact; what was confirmed of the latter is withdrawn."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(JudgementForm, body)
    person = parse_person_ref(sent.person)
    tier = None if sent.tier is None else _tiers((sent.tier,))[0]
    reason = next((each for each in JudgedBy if each.value == sent.reason), None)
    if reason is None:
        raise InputInvalidError(faults=(Fault("reason", "reason", "没有这个判定理由", "there is no such reason"),))
    setting = next((each for each in ContactSetting if each.value == sent.setting), None)
    if sent.setting is not None and setting is None:
        raise InputInvalidError(faults=(Fault("setting", "setting", "没有这个判定依据", "there is no such setting"),))
    finding = Finding(tier=tier, reason=reason, setting=setting, exposed_at=sent.exposed_at)
    with console.database.write(db.Purpose.OPERATOR) as write:
        incident = _confirmable(account, incidents.find(write, incident_no), sent.stated)
        kept = judge.judge(write, incident, person, finding, by=account.username, at=at)
        noted.note(
            write,
            incident,
            noted.JUDGE,
            actor=account.username,
            at=at,
            person=person,
            purpose=sent.stated,
            detail={"outcome": sent.tier or "no_contact", "reason": reason.value, "channel": "console"},
        )
    return JudgementAnswer(kept)


@post(
    "/incidents/{incident_no:str}/confirmations",
    status_code=201,
    operation_class=documented(ConfirmationForm),
    sync_to_thread=True,
)
def confirm_contacts(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody
) -> ConfirmationAnswer:
    """Make results evidence: at once for a few people, else it waits for another account's approval."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(ConfirmationForm, body)
    tiers = _tiers(sent.tiers)
    person = None if sent.person is None else parse_person_ref(sent.person)
    with console.database.write(db.Purpose.BATCH) as write:
        incident = _confirmable(account, incidents.find(write, incident_no), sent.stated)
        run_ref = screenings.current(write, incident).run_ref if sent.screened else None
        choice = Choice(tiers=tiers, run_ref=run_ref, person=person)
        done = confirm.propose(write, incident, choice, by=account.username, at=at)
        noted.confirmation(
            write, incident, noted.CONFIRM, done, actor=account.username, at=at, channel="console", purpose=sent.stated
        )
    return ConfirmationAnswer.of(done)


@post(
    "/incidents/{incident_no:str}/confirmations/list",
    status_code=200,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def read_confirmations(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], body: RawBody
) -> list[ConfirmationAnswer]:
    """The confirmations of the incident, newest first; no people."""
    account = operator(console, request, console.clock.now())
    purpose = read_body(PurposeForm, body).stated
    with console.database.read(db.Purpose.OPERATOR) as read:
        incident = incidents.find(read, incident_no)
        require(account.principal, Action.READ_INCIDENT, Resource(incident.place), purpose=purpose)
        return [ConfirmationAnswer.of(each) for each in confirm.shown(read, incident)]


@post(
    "/incidents/{incident_no:str}/confirmations/{confirmation:int}/approval",
    status_code=200,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def approve_confirmation(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], confirmation: FromPath[int], body: RawBody
) -> ConfirmationAnswer:
    """Approve what another account asked for; everybody is confirmed, or nobody."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(PurposeForm, body)
    with console.database.write(db.Purpose.BATCH) as write:
        incident = _confirmable(account, incidents.find(write, incident_no), sent.stated)
        done = confirm.approve(write, incident, confirmation, by=account.username, at=at)
        noted.confirmation(
            write, incident, noted.CONFIRM, done, actor=account.username, at=at, channel="console", purpose=sent.stated
        )
    return ConfirmationAnswer.of(done)


@post(
    "/incidents/{incident_no:str}/confirmations/{confirmation:int}/withdrawal",
    status_code=200,
    operation_class=documented(WithdrawalForm),
    sync_to_thread=True,
)
def withdraw_confirmation(
    request: AnyRequest, console: ConsoleParts, incident_no: FromPath[str], confirmation: FromPath[int], body: RawBody
) -> ConfirmationAnswer:
    """Take a confirmation back: at once for a few people, else when another account asks for it too."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(WithdrawalForm, body)
    with console.database.write(db.Purpose.BATCH) as write:
        incident = _confirmable(account, incidents.find(write, incident_no), sent.stated)
        done = confirm.ask_back(write, incident, confirmation, by=account.username, reason=sent.reason, at=at)
        noted.confirmation(
            write, incident, noted.WITHDRAW, done, actor=account.username, at=at, channel="console", purpose=sent.stated
        )
    return ConfirmationAnswer.of(done)


def _confirmable(account: Account, incident: Incident, purpose: Purpose) -> Incident:
    require(account.principal, Action.CONFIRM_CONTACTS, Resource(incident.place), purpose=purpose)
    return incident


def _note(
    write: Write, incident: Incident, action: str, done: Confirmation, account: Account, purpose: Purpose, at: datetime
) -> None:
    by = account.username
    noted.confirmation(write, incident, action, done, actor=by, at=at, channel="console", purpose=purpose)


def _tiers(words: tuple[str, ...]) -> tuple[ContactTier, ...]:
    known = {tier.value: tier for tier in ContactTier}
    if not words or not known.keys() >= set(words):
        fault = Fault("tiers", "tier", "没有这个接触者类别", "there is no such tier of contacts")
        raise InputInvalidError(faults=(fault,))
    return tuple(known[word] for word in words)


HANDLERS: Final = (
    judge_person,
    confirm_contacts,
    read_confirmations,
    approve_confirmation,
    withdraw_confirmation,
)
