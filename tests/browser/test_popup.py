"""The entry code on a phone: the popup withholds the code until a negative test is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, PHONE
from tests.browser.steps import Person, hold_green_code
from tests.support.running import RunningTianfu
from tianfu.clock import SHANGHAI, SystemClock

Load = Callable[[str, dict[str, str]], None]


@pytest.fixture
def arrivals(folder_for_system: Path) -> Iterator[RunningTianfu]:
    """A Tianfu of its own, because the rules in force are its own."""
    running = RunningTianfu.start(folder_for_system / "popup" / "var")
    running.command("policy", "publish", "policies/entry-2022-06.toml", "--by", "li.na", "--approved-by", "wang.wei")
    yield running
    running.stop()


@pytest.fixture
def page(arrivals: RunningTianfu, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(base_url=arrivals.address, viewport=PHONE, locale="zh-CN")  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def load(arrivals: RunningTianfu) -> Load:
    def loaded(feed: str, cells: dict[str, str]) -> None:
        file = arrivals.var.parent / f"{feed}.csv"
        file.write_text(",".join(cells) + "\n" + ",".join(cells.values()) + "\n", encoding="utf-8")
        arrivals.command("feed", "load", feed, str(file))

    return loaded


def ago(hours: float) -> str:
    return (SystemClock().now() - timedelta(hours=hours)).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def test_the_entry_code_is_withheld_until_the_first_negative(page: Page, load: Load) -> None:
    person = Person()
    hold_green_code(page, person)
    document = {"document_type": "resident_id", "document_number": person.number}
    expect(page.get_by_test_id("code-qr")).to_be_visible()

    arrival = {"record_id": "E-1", "origin": "310115", "arrived_at": ago(6), "reported_at": ago(6)}
    load("entry_points", document | arrival)

    popup = page.get_by_test_id("code-popup")
    expect(popup).to_have_attribute("data-popup", "entry")
    expect(popup).to_contain_text("入川即检")
    expect(page.get_by_test_id("code-withheld")).to_be_visible()
    expect(page.get_by_test_id("code-qr")).to_have_count(0)
    expect(page.get_by_text("可正常通行")).to_have_count(0)
    expect(page.get_by_test_id("go-scan")).to_have_count(0)

    negative = {"sample_id": "S-1", "sampled_at": ago(5), "resulted_at": ago(1), "result": "阴性", "method": "核酸"}
    load("lab", document | negative | {"laboratory": "LAB-1"})

    expect(page.get_by_test_id("code-qr")).to_be_visible()
    expect(popup).to_have_count(0)
