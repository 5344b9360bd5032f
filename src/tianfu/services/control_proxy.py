"""Passes `/api/` on to the control process, so that one origin serves residents, guards and operators.

Bodies are bounded, waiting is bounded, connections are kept. When the control process is away (restarting, or its
database is down and it is busy saying so) the answer is a problem at once, and the gate beside it goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Final

import httpx

from tianfu.errors import NotFoundError, TianfuError
from tianfu.platform.asgi import Receive, Scope, Send
from tianfu.platform.bodies import Bodies
from tianfu.platform.http import BodyTooLargeError, Header, language_of, problem, problem_headers
from tianfu.platform.observe import Log
from tianfu.services.http_protocol import HeadTooLargeError

# The largest body of the control API is a claim of a few hundred bytes; a megabyte leaves room for uploads of forms.
CONTROL_BODY_BYTES_MAX: Final = 1024 * 1024
# What is over the limit is read and thrown away up to here, so that the sender gets to see the refusal.
# 300 MiB of bodies on their way at most.
BODIES_READING_MAX: Final = 300
DISCARD_BYTES_MAX: Final = 16 * 1024 * 1024
BODY_SECONDS_MAX: Final = 20.0
# An operator's statement may take 15 s; the answer must have begun soon after.
TIMEOUT: Final = httpx.Timeout(connect=1.0, read=20.0, write=10.0, pool=1.0)
# Kept shorter than the five seconds after which uvicorn closes an idle connection, so that none dies in use.
LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=2.0)
RETRY_AFTER_SECONDS: Final = 2

# RFC 9110 section 7.6.1, and what this proxy states itself.
HOP_BY_HOP: Final = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer"),
        *(b"transfer-encoding", b"upgrade", b"proxy-connection", b"expect"),
    }
)
# The outer server dates and names its own answers.
NOT_RETURNED: Final = HOP_BY_HOP | {b"date", b"server"}
# Whoever resolves them leaves the part of the address space that is public.
_CLIMBING: Final = frozenset({".", ".."})
STATED_HERE: Final = frozenset({b"content-length", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"})


class ControlAwayError(TianfuError):
    """The control process does not answer; showing and scanning go on."""

    code = "control_away"
    status = 503
    zh = "办理服务暂时不可用，亮码和扫码不受影响，请稍后再试。"
    en = "This service is away for a moment. Showing and scanning codes go on; please try again shortly."


class ClientGoneError(Exception):
    """The client closed the connection; nobody reads an answer."""


class ControlProxy:
    """An ASGI application that forwards to the control process on a loopback port."""

    timeout = TIMEOUT

    def __init__(self, *, port: int, public_scheme: str, log: Log) -> None:
        """`public_scheme` is what the public origin uses, `http` or `https`."""
        self._base = f"http://127.0.0.1:{port}"
        self._scheme = public_scheme.encode("ascii")
        self._log = log
        self._bodies = Bodies(BODIES_READING_MAX)
        # The bare transport: a client would keep the cookies of one person and send them for the next.
        self._transport = httpx.AsyncHTTPTransport(limits=LIMITS, trust_env=False)

    async def close(self) -> None:
        """Close the kept connections."""
        await self._transport.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request and stream its answer back."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        language = language_of(headers.get(b"accept-language", b""))
        try:
            address = self._address(scope)
            body = await self.content(receive)
        except TianfuError as error:
            await send_problem(error, language, send)
            return
        except (TimeoutError, ClientGoneError):
            return
        request = httpx.Request(
            scope["method"],
            address,
            headers=list(self.forwarded(scope)),
            content=body,
            extensions={"timeout": self.timeout.as_dict()},
        )
        try:
            response = await self._transport.handle_async_request(request)
        except ClientGoneError:
            return
        except httpx.HTTPError as error:
            self._log.warning("the control process does not answer", error=type(error).__name__)
            await send_problem(ControlAwayError(retry_after_seconds=RETRY_AFTER_SECONDS), language, send)
            return
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": response.status_code,
                    "headers": [pair for pair in response.headers.raw if pair[0].lower() not in NOT_RETURNED],
                }
            )
            async for chunk in _raw(response):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await response.aclose()

    async def content(self, receive: Receive) -> bytes | AsyncIterator[bytes]:
        """The body to send on. Raises as `read_body` does, and `BusyError` when too many are on their way."""
        return await self._bodies.read(read_body(receive))

    def _address(self, scope: Scope) -> httpx.URL:
        """Where to send it. Raises `NotFoundError` for a path that climbs, `HeadTooLargeError` for an absurd one."""
        if not _CLIMBING.isdisjoint(scope["path"].split("/")):
            raise NotFoundError
        path: bytes = scope.get("raw_path") or scope["path"].encode("utf-8")
        query: bytes = scope["query_string"]
        target = path.split(b"?", 1)[0] + (b"?" + query if query else b"")
        try:
            return httpx.URL(self._base + target.decode("latin-1"))
        except httpx.InvalidURL as error:
            raise HeadTooLargeError from error

    def forwarded(self, scope: Scope) -> Iterable[Header]:
        """The client's headers, less those that belong to a connection or that a client could forge."""
        for name, value in scope["headers"]:
            if name not in HOP_BY_HOP and name not in STATED_HERE:
                yield name, value
        client = scope.get("client")
        yield b"x-forwarded-for", (client[0] if client else "unknown").encode("ascii")
        yield b"x-forwarded-proto", self._scheme


async def _raw(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it came, still compressed where it was."""
    async for chunk in response.aiter_raw():
        yield chunk


async def read_body(receive: Receive) -> bytes:
    """The whole body. Raises `BodyTooLargeError`, `TimeoutError`, or `ClientGoneError`."""
    parts: list[bytes] = []
    size = 0
    async with asyncio.timeout(BODY_SECONDS_MAX):
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise ClientGoneError
            part = message.get("body", b"")
            size += len(part)
            if size <= CONTROL_BODY_BYTES_MAX:
                parts.append(part)
            if not message.get("more_body", False) or size > DISCARD_BYTES_MAX:
                break
    if size > CONTROL_BODY_BYTES_MAX:
        raise BodyTooLargeError
    return b"".join(parts)


async def send_problem(error: TianfuError, language: str, send: Send) -> None:
    """Answer with `error` as problem+json."""
    status, body = problem(error, language)
    headers = [*problem_headers(error, language), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
