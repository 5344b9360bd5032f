"""What the operators' API is made of, put together once per process by a service."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from tianfu.access import login
from tianfu.access.accounts import Account
from tianfu.access.session import Audience, Session, SessionInvalidError, SessionKeys
from tianfu.clock import Clock
from tianfu.platform import api
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import GateKeys
from tianfu.platform.observe import Log
from tianfu.platform.pseudonym import Pseudonym
from tianfu.platform.rates import Rate
from tianfu.policy.publish import Policies

COOKIE: Final = "tianfu_operator"
# A shift: whoever comes back the next day signs in again.
SESSION_SECONDS: Final = 12 * 3_600


class Console(msgspec.Struct, frozen=True, kw_only=True):
    """The parts.

    `tries` bounds the sign-ins from one address; `funnels` is the folder of screening funnels, `lake` of the visits.
    """

    public_origin: str
    database: Database
    keys: GateKeys
    sessions: SessionKeys
    policies: Policies
    funnels: Path
    lake: Path
    pseudonym: Pseudonym
    clock: Clock
    tries: Rate
    log: Log


ConsoleParts = NamedDependency[SkipValidation[Console]]
"""How a handler asks for the parts."""


def new_rate() -> Rate:
    """The bound on sign-ins from one address: an office starts at nine together, a guesser goes on all day."""
    return Rate(per_minute=30, burst=60)


def session_of(console: Console, request: Request[Any, Any, Any], at: datetime) -> Session:
    """The operator's or guard's session that came with the request, not looked up yet.

    Raises `SessionInvalidError` or `SessionExpiredError`.
    """
    token = api.token_of(request, COOKIE)
    if not token:
        raise SessionInvalidError
    session = console.sessions.open(token, int(at.timestamp()))
    if session.audience is Audience.RESIDENT:
        raise SessionInvalidError
    return session


def operator(console: Console, request: Request[Any, Any, Any], at: datetime) -> Account:
    """The account that asks, with the roles it holds now. Raises `SessionInvalidError` or `SessionExpiredError`."""
    session = session_of(console, request, at)
    with console.database.read(Purpose.OPERATOR) as read:
        return login.account_of(read, session)
