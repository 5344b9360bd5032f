"""The thin adapter between an ASGI server and the hot handlers: plain functions from request to answer.

It bounds and reads the body, picks out the session token and the reader's language, keeps other sites out of
requests that change something, waits for the journal where an answer must be durable, and renders every error.
It knows nothing of codes, colours or people. One process has one event loop, and the handlers run on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any, Final

from tianfu.errors import NotFoundError, TianfuError
from tianfu.platform.bodies import Bodies
from tianfu.platform.hot import HotDesk, refusal, settle
from tianfu.platform.http import (
    Answer,
    BodyTooLargeError,
    BodyUnreadableError,
    ContentTypeRefusedError,
    HotRequest,
    Language,
    MethodRefusedError,
    OriginRefusedError,
    Unsigned,
    language_of,
    session_token,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# A client that is still sending reads no answer. What is over the limit is thrown away for this long and this much
# (a 10 MB photo sent by mistake), then the connection is closed under it.
_DISCARD_BYTES_MAX: Final = 16 * 1024 * 1024
_DISCARD_SECONDS_MAX: Final = 5.0
# A body of at most 8 KiB comes in the packet of its headers or the next. Where so many are still on their way, some
# trickle on purpose.
_BODIES_READING_MAX: Final = 2_000


class HotApp:
    """The ASGI application over a desk."""

    def __init__(self, desk: HotDesk) -> None:
        """Serve the routes of `desk`."""
        self._desk = desk
        self._bodies = Bodies(_BODIES_READING_MAX)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; whatever happens, exactly one answer is sent."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        language = language_of(headers.get(b"accept-language", b""))
        path = scope["path"]
        try:
            answer = await self._answer(scope, headers, language, receive)
        except BodyTooLargeError as error:
            await _refuse_and_discard(error, language, receive, send)
            return
        except TianfuError as error:
            answer = refusal(error, language)
        except Exception as error:  # noqa: BLE001 (the edge: an answer is owed whatever broke)
            answer = self._desk.broken(error, path, language)
        self._desk.count(path, answer.status)
        headers_sent = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers_sent})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], language: Language, receive: Receive) -> Answer:
        desk = self._desk
        route = desk.routes.get((scope["method"], scope["path"]))
        if route is None:
            raise MethodRefusedError if scope["path"] in desk.paths else NotFoundError
        body = b""
        if scope["method"] == "POST":
            self._check_sender(headers)
            _check_declared(headers, route.body_bytes_max)
            body = await self._bodies.read(_gather(receive, route.body_bytes_max))
        token = session_token(headers.get(b"cookie"), headers.get(b"authorization"), route.cookie)
        path = scope["path"]
        answer = desk.handle(route, path, HotRequest(body, scope["query_string"], token, language))
        if isinstance(answer, Unsigned):
            answer = desk.sign(answer, path, language)
        elif not isinstance(answer, Answer):
            answer = await desk.wait(answer, path, language)
        if answer.records or answer.settled:
            durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            desk.make_durable([(route, answer)], partial(settle, durable))
            await durable
        return answer

    def _check_sender(self, headers: dict[bytes, bytes]) -> None:
        kind = headers.get(b"content-type", b"")
        if kind != b"application/json" and kind.partition(b";")[0].strip().lower() != b"application/json":
            raise ContentTypeRefusedError
        origin = headers.get(b"origin")
        if origin is None or origin == self._desk.public_origin:
            return
        if origin.partition(b"://")[2] != headers.get(b"host"):
            raise OriginRefusedError


def _check_declared(headers: dict[bytes, bytes], bytes_max: int) -> None:
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit():
        raise BodyUnreadableError
    if len(declared) > 18 or int(declared) > bytes_max:  # noqa: PLR2004 (18 digits always fit 64 bits)
        raise BodyTooLargeError


async def _gather(receive: Receive, bytes_max: int) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise BodyUnreadableError  # the client went away; nobody reads this answer
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > bytes_max:
            raise BodyTooLargeError
        if not message.get("more_body", False):
            return body


async def _refuse_and_discard(error: TianfuError, language: Language, receive: Receive, send: Send) -> None:
    """Send the refusal whole, then read on without keeping, so that the client gets to see it."""
    answer = refusal(error, language)
    headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    left = _DISCARD_BYTES_MAX
    try:
        async with asyncio.timeout(_DISCARD_SECONDS_MAX):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        pass  # long enough; what follows closes the connection
    await send({"type": "http.response.body", "body": b""})
