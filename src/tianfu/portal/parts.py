"""What the residents' API is made of, put together once per process by a service."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from tianfu.access import store as access_store
from tianfu.access.session import Audience, Session, SessionExpiredError, SessionInvalidError, SessionKeys
from tianfu.clock import Clock
from tianfu.ids import PersonRef
from tianfu.platform import api
from tianfu.platform.database import Database, Purpose
from tianfu.platform.pseudonym import Pseudonym
from tianfu.platform.rates import Rate
from tianfu.policy.publish import Policies
from tianfu.portal.issue import Issuing
from tianfu.residents.claim import Desk
from tianfu.residents.proofing import MessageSender

COOKIE: Final = "tianfu_session"
# A month: longer than the 14 days of a declaration, so that nobody is asked for a password at a gate.
SESSION_SECONDS: Final = 30 * 86_400


class Portal(msgspec.Struct, frozen=True, kw_only=True):
    """The parts. `passwords` and `tries` bound what one address may ask for."""

    environment: str
    version: str
    public_origin: str
    database: Database
    pseudonym: Pseudonym
    desk: Desk
    messages: MessageSender
    policies: Policies
    sessions: SessionKeys
    issuing: Issuing
    clock: Clock
    passwords: Rate
    tries: Rate

    @property
    def is_sandbox(self) -> bool:
        """Whether identities are not really checked."""
        return self.desk.proofing.is_sandbox


PortalParts = NamedDependency[SkipValidation[Portal]]
"""How a handler asks for the parts."""


def new_rates() -> tuple[Rate, Rate]:
    """The bounds on password messages and on tries for one address.

    Thousands of phones share one address behind a carrier's translator, so these stop a flood and not a guess: the
    limits on guesses are on the phone and on the challenge. Ten a second is a busy district and no flood.
    """
    return Rate(per_minute=600, burst=600), Rate(per_minute=1_200, burst=1_200)


def present(portal: Portal, request: Request[Any, Any, Any], at: datetime) -> Session:
    """The resident's session that came with the request. Raises `SessionInvalidError` or `SessionExpiredError`."""
    token = api.token_of(request, COOKIE)
    if not token:
        raise SessionInvalidError
    session = portal.sessions.open(token, int(at.timestamp()), audience=Audience.RESIDENT)
    with portal.database.read(Purpose.RESIDENT) as read:
        if access_store.is_revoked(read, session.session_id):
            raise SessionExpiredError
    return session


def person_of(session: Session) -> PersonRef:
    """Whose session it is."""
    return PersonRef(session.subject)
