"""A guard's device without network: what it says of codes, what it keeps, what it sends later."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.gate_stand_in import GateStandIn, Trouble
from tests.browser.steps import Person, hold_green_code, sign_in
from tests.support.running import RunningTianfu

Open = Callable[..., Page]
HOUR = 3600
# A gate that is sought anew each half minute at the latest.
BACK_MS = 60_000


@pytest.fixture
def guard(browser: Browser, open_page: Open) -> Page:
    return open_page(browser, desk=True)


@pytest.fixture
def gate(guard: Page, tianfu: RunningTianfu) -> GateStandIn:
    return GateStandIn(guard, tianfu)


def on_duty(guard: Page) -> None:
    """Sign in and wait until the device has its lists."""
    sign_in(guard, "guard")
    expect(guard.get_by_test_id("device-state")).to_have_attribute("data-lists", "fresh")


def go_offline(guard: Page, gate: GateStandIn) -> None:
    gate.trouble = Trouble.CUT
    guard.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(guard.get_by_test_id("offline-mode")).to_be_visible()


def come_back(guard: Page, gate: GateStandIn) -> None:
    gate.trouble = None
    guard.evaluate("window.dispatchEvent(new Event('online'))")
    expect(guard.get_by_test_id("offline-mode")).to_have_count(0)


def check(guard: Page, code: str) -> None:
    guard.get_by_test_id("check-text").fill(code)
    guard.get_by_test_id("check-read").click()


def expect_here(guard: Page, verdict: str, colour: str) -> None:
    shown = guard.get_by_test_id("here-result")
    expect(shown).to_have_attribute("data-verdict", verdict)
    expect(shown).to_have_attribute("data-colour-shown", colour)


def altered(code: str) -> str:
    """One character of the signed part changed to another of the alphabet."""
    place = len(code) // 2
    return code[:place] + ("A" if code[place] != "A" else "B") + code[place + 1 :]


def test_a_residents_live_code_is_judged_without_network(
    browser: Browser, open_page: Open, guard: Page, gate: GateStandIn
) -> None:
    phone = open_page(browser)
    hold_green_code(phone, Person("周小七"))
    code = phone.get_by_test_id("code-qr").get_attribute("data-code") or ""
    on_duty(guard)
    go_offline(guard, gate)

    check(guard, code)

    expect_here(guard, "dynamic", "green")
    expect(guard.get_by_test_id("here-name")).to_have_text("周*七")
    check(guard, altered(code))
    expect_here(guard, "forged", "checking")


def test_every_kind_of_code_gets_its_own_word_offline(guard: Page, gate: GateStandIn) -> None:
    clear, listed = os.urandom(16), os.urandom(16)
    gate.serve_lists(made_at=gate.now - 60, listed=(listed,), number=2**31)
    on_duty(guard)
    go_offline(guard, gate)

    for code, verdict, colour in (
        (gate.dynamic(gate.now), "dynamic", "green"),
        (gate.dynamic(gate.now, colour=3), "dynamic", "red"),
        (gate.dynamic(gate.now - 2 * HOUR), "expired", "checking"),
        (gate.dynamic(gate.now + 60), "early", "checking"),
        (gate.card(clear), "clear", "pass"),
        (gate.card(listed), "listed", "yellow"),
        (gate.phones_own(clear), "clear", "pass"),
        (gate.phones_own(listed), "listed", "yellow"),
    ):
        check(guard, code)
        expect_here(guard, verdict, colour)
    check(guard, "OTHER-PROVINCE-CODE:123")
    expect(guard.get_by_test_id("check-unasked")).to_be_visible()
    expect(guard.locator("[data-colour=green]")).to_have_count(0)


def test_the_same_code_again_is_a_warning_also_after_a_reload(guard: Page, gate: GateStandIn) -> None:
    on_duty(guard)
    go_offline(guard, gate)
    code = gate.dynamic(gate.now)
    check(guard, code)
    expect_here(guard, "dynamic", "green")
    guard.wait_for_timeout(3_500)

    guard.reload()
    check(guard, code)

    expect_here(guard, "used", "yellow")


def test_lists_past_their_end_say_cannot_check_and_never_green(guard: Page, gate: GateStandIn) -> None:
    gate.serve_lists(made_at=gate.now - 5 * HOUR, number=2**31)
    sign_in(guard, "guard")
    expect(guard.get_by_test_id("list-over").first).to_be_visible()
    go_offline(guard, gate)

    for code in (gate.dynamic(gate.now), gate.card(os.urandom(16)), gate.phones_own(os.urandom(16))):
        check(guard, code)
        expect_here(guard, "doubt", "checking")
        expect(guard.get_by_test_id("here-result")).to_have_attribute("data-why", "list_too_old")


def test_lists_near_their_end_are_warned_about(guard: Page, gate: GateStandIn) -> None:
    gate.serve_lists(made_at=gate.now - 4 * HOUR + 600, number=2**31)
    sign_in(guard, "guard")
    expect(guard.get_by_test_id("list-soon").first).to_be_visible()


def test_a_clock_set_back_says_cannot_check_also_after_a_reload(guard: Page, gate: GateStandIn) -> None:
    on_duty(guard)
    go_offline(guard, gate)
    old = gate.dynamic(gate.now - 2 * HOUR)
    set_back = "const real = Date.now.bind(Date); Date.now = () => real() - 7_200_000"
    guard.evaluate(set_back)

    check(guard, old)
    expect_here(guard, "doubt", "checking")
    expect(guard.get_by_test_id("here-result")).to_have_attribute("data-why", "clock_set_back")
    guard.add_init_script(set_back)
    guard.reload()
    check(guard, old)
    expect_here(guard, "doubt", "checking")
    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "0")


def test_a_list_signed_by_a_stranger_is_not_used(guard: Page, gate: GateStandIn) -> None:
    on_duty(guard)
    gate.answers["lists/trust"] = lambda: {"list": "HKL:AAAA"}

    guard.locator("details summary").click()
    guard.get_by_test_id("lists-update").click()

    expect(guard.get_by_test_id("list-unsigned")).to_be_visible()
    go_offline(guard, gate)
    check(guard, gate.dynamic(gate.now))
    expect_here(guard, "dynamic", "green")


def test_scans_survive_a_reload_and_are_sent_once_with_their_times(guard: Page, gate: GateStandIn) -> None:
    on_duty(guard)
    go_offline(guard, gate)
    codes = [gate.dynamic(gate.now), gate.card(os.urandom(16)), gate.phones_own(os.urandom(16))]
    before = gate.now * 1000
    for count, code in enumerate(codes, start=1):
        check(guard, code)
        expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", str(count))
    check(guard, altered(codes[0]))
    expect_here(guard, "forged", "checking")

    guard.reload()
    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "3")
    assert not any(code[20:60] in stored(guard) for code in codes)
    check(guard, altered(codes[1]))
    expect(guard.get_by_test_id("offline-mode")).to_be_visible()
    after = (gate.now + 1) * 1000
    come_back(guard, gate)

    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "0")
    guard.reload()
    # Nothing is kept that could be sent again.
    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "0")
    sent = [item for batch in gate.batches for item in batch]
    assert [item["code"] for item in sent] == codes
    assert len({str(item["id"]) for item in sent}) == len(codes)
    times = [int(str(item["scanned_at"])) for item in sent]
    assert times == sorted(times)
    assert before <= times[0]
    assert times[-1] <= after


def stored(page: Page) -> str:
    """Everything in the page's IndexedDB and local storage, as text."""
    text: str = page.evaluate(
        """async () => {
          const open = indexedDB.open('tianfu-guard')
          await new Promise(done => { open.onsuccess = done })
          const all = []
          for (const name of open.result.objectStoreNames) {
            const asked = open.result.transaction(name).objectStore(name).getAll()
            await new Promise(done => { asked.onsuccess = done })
            all.push(...asked.result)
          }
          const flat = value => value instanceof Uint8Array ? String.fromCharCode(...value) : value
          return JSON.stringify([all, { ...localStorage }, { ...sessionStorage }], (_, value) => flat(value))
        }"""
    )
    return text


@pytest.mark.parametrize("trouble", list(Trouble))
def test_a_gate_that_is_away_is_replaced_by_the_device_within_seconds(
    guard: Page, gate: GateStandIn, trouble: Trouble
) -> None:
    on_duty(guard)
    gate.trouble = trouble

    check(guard, gate.dynamic(gate.now))

    expect_here(guard, "dynamic", "green")
    expect(guard.get_by_test_id("offline-mode")).to_be_visible()
    assert gate.asked.count("check") == 1, "whoever stands there waits for one try"
    gate.trouble = None
    expect(guard.get_by_test_id("offline-mode")).to_have_count(0, timeout=BACK_MS)


def test_a_session_that_ended_keeps_checking_and_sends_after_signing_in(guard: Page, gate: GateStandIn) -> None:
    on_duty(guard)
    guard.context.clear_cookies()

    check(guard, gate.dynamic(gate.now))

    expect_here(guard, "dynamic", "green")
    expect(guard.get_by_test_id("session-over")).to_be_visible()
    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "1")
    assert gate.batches == []
    guard.get_by_test_id("session-over").get_by_role("button").click()
    expect(guard.get_by_test_id("login-waiting")).to_be_visible()
    sign_in(guard, "guard")
    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "0")
    assert len(gate.batches) == 1


def test_scans_of_one_venue_are_not_sent_for_another(guard: Page, gate: GateStandIn) -> None:
    on_duty(guard)
    go_offline(guard, gate)
    check(guard, gate.dynamic(gate.now))
    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "1")
    guard.context.clear_cookies()

    sign_in(guard, "guard2")
    go_offline(guard, gate)
    own = gate.dynamic(gate.now)
    check(guard, own)
    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "1")
    come_back(guard, gate)

    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "0")
    expect(guard.get_by_test_id("queue-elsewhere")).to_be_visible()
    assert [item["code"] for batch in gate.batches for item in batch] == [own]


def test_a_refused_scan_is_shown_with_its_reason(guard: Page, gate: GateStandIn) -> None:
    on_duty(guard)
    go_offline(guard, gate)
    check(guard, gate.dynamic(gate.now))
    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "1")

    def refused() -> object:
        (item,) = gate.batches[-1]
        return {
            "items": [{"id": item["id"], "ok": False, "code": "code_killed", "detail": "该码已挂失。"}],
            "server_time": gate.now,
        }

    gate.answers["batch"] = refused
    come_back(guard, gate)

    expect(guard.get_by_test_id("sent-refused")).to_contain_text("该码已挂失。")
    expect(guard.get_by_test_id("queue-waiting")).to_have_attribute("data-count", "0")


def test_a_shift_without_network_ends_after_twelve_hours(guard: Page, gate: GateStandIn) -> None:
    on_duty(guard)
    go_offline(guard, gate)
    guard.evaluate("const real = Date.now.bind(Date); Date.now = () => real() + 13 * 3_600_000")

    check(guard, gate.dynamic(gate.now + 13 * HOUR))

    expect(guard.get_by_test_id("check-closed")).to_be_visible()
    expect(guard.locator("[data-colour=green]")).to_have_count(0)


def test_a_device_never_signed_in_checks_nothing_and_pins_nothing(guard: Page, gate: GateStandIn) -> None:
    asked: list[str] = []
    guard.on("request", lambda request: asked.append(request.url))
    guard.goto("/console/check")
    expect(guard.get_by_test_id("console-login")).to_be_visible()
    guard.wait_for_load_state("networkidle")
    assert gate.batches == []
    assert not any("/lists/" in url for url in asked)
