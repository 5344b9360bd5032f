"""Before signing in: what this is, one-time passwords, claiming, signing in and out."""

from __future__ import annotations

from datetime import UTC, datetime

from litestar import Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.params import RawBody

from tianfu.access import store as access_store
from tianfu.access.channel import ENTRY_HEADER, channel_named
from tianfu.access.places import Division, sichuan
from tianfu.access.session import Audience, Session, SessionExpiredError, SessionInvalidError, new_session_id
from tianfu.ids import PersonRef
from tianfu.platform import api
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.platform.database import Purpose
from tianfu.portal.forms import (
    ChallengeAnswer,
    ClaimForm,
    ConsentsAnswer,
    InfoAnswer,
    LoginForm,
    PasswordForm,
    SessionAnswer,
)
from tianfu.portal.parts import COOKIE, SESSION_SECONDS, Portal, PortalParts
from tianfu.residents import claim, consents, login, otp, phones
from tianfu.residents.proofing import MessageNotSentError
from tianfu.status import store as statuses


@get("/info", sync_to_thread=False)
def info(portal: PortalParts) -> InfoAnswer:
    """What this installation is, and whether its identity checks are real."""
    return InfoAnswer(environment=portal.environment, sandbox=portal.is_sandbox, version=portal.version)


@get("/consents", sync_to_thread=False)
def consent_texts() -> ConsentsAnswer:
    """What is asked before a claim, word for word."""
    return ConsentsAnswer(version=consents.VERSION, purposes=consents.PURPOSES)


@get("/divisions", sync_to_thread=False)
def divisions() -> tuple[Division, ...]:
    """The province, its prefectures and counties."""
    return sichuan()


@post("/one-time-passwords", status_code=202, operation_class=documented(PasswordForm), sync_to_thread=True)
def send_password(request: AnyRequest, portal: PortalParts, body: RawBody) -> ChallengeAnswer:
    """Send a one-time password to a phone. The answer is the same whoever the phone belongs to."""
    portal.passwords.spend(api.client_address(request))
    phone = phones.parse(read_body(PasswordForm, body).phone)
    at = portal.clock.now()
    with portal.database.write(Purpose.RESIDENT) as write:
        begun = otp.begin(write, phone, pseudonym=portal.pseudonym, at=at)
    try:
        portal.messages.send(phone=phone, code=begun.code, language=api.reader_language(request))
    except MessageNotSentError:
        with portal.database.write(Purpose.RESIDENT) as write:
            otp.discard(write, begun)
        raise
    return ChallengeAnswer(
        challenge=begun.challenge,
        expires_in_seconds=otp.LIFE_SECONDS,
        resend_after_seconds=otp.RESEND_AFTER_SECONDS,
        sandbox_code=begun.code if portal.messages.shows_code else None,
    )


@post("/claims", status_code=201, operation_class=documented(ClaimForm), sync_to_thread=True)
def claim_code(request: AnyRequest, portal: PortalParts, body: RawBody) -> Response[SessionAnswer]:
    """Claim a code and sign in. Sent again with the same content it answers the same."""
    portal.tries.spend(api.client_address(request))
    sent = read_body(ClaimForm, body)
    at = portal.clock.now()
    form = claim.Form(
        name=sent.name,
        document_type=sent.document.type,
        document_number=sent.document.number,
        phone=sent.phone,
        challenge=sent.challenge,
        one_time_password=sent.one_time_password,
        district=sent.district,
        consents=sent.consents,
        consent_version=sent.consent_version,
        language=sent.language,
        ticket=sent.proofing_ticket,
    )
    claimed = claim.claim(claim.check(form, at=at), portal.desk, at=at)
    return _signed_in(portal, claimed.person, claimed.masked_name, claimed.masked_document, at, request)


@post("/sessions", status_code=201, operation_class=documented(LoginForm), sync_to_thread=True)
def sign_in(request: AnyRequest, portal: PortalParts, body: RawBody) -> Response[SessionAnswer]:
    """Sign in. Unknown document, other phone and wrong password are one refusal."""
    portal.tries.spend(api.client_address(request))
    sent = read_body(LoginForm, body)
    at = portal.clock.now()
    credentials = login.check(
        document_type=sent.document.type,
        document_number=sent.document.number,
        phone=sent.phone,
        challenge=sent.challenge,
        one_time_password=sent.one_time_password,
        at=at,
    )
    holder = login.login(credentials, database=portal.database, pseudonym=portal.pseudonym, at=at)
    # Millions taken over from an old city code wait for their first status; who opens the code goes before them.
    with portal.database.write(Purpose.RESIDENT) as write:
        if not statuses.read_many(write, [holder.person]):
            portal.desk.announce(write, holder.person, at)
    return _signed_in(portal, holder.person, holder.masked_name, holder.masked_document, at, request)


@delete("/sessions/current", status_code=204, sync_to_thread=True)
def sign_out(request: AnyRequest, portal: PortalParts) -> Response[None]:
    """End the session, here and at every gate. Without one, or with one that has ended, the answer is the same."""
    at = portal.clock.now()
    try:
        session = portal.sessions.open(api.token_of(request, COOKIE), int(at.timestamp()), audience=Audience.RESIDENT)
    except (SessionInvalidError, SessionExpiredError):
        session = None
    if session is not None:
        expires_at = datetime.fromtimestamp(session.expires_at, UTC)
        with portal.database.write(Purpose.RESIDENT) as write:
            access_store.revoke_session(write, session.session_id, expires_at=expires_at, at=at)
    gone = api.session_cookie(COOKIE, "", public_origin=portal.public_origin, seconds=0)
    return Response(None, status_code=204, cookies=[gone])


def _signed_in(
    portal: Portal, person: PersonRef, masked_name: str, masked_document: str, at: datetime, request: AnyRequest
) -> Response[SessionAnswer]:
    """The answer to a claim or sign-in, with the session in a cookie; it remembers the entry of `request`."""
    now = int(at.timestamp())
    session = Session(
        audience=Audience.RESIDENT,
        session_id=new_session_id(),
        subject=person,
        venue=0,
        masked_name=masked_name,
        masked_document=masked_document,
        expires_at=now + SESSION_SECONDS,
        channel=channel_named(request.headers.get(ENTRY_HEADER)),
    )
    cookie: Cookie = api.session_cookie(
        COOKIE, portal.sessions.issue(session, now), public_origin=portal.public_origin, seconds=SESSION_SECONDS
    )
    answer = SessionAnswer(
        masked_name=masked_name,
        masked_document=masked_document,
        expires_at=datetime.fromtimestamp(session.expires_at, UTC),
    )
    return Response(answer, status_code=201, cookies=[cookie])
