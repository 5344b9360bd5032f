"""A guard's page and the running gate together; nothing but the network is cut."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.gate_stand_in import GateStandIn
from tests.browser.steps import Person, hold_green_code, sign_in
from tests.browser.test_guard_pages import collect, expect_counts
from tests.browser.test_offline_guard import BACK_MS, check, come_back, expect_here, go_offline, on_duty
from tests.browser.test_scanning import scans_recorded
from tests.support.running import RunningTianfu, until

Open = Callable[..., Page]


@pytest.fixture
def phone(browser: Browser, open_page: Open) -> Page:
    return open_page(browser)


@pytest.fixture
def guard(browser: Browser, open_page: Open) -> Page:
    return open_page(browser, desk=True)


@pytest.fixture
def gate(guard: Page, tianfu: RunningTianfu) -> GateStandIn:
    return GateStandIn(guard, tianfu)


def shown(phone: Page) -> str:
    code = phone.get_by_test_id("code-qr").get_attribute("data-code")
    assert code
    return code


def print_card(phone: Page) -> str:
    """The code of the resident's own card, fresh from the portal."""
    answer = phone.request.post("/api/portal/card", data={"kind": "self"}, headers={"Origin": origin(phone)})
    assert answer.ok, answer.text()
    code: str = answer.json()["code"]
    return code


def lose_card(phone: Page) -> None:
    answer = phone.request.delete(
        "/api/portal/card", headers={"Origin": origin(phone), "Content-Type": "application/json"}
    )
    assert answer.ok, answer.text()


def origin(page: Page) -> str:
    found: str = page.evaluate("location.origin")
    return found


def renew_lists(guard: Page, number: int) -> None:
    """Ask for the lists and wait until the device has one of that number or a newer one."""
    guard.get_by_test_id("lists-update").click()
    found = guard.get_by_test_id("list-not-green")
    until(lambda: int(found.get_attribute("data-number") or 0) >= number, "the list on the device")


def test_an_offline_scan_is_one_record_of_the_gate(
    phone: Page, guard: Page, gate: GateStandIn, tianfu: RunningTianfu
) -> None:
    hold_green_code(phone, Person("吴小八"))
    on_duty(guard)
    go_offline(guard, gate)
    before = scans_recorded(tianfu)

    check(guard, shown(phone))
    expect_here(guard, "dynamic", "green")
    assert scans_recorded(tianfu) == before
    come_back(guard, gate)

    expect(guard.get_by_test_id("queue-sent")).to_have_attribute("data-count", "1")
    expect(guard.get_by_test_id("sent-refused")).to_have_count(0)
    guard.reload()
    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "0")
    assert scans_recorded(tianfu) == before + 1


def test_a_lost_card_passes_neither_online_nor_offline(phone: Page, guard: Page, gate: GateStandIn) -> None:
    hold_green_code(phone, Person("郑九"))
    card = print_card(phone)
    on_duty(guard)
    check(guard, card)
    expect(guard.get_by_test_id("check-kind")).to_contain_text("纸质码")
    go_offline(guard, gate)
    check(guard, card)
    expect_here(guard, "clear", "pass")
    come_back(guard, gate)

    lose_card(phone)
    lost = gate.credential_of(card)
    until(lambda: gate.not_green().has(lost), "the card on the gate's list")

    guard.locator("details summary").click()
    renew_lists(guard, gate.not_green().number)
    check(guard, card)
    expect(guard.get_by_test_id("check-failure")).to_have_attribute("data-code", "code_killed")
    go_offline(guard, gate)
    check(guard, card)
    expect_here(guard, "listed", "yellow")


def test_a_bus_of_a_live_code_a_card_and_a_forgery(
    phone: Page, guard: Page, gate: GateStandIn, tianfu: RunningTianfu
) -> None:
    hold_green_code(phone, Person("王十"))
    codes = [shown(phone), print_card(phone), gate.dynamic(gate.now)]
    on_duty(guard)
    before = scans_recorded(tianfu)
    guard.get_by_role("link", name="批量核验").click()
    collect(guard, codes)

    guard.get_by_test_id("bus-send").click()

    expect_counts(guard, waiting=0, look=1, **{"pass": 2})
    assert scans_recorded(tianfu) == before + 2


def test_a_document_is_looked_up(phone: Page, guard: Page) -> None:
    person = hold_green_code(phone, Person("冯十一"))
    sign_in(guard, "guard")
    guard.get_by_role("link", name="证件查询").click()

    guard.get_by_test_id("lookup-number").fill(person.number)
    guard.get_by_test_id("lookup-consent").check()
    guard.get_by_test_id("lookup-submit").click()

    expect(guard.get_by_test_id("lookup-result")).to_have_attribute("data-colour", "green")
    expect(guard.get_by_test_id("lookup-digits")).to_have_text(person.number[-4:])


def test_a_device_that_is_switched_on_without_network_goes_on_with_its_shift(guard: Page, gate: GateStandIn) -> None:
    on_duty(guard)
    guard.evaluate("navigator.serviceWorker.ready.then(() => true)")
    guard.reload()
    expect(guard.get_by_test_id("device-state")).to_have_attribute("data-lists", "fresh")
    # A browser that has a network, only none that leads anywhere.
    guard.add_init_script("Object.defineProperty(navigator, 'onLine', { get: () => true })")
    guard.context.set_offline(True)

    guard.goto("/console")

    expect(guard.get_by_test_id("offline-mode")).to_be_visible()
    check(guard, gate.dynamic(gate.now))
    expect_here(guard, "dynamic", "green")
    guard.get_by_role("link", name="批量核验").click()
    expect(guard.get_by_test_id("bus-list")).to_be_attached()
    guard.context.set_offline(False)
    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "0", timeout=BACK_MS)
