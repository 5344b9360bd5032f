"""What happens to a request at the gate, however it came: the handler, the journal, one answer, one count.

Two adapters bring requests here: `tianfu.platform.asgi` from any ASGI server, and `tianfu.platform.shortcut` straight
from the bytes of a connection. Nothing here knows codes, colours or people. One process has one event loop, and the
handlers run on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple, Protocol

from tianfu.errors import TianfuError
from tianfu.platform.http import (
    HOT_BODY_BYTES_MAX,
    JSON_HEADERS,
    Answer,
    Header,
    HotRequest,
    Language,
    Unsigned,
    problem,
    problem_headers,
)
from tianfu.platform.observe import Log

# What a handler gives back: the answer, one that lacks its signature, or one to wait for.
Answering = Answer | Unsigned | Awaitable[Answer]
Handler = Callable[[HotRequest], Answering]
Told = Callable[[TianfuError | None], None]

_PHRASES: Final = {status.value: status.phrase.encode() for status in HTTPStatus}


def _head(headers: tuple[Header, ...]) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in headers)


_OK_JSON: Final = b"HTTP/1.1 200 OK\r\n" + _head(JSON_HEADERS) + b"content-length: %d\r\n\r\n%b"


class DurableLog(Protocol):
    """What the gate needs of a journal. Both raise at once when nothing can be accepted; `told` is not called then."""

    def take(self, records: Sequence[bytes], told: Told) -> None:
        """Accept `records`; `told` hears None once all are durable, or what the client is to be told."""
        ...

    def when_settled(self, told: Told) -> None:
        """`told` hears the same of everything taken so far."""
        ...


class Route(NamedTuple):
    """One address and method. `cookie` names the cookie that carries its session.

    `lost` hears of a record that was not made durable, so that a handler can forget it.
    """

    handler: Handler
    cookie: bytes = b""
    lost: Callable[[bytes], None] | None = None
    body_bytes_max: int = HOT_BODY_BYTES_MAX


class HotDesk:
    """The routes of a gate, keyed by (method, path); a method is `GET` or `POST`.

    `public_origin` is accepted as `Origin` besides the host that a request itself was sent to. `answers` counts what
    was answered by (path, status); unknown paths count as "other".
    """

    def __init__(
        self, routes: Mapping[tuple[str, str], Route], *, journal: DurableLog, public_origin: str, log: Log
    ) -> None:
        """Serve exactly `routes`."""
        self.routes = dict(routes)
        self.paths = frozenset(path for _, path in routes)
        self.journal = journal
        self.public_origin = public_origin.encode("ascii")
        self._log = log
        self.answers: dict[tuple[str, int], int] = {}

    def handle(self, route: Route, path: str, request: HotRequest) -> Answering:
        """What the handler answers; an error of ours is an answer too, and so is a bug."""
        try:
            return route.handler(request)
        except TianfuError as error:
            return refusal(error, request.language)
        except Exception as error:  # noqa: BLE001 (the edge: an answer is owed whatever broke)
            return self.broken(error, path, request.language)

    def sign(self, unsigned: Unsigned, path: str, language: Language) -> Answer:
        """The answer of `unsigned`; a bug, or a key service that fails, is an answer too."""
        try:
            return unsigned.finish((unsigned,), (unsigned.signer.sign(unsigned.data),))[0]
        except TianfuError as error:
            return refusal(error, language)
        except Exception as error:  # noqa: BLE001 (the edge: an answer is owed whatever broke)
            return self.broken(error, path, language)

    async def wait(self, answering: Awaitable[Answer], path: str, language: Language) -> Answer:
        """The answer of a handler that waits; an error of ours is an answer too, and so is a bug."""
        try:
            return await answering
        except TianfuError as error:
            return refusal(error, language)
        except Exception as error:  # noqa: BLE001 (the edge: an answer is owed whatever broke)
            return self.broken(error, path, language)

    def broken(self, error: Exception, path: str, language: Language) -> Answer:
        """The answer to a bug: the client learns nothing of it, the log learns where to look."""
        self._log.error("a handler failed", route=path, error=type(error).__name__)
        return refusal(TianfuError(), language)

    def make_durable(self, answers: Sequence[tuple[Route, Answer]], told: Told) -> None:
        """`told` hears None once the journal has everything that `answers` say, else what their clients are told.

        Their records are given to the journal before this returns, so nobody has a turn between handler and journal.
        What was not made durable is told to its route.
        """
        records = [record for _, answer in answers for record in answer.records]
        waits_for_others = any(answer.settled for _, answer in answers)

        def tell(failure: TianfuError | None) -> None:
            if failure is not None:
                for route, answer in answers:
                    if route.lost is not None:
                        for record in answer.records:
                            route.lost(record)
            told(failure)

        joint = Joint(tell, bool(records) + waits_for_others)
        try:
            if records:
                self.journal.take(records, joint.told)
        except TianfuError as error:
            joint.told(error)
        try:
            if waits_for_others:
                self.journal.when_settled(joint.told)
        except TianfuError as error:
            joint.told(error)

    def count(self, path: str, status: int) -> None:
        """Note an answer."""
        counted = (path if path in self.paths else "other", status)
        self.answers[counted] = self.answers.get(counted, 0) + 1


def refusal(error: TianfuError, language: Language) -> Answer:
    """`error` as an answer in the reader's language."""
    status, body = problem(error, language)
    return Answer(body, status, headers=problem_headers(error, language))


def http_bytes(answer: Answer) -> bytes:
    """`answer` as it goes over a connection that stays open."""
    body = answer.body
    if answer.status == 200 and answer.headers is JSON_HEADERS:  # noqa: PLR2004 (OK)
        return answer.wire or _OK_JSON % (len(body), body)
    return b"HTTP/1.1 %d %b\r\n%bcontent-length: %d\r\n\r\n%b" % (
        answer.status,
        _PHRASES[answer.status],
        _head(answer.headers),
        len(body),
        body,
    )


class Joint:
    """Tells once when as many have told it as were announced: the first failure, or None."""

    __slots__ = ("_failure", "_tell", "_waiting")

    def __init__(self, tell: Told, waiting: int) -> None:
        """Wait for `waiting`, at least one."""
        self._tell = tell
        self._waiting = waiting
        self._failure: TianfuError | None = None

    def told(self, failure: TianfuError | None) -> None:
        """Hear from one of them."""
        self._failure = self._failure or failure
        self._waiting -= 1
        if self._waiting == 0:
            self._tell(self._failure)


def settle(durable: asyncio.Future[None], failure: TianfuError | None) -> None:
    """What to give a journal as `told`, with a future of this loop: it ends or raises accordingly."""
    if durable.done():
        return  # whoever waited has gone
    if failure is None:
        durable.set_result(None)
    else:
        durable.set_exception(failure)
