"""The thin adapter between an ASGI server and the hot handlers: plain functions from request to answer.

It bounds and reads the body, picks out the session token and the reader's language, keeps other sites out of
requests that change something, waits for the journal where an answer must be durable, and renders every error.
It knows nothing of codes, colours or people. One process has one event loop, and the handlers run on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from tianfu.errors import NotFoundError, TianfuError
from tianfu.platform.http import (
    HOT_BODY_BYTES_MAX,
    Answer,
    BodyTooLargeError,
    BodyUnreadableError,
    BusyError,
    ContentTypeRefusedError,
    HotRequest,
    Language,
    MethodRefusedError,
    OriginRefusedError,
    language_of,
    problem,
    problem_headers,
)
from tianfu.platform.observe import Log

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Handler = Callable[[HotRequest], Answer | Awaitable[Answer]]

# A client that is still sending reads no answer. What is over the limit is thrown away for this long and this much
# (a 10 MB photo sent by mistake), then the connection is closed under it.
_DISCARD_BYTES_MAX: Final = 16 * 1024 * 1024
_DISCARD_SECONDS_MAX: Final = 5.0
# A body of at most 8 KiB comes in the packet of its headers or the next. Where so many are still on their way, some
# trickle on purpose: the oldest gives way to the newest. (A timer for each would cost a tenth of a scan.)
_BODIES_READING_MAX: Final = 2_000
_SESSION_TOKEN_BYTES_MAX: Final = 1024
_LENGTHS_RENDERED: Final = 2048
_CONTENT_LENGTHS: Final = tuple((b"content-length", b"%d" % length) for length in range(_LENGTHS_RENDERED))


class DurableLog(Protocol):
    """What the adapter needs of a journal."""

    def append(self, record: bytes) -> Awaitable[None]:
        """Accept `record`; the awaitable ends when it is durable, or raises what the client is told."""
        ...

    def append_many(self, records: Sequence[bytes]) -> Awaitable[None]:
        """As `append`, for several: all of them or none."""
        ...

    def settled(self) -> Awaitable[None]:
        """Ends when everything appended so far is durable, or raises what the client is told."""
        ...


class Route(NamedTuple):
    """One address and method. `cookie` names the cookie that carries its session.

    `lost` hears of a record that was not made durable, so that a handler can forget it. A body over `body_bytes_max`
    is refused.
    """

    handler: Handler
    cookie: bytes = b""
    lost: Callable[[bytes], None] | None = None
    body_bytes_max: int = HOT_BODY_BYTES_MAX


class HotApp:
    """The ASGI application over `routes`, keyed by (method, path). A method is `GET` or `POST`.

    `public_origin` is accepted as `Origin` besides the host that the request itself was sent to. `answers` counts
    what was answered by (path, status); unknown paths count as "other".
    """

    def __init__(
        self, routes: Mapping[tuple[str, str], Route], *, journal: DurableLog, public_origin: str, log: Log
    ) -> None:
        """Serve exactly `routes`."""
        self._routes = dict(routes)
        self._paths = frozenset(path for _, path in routes)
        self._journal = journal
        self._public_origin = public_origin.encode("ascii")
        self._log = log
        self._reading: dict[asyncio.Task[None] | None, None] = {}
        self.answers: dict[tuple[str, int], int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; whatever happens, exactly one answer is sent."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        language = language_of(headers.get(b"accept-language", b""))
        try:
            answer = await self._answer(scope, headers, language, receive)
        except BodyTooLargeError as error:
            await _refuse_and_discard(error, language, receive, send)
            return
        except TianfuError as error:
            answer = _problem(error, language)
        except Exception as error:  # noqa: BLE001 (the edge: an answer is owed whatever broke)
            # Not one of ours: a bug. The client learns nothing of it, the log learns where to look.
            self._log.error("a handler failed", route=str(scope["path"]), error=type(error).__name__)
            answer = _problem(TianfuError(), language)
        path = scope["path"]
        counted = (path if path in self._paths else "other", answer.status)
        self.answers[counted] = self.answers.get(counted, 0) + 1
        body = answer.body
        size = len(body)
        length = _CONTENT_LENGTHS[size] if size < _LENGTHS_RENDERED else (b"content-length", b"%d" % size)
        await send({"type": "http.response.start", "status": answer.status, "headers": [length, *answer.headers]})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], language: Language, receive: Receive) -> Answer:
        route = self._routes.get((scope["method"], scope["path"]))
        if route is None:
            raise MethodRefusedError if scope["path"] in self._paths else NotFoundError
        body = b""
        if scope["method"] == "POST":
            self._check_sender(headers)
            _check_declared(headers, route.body_bytes_max)
            body = await self._read_body(receive, route.body_bytes_max)
        token = _session_token(headers, route.cookie)
        answer = route.handler(HotRequest(body, scope["query_string"], token, language))
        if type(answer) is not Answer:
            answer = await answer  # type: ignore[misc]  # a tuple is not awaitable, and here it is none
        if answer.record is not None:
            await self._make_durable(answer.record, route)
        elif answer.records:
            await self._make_all_durable(answer, route)
        elif answer.settled:
            await self._journal.settled()
        return answer

    async def _make_durable(self, record: bytes, route: Route) -> None:
        try:
            await self._journal.append(record)
        except BaseException:
            if route.lost is not None:
                route.lost(record)
            raise

    async def _make_all_durable(self, answer: Answer, route: Route) -> None:
        try:
            # Appended before anything is waited for: nobody else may have a turn between the handler and the journal.
            before = self._journal.settled() if answer.settled else None
            appended = self._journal.append_many(answer.records)
            if before is not None:
                await before
            await appended
        except BaseException:
            if route.lost is not None:
                for record in answer.records:
                    route.lost(record)
            raise

    async def _read_body(self, receive: Receive, bytes_max: int) -> bytes:
        task = asyncio.current_task()
        if len(self._reading) >= _BODIES_READING_MAX:
            oldest = next(iter(self._reading))
            if oldest is not None:
                oldest.cancel()
        self._reading[task] = None
        try:
            return await _gather(receive, bytes_max)
        except asyncio.CancelledError:
            raise BusyError from None
        finally:
            del self._reading[task]

    def _check_sender(self, headers: dict[bytes, bytes]) -> None:
        kind = headers.get(b"content-type", b"")
        if kind != b"application/json" and kind.partition(b";")[0].strip().lower() != b"application/json":
            raise ContentTypeRefusedError
        origin = headers.get(b"origin")
        if origin is None or origin == self._public_origin:
            return
        if origin.partition(b"://")[2] != headers.get(b"host"):
            raise OriginRefusedError


def _session_token(headers: dict[bytes, bytes], cookie: bytes) -> str | None:
    """The token of the cookie named, else the bearer's; None when there is neither or it is absurdly long."""
    jar = headers.get(b"cookie")
    token = b""
    if jar is not None and cookie:
        for pair in jar.split(b";"):
            name, _, value = pair.strip().partition(b"=")
            if name == cookie:
                token = value
                break
    if not token:
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer":
            return None
    if not token or len(token) > _SESSION_TOKEN_BYTES_MAX or not token.isascii():
        return None
    return token.decode("ascii")


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
    answer = _problem(error, language)
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


def _problem(error: TianfuError, language: Language) -> Answer:
    status, body = problem(error, language)
    return Answer(body, status, headers=problem_headers(error, language))
