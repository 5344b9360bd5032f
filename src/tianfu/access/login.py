"""Operators signing in, and who a presented operator session stands for now."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tianfu.access import accounts, passwords, store
from tianfu.access.accounts import Account
from tianfu.access.session import Session, SessionExpiredError
from tianfu.audit import trail
from tianfu.errors import TianfuError
from tianfu.platform.database import Database, Purpose, Read

_UNKNOWN_ACTOR: Final = "unknown"


class OperatorLoginFailedError(TianfuError):
    """Username and password do not belong together, or the account is locked or closed; which of these is not said."""

    code = "operator_login_failed"
    status = 401
    zh = f"用户名或口令不正确。连续 {accounts.FAILURES_MAX} 次错误将锁定 {accounts.LOCK_MINUTES} 分钟。"
    en = (
        f"Username or password is not right. {accounts.FAILURES_MAX} failures in a row lock the account for"
        f" {accounts.LOCK_MINUTES} minutes."
    )


def sign_in(database: Database, *, username: str, password: str, at: datetime) -> Account:
    """The account. Raises `OperatorLoginFailedError`.

    Unknown, locked and closed accounts cost the same statements and the same scrypt as a wrong password does, and
    each try leaves a trail entry.
    """
    with database.write(Purpose.OPERATOR) as write:
        under_way = accounts.begin_try(write, username, at)
    right = passwords.fits(password, under_way.password_hash if under_way else None)
    with database.write(Purpose.OPERATOR) as write:
        known = right and under_way is not None
        if right and under_way is not None:
            accounts.clear_failures(write, under_way.account_ref)
        account = accounts.get(write, under_way.account_ref if under_way else 0)
        trail.record(
            write,
            trail.Entry(
                at=at,
                actor_kind="operator",
                actor=account.username if account else _UNKNOWN_ACTOR,
                action="login" if known else "login_refused",
                purpose="login",
            ),
        )
    if not known or account is None:
        raise OperatorLoginFailedError
    return account


def account_of(read: Read, session: Session) -> Account:
    """The open account behind a session that has not been ended. Raises `SessionExpiredError`.

    Roles are read anew, so that what was taken away is gone at the next request.
    """
    account = accounts.get(read, session.subject)
    if account is None or account.closed or store.is_revoked(read, session.session_id):
        raise SessionExpiredError
    return account
