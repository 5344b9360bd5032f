"""Holders of an old city code: they sign in as they are, are asked for their consents, and need not register again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.support.city_codes import CHENGDU, Registration, chengdu
from tests.support.control import PHONE, ZHANG, Browser, Control
from tianfu.evidence import changes
from tianfu.ids import PersonRef
from tianfu.platform.database import Purpose
from tianfu.residents import consents
from tianfu.residents.city_codes.desk import Desk
from tianfu.residents.city_codes.load import load

CONSENTS = "/api/v1/me/consents"
ALL = ["claim", "health", "visits"]


def carry_over(control: Control, folder: Path) -> None:
    desk = Desk(control.database, control.pseudonym, changes.mark)
    path = chengdu(folder / "chengdu.csv", [Registration(ZHANG["number"], phone=PHONE)])
    load(lambda: desk, path, CHENGDU, at=control.clock.now(), loaded_by="os:test", processes=1)


def signed_in(browser: Browser) -> int:
    form = {"document": ZHANG, "phone": PHONE} | browser.challenge()
    return browser.ask("POST", "/api/v1/sessions", form).status_code


def missing(control: Control) -> tuple[str, ...]:
    with control.database.read(Purpose.OPERATOR) as read:
        return consents.missing(read, PersonRef(1))


def test_a_holder_taken_over_signs_in_without_claiming(browser: Browser, control: Control, tmp_path: Path) -> None:
    carry_over(control, tmp_path)

    assert signed_in(browser) == 201
    mine = browser.ask("GET", "/api/v1/me")
    assert mine.status_code == 200
    assert mine.json()["masked_name"] == "张*明"
    assert mine.json()["consents_missing"] == ["claim", "health", "visits"]


def test_consents_are_given_at_the_first_opening_and_then_no_more_asked_for(
    browser: Browser, control: Control, tmp_path: Path
) -> None:
    carry_over(control, tmp_path)
    signed_in(browser)
    some = browser.ask("POST", CONSENTS, {"consents": ["claim"], "consent_version": consents.VERSION})
    old = browser.ask("POST", CONSENTS, {"consents": ALL, "consent_version": "2020"})
    every = [browser.ask("POST", CONSENTS, {"consents": ALL, "consent_version": consents.VERSION}) for _ in range(2)]

    assert (some.status_code, old.status_code) == (422, 422)
    assert [answer.status_code for answer in every] == [204, 204]
    assert browser.ask("GET", "/api/v1/me").json()["consents_missing"] == []
    assert control.count("consent") == 3


def test_who_opens_the_code_is_decided_before_the_millions_that_wait(
    browser: Browser, control: Control, tmp_path: Path
) -> None:
    carry_over(control, tmp_path)
    before = control.count("evidence_change")
    signed_in(browser)

    assert control.count("evidence_change") == before + 1


def test_another_phone_does_not_sign_in_as_a_holder_taken_over(
    browser: Browser, control: Control, tmp_path: Path
) -> None:
    carry_over(control, tmp_path)
    form = {"document": ZHANG, "phone": "13800000009"} | browser.challenge("13800000009")

    assert browser.ask("POST", "/api/v1/sessions", form).status_code == 401


def test_who_claims_after_being_taken_over_has_proved_it_and_is_the_same_person(
    browser: Browser, control: Control, tmp_path: Path
) -> None:
    carry_over(control, tmp_path)
    browser.clock.advance(timedelta(minutes=2))

    assert browser.claim().status_code == 201
    assert missing(control) == ()
    assert control.count("person") == control.count("resident") == 1
    with control.database.read(Purpose.OPERATOR) as read:
        assert read.value("select proofing_provider from resident") == "sandbox"


def test_a_holder_taken_over_is_queued_for_a_status(control: Control, tmp_path: Path) -> None:
    carry_over(control, tmp_path)

    with control.database.read(Purpose.OPERATOR) as read:
        assert changes.waiting(read, [PersonRef(1)]) == {PersonRef(1)}
