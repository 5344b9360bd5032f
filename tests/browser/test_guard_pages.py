"""What a guard sees besides one code: cards and foreign codes, a whole bus, a document."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.gate_stand_in import GateStandIn, Trouble
from tests.browser.steps import sign_in
from tests.browser.test_offline_guard import check, come_back, expect_here, go_offline, on_duty, stored
from tests.support.holders import number_of
from tests.support.running import RunningTianfu

Open = Callable[..., Page]
# A verdict is about somebody who has passed after 15 s.
PREVIOUS_MS = 60_000
ANSWER: dict[str, object] = {
    "verdict": "valid",
    "kind": "dynamic",
    "colour": "green",
    "popup": "",
    "reason": "",
    "rule_set": 7,
    "test": None,
    "masked_name": "*小明",
    "last_digits": "431X",
    "board_age_seconds": 1,
}
FOREIGN: dict[str, object] = {
    "verdict": "foreign",
    "colour": "green",
    "popup": "",
    "reason": "",
    "test": None,
    "issuer": {"id": "gd", "name": "广东健康码"},
    "age_seconds": 42,
    "masked_name": "陈*",
    "last_digits": "047X",
}


@pytest.fixture
def guard(browser: Browser, open_page: Open) -> Page:
    return open_page(browser, desk=True)


@pytest.fixture
def gate(guard: Page, tianfu: RunningTianfu) -> GateStandIn:
    return GateStandIn(guard, tianfu)


def answered(gate: GateStandIn, answer: dict[str, object]) -> Callable[[], object]:
    return lambda: answer | {"checked_at": gate.now, "server_time": gate.now}


def refuse(page: Page, status: int, code: str, sentence: str) -> None:
    """Let the gate refuse every check."""

    def refused(route: Route) -> None:
        route.fulfill(status=status, json={"code": code, "detail": sentence}, content_type="application/problem+json")

    page.route("**/gate/v1/check", refused)


def test_a_card_is_called_a_card(guard: Page, gate: GateStandIn) -> None:
    gate.answers["check"] = answered(gate, ANSWER | {"kind": "card"})
    on_duty(guard)
    check(guard, gate.card(os.urandom(16)))
    expect(guard.get_by_test_id("check-kind")).to_contain_text("纸质码")


def test_a_killed_card_is_refused_with_its_sentence_and_no_colour(guard: Page, gate: GateStandIn) -> None:
    on_duty(guard)
    refuse(guard, 422, "code_killed", "该码已挂失或已被新码取代，请让对方出示新码。")
    check(guard, gate.card(os.urandom(16)))
    expect(guard.get_by_test_id("check-failure")).to_have_attribute("data-code", "code_killed")
    expect(guard.get_by_test_id("check-failure")).to_contain_text("已挂失")
    expect(guard.locator("[data-colour=green]")).to_have_count(0)
    expect(guard.get_by_test_id("offline-mode")).to_have_count(0)


def test_a_foreign_code_names_its_issuer_and_age(guard: Page, gate: GateStandIn) -> None:
    gate.answers["check"] = answered(gate, FOREIGN)
    on_duty(guard)
    check(guard, "GDHC:123")
    expect(guard.get_by_test_id("check-issuer")).to_contain_text("广东健康码")
    expect(guard.get_by_test_id("check-issuer")).to_contain_text("42 秒")


@pytest.mark.usefixtures("gate")
def test_a_foreign_code_that_cannot_be_asked_is_no_reason_to_go_offline(guard: Page) -> None:
    on_duty(guard)
    refuse(guard, 503, "foreign_unavailable", "暂时无法核验该外省健康码")
    check(guard, "GDHC:123")
    expect(guard.get_by_test_id("check-unasked")).to_be_visible()
    expect(guard.locator("[data-colour=green]")).to_have_count(0)
    expect(guard.get_by_test_id("offline-mode")).to_have_count(0)


def test_a_verdict_left_standing_loses_its_colour(guard: Page, gate: GateStandIn) -> None:
    on_duty(guard)
    go_offline(guard, gate)
    check(guard, gate.dynamic(gate.now))
    expect_here(guard, "dynamic", "green")
    expect(guard.get_by_test_id("here-result")).to_have_attribute("data-previous", "true", timeout=PREVIOUS_MS)


def collect(guard: Page, codes: list[str]) -> None:
    for code in codes:
        guard.get_by_test_id("bus-text").fill(code)
        guard.get_by_test_id("bus-text").press("Enter")


def expect_counts(guard: Page, **counts: int) -> None:
    for tone, count in counts.items():
        expect(guard.get_by_test_id(f"bus-{tone}")).to_have_attribute("data-count", str(count))


def test_a_bus_is_checked_in_one_request_with_the_exceptions_first(guard: Page, gate: GateStandIn) -> None:
    def answer() -> object:
        first, second, third = gate.batches[-1]
        lost = {"ok": False, "code": "code_killed", "detail": "该码已挂失。"}
        taken = ANSWER | {"ok": True, "checked_at": gate.now}
        return {
            "items": [
                {"id": first["id"], **taken},
                {"id": second["id"], **taken, "colour": "red"},
                {"id": third["id"], **lost},
            ],
            "server_time": gate.now,
        }

    gate.answers["batch"] = answer
    on_duty(guard)
    guard.get_by_role("link", name="批量核验").click()
    codes = [gate.dynamic(gate.now), gate.dynamic(gate.now), gate.card(os.urandom(16))]
    collect(guard, [*codes, codes[0]])
    expect_counts(guard, waiting=3)

    guard.get_by_test_id("bus-send").click()

    expect_counts(guard, waiting=0, look=2, **{"pass": 1})
    tones = guard.get_by_test_id("bus-list").locator("li").evaluate_all("rows => rows.map(row => row.dataset.tone)")
    assert tones == ["look", "look", "pass"]
    (sent,) = gate.batches
    assert [item["code"] for item in sent] == codes
    assert all("scanned_at" not in item for item in sent)


def test_a_bus_without_network_is_judged_and_sent_later(guard: Page, gate: GateStandIn) -> None:
    listed = os.urandom(16)
    gate.serve_lists(made_at=gate.now - 60, listed=(listed,), number=2**31)
    on_duty(guard)
    guard.get_by_role("link", name="批量核验").click()
    collect(guard, [gate.dynamic(gate.now), gate.card(listed)])
    expect_counts(guard, waiting=2)
    gate.trouble = Trouble.CUT

    guard.get_by_test_id("bus-send").click()

    expect_counts(guard, waiting=0, look=1, **{"pass": 1})
    expect(guard.get_by_test_id("offline-mode")).to_be_visible()
    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "2")
    come_back(guard, gate)
    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "0")


@pytest.mark.usefixtures("gate")
def test_a_document_is_looked_up_only_with_consent_and_not_kept(guard: Page) -> None:
    asked: list[object] = []

    def answer(route: Route) -> None:
        asked.append(route.request.post_data_json)
        found = {"colour": "yellow", "popup": "test", "reason": "contact", "last_digits": "0123"}
        route.fulfill(json=found | {"test": {"result": "negative", "hours": 30}, "verdict": "looked_up"})

    guard.route("**/api/v1/console/id-lookup", answer)
    sign_in(guard, "guard")
    guard.get_by_role("link", name="证件查询").click()
    number = number_of(4321)
    guard.get_by_test_id("lookup-number").fill(number)
    guard.get_by_test_id("lookup-submit").click()
    expect(guard.get_by_test_id("lookup-consent")).to_have_attribute("aria-invalid", "true")
    assert asked == []

    guard.get_by_test_id("lookup-consent").check()
    guard.get_by_test_id("lookup-submit").click()

    expect(guard.get_by_test_id("lookup-result")).to_have_attribute("data-colour", "yellow")
    expect(guard.get_by_test_id("lookup-number")).to_have_value("")
    expect(guard.get_by_test_id("lookup-consent")).not_to_be_checked()
    wanted = {"document_type": "resident_id", "document_number": number, "consent": True, "purpose": "entry"}
    assert asked == [wanted]
    assert number not in stored(guard)
    assert number not in guard.url
