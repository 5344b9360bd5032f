"""Who a presented operator session stands for, now and not when it was issued."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.clock import NOON
from tests.support.control import PASSWORD
from tianfu.access import accounts, login, store
from tianfu.access.roles import Role
from tianfu.access.session import Audience, Session, SessionExpiredError
from tianfu.platform.database import Database, Purpose


@pytest.fixture
def session(database: Database) -> Session:
    """A session of an account without roles."""
    with database.write(Purpose.OPERATOR) as write:
        accounts.create(write, username="li.na", display_name="李娜", password=PASSWORD, at=NOON)
    account = login.sign_in(database, username="li.na", password=PASSWORD, at=NOON)
    return Session(Audience.OPERATOR, b"12345678", account.account_ref, 0, "", "", int(NOON.timestamp()) + 60)


def test_a_role_given_after_signing_in_counts_at_once(database: Database, session: Session) -> None:
    with database.write(Purpose.OPERATOR) as write:
        accounts.grant(write, username="li.na", role=Role.DESK, district="5101")

    with database.read(Purpose.OPERATOR) as read:
        assert [grant.role for grant in login.account_of(read, session).grants] == [Role.DESK]


def test_an_ended_session_stands_for_nobody(database: Database, session: Session) -> None:
    with database.write(Purpose.OPERATOR) as write:
        for _ in range(2):
            store.revoke_session(write, session.session_id, expires_at=NOON + timedelta(minutes=1), at=NOON)

    with database.read(Purpose.OPERATOR) as read, pytest.raises(SessionExpiredError):
        login.account_of(read, session)


def test_ended_sessions_are_listed_while_they_would_still_live_and_then_forgotten(
    database: Database, session: Session
) -> None:
    ends = NOON + timedelta(minutes=1)
    with database.write(Purpose.OPERATOR) as write:
        store.revoke_session(write, session.session_id, expires_at=ends, at=NOON)
        listed = store.revoked_sessions(write, NOON)
        later = store.revoked_sessions(write, ends)
        forgotten = store.delete_expired_sessions(write, ends)

    assert (listed, later, forgotten) == ([session.session_id], [], 1)


def test_every_try_leaves_a_trail_entry(database: Database, session: Session) -> None:
    del session
    for username in ("li.na", "nobody"):
        with pytest.raises(login.OperatorLoginFailedError):
            login.sign_in(database, username=username, password="wrong password", at=NOON)

    with database.read(Purpose.OPERATOR) as read:
        rows = read.rows("select actor, action from audit_trail order by trail_id")
    assert rows == [("li.na", "login"), ("li.na", "login_refused"), ("unknown", "login_refused")]
