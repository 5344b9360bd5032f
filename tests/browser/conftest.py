"""A browser, a camera, and a whole Tianfu to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.support.running import RunningTianfu

CHROMIUM = "/usr/bin/chromium"
# No service of the browser's maker is asked for anything: every connection is to this machine.
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-default-apps"),
    *("--disable-domain-reliability", "--disable-client-side-phishing-detection", "--no-pings"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
# For a page on a slow machine; what has come is not waited for.
PATIENCE_MS = 40_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def tianfu(folder_for_system: Path) -> Iterator[RunningTianfu]:
    """A running Tianfu for all browser tests; each claims as somebody else."""
    running = RunningTianfu.start(folder_for_system / "browser" / "var")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """The driver. An event loop runs while it lives, so it ends with its file: other tests run loops of their own."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser without a camera."""
    opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def film_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film that the fake camera plays; written before a page opens the camera."""
    return tmp_path_factory.mktemp("camera") / "camera.y4m"


@pytest.fixture
def camera_browser(playwright: Playwright, film_path: Path) -> Iterator[Browser]:
    """A browser whose camera plays `film_path`."""
    flags = [*FLAGS, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    flags.append(f"--use-file-for-fake-video-capture={film_path}")
    opened = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
    yield opened
    opened.close()


@pytest.fixture
def open_page(tianfu: RunningTianfu) -> Iterator[Callable[..., Page]]:
    """Opens a page of a browser with a cookie jar of its own; anything the page gets wrong fails the test."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def opened(browser: Browser, *, desk: bool = False, language: str = "zh-CN") -> Page:
        context = browser.new_context(
            base_url=tianfu.address,
            viewport=DESK if desk else PHONE,  # type: ignore[arg-type]  # two whole numbers
            locale=language,
            timezone_id="Asia/Shanghai",
            has_touch=not desk,
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: _note_stranger(request.url, tianfu.address, wrong))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def _note_stranger(url: str, address: str, wrong: list[str]) -> None:
    if not url.startswith((address, "data:", "blob:")):
        wrong.append(f"a request left for {url}")
