"""Looking somebody up by document: who may, what is told, how often, and that nobody learns who is registered.

Attacks 12 and 13 are in tests/attacks.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.control import PASSPORT, ZHANG, Browser, Control, publish_policy
from tests.support.database import TestServer
from tests.support.evidence import contact, declaration, lab_test
from tests.support.lookup import LOOKUP, NOBODY, form, known, on_duty, spend, venue_with
from tests.support.status import append, recompute_all
from tianfu.access import lookup_budget
from tianfu.access.lookup_budget import (
    ACCOUNT_PER_DAY_MAX,
    ACCOUNT_PER_HOUR_MAX,
    VENUE_PER_DAY_MAX,
    VENUE_PER_HOUR_MAX,
)
from tianfu.access.roles import Role
from tianfu.audit import trail, verify
from tianfu.ids import VenueRef
from tianfu.platform.database import Purpose
from tianfu.venues import store as venues


@pytest.fixture
def guard(control: Control) -> Browser:
    """A guard of the park, signed in."""
    publish_policy(control.database)
    venue_with(control, "guard")
    return on_duty(control, "guard")


def test_a_guard_learns_colour_test_and_the_digits_typed_and_nothing_else(control: Control, guard: Browser) -> None:
    person = known(control, ZHANG)
    append(control.database, lab_test(person, "t-1"), declaration(person, "d-1"), at=control.clock.now())
    recompute_all(control.database, at=control.clock.now())

    answer = guard.ask("POST", LOOKUP, form())

    assert answer.status_code == 200
    assert answer.json() == {
        "verdict": "looked_up",
        "colour": "green",
        "popup": "",
        "reason": "",
        "test": {"result": "negative", "hours": 10},
        "last_digits": ZHANG["number"][-4:],
        "checked_at": int(control.clock.now().timestamp()),
    }


def test_a_contact_is_yellow_or_red_here_too_with_the_class_of_the_reason(control: Control, guard: Browser) -> None:
    person = known(control, PASSPORT)
    append(control.database, contact(person, "c-1"), at=control.clock.now())
    recompute_all(control.database, at=control.clock.now())

    content = guard.ask("POST", LOOKUP, form(PASSPORT)).json()

    assert (content["colour"], content["reason"], content["last_digits"]) == ("red", "contact", "5678")


def test_the_person_sees_the_look_and_the_trail_names_venue_and_role_but_no_document(
    control: Control, guard: Browser
) -> None:
    holder = control.browser()
    holder.claim()

    guard.ask("POST", LOOKUP, form())
    guard.ask("POST", LOOKUP, form(NOBODY))

    (read,) = holder.ask("GET", "/api/v1/me/reads").json()
    assert (read["action"], read["purpose"], read["role"]) == ("id_lookup", "entry", "guard")
    with control.database.read(Purpose.OPERATOR) as opened:
        entries = [row.entry for row in trail.stored_rows(opened) if row.entry.action == "id_lookup"]
        assert verify.verify(opened).intact
    assert [entry.actor for entry in entries] == ["guard", "guard"]
    assert [entry.person is None for entry in entries] == [False, True]
    assert all(entry.detail.keys() == {"role", "venue", "kind"} for entry in entries)


def test_without_consent_nothing_is_looked_up(control: Control, guard: Browser) -> None:
    holder = control.browser()
    holder.claim()

    refused = guard.ask("POST", LOOKUP, form(consent=False))

    assert (refused.status_code, refused.json()["code"]) == (422, "consent_needed")
    assert holder.ask("GET", "/api/v1/me/reads").json() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purpose": "appeal"}, "purpose"),
        ({"document_number": ZHANG["number"][:-1] + "ABC"}, "document.number"),
        ({"document_type": "library_card"}, "document.type"),
        ({"document_number": "1" * 60_000}, "document.number"),
        ({"consent": "yes"}, "consent"),
    ],
)
def test_a_form_that_cannot_be_meant_is_refused_by_field(guard: Browser, changes: dict[str, Any], field: str) -> None:
    refused = guard.ask("POST", LOOKUP, form(**changes))

    assert refused.status_code == 422
    assert [fault["field"] for fault in refused.json()["faults"]] == [field]


@pytest.mark.parametrize("role", [Role.DESK, Role.EPIDEMIOLOGIST, Role.ADMINISTRATOR, Role.AUDITOR, Role.VENUE_MANAGER])
def test_no_other_role_looks_people_up_by_document(control: Control, role: Role) -> None:
    publish_policy(control.database)
    control.account("somebody", (role, ""))
    somebody = control.browser()
    somebody.sign_in("somebody")

    assert somebody.ask("POST", LOOKUP, form()).json()["code"] == "forbidden"


def test_a_guard_who_is_bound_no_longer_or_whose_venue_has_closed_looks_nobody_up(
    control: Control, guard: Browser
) -> None:
    manager = control.browser()
    manager.sign_in("manager")
    venue = manager.ask("GET", "/api/v1/console/venues").json()[0]["venue_ref"]

    before = guard.ask("POST", LOOKUP, form())
    with control.database.write(Purpose.OPERATOR) as write:
        write.execute("delete from venue_guard")
    unbound = guard.ask("POST", LOOKUP, form())
    manager.ask("POST", f"/api/v1/console/venues/{venue}/guards", {"username": "guard"})
    bound = guard.ask("POST", LOOKUP, form())
    with control.database.write(Purpose.OPERATOR) as write:
        assert venues.close(write, VenueRef(int(venue)), control.clock.now())
    closed = guard.ask("POST", LOOKUP, form())

    assert (before.status_code, bound.status_code) == (200, 200)
    assert unbound.json()["code"] == closed.json()["code"] == "forbidden"


def test_a_resident_looks_nobody_up(browser: Browser) -> None:
    browser.claim()
    token = browser.http.cookies["tianfu_session"]

    assert browser.ask("POST", LOOKUP, form(), Authorization=f"Bearer {token}").json()["code"] == "session_invalid"


@pytest.mark.parametrize(
    ("holder", "span", "most"),
    [
        ("account", "hour", ACCOUNT_PER_HOUR_MAX),
        ("account", "day", ACCOUNT_PER_DAY_MAX),
        ("venue", "hour", VENUE_PER_HOUR_MAX),
        ("venue", "day", VENUE_PER_DAY_MAX),
    ],
)
def test_each_budget_is_its_own_and_a_new_window_is_a_new_budget(
    control: Control, guard: Browser, holder: str, span: str, most: int
) -> None:
    number = control.account_number("guard") if holder == "account" else 1
    spend(control, holder, number, span, most)

    spent = guard.ask("POST", LOOKUP, form())
    control.clock.advance(timedelta(hours=1))
    an_hour_later = guard.ask("POST", LOOKUP, form())
    control.clock.advance(timedelta(hours=11))
    next_day = on_duty(control, "guard").ask("POST", LOOKUP, form())

    assert spent.status_code == 429
    assert an_hour_later.status_code == (200 if span == "hour" else 429)
    assert next_day.status_code == 200


def test_a_restart_gives_nobody_a_new_budget(control: Control, guard: Browser) -> None:
    spend(control, "account", control.account_number("guard"), "hour", ACCOUNT_PER_HOUR_MAX)
    token = guard.http.cookies["tianfu_operator"]

    with Control(control.database, control.folder).served() as restarted:
        refused = restarted.browser().ask("POST", LOOKUP, form(), Authorization=f"Bearer {token}")

    assert refused.json()["code"] == "lookup_budget_spent"


def test_refused_looks_at_a_known_and_an_unknown_person_are_the_same_bytes(control: Control, guard: Browser) -> None:
    control.browser().claim()
    spend(control, "venue", 1, "hour", VENUE_PER_HOUR_MAX)

    assert guard.ask("POST", LOOKUP, form()).content == guard.ask("POST", LOOKUP, form(NOBODY)).content


@pytest.mark.usefixtures("guard")
def test_past_its_own_end_a_decision_says_nothing_any_more(control: Control) -> None:
    person = known(control, PASSPORT)
    append(control.database, contact(person, "c-1"), at=control.clock.now())
    recompute_all(control.database, at=control.clock.now())
    control.clock.advance(timedelta(days=30))
    again = on_duty(control, "guard")

    content = again.ask("POST", LOOKUP, form(PASSPORT)).json()

    assert (content["colour"], content["reason"], content["test"]) == ("checking", "", None)


def test_old_windows_are_forgotten(control: Control, guard: Browser) -> None:
    guard.ask("POST", LOOKUP, form())

    with control.database.write(Purpose.OPERATOR) as write:
        kept = lookup_budget.forget_old(write, control.clock.now())
        gone = lookup_budget.forget_old(write, control.clock.now() + timedelta(days=3))

    assert (kept, gone) == (0, 4)


def test_when_the_database_is_away_the_guard_is_told_so_in_his_language(
    control: Control, guard: Browser, postgres_server: TestServer
) -> None:
    with control.database.read(Purpose.OPERATOR) as read:
        name = str(read.value("select current_database()"))
    postgres_server.drop(name)

    answer = guard.ask("POST", LOOKUP, form(), Accept_Language="zh")
    postgres_server._run("create database {}", name)

    assert answer.status_code == 503
    assert answer.json()["code"] in {"database_unavailable", "database_busy"}
    assert "系统" in answer.json()["detail"]
