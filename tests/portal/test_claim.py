"""Claiming over HTTP."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from tests.support.control import LI, OTHER_PHONE, PASSPORT, PHONE, ZHANG, Browser, Control, resident_id
from tianfu.platform.database import Purpose


def faults(answer: httpx.Response) -> set[str]:
    return {fault["field"] for fault in answer.json()["faults"]}


def test_a_claim_makes_a_holder_and_signs_in(browser: Browser, control: Control) -> None:
    answer = browser.claim()

    assert answer.status_code == 201
    assert answer.json()["masked_name"] == "张*明"
    assert answer.json()["masked_document"].startswith("51****")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    me = browser.ask("GET", "/api/v1/me").json()
    assert me["masked_phone"] == "138****0001"
    assert me["declared_until"] is None
    assert control.count("evidence_change") == 1


def test_nothing_personal_is_stored_in_the_clear(browser: Browser, control: Control) -> None:
    browser.claim()

    with control.database.read(Purpose.OPERATOR) as read:
        tables = (
            read.rows("select * from resident"),
            read.rows("select * from person_document"),
            read.rows("select * from one_time_password"),
            read.rows("select * from audit_trail"),
        )
    stored = " ".join(str(row) for table in tables for row in table)
    for secret in ("张小明", ZHANG["number"], PHONE):
        assert secret not in stored
        assert secret.encode().hex() not in stored.lower()


def test_the_same_claim_sent_again_has_the_same_outcome_and_writes_nothing_more(
    browser: Browser, control: Control
) -> None:
    form = browser.claim_form()
    first = browser.ask("POST", "/api/v1/claims", form)
    counts = [control.count(table) for table in ("person", "resident", "consent", "audit_trail")]

    second = browser.ask("POST", "/api/v1/claims", form)

    assert second.status_code == 201
    assert second.json() == first.json()
    assert counts == [control.count(table) for table in ("person", "resident", "consent", "audit_trail")]


def test_a_used_password_claims_nobody_else(browser: Browser, control: Control) -> None:
    form = browser.claim_form()
    browser.ask("POST", "/api/v1/claims", form)

    answer = browser.ask("POST", "/api/v1/claims", form | {"document": LI, "name": "李雷"})

    assert answer.status_code == 422
    assert answer.json()["code"] == "one_time_password_wrong"
    assert control.count("resident") == 1


def test_who_proves_the_identity_again_replaces_a_lost_phone(browser: Browser, control: Control) -> None:
    browser.claim()

    answer = browser.claim(phone=OTHER_PHONE)

    assert answer.status_code == 201
    assert browser.ask("GET", "/api/v1/me").json()["masked_phone"] == "138****0002"
    assert control.count("person") == 1


def test_every_wrong_field_is_reported_at_once_in_both_languages(browser: Browser, control: Control) -> None:
    form = browser.claim_form(
        name="123",
        document={"type": "resident_id", "number": "510107199003070119"},
        phone="12345",
        district="110101",
        consents=["claim"],
        language="fr",
        challenge="x",
        one_time_password="1",
    )

    english = browser.ask("POST", "/api/v1/claims", form)
    chinese = browser.ask("POST", "/api/v1/claims", form, Accept_Language="zh-CN")

    expected = {"name", "document.number", "phone", "district", "consents", "language"}
    assert english.status_code == 422
    assert faults(english) == faults(chinese) == expected
    assert english.json()["detail"] != chinese.json()["detail"]
    assert english.headers["content-type"].startswith("application/problem+json")
    assert control.count("person") == 0


def test_missing_unknown_and_mistyped_fields_are_named_together(browser: Browser) -> None:
    answer = browser.ask("POST", "/api/v1/claims", {"name": 5, "document": {"type": "passport"}, "verified": True})

    assert answer.status_code == 422
    assert {"name", "document.number", "phone", "challenge"} <= faults(answer)
    assert "unknown_field" in {fault["code"] for fault in answer.json()["faults"]}


def test_a_verified_flag_from_the_client_has_no_effect(browser: Browser, control: Control) -> None:
    refused = browser.claim(name="测试拒绝", proofing_ticket="verified=true")
    flagged = browser.ask("POST", "/api/v1/claims", browser.claim_form(phone=OTHER_PHONE) | {"verified": True})

    assert refused.status_code == 422
    assert refused.json()["code"] == "proofing_refused"
    assert flagged.status_code == 422
    assert control.count("person") == 0


def test_a_refused_identity_leaves_nothing_behind(browser: Browser, control: Control) -> None:
    answer = browser.claim(name="测试拒绝")

    assert answer.json()["code"] == "proofing_refused"
    assert [control.count(table) for table in ("person", "resident", "consent", "evidence_change")] == [0, 0, 0, 0]


def test_after_a_refused_identity_the_same_password_still_serves_the_corrected_form(browser: Browser) -> None:
    form = browser.claim_form(name="测试拒绝")
    browser.ask("POST", "/api/v1/claims", form)

    assert browser.ask("POST", "/api/v1/claims", form | {"name": "张小明"}).status_code == 201


def test_guessing_a_password_stops_after_five_tries_even_with_the_right_one(browser: Browser) -> None:
    form = browser.claim_form()
    right = str(form["one_time_password"])
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for _ in range(5):
        answer = browser.ask("POST", "/api/v1/claims", form | {"one_time_password": wrong})
        assert answer.json()["code"] == "one_time_password_wrong"

    assert browser.ask("POST", "/api/v1/claims", form).json()["code"] == "one_time_password_wrong"


def test_a_password_dies_after_five_minutes(browser: Browser) -> None:
    form = browser.claim_form()
    browser.clock.advance(timedelta(seconds=300))

    assert browser.ask("POST", "/api/v1/claims", form).json()["code"] == "one_time_password_wrong"


def test_a_password_serves_the_phone_it_was_sent_to_only(browser: Browser) -> None:
    form = browser.claim_form()

    answer = browser.ask("POST", "/api/v1/claims", form | {"phone": OTHER_PHONE})

    assert answer.json()["code"] == "one_time_password_wrong"


def test_passwords_are_a_minute_apart_and_ten_a_day(browser: Browser) -> None:
    browser.challenge()
    soon = browser.ask("POST", "/api/v1/one-time-passwords", {"phone": PHONE})
    for _ in range(9):
        browser.clock.advance(timedelta(seconds=60))
        browser.challenge()
    browser.clock.advance(timedelta(seconds=60))
    eleventh = browser.ask("POST", "/api/v1/one-time-passwords", {"phone": PHONE})
    browser.clock.advance(timedelta(days=1))

    assert soon.json()["code"] == "one_time_password_too_soon"
    assert soon.headers["retry-after"] == "60"
    assert eleventh.json()["code"] == "one_time_password_daily_limit"
    browser.challenge()


@pytest.mark.parametrize(
    ("document", "masked"),
    [
        (PASSPORT, "*****5678"),
        ({"type": "hk_macau_permit", "number": "h12345678 01"}, "*****5678"),
        ({"type": "taiwan_permit", "number": "01234567"}, "****4567"),
        ({"type": "foreign_permanent_resident", "number": "USA310101198012"}, None),
        ({"type": "foreign_permanent_resident", "number": resident_id("93184019801230123")}, "93************"),
        ({"type": "foreign_permanent_resident", "number": "CAN510081041287"}, "CA*********1287"),
    ],
)
def test_other_documents_claim_too(browser: Browser, document: dict[str, str], masked: str | None) -> None:
    answer = browser.claim(document=document, name="Maria O'Neil Santos")

    assert answer.status_code == 201, answer.text
    assert masked is None or answer.json()["masked_document"].startswith(masked[:8])


@pytest.mark.parametrize("missing", ["claim", "health", "visits"])
def test_without_a_required_consent_there_is_no_code(browser: Browser, control: Control, missing: str) -> None:
    given = [purpose for purpose in ("claim", "health", "visits") if purpose != missing]

    answer = browser.claim(consents=given)
    changed = browser.claim(consents=["claim", "health", "visits"], consent_version="2020-01-01", phone=OTHER_PHONE)

    assert faults(answer) == {"consents"}
    assert faults(changed) == {"consent_version"}
    assert control.count("person") == 0
