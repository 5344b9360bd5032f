from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from tests.support.ports import free_port
from tianfu.platform.http import SECURITY_HEADERS
from tianfu.platform.observe import Log
from tianfu.services.control_proxy import CONTROL_BODY_BYTES_MAX, ControlProxy
from tianfu.services.web_pages import WebPages


class Control(BaseHTTPRequestHandler):
    """Says what it was asked, in the place of the control process."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        content = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(size).decode(),
        }
        body = json.dumps(content).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "a=1; HttpOnly")
        self.send_header("Set-Cookie", "b=2; HttpOnly")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def control_port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Control)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@asynccontextmanager
async def proxied(port: int) -> AsyncIterator[httpx.AsyncClient]:
    proxy = ControlProxy(port=port, public_scheme="https", log=Log("test"))
    transport = httpx.ASGITransport(proxy)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://code.example") as client:
            yield client
    finally:
        await proxy.close()


def ask(port: int, method: str, path: str, **options: object) -> httpx.Response:
    async def once() -> httpx.Response:
        async with proxied(port) as client:
            return await client.request(method, path, **options)  # type: ignore[arg-type]

    return asyncio.run(once())


def test_a_request_reaches_control_as_it_was_sent(control_port: int) -> None:
    answer = ask(control_port, "POST", "/api/v1/claims?a=%E4%B8%AD&b=1", content=b'{"x":1}', headers={"cookie": "s=1"})
    seen = answer.json()
    assert answer.status_code == 201
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/api/v1/claims?a=%E4%B8%AD&b=1", '{"x":1}')
    assert seen["headers"]["host"] == "code.example"
    assert seen["headers"]["cookie"] == "s=1"


def test_every_cookie_comes_back(control_port: int) -> None:
    assert ask(control_port, "GET", "/api/v1/info").headers.get_list("set-cookie") == ["a=1; HttpOnly", "b=2; HttpOnly"]


def test_what_one_person_was_given_is_never_sent_for_another(control_port: int) -> None:
    async def two_strangers() -> list[httpx.Response]:
        proxy = ControlProxy(port=control_port, public_scheme="http", log=Log("test"))
        answers = []
        for _ in range(2):
            async with httpx.AsyncClient(transport=httpx.ASGITransport(proxy), base_url="http://code.example") as one:
                answers.append(await one.get("/api/v1/me"))
        await proxy.close()
        return answers

    first, second = asyncio.run(two_strangers())
    assert first.headers.get_list("set-cookie")
    assert "cookie" not in second.json()["headers"]


def test_a_client_cannot_forge_who_it_is(control_port: int) -> None:
    forged = {"x-forwarded-for": "9.9.9.9", "x-forwarded-proto": "gopher", "connection": "keep-alive, x-a", "te": "x"}
    seen = ask(control_port, "GET", "/api/v1/info", headers=forged).json()["headers"]
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "https"
    assert "te" not in seen


@pytest.mark.parametrize("path", ["/api/../metrics", "/api/v1/../../metrics", "/api/./v1/me", "/api/%2e%2e/metrics"])
def test_a_path_that_climbs_out_of_the_public_part_reaches_nobody(control_port: int, path: str) -> None:
    statuses, seen = asyncio.run(raw_path(control_port, path))
    assert (statuses, seen) == ([404], "not_found")


def test_an_address_longer_than_any_is_refused_and_is_no_bug(control_port: int) -> None:
    assert asyncio.run(raw_path(control_port, "/api/" + "a" * 70_000)) == ([431], "head_too_large")


async def raw_path(port: int, path: str) -> tuple[list[int], str]:
    """What the proxy answers to a request line that no client of ours would send: statuses and code."""
    proxy = ControlProxy(port=port, public_scheme="https", log=Log("test"))
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"method": "GET", "path": unquote(path), "raw_path": path.encode(), "query_string": b"", "headers": []}
    try:
        await proxy(scope, receive, send)
    finally:
        await proxy.close()
    body = b"".join(message.get("body", b"") for message in sent)
    return [message["status"] for message in sent if "status" in message], str(json.loads(body)["code"])


def test_a_body_over_the_limit_is_refused_and_control_never_sees_it(control_port: int) -> None:
    answer = ask(control_port, "POST", "/api/v1/claims", content=b"x" * (CONTROL_BODY_BYTES_MAX + 1))
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


@pytest.mark.parametrize(("language", "words"), [("en", "Showing and scanning"), ("zh-CN", "亮码和扫码不受影响")])
def test_control_being_away_is_said_at_once_in_the_readers_language(language: str, words: str) -> None:
    answer = ask(free_port(), "POST", "/api/v1/claims", content=b"{}", headers={"accept-language": language})
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1
    assert words in answer.json()["detail"]


def page(folder: Path, method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(WebPages(folder))
        async with httpx.AsyncClient(transport=transport, base_url="http://code.example") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(once())


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<!doctype html><title>phone</title>" + "." * 2_000)
    (tmp_path / "panda.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return tmp_path


def test_pages_carry_the_security_headers(dist: Path) -> None:
    answer = page(dist, "GET", "/claim")
    assert answer.status_code == 200
    for name, value in SECURITY_HEADERS:
        assert answer.headers[name.decode()] == value.decode()


def test_a_page_that_is_known_is_not_sent_again(dist: Path) -> None:
    etag = page(dist, "GET", "/").headers["etag"]
    again = page(dist, "GET", "/", {"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_head_has_the_length_and_no_body(dist: Path) -> None:
    answer = page(dist, "HEAD", "/panda.svg")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize(("method", "path", "code"), [("GET", "/x.js", "not_found"), ("POST", "/", "method_refused")])
def test_what_is_not_there_is_a_problem(dist: Path, method: str, path: str, code: str) -> None:
    assert page(dist, method, path).json()["code"] == code


def test_a_web_app_that_is_not_built_says_so_until_it_is(tmp_path: Path) -> None:
    missing = page(tmp_path / "dist", "GET", "/")
    assert missing.status_code == 503
    assert missing.json()["code"] == "web_missing"
