"""A new build of the web app on phones that have the old one."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tianfu.platform.http import SECURITY_HEADERS
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.services.web_files import WebFiles, headers

DIST = PROJECT_ROOT / "web" / "dist"
CACHES = "caches.keys()"
# Resolves when a build newer than the one that is kept has taken over.
TAKEN_OVER = """async () => {
  const before = (await caches.keys()).length;
  const over = new Promise(done => navigator.serviceWorker.addEventListener('controllerchange', done));
  await (await navigator.serviceWorker.ready).update();
  await Promise.race([over, new Promise(done => setTimeout(done, 60000))]);
  return (await caches.keys()).length > before;
}"""
# What becomes of the next build that is found: "activated", or "redundant" when it is not taken.
DECIDED = """async () => {
  const kept = await navigator.serviceWorker.ready;
  const found = new Promise(done => kept.addEventListener('updatefound', () => done(kept.installing), { once: true }));
  kept.update().catch(() => null);
  const worker = await found;
  while (!['activated', 'redundant'].includes(worker.state)) {
    await new Promise(done => worker.addEventListener('statechange', done, { once: true }));
  }
  return worker.state;
}"""


class WebServer:
    """The origin's files and headers without the rest of the origin, so that builds can be exchanged while it runs."""

    def __init__(self) -> None:
        self.files = WebFiles.read(DIST)
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                outer.asked.append(path)
                file = None if path.startswith(("/api/", "/gate/")) else outer.files.find(path)
                self.send_response(503 if file is None else 200)
                if file is not None:
                    for name, value in (*headers(file, packed=False), *SECURITY_HEADERS):
                        self.send_header(name.decode(), value.decode())
                self.end_headers()
                self.wfile.write(b"" if file is None else file.body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[WebServer]:
    running = WebServer()
    yield running
    running.stop()


@pytest.fixture
def page(server: WebServer, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(base_url=server.address)
    opened = context.new_page()
    opened.goto("/")
    assert opened.evaluate("navigator.serviceWorker.ready.then(() => true)")
    yield opened
    context.close()


def changed_build(folder: Path, words: str, *, listed: bool = True) -> WebFiles:
    """A build whose pages have another title; its worker lists them as they are, or as they were."""
    shutil.copytree(DIST, folder)
    index = folder / "index.html"
    before = index.read_bytes()
    index.write_bytes(before.replace("<title>天府健康通".encode(), f"<title>{words}".encode()))
    worker = folder / "service-worker.js"
    text = worker.read_text(encoding="utf-8")
    version = text.partition('"version":"')[2][:16]
    text = text.replace(version, "0123456789abcdef")
    if listed:
        text = text.replace(hash_of(before), hash_of(index.read_bytes()))
    worker.write_text(text, encoding="utf-8")
    return WebFiles.read(folder)


def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_page_opened_again_asks_the_origin_for_no_file(page: Page, server: WebServer) -> None:
    page.reload()
    server.asked.clear()
    page.reload()
    expect(page.get_by_test_id("go-claim")).to_be_visible()

    files = [path for path in server.asked if not path.startswith("/api/")]
    assert set(files) <= {"/service-worker.js"}


def test_a_new_build_answers_from_the_next_load_on(page: Page, server: WebServer, tmp_path: Path) -> None:
    old = page.evaluate(CACHES)
    server.files = changed_build(tmp_path / "new", "新版")

    assert page.evaluate(TAKEN_OVER)
    page.goto("/claim")

    assert "新版" in page.evaluate("fetch('/index.html').then(answer => answer.text())")
    assert set(old) < set(page.evaluate(CACHES)), "the build before stays for pages still open"


def test_half_a_build_is_not_taken(page: Page, server: WebServer, tmp_path: Path) -> None:
    server.files = changed_build(tmp_path / "half", "半版", listed=False)

    assert page.evaluate(DECIDED) == "redundant"

    assert "半版" not in page.evaluate("fetch('/index.html').then(answer => answer.text())")
    page.reload()
    expect(page.get_by_test_id("go-claim")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/console"])
def test_the_apps_can_be_put_on_a_home_screen(page: Page, path: str) -> None:
    page.goto(path)
    session = page.context.new_cdp_session(page)
    found = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # A private window, which the test's is, installs nothing.
    assert [error["errorId"] for error in found if error["errorId"] != "in-incognito"] == []
