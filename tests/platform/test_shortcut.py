from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.platform.test_asgi import ORIGIN, MemoryJournal, echo
from tianfu.platform.hot import HotDesk, Route
from tianfu.platform.http import HotRequest
from tianfu.platform.observe import Log
from tianfu.platform.shortcut import HEAD_BYTES_MAX, Shortcut

COOKIE = b"tianfu_session"
GET = b"GET /code HTTP/1.1\r\nHost: localhost\r\nCookie: tianfu_session=abc\r\n\r\n"
BODY = b'{"poster":"x"}'
POST = (
    b"POST /scan HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 14\r\n"
    b"Origin: http://localhost:8000\r\nCookie: a=b; tianfu_session=abc\r\nAccept-Language: en\r\n\r\n" + BODY
)


@pytest.fixture(scope="module")
def shortcut() -> Shortcut:
    routes = {("GET", "/code"): Route(echo, COOKIE), ("POST", "/scan"): Route(echo, COOKIE, body_bytes_max=100)}
    return Shortcut(HotDesk(routes, journal=MemoryJournal(), public_origin=ORIGIN, log=Log("t", stream=io.StringIO())))


def taken(shortcut: Shortcut, data: bytes) -> HotRequest | None:
    found = shortcut.take(data)
    return None if found is None else found[1]


def test_an_ordinary_request_takes_the_short_way(shortcut: Shortcut) -> None:
    assert taken(shortcut, GET) == HotRequest(b"", b"", b"abc", "zh")
    assert taken(shortcut, POST) == HotRequest(BODY, b"", b"abc", "en")
    assert taken(shortcut, GET.replace(b"/code", b"/code?fresh=1")) == HotRequest(b"", b"fresh=1", b"abc", "zh")
    assert taken(shortcut, GET.replace(b"Host", b"HOST")) == HotRequest(b"", b"", b"abc", "zh")
    without = GET.replace(b"Cookie: tianfu_session=", b"Authorization: Bearer ")
    assert taken(shortcut, without) == HotRequest(b"", b"", b"abc", "zh")
    assert taken(shortcut, without.replace(b"abc", b"def")) == HotRequest(b"", b"", b"def", "zh")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        GET[:-1],
        GET[:-4],
        GET + b"x",
        GET + GET,
        GET.replace(b"/code", b"/other"),
        GET.replace(b"GET", b"HEAD"),
        GET.replace(b"HTTP/1.1", b"HTTP/1.0"),
        GET.replace(b"Cookie", b"cookie"),
        GET.replace(b"\r\n\r\n", b"\r\nCookie: b=c\r\n\r\n"),
        GET.replace(b"abc", b"abc\nTransfer-Encoding: chunked"),
        GET.replace(b"/code", b"/code?a b"),
        GET.replace(b"/code", b"/code?" + b"a" * 65),
        GET.replace(b"Host:", b"Content-Length: 5\r\nHost:"),
        GET.replace(b"Host:", b"Content-Length : 5\r\nHost:"),
        GET.replace(b"Host:", b"X: y\nContent-Length: 5\r\nHost:"),
        GET.replace(b"Host:", b"Transfer-Encoding: chunked\r\nHost:"),
        GET.replace(b"Host:", b"tRANSFER-eNCODING:chunked\r\nHost:"),
        GET.replace(b"Host:", b"Connection: close\r\nHost:"),
        GET.replace(b"Host:", b"X: " + b"y" * HEAD_BYTES_MAX + b"\r\nHost:"),
        GET.replace(b"Host:", b"Connection:close\r\nHost:"),
        GET.replace(b"Host:", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHost:"),
        GET.replace(b"abc", b"abc\rContent-Length: 5"),
        GET.replace(b"abc", b"abc\0"),
        GET.replace(b"Host:", b"X: y\rContent-Length: 5\r\nHost:"),
        GET.replace(b"Host:", b"X: y\r\n z\r\nHost:"),
        GET.replace(b"Host:", b"no colon\r\nHost:"),
        GET.replace(b"Cookie: tianfu_session=", b"Authorization:Bearer "),
        GET.replace(b"Host:", b"Authorization: Bearer abc\r\nAuthorization: Bearer def\r\nHost:"),
        POST.replace(b"Origin: http://localhost:8000", b"Origin:http://evil.example"),
        POST.replace(b"Host:", b"Origin: http://evil.example\r\nHost:"),
        POST[:-1],
        POST + b"x",
        POST.replace(b"Length: 14", b"Length: 014"),
        POST.replace(b"Length: 14", b"Length: +14"),
        POST.replace(b"Host:", b"Content-Length: 14\r\nHost:"),
        POST.replace(b"Host:", b"Transfer-Encoding: chunked\r\nHost:"),
        POST.replace(b"Host:", b"Expect: 100-continue\r\nHost:"),
        POST.replace(b"application/json", b"text/plain"),
        POST.replace(b"http://localhost:8000", b"http://evil.example"),
        POST.replace(b"Content-Length: 14", b"Content-Length: 101").replace(BODY, b"x" * 101),
    ],
)
def test_whatever_is_unusual_takes_the_long_way(shortcut: Shortcut, data: bytes) -> None:
    assert taken(shortcut, data) is None


@given(st.binary(max_size=300))
def test_no_bytes_break_it(noise: bytes) -> None:
    routes = {("GET", "/code"): Route(echo, COOKIE)}
    shortcut = Shortcut(
        HotDesk(routes, journal=MemoryJournal(), public_origin=ORIGIN, log=Log("t", stream=io.StringIO()))
    )

    for data in (noise, GET[:20] + noise, GET[:-2] + noise, GET[:-2] + noise + b"\r\n\r\n"):
        request = taken(shortcut, data)
        assert request is None or request.body == b""


@pytest.mark.parametrize(
    "word", [b"\r\nContent-Length: 3", b"\r\nTransfer-Encoding: chunked", b"\ntransfer-encoding:x"]
)
def test_a_length_told_anywhere_in_the_head_keeps_a_request_off_the_short_way(shortcut: Shortcut, word: bytes) -> None:
    first = len(b"GET /code HTTP/1.1")

    assert [at for at in range(first, len(GET) - 3) if taken(shortcut, GET[:at] + word + GET[at:]) is not None] == []
