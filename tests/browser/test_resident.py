from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import Person, claim, declare_well, expect_colour, fill_claim, hold_green_code, read_code
from tests.support.running import RunningTianfu
from tianfu.clock import SHANGHAI, SystemClock
from tianfu.synth.county import HOME_DIVISION

Open = Callable[..., Page]
# The promise is a second. Without being told, a phone would learn it with its next code, 50 seconds later or more.
TOLD_MS = 30_000


def test_a_resident_claims_declares_and_shows_a_green_code(browser: Browser, open_page: Open) -> None:
    page = open_page(browser)

    hold_green_code(page, Person("王小明"))

    expect(page.get_by_test_id("code-name")).to_contain_text("王*明")
    shown = page.get_by_test_id("code-qr").get_attribute("data-code")
    assert shown is not None
    assert shown.startswith("HK1:")
    # A code is renewed each minute, perhaps just while it is photographed.
    before = page.get_by_test_id("code-qr").get_attribute("data-code")
    read = read_code(page.screenshot())
    assert read in (before, page.get_by_test_id("code-qr").get_attribute("data-code"))


def test_the_clock_ticks(browser: Browser, open_page: Open) -> None:
    page = open_page(browser)
    hold_green_code(page)
    first = page.get_by_test_id("code-clock").inner_text()
    expect(page.get_by_test_id("code-clock")).not_to_have_text(first)
    assert re.search(r"\d\d:\d\d", page.get_by_test_id("code-clock").inner_text())


def test_the_sandbox_says_that_it_is_one(browser: Browser, open_page: Open) -> None:
    page = open_page(browser)
    page.goto("/claim")
    expect(page.get_by_test_id("sandbox-notice")).to_be_visible()


def test_a_wrong_number_is_named_and_nothing_is_claimed(browser: Browser, open_page: Open) -> None:
    page = open_page(browser)
    person = Person()
    person.number = person.number[:-1] + ("0" if person.number[-1] != "0" else "1")
    page.goto("/claim")

    fill_claim(page, person)
    page.get_by_test_id("claim-submit").click()

    expect(page.get_by_test_id("claim-document-number")).to_have_attribute("aria-invalid", "true")
    assert page.url.endswith("/claim")


def test_a_code_is_claimed_by_keyboard_alone(browser: Browser, open_page: Open) -> None:
    page = open_page(browser)
    person = Person()
    page.goto("/claim")
    page.get_by_test_id("claim-name").focus()

    typed = {"claim-name": person.name, "claim-document-number": person.number, "claim-phone": person.phone}
    chosen = {"claim-district-city": f"{HOME_DIVISION[:4]}00", "claim-district-county": HOME_DIVISION}
    for _ in range(60):
        focused = page.evaluate("document.activeElement.dataset.testid ?? ''")
        if focused in typed:
            page.keyboard.type(typed.pop(focused))
        elif focused in chosen:
            choose_by_arrow(page, chosen.pop(focused))
        elif focused == "claim-send-otp":
            page.keyboard.press("Enter")
            page.get_by_test_id("claim-fill-otp").wait_for()
        elif focused == "claim-fill-otp":
            page.keyboard.press("Enter")
        elif focused.startswith("claim-consent-"):
            page.keyboard.press("Space")
        elif focused == "claim-submit":
            page.keyboard.press("Enter")
            break
        page.keyboard.press("Tab")

    page.wait_for_url("**/declare")


def choose_by_arrow(page: Page, value: str) -> None:
    """Go down the choice that has the focus until it says `value`, once the server has said what there is."""
    page.locator(f"select:focus option[value='{value}']").wait_for(state="attached")
    for _ in range(40):
        if page.evaluate("document.activeElement.value") == value:
            return
        page.keyboard.press("ArrowDown")
    message = f"no choice {value}"
    raise AssertionError(message)


def test_every_word_changes_with_the_language(browser: Browser, open_page: Open) -> None:
    page = open_page(browser)
    hold_green_code(page)
    before = page.locator("main").inner_text()
    page.goto("/settings")
    page.get_by_test_id("language-switch").first.click()
    page.goto("/code")
    expect_colour(page, "green")

    after = page.locator("main").inner_text()

    assert re.search(r"[一-鿿]{2}", before)
    assert "Green" in after
    assert page.locator("html").get_attribute("lang") == "en"


def test_care_mode_makes_the_letters_larger(browser: Browser, open_page: Open) -> None:
    page = open_page(browser)
    page.goto("/settings")
    size = "parseFloat(getComputedStyle(document.body).fontSize)"
    before = page.evaluate(size)
    page.get_by_test_id("care-switch").first.click()
    assert page.evaluate(size) > before


def test_a_cut_network_shows_how_old_the_answer_is(browser: Browser, open_page: Open) -> None:
    page = open_page(browser)
    hold_green_code(page)

    page.context.set_offline(True)

    expect(page.get_by_test_id("code-offline")).to_be_visible(timeout=70_000)
    page.context.set_offline(False)


def test_a_positive_result_turns_the_phone_red_with_its_reason(
    browser: Browser, open_page: Open, tianfu: RunningTianfu
) -> None:
    page = open_page(browser)
    with page.expect_request("**/gate/v1/changes*"):
        person = hold_green_code(page)
    file = tianfu.var.parent / f"lab-{person.phone}.csv"
    header = (tianfu.var / "demo" / "lab.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    row = {
        "document_type": "resident_id",
        "document_number": person.number,
        "sample_id": f"S-{person.phone}",
        "result": "positive",
        "method": "nucleic_acid",
        "laboratory": "LAB-1",
        "place": "510112",
        **recent(),
    }
    file.write_text(",".join(header) + "\n" + ",".join(row[name] for name in header) + "\n", encoding="utf-8")

    tianfu.command("feed", "load", "lab", str(file))

    expect(page.get_by_test_id("code-colour")).to_have_attribute("data-colour", "red", timeout=TOLD_MS)
    expect(page.get_by_test_id("code-reason")).to_be_visible()


def recent() -> dict[str, str]:
    """Sampled yesterday."""
    now = SystemClock().now().astimezone(SHANGHAI)
    pattern = "%Y-%m-%d %H:%M"
    return {
        "sampled_at": (now - timedelta(hours=20)).strftime(pattern),
        "resulted_at": (now - timedelta(hours=2)).strftime(pattern),
    }


def test_leaving_signs_out(browser: Browser, open_page: Open) -> None:
    page = open_page(browser)
    claim(page, Person())
    declare_well(page)
    page.goto("/settings")
    page.get_by_test_id("sign-out").click()
    page.get_by_test_id("sign-out-confirm").click()
    expect(page.get_by_test_id("go-claim")).to_be_visible()
    page.goto("/code")
    expect(page.get_by_test_id("go-claim")).to_be_visible()
