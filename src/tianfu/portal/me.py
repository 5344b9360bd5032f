"""What a resident sees and states of themselves. Everything here is about the person of the session and nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from litestar import Response, get, post
from litestar.params import RawBody

from tianfu.access.session import SessionInvalidError
from tianfu.audit import trail
from tianfu.errors import InputInvalidError
from tianfu.platform import api
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.platform.database import Purpose
from tianfu.policy.explain import Explanation, explain
from tianfu.policy.model import Decision
from tianfu.portal import declare
from tianfu.portal.forms import (
    ConsentForm,
    DeclarationAnswer,
    DeclarationForm,
    MeAnswer,
    ReadAnswer,
    UndecidedAnswer,
)
from tianfu.portal.parts import PortalParts, person_of, present
from tianfu.residents import consents, profile
from tianfu.status import store as statuses
from tianfu.status.read import LAPSE_GRACE_SECONDS

READS_SHOWN_MAX: Final = 200
LAPSE_GRACE: Final = timedelta(seconds=LAPSE_GRACE_SECONDS)


@get("/me", sync_to_thread=True)
def me(request: AnyRequest, portal: PortalParts) -> MeAnswer:
    """What is stored of me, masked."""
    person = person_of(present(portal, request, portal.clock.now()))
    with portal.database.read(Purpose.RESIDENT) as read:
        found = profile.find(read, person, pseudonym=portal.pseudonym)
        status = statuses.read_many(read, [person]).get(person)
        missing = consents.missing(read, person)
    if found is None:
        # The session outlived the record: a database restored or reset.
        raise SessionInvalidError
    return MeAnswer(
        masked_name=found.masked_name,
        masked_document=found.masked_document,
        masked_phone=found.masked_phone,
        claimed_at=found.claimed_at,
        language=found.language,
        declared_until=status.decision.declared_until if status else None,
        consents_missing=missing,
    )


@post("/me/consents", status_code=204, operation_class=documented(ConsentForm), sync_to_thread=True)
def give_consents(request: AnyRequest, portal: PortalParts, body: RawBody) -> None:
    """Agree, at the first opening after an old city code was taken over or to a new text. Twice changes nothing."""
    at = portal.clock.now()
    person = person_of(present(portal, request, at))
    sent = read_body(ConsentForm, body)
    faults = consents.inspect(sent.consents, sent.consent_version)
    if faults:
        raise InputInvalidError(faults=faults)
    with portal.database.write(Purpose.RESIDENT) as write:
        consents.record(write, person, sent.consents, at)


@post("/me/declarations", status_code=201, operation_class=documented(DeclarationForm), sync_to_thread=True)
def declare_health(request: AnyRequest, portal: PortalParts, body: RawBody) -> DeclarationAnswer:
    """Declare my health for the next 14 days; the colour follows within about a second."""
    at = portal.clock.now()
    person = person_of(present(portal, request, at))
    sent = read_body(DeclarationForm, body)
    checked = declare.check(sent.symptoms, sent.temperature_decidegrees, truthful=sent.truthful)
    with portal.database.write(Purpose.RESIDENT) as write:
        declared_until = declare.declare(write, person, checked, at=at)
    return DeclarationAnswer(declared_until=declared_until)


@get("/me/decision", sync_to_thread=True)
def my_decision(request: AnyRequest, portal: PortalParts) -> Response[Explanation | UndecidedAnswer]:
    """My colour, each reason for it, what ends it and who answers for it."""
    at = portal.clock.now()
    person = person_of(present(portal, request, at))
    with portal.database.read(Purpose.RESIDENT) as read:
        status = statuses.read_many(read, [person]).get(person)
        told = portal.policies.as_told(read, status.decision, at) if status else None
    if told is None or _has_lapsed(told[1], at):
        return Response(UndecidedAnswer(at=at), status_code=202)
    policy, decision = told
    language = api.reader_language(request)
    return Response(explain(policy, decision, language), headers={"content-language": language})


def _has_lapsed(decision: Decision, at: datetime) -> bool:
    """Whether the decision should have changed by itself and has not: then it says nothing any more, as at the gate."""
    return decision.next_change_at is not None and at > decision.next_change_at + LAPSE_GRACE


@get("/me/reads", sync_to_thread=True)
def my_reads(request: AnyRequest, portal: PortalParts) -> list[ReadAnswer]:
    """Who looked at my record, newest first."""
    person = person_of(present(portal, request, portal.clock.now()))
    with portal.database.read(Purpose.RESIDENT) as read:
        entries = trail.reads_of(read, person, limit=READS_SHOWN_MAX, before=None)
    return [ReadAnswer(at=entry.at, role=entry.role, action=entry.action, purpose=entry.purpose) for entry in entries]
