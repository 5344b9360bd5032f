"""Whatever a client sends, the short way answers as the long way alone would, byte for byte."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.server import ServerState

from tests.platform.test_asgi import ORIGIN, MemoryJournal
from tests.services.test_sweep import Wire
from tianfu.access.channel import SHARES
from tianfu.platform.admission import Admission
from tianfu.platform.asgi import HotApp
from tianfu.platform.hot import HotDesk, Route
from tianfu.platform.http import Answer, HotRequest
from tianfu.platform.observe import Log
from tianfu.platform.rounds import Rounds
from tianfu.platform.shortcut import Shortcut
from tianfu.services.http_protocol import BoundedHttpProtocol, ShortcutProtocol

COOKIE = b"tianfu_session"
BODY = b'{"poster":"x"}'
GET = b"GET /code HTTP/1.1\r\nHost: localhost:8000\r\nCookie: tianfu_session=abc\r\n\r\n"
POST = (
    b"POST /scan HTTP/1.1\r\nHost: localhost:8000\r\nContent-Type: application/json\r\nContent-Length: 14\r\n"
    b"Origin: http://localhost:8000\r\nCookie: tianfu_session=abc\r\n\r\n" + BODY
)
# Enough turns of the loop for a request, its rounds and its answer.
TURNS = 12


def tell(request: HotRequest) -> Answer:
    """All that a handler is told."""
    told = (request.body.decode("latin-1"), request.query.decode(), repr(request.token), request.language)
    return Answer(json.dumps(told).encode())


def desk() -> HotDesk:
    routes = {("GET", "/code"): Route(tell, COOKIE), ("POST", "/scan"): Route(tell, COOKIE, body_bytes_max=200)}
    return HotDesk(routes, journal=MemoryJournal(), public_origin=ORIGIN, log=Log("t", stream=io.StringIO()))


Making = Callable[[HotDesk], Callable[..., BoundedHttpProtocol]]


def long_way(_desk: HotDesk) -> Callable[..., BoundedHttpProtocol]:
    return BoundedHttpProtocol


def short_way(served: HotDesk) -> Callable[..., BoundedHttpProtocol]:
    rounds = Rounds(served, Admission(SHARES), lambda _request: 0, asyncio.get_running_loop())
    return partial(ShortcutProtocol, rounds=rounds, shortcut=Shortcut(served))


def answers(making: Making, *parts: bytes) -> tuple[bytes, bool]:
    """What a connection is sent for `parts`, one after the other, and whether it is ended."""

    async def run() -> tuple[bytes, bool]:
        served = desk()
        config = uvicorn.Config(HotApp(served), lifespan="off", log_config=None, server_header=False, date_header=False)
        made: Any = making(served)
        protocol: BoundedHttpProtocol = made(
            config=config, server_state=ServerState(), app_state={}, _loop=asyncio.get_running_loop()
        )
        wire = Wire()
        protocol.connection_made(wire)  # type: ignore[arg-type]  # as much of a transport as is used
        for part in parts:
            if not wire.is_ended:
                protocol.data_received(part)
                for _ in range(TURNS):
                    await asyncio.sleep(0)
        sent, is_ended = wire.sent, wire.is_ended
        protocol.connection_lost(None)
        return sent, is_ended

    return asyncio.run(run())


@pytest.mark.parametrize(
    "data",
    [
        GET,
        POST,
        GET + GET,
        POST + GET,
        GET.replace(b"/code", b"/code?fresh=1"),
        GET.replace(b"Cookie: ", b"Cookie:"),
        GET.replace(b"Cookie: ", b"Cookie:  "),
        GET.replace(b"=abc", b"=abc "),
        GET.replace(b"=abc", b"=abc\t"),
        GET.replace(b"=abc", b"=a\0c"),
        GET.replace(b"=abc", b"=a\rc"),
        GET.replace(b"=abc", b"=a\nX: c"),
        GET.replace(b"=abc", b"=\r\nAuthorization: Bearer abc"),
        GET.replace(b"=abc", b"=abc\r\nCookie: tianfu_session=def"),
        GET.replace(b"=abc", b"=abc; tianfu_session=def"),
        GET.replace(b"Cookie: tianfu_session=", b"Authorization: Bearer x\r\nAuthorization: Bearer "),
        GET.replace(b"Cookie", b"Cookie "),
        GET.replace(b"Host", b"Accept-Language: en\r\nAccept-Language: zh\r\nHost"),
        GET.replace(b"Host", b"Accept-Language:en\r\nHost"),
        GET.replace(b"Host", b"Accept-Language: en\r\n ,zh\r\nHost"),
        GET.replace(b"Host", b"Connection:close\r\nHost"),
        GET.replace(b"Host", b"Connection: x, close\r\nHost"),
        GET.replace(b"Host", b"Connection: keep-alive\r\nHost"),
        GET.replace(b"Host", b"Connection: Upgrade\r\nUpgrade: h2c\r\nHost"),
        GET.replace(b"Host", b"no colon\r\nHost"),
        GET.replace(b"Host", b": no name\r\nHost"),
        GET.replace(b"Host", b"X: \x7f\r\nHost"),
        GET.replace(b"Host", b"X: \xe5\xbc\xa0\r\nHost"),
        GET.replace(b"Host", b"X:\r\nHost"),
        GET.replace(b"Host: localhost:8000\r\n", b""),
        GET.replace(b"\r\n\r\n", b"\n\r\n"),
        GET.replace(b"\r\n\r\n", b"\r\n\n"),
        GET.replace(b"\r\n", b"\n"),
        GET.replace(b"\r\n\r\n", b"\n\n" + GET),
        GET.replace(b"\r\n\r\n", b"\r\nX: y\n\nGET /code HTTP/1.1\r\n\r\n"),
        GET.replace(b"Host", b"Content-Length: 0\r\nHost"),
        GET.replace(b"Host", b"Content-Length: 14\r\nHost") + BODY,
        GET.replace(b"Host", b"Content-Length: 999999999999999999999\r\nHost"),
        GET.replace(b"Host", b"Transfer-Encoding: chunked\r\nHost") + b"0\r\n\r\n" + GET,
        POST.replace(b"Host", b"Transfer-Encoding: chunked\r\nHost"),
        POST.replace(b"Content-Length: 14", b"Transfer-Encoding: chunked").replace(
            BODY, b"e\r\n" + BODY + b"\r\n0\r\n\r\n"
        ),
        POST.replace(b"Host", b"Transfer-Encoding : chunked\r\nHost"),
        POST.replace(b"Host", b"X: y\r\n Transfer-Encoding: chunked\r\nHost"),
        POST.replace(b"Host", b"X: y\nTransfer-Encoding: chunked\r\nHost"),
        POST.replace(b"Host", b"Content-Length: 14\r\nHost"),
        POST.replace(b"Host", b"Content-Length: 5\r\nHost"),
        POST.replace(b"Length: 14", b"Length: 014"),
        POST.replace(b"Length: 14", b"Length: +14"),
        POST.replace(b"Length: 14", b"Length: 14, 14"),
        POST.replace(b"Length: 14", b"Length: 0x0e"),
        POST.replace(b"Length: 14", b"Length: 14 "),
        POST.replace(b"Length: 14", b"Length:14"),
        POST.replace(b"Length: 14", b"Length: 13"),
        POST.replace(b"Length: 14", b"Length: 15"),
        POST.replace(b"Length: 14", b"Length: 201"),
        POST.replace(b"Length: 14", b"Length: -1"),
        POST.replace(b"Content-Length: 14\r\n", b""),
        POST.replace(b"Origin: ", b"Origin:"),
        POST.replace(b"Origin: http://localhost:8000", b"Origin:http://evil.example"),
        POST.replace(b"Origin: ", b"Origin: http://localhost:8000\r\nOrigin: http://evil.example"),
        POST.replace(b"Host: localhost:8000", b"Host: evil.example\r\nOrigin: http://evil.example"),
        POST.replace(b"Content-Type: ", b"Content-Type: text/plain\r\nContent-Type: "),
        POST.replace(b"Host", b"Content-Type: text/plain\r\nHost"),
        POST.replace(b"Cookie", b"Content-Type: text/plain\r\nCookie"),
        POST.replace(b"Content-Type: ", b"Content-Type:"),
        POST.replace(b"application/json", b"application/json; charset=utf-8"),
        POST.replace(b"Host", b"Expect: 100-continue\r\nHost"),
        POST.replace(b"POST", b"post"),
        POST.replace(b"HTTP/1.1", b"HTTP/1.0"),
        POST.replace(b"HTTP/1.1", b"HTTP/1.1 "),
        POST.replace(b"/scan", b"http://localhost:8000/scan"),
        POST.replace(b"/scan", b"/s%63an"),
        b"\r\n" + GET,
        b"\0" + GET,
    ],
)
def test_every_attempt_at_being_read_in_two_ways_is_read_in_one(data: bytes) -> None:
    # Sent twice, the second follows a head that may be remembered.
    assert answers(short_way, GET, data, data) == answers(long_way, GET, data, data)


NAMES = (b"Cookie", b"cookie", b"Content-Type", b"Content-Length", b"Origin", b"Accept-Language", b"X-Y", b"Connection")
NAMES_ODD = (b"Transfer-Encoding", b"Expect", b"Authorization", b"Content-Length ", b"", b"Upgrade", b"Host", b"a b")
VALUES = (b"tianfu_session=abc", b"a=b; tianfu_session=abc", b"application/json", b"14", b"0", b"http://localhost:8000")
VALUES_ODD = (b"en", b"close", b"keep-alive", b"chunked", b"Bearer abc", b"15", b"", b"x\0", b"\xff", b"100-continue")
USUAL = (b"Host: localhost:8000", b"Cookie: tianfu_session=abc", b"Content-Type: application/json")


def rarely(usual: tuple[bytes, ...], odd: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    return st.sampled_from(usual * 4 + odd)


LINES = st.one_of(
    st.sampled_from(USUAL),
    st.builds(
        lambda name, colon, value: name + colon + value,
        rarely(NAMES, NAMES_ODD),
        rarely((b": ",), (b":", b" : ", b":\t", b"")),
        rarely(VALUES, VALUES_ODD),
    ),
)
REQUESTS = st.builds(
    lambda line, lines, end, body: b"".join(part + end for part in (line, *lines)) + b"\r\n" + body,
    rarely(
        (b"GET /code HTTP/1.1", b"POST /scan HTTP/1.1"),
        (b"GET /code?fresh=1 HTTP/1.1", b"GET /scan HTTP/1.1", b"POST /scan HTTP/1.0", b"HEAD /code HTTP/1.1", b"GET"),
    ),
    st.lists(LINES, max_size=5),
    rarely((b"\r\n",) * 4, (b"\n", b"\r", b"\r\n ")),
    rarely((b"", BODY), (b"x", BODY + b"x", GET, POST)),
)
CHANGES = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 2), st.sampled_from(b"\0\r\n\t :;,=a\x7f\xff")), max_size=2
)


def changed(data: bytes, changes: list[tuple[int, int, int]]) -> bytes:
    """`data` with single bytes put in and left out."""
    for at, gone, byte in changes:
        data = data[:at] + bytes((byte,)) + data[at + gone :]
    return data


@given(
    requests=st.lists(st.one_of(REQUESTS, st.sampled_from((GET, POST))), min_size=1, max_size=3),
    changes=CHANGES,
    cuts=st.lists(st.integers(1, 400), max_size=2),
    together=st.booleans(),
)
def test_any_request_is_answered_alike_on_both_ways(
    requests: list[bytes], changes: list[tuple[int, int, int]], cuts: list[int], *, together: bool
) -> None:
    requests[-1] = changed(requests[-1], changes)
    parts = requests
    if together:
        data = b"".join(requests)
        edges = [0, *sorted(cut for cut in set(cuts) if cut < len(data)), len(data)]
        parts = [data[start:end] for start, end in pairwise(edges)]

    assert answers(short_way, *parts) == answers(long_way, *parts)
