"""Operators signing in and out, and who they are."""

from __future__ import annotations

from datetime import UTC, datetime

from litestar import Response, delete, get, post
from litestar.params import RawBody

from tianfu.access import login
from tianfu.access import store as access_store
from tianfu.access.accounts import Account
from tianfu.access.channel import Channel
from tianfu.access.decide import ForbiddenError
from tianfu.access.roles import Role
from tianfu.access.session import Audience, Session, SessionExpiredError, SessionInvalidError, new_session_id
from tianfu.console.forms import OperatorAnswer, SignInForm, VenueName
from tianfu.console.parts import COOKIE, SESSION_SECONDS, ConsoleParts, session_of
from tianfu.platform import api
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.platform.database import Purpose, Read
from tianfu.venues import store as venues
from tianfu.venues.create import VENUES_PER_MANAGER_MAX
from tianfu.venues.model import Venue


@post("/sessions", status_code=201, operation_class=documented(SignInForm), sync_to_thread=True)
def sign_in(request: AnyRequest, console: ConsoleParts, body: RawBody) -> Response[OperatorAnswer]:
    """Sign in. A guard gets a session that can check codes at one venue: the one named, or the only one."""
    console.tries.spend(api.client_address(request))
    sent = read_body(SignInForm, body)
    at = console.clock.now()
    account = login.sign_in(console.database, username=sent.username, password=sent.password, at=at)
    with console.database.read(Purpose.OPERATOR) as read:
        guarded = _guarded(read, account)
        managed = _managed(read, account)
    post_venue = _post(guarded, managed, None if sent.venue is None else str(sent.venue), account)
    now = int(at.timestamp())
    session = Session(
        audience=Audience.OPERATOR if post_venue is None else Audience.GUARD,
        session_id=new_session_id(),
        subject=account.account_ref,
        venue=0 if post_venue is None else post_venue.venue_ref,
        masked_name="",
        masked_document="",
        expires_at=now + SESSION_SECONDS,
        channel=Channel.WEB if post_venue is None else Channel.GUARD,
    )
    cookie = api.session_cookie(
        COOKIE, console.sessions.issue(session, now), public_origin=console.public_origin, seconds=SESSION_SECONDS
    )
    return Response(_answer(account, guarded, managed, session.venue), status_code=201, cookies=[cookie])


@delete("/sessions/current", status_code=204, sync_to_thread=True)
def sign_out(request: AnyRequest, console: ConsoleParts) -> Response[None]:
    """End the session, here and at every gate. Without one, or with one that has ended, the answer is the same."""
    at = console.clock.now()
    try:
        session = session_of(console, request, at)
    except (SessionInvalidError, SessionExpiredError):
        session = None
    if session is not None:
        expires_at = datetime.fromtimestamp(session.expires_at, UTC)
        with console.database.write(Purpose.OPERATOR) as write:
            access_store.revoke_session(write, session.session_id, expires_at=expires_at, at=at)
    gone = api.session_cookie(COOKIE, "", public_origin=console.public_origin, seconds=0)
    return Response(None, status_code=204, cookies=[gone])


@get("/me", sync_to_thread=True)
def me(request: AnyRequest, console: ConsoleParts) -> OperatorAnswer:
    """Who I am, what I hold and where."""
    session = session_of(console, request, console.clock.now())
    with console.database.read(Purpose.OPERATOR) as read:
        account = login.account_of(read, session)
        return _answer(account, _guarded(read, account), _managed(read, account), session.venue)


def _guarded(read: Read, account: Account) -> list[Venue]:
    """Where the account may check codes; nowhere once the role is gone."""
    if all(grant.role is not Role.GUARD for grant in account.grants):
        return []
    return venues.guarded_by(read, account.account_ref, VENUES_PER_MANAGER_MAX)


def _managed(read: Read, account: Account) -> list[Venue]:
    return venues.managed_by(read, account.account_ref, VENUES_PER_MANAGER_MAX)


def _post(guarded: list[Venue], managed: list[Venue], named: str | None, account: Account) -> Venue | None:
    """The venue the session checks at. Raises `ForbiddenError` for one that the account is not bound to."""
    if named is not None:
        if found := next((venue for venue in guarded if str(venue.venue_ref) == named), None):
            return found
        raise ForbiddenError
    only_guard = {grant.role for grant in account.grants} == {Role.GUARD} and not managed
    return guarded[0] if only_guard and len(guarded) == 1 else None


def _answer(account: Account, guarded: list[Venue], managed: list[Venue], venue: int) -> OperatorAnswer:
    names = {item.venue_ref: VenueName(str(item.venue_ref), item.name) for item in (*guarded, *managed)}
    return OperatorAnswer(
        display_name=account.display_name,
        roles=tuple(dict.fromkeys(grant.role.value for grant in account.grants)),
        venues=tuple(names[number] for number in sorted(names)),
        venue=next((name for number, name in names.items() if number == venue), None),
    )
