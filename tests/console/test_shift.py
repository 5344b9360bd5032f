"""Operators and guards signing in."""

from __future__ import annotations

from datetime import timedelta

from tests.support.control import PASSWORD, Browser, Control
from tianfu.access import accounts
from tianfu.access.roles import Role
from tianfu.access.session import Audience, SessionKeys
from tianfu.platform.database import Purpose
from tianfu.platform.keyring import GateKeys

SESSIONS = "/api/v1/console/sessions"


def test_unknown_username_wrong_password_and_locked_account_are_the_same_bytes(
    browser: Browser, control: Control
) -> None:
    control.account("wang.wei", (Role.DESK, "5101"))

    wrong = browser.ask("POST", SESSIONS, {"username": "wang.wei", "password": "not the password"})
    unknown = browser.ask("POST", SESSIONS, {"username": "li.na", "password": "not the password"})
    for _ in range(4):
        browser.ask("POST", SESSIONS, {"username": "wang.wei", "password": "not the password"})
    locked = browser.ask("POST", SESSIONS, {"username": "wang.wei", "password": PASSWORD})

    assert wrong.status_code == unknown.status_code == locked.status_code == 401
    assert wrong.content == unknown.content == locked.content
    assert wrong.json()["code"] == "operator_login_failed"


def test_a_locked_account_opens_again_after_a_quarter_of_an_hour(browser: Browser, control: Control) -> None:
    control.account("wang.wei")
    for _ in range(5):
        browser.ask("POST", SESSIONS, {"username": "wang.wei", "password": "not the password"})

    browser.clock.advance(timedelta(minutes=14, seconds=59))
    still = browser.sign_in("wang.wei")
    browser.clock.advance(timedelta(seconds=1))
    again = browser.sign_in("wang.wei")

    assert (still.status_code, again.status_code) == (401, 201)


def test_a_right_password_clears_earlier_failures(browser: Browser, control: Control) -> None:
    control.account("wang.wei")
    for _ in range(3):
        for _ in range(4):
            browser.ask("POST", SESSIONS, {"username": "wang.wei", "password": "not the password"})
        assert browser.sign_in("wang.wei").status_code == 201


def test_a_guard_of_one_venue_gets_a_session_that_checks_there(browser: Browser, control: Control) -> None:
    control.account("manager", (Role.VENUE_MANAGER, "510107"))
    guard = control.account("guard", (Role.GUARD, "510107"))
    venue = _venue(browser, "guard")

    answer = control.browser()
    signed_in = answer.sign_in("guard").json()

    keys = SessionKeys(GateKeys.load_or_create(control.folder / "keys" / "gate.json", clock=control.clock))
    session = keys.open(answer.http.cookies["tianfu_operator"], int(control.clock.now().timestamp()))
    assert signed_in["venue"] == {"venue_ref": venue, "name": "望江楼公园"}
    assert session.audience is Audience.GUARD
    assert (session.subject, session.venue) == (guard.account_ref, int(venue))
    assert answer.ask("GET", "/api/v1/console/me").json() == signed_in


def test_a_guard_cannot_name_a_venue_it_is_not_bound_to(browser: Browser, control: Control) -> None:
    control.account("manager", (Role.VENUE_MANAGER, "510107"))
    control.account("guard", (Role.GUARD, "510107"))
    control.account("stranger", (Role.GUARD, "510107"))
    venue = _venue(browser, "guard")

    assert control.browser().sign_in("stranger", venue=venue).json()["code"] == "forbidden"
    assert control.browser().sign_in("stranger").json()["venue"] is None


def test_a_session_ends_when_it_is_signed_out_or_the_account_is_closed(browser: Browser, control: Control) -> None:
    control.account("wang.wei")
    browser.sign_in("wang.wei")
    token = browser.http.cookies["tianfu_operator"]
    other = control.browser()
    other.sign_in("wang.wei")

    browser.ask("DELETE", f"{SESSIONS}/current")
    signed_out = browser.ask("GET", "/api/v1/console/me", Authorization=f"Bearer {token}")
    with control.database.write(Purpose.OPERATOR) as write:
        accounts.close(write, username="wang.wei", at=control.clock.now())
    closed = other.ask("GET", "/api/v1/console/me")

    assert signed_out.json()["code"] == "session_expired"
    assert closed.json()["code"] == "session_expired"


def test_a_resident_session_opens_no_console(browser: Browser) -> None:
    browser.claim()
    token = browser.http.cookies["tianfu_session"]

    answer = browser.ask("GET", "/api/v1/console/venues", Authorization=f"Bearer {token}")

    assert answer.json()["code"] == "session_invalid"


def _venue(browser: Browser, guard: str) -> str:
    """A venue of `manager` with `guard` bound to it."""
    browser.sign_in("manager")
    form = {"name": "望江楼公园", "category": "park", "district": "510107", "address": "望江路 30 号"}
    venue: str = browser.ask("POST", "/api/v1/console/venues", form).json()["venue_ref"]
    assert browser.ask("POST", f"/api/v1/console/venues/{venue}/guards", {"username": guard}).status_code == 204
    return venue
