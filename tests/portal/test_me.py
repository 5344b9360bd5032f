"""What a resident sees and states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.control import Browser, Control, publish_policy
from tests.support.status import core_policy, recompute_all

DECLARATION = {"symptoms": [], "truthful": True, "temperature_decidegrees": 365}


def test_before_the_first_decision_the_colour_is_being_checked(browser: Browser) -> None:
    browser.claim()

    answer = browser.ask("GET", "/api/v1/me/decision")

    assert answer.status_code == 202
    assert answer.json()["colour"] == "checking"
    assert answer.json()["reasons"] == []


def test_the_decision_is_explained_in_the_readers_language(browser: Browser, control: Control) -> None:
    publish_policy(control.database)
    browser.claim()
    browser.ask("POST", "/api/v1/me/declarations", DECLARATION | {"symptoms": ["fever", "cough", "fever"]})
    recompute_all(control.database, at=control.clock.now())

    english = browser.ask("GET", "/api/v1/me/decision")
    chinese = browser.ask("GET", "/api/v1/me/decision", Accept_Language="zh")

    assert english.status_code == 200
    assert english.json()["colour"] == "yellow"
    assert english.json()["policy"]["hash"] == core_policy().hash
    reason = english.json()["reasons"][0]
    assert reason["how_it_ends"]
    assert reason["title"] != chinese.json()["reasons"][0]["title"]
    assert english.headers["content-language"] == "en"


def test_a_declaration_counts_for_fourteen_days_and_a_later_one_replaces_it(browser: Browser, control: Control) -> None:
    publish_policy(control.database)
    browser.claim()
    browser.ask("POST", "/api/v1/me/declarations", DECLARATION | {"symptoms": ["fever"]})
    browser.clock.advance(timedelta(minutes=5))

    answer = browser.ask("POST", "/api/v1/me/declarations", DECLARATION)
    recompute_all(control.database, at=control.clock.now())

    assert answer.status_code == 201
    until = datetime.fromisoformat(answer.json()["declared_until"]).astimezone(UTC)
    assert until == control.clock.now() + timedelta(days=14)
    assert browser.ask("GET", "/api/v1/me/decision").json()["colour"] == "green"
    assert datetime.fromisoformat(browser.ask("GET", "/api/v1/me").json()["declared_until"]) == until


def test_a_declaration_that_cannot_be_is_refused_field_by_field(browser: Browser, control: Control) -> None:
    browser.claim()

    answer = browser.ask(
        "POST",
        "/api/v1/me/declarations",
        {"symptoms": ["hiccups"], "temperature_decidegrees": 200, "truthful": False},
    )

    assert answer.status_code == 422
    assert {fault["field"] for fault in answer.json()["faults"]} == {
        "symptoms",
        "temperature_decidegrees",
        "truthful",
    }
    assert control.count("evidence") == 0


def test_nobody_has_read_a_new_record(browser: Browser) -> None:
    browser.claim()

    assert browser.ask("GET", "/api/v1/me/reads").json() == []


def test_a_decision_that_should_have_changed_by_now_says_nothing(browser: Browser, control: Control) -> None:
    publish_policy(control.database)
    browser.claim()
    browser.ask("POST", "/api/v1/me/declarations", DECLARATION)
    recompute_all(control.database, at=control.clock.now())
    browser.clock.advance(timedelta(days=14, seconds=60))
    just = browser.ask("GET", "/api/v1/me/decision").json()["colour"]
    browser.clock.advance(timedelta(seconds=1))

    late = browser.ask("GET", "/api/v1/me/decision")

    assert just == "green"
    assert (late.status_code, late.json()["colour"]) == (202, "checking")
