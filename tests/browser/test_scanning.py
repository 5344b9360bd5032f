"""Cameras: a film of the real poster, and of the real code on a phone's screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.browser.camera import film
from tests.browser.steps import Person, choose_district, hold_green_code, is_drawing, read_code, sign_in
from tests.support.running import RunningTianfu

Open = Callable[..., Page]
VENUE = "测试超市一店"


def scans_recorded(tianfu: RunningTianfu) -> int:
    """How many records the gate's journal holds."""
    count: int = httpx.get(f"{tianfu.address}/gate/v1/health", trust_env=False).json()["journal_end"]
    return count


def make_venue(page: Page, name: str) -> str:
    """Make a venue as its manager and open it; the text of its poster's drawing."""
    sign_in(page, "manager")
    page.get_by_test_id("venue-new").click()
    page.get_by_test_id("venue-name").fill(name)
    page.get_by_test_id("venue-category").select_option("retail")
    choose_district(page, "venue")
    page.get_by_test_id("venue-address").fill("驿马路1号")
    page.get_by_test_id("venue-create").click()
    shown = page.get_by_test_id("venue-poster")
    expect(shown).to_be_visible()
    address = page.evaluate("new URL(document.querySelector('[data-testid=venue-poster]').src, location).href")
    svg: str = page.evaluate("address => fetch(address).then(answer => answer.text())", address)
    return svg


def picture_of(browser: Browser, svg: str) -> bytes:
    """The drawing as a printer would lay it out."""
    page = browser.new_page(viewport={"width": 800, "height": 1131})
    page.set_content(f"<body style='margin:0'>{svg}</body>")
    picture = page.screenshot()
    page.close()
    return picture


def test_a_resident_scans_the_poster_of_a_new_venue(
    browser: Browser, camera_browser: Browser, open_page: Open, tianfu: RunningTianfu, film_path: Path
) -> None:
    svg = make_venue(open_page(browser, desk=True), VENUE)
    assert is_drawing(svg)
    poster = picture_of(browser, svg)
    assert read_code(poster).startswith(f"{tianfu.address}/v#")
    film(poster, film_path)
    page = open_page(camera_browser)
    hold_green_code(page, Person("赵一"))
    before = scans_recorded(tianfu)

    page.get_by_test_id("go-scan").click()
    page.get_by_test_id("scan-confirm").click()

    expect(page.get_by_test_id("scan-result-venue")).to_contain_text(VENUE)
    expect(page.get_by_test_id("scan-result-colour")).to_have_attribute("data-colour", "green")
    expect(page.get_by_test_id("scan-result-time")).not_to_be_empty()
    assert scans_recorded(tianfu) == before + 1


def test_a_guard_scans_a_residents_live_code(
    browser: Browser, camera_browser: Browser, open_page: Open, tianfu: RunningTianfu, film_path: Path
) -> None:
    phone = open_page(browser)
    hold_green_code(phone, Person("钱小二"))
    film(phone.get_by_test_id("code-qr").screenshot(), film_path)
    guard = open_page(camera_browser, desk=True)
    before = scans_recorded(tianfu)

    sign_in(guard, "guard")

    result = guard.get_by_test_id("check-result")
    expect(result).to_have_attribute("data-colour", "green")
    expect(result).to_have_attribute("data-verdict", "valid")
    expect(guard.get_by_test_id("check-name")).to_have_text("钱*二")
    expect(guard.get_by_test_id("check-test")).to_be_visible()
    assert scans_recorded(tianfu) == before + 1


def test_a_screenshot_shown_twice_is_told(
    browser: Browser, camera_browser: Browser, open_page: Open, film_path: Path
) -> None:
    phone = open_page(browser)
    hold_green_code(phone, Person("孙三"))
    film(phone.get_by_test_id("code-qr").screenshot(), film_path)
    first, second = open_page(camera_browser, desk=True), open_page(camera_browser, desk=True)
    for page, username in ((first, "guard"), (second, "guard2")):
        sign_in(page, username)
        expect(page.get_by_test_id("check-result")).to_be_visible()

    expect(second.get_by_test_id("check-result")).to_have_attribute("data-verdict", "already_used")
    expect(second.get_by_test_id("check-used")).to_be_visible()


def test_a_foreign_code_is_told_apart(camera_browser: Browser, open_page: Open, film_path: Path) -> None:
    page = open_page(camera_browser, desk=True)
    drawing = page.context.new_page()
    drawing.set_content("<h1>no code here</h1>")
    film(drawing.screenshot(), film_path)
    sign_in(page, "guard")

    page.get_by_test_id("check-text").fill("HELLO WORLD")
    page.get_by_test_id("check-read").click()

    expect(page.get_by_test_id("check-foreign").or_(page.get_by_test_id("check-failure"))).to_be_visible()
