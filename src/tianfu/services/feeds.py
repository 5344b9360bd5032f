"""The departments' door: files pushed over HTTP, signed, into the same intake as every other file.

python -m tianfu.services.feeds --port 8001

POST /feeds/v1/{feed}      a file of up to 64 MiB; the answer is what became of it
GET  /feeds/v1/openapi.json, /feeds/v1/dictionary      what may be sent

Whoever is not let in is told so before the body is kept. Loading runs in threads, two at a time: each holds its whole
batch in memory (see `feeds.table`). Mutual TLS, where it is wanted, is the business of the proxy in front.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from tianfu.clock import Clock, SystemClock
from tianfu.errors import NotFoundError, TianfuError
from tianfu.feeds import dictionary, intake
from tianfu.feeds.contracts import CONTRACTS
from tianfu.feeds.push import admission, signature
from tianfu.feeds.push.keys_store import FeedKey
from tianfu.feeds.table import FILE_BYTES_MAX
from tianfu.platform.asgi import Receive, Scope, Send
from tianfu.platform.collector import collect_rarely
from tianfu.platform.database import Database
from tianfu.platform.http import (
    API_HEADERS,
    BodyTooLargeError,
    BusyError,
    Language,
    MethodRefusedError,
    language_of,
    problem,
    problem_headers,
)
from tianfu.platform.keyring import RecordKeys, records_path
from tianfu.platform.observe import Log
from tianfu.platform.pseudonym import Pseudonym
from tianfu.platform.rates import Rate
from tianfu.platform.settings import Settings
from tianfu.services.control_process import run

PREFIX: Final = "/feeds/v1/"
# Each load holds a body of 64 MiB and about 0.3 GB of rows.
LOADS_MAX: Final = 2
BUSY_SECONDS: Final = 5
# 64 MiB in two minutes is 4.5 Mbit/s.
BODY_SECONDS_MAX: Final = 120.0
# What is refused is read on and thrown away up to here, so that the sender gets to see the answer.
DISCARD_BYTES_MAX: Final = 2 * FILE_BYTES_MAX
# Requests from one address, signed or not: a department behind one address has a few keys of 60 a minute.
ADDRESS_PER_MINUTE: Final = 300
ADDRESS_BURST: Final = 100
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_JSON: Final = (b"content-type", b"application/json")


class ClientGoneError(Exception):
    """The client closed the connection or stopped sending; nobody reads an answer."""


class FeedDoor:
    """The ASGI application."""

    def __init__(self, database: Database, pseudonym: Pseudonym, log: Log, *, clock: Clock | None = None) -> None:
        """Load into `database`."""
        self._database = database
        self._pseudonym = pseudonym
        self._log = log
        self._clock = clock or SystemClock()
        self._addresses = Rate(per_minute=ADDRESS_PER_MINUTE, burst=ADDRESS_BURST)
        self._keys = admission.new_rate()
        self._loading = 0
        self._static = {
            "openapi.json": msgspec.json.encode(dictionary.openapi(CONTRACTS.values())),
            "dictionary": msgspec.json.encode(dictionary.json_of(CONTRACTS.values())),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; a body that is not wanted is read to its end and forgotten."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        language = language_of(headers.get(b"accept-language", b""))
        body = _Body(receive)
        try:
            answer = await self._answer(scope, body)
        except ClientGoneError:
            return
        except TianfuError as error:
            self._log.warning("a push was refused", code=error.code)
            await _refuse(error, language, body, send)
            return
        except Exception as error:  # noqa: BLE001 - the edge: an answer is owed whatever broke
            self._log.error("a handler failed", route=PREFIX, error=type(error).__name__)
            await _refuse(TianfuError(), language, body, send)
            return
        lines = [_JSON, *API_HEADERS, (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": lines})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, scope: Scope, body: _Body) -> bytes:
        path: str = scope["path"]
        name = path.removeprefix(PREFIX)
        self._addresses.spend(_address(scope))
        if path == name or scope["query_string"]:
            raise NotFoundError
        if name in self._static:
            if scope["method"] != "GET":
                raise MethodRefusedError
            return self._static[name]
        if name not in CONTRACTS:
            raise NotFoundError
        if scope["method"] != "POST":
            raise MethodRefusedError
        return await self._push(name, scope, body)

    async def _push(self, feed: str, scope: Scope, body: _Body) -> bytes:
        signed = signature.read(scope["headers"])
        if self._loading >= LOADS_MAX:
            raise BusyError(retry_after_seconds=BUSY_SECONDS)
        self._loading += 1
        try:
            at = self._clock.now()
            key = await asyncio.to_thread(
                admission.admit, self._database, self._keys, signed, feed=feed, path=scope["path"], at=at
            )
            data = await body.read()
            signature.require_digest(signed, data)
            loaded = await asyncio.to_thread(self._load, key, feed, data)
        finally:
            self._loading -= 1
        self._log.info(
            "a push was taken",
            feed=feed,
            key=key.key_id,
            batch=loaded.batch_id,
            rows=loaded.rows,
            accepted=loaded.accepted,
            duplicates=loaded.duplicates,
            set_aside=loaded.set_aside,
        )
        return msgspec.json.encode(loaded)

    def _load(self, key: FeedKey, feed: str, data: bytes) -> intake.Loaded:
        at = self._clock.now()
        return intake.load(
            self._database,
            data,
            contract=CONTRACTS[feed],
            source=key.source,
            pseudonym=self._pseudonym,
            at=at,
            loaded_by=admission.sender(key, at),
        )


class _Body:
    """The body of one request: read whole or thrown away."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def read(self) -> bytes:
        """All of it. Raises `BodyTooLargeError`, or `ClientGoneError` when it does not come in time."""
        parts: list[bytes] = []
        size = 0
        async with _in_time():
            while not self._ended:
                part = await self._next()
                size += len(part)
                if size > FILE_BYTES_MAX:
                    raise BodyTooLargeError
                parts.append(part)
        return b"".join(parts)

    async def discard(self) -> None:
        """Read to the end, or up to `DISCARD_BYTES_MAX`, and keep nothing."""
        left = DISCARD_BYTES_MAX
        async with _in_time():
            while not self._ended and left > 0:
                left -= len(await self._next())

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        self._ended = not message.get("more_body", False)
        part: bytes = message.get("body", b"")
        return part


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    """A time limit whose end is a client that is gone."""
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            yield
    except TimeoutError:
        raise ClientGoneError from None


async def _refuse(error: TianfuError, language: Language, body: _Body, send: Send) -> None:
    try:
        await body.discard()
    except ClientGoneError:
        return
    status, content = problem(error, language)
    lines = [*problem_headers(error, language), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": content})


def _address(scope: Scope) -> str:
    """Where the request came from: the peer, or what the origin on this machine says of its own peer."""
    client = scope.get("client")
    peer: str = client[0] if client else "unknown"
    stated = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
    return stated if stated and peer in _LOOPBACK else peer


def build(settings: Settings, database: Database, *, clock: Clock | None = None) -> FeedDoor:
    """The ASGI application. Raises for key files that cannot be used."""
    pseudonym = Pseudonym(RecordKeys.load_or_create(records_path(settings.var)))
    return FeedDoor(database, pseudonym, Log("feeds"), clock=clock)


def main() -> None:
    """Serve on loopback until told to stop."""
    collect_rarely()
    run("feeds", "Departments' files over HTTP.", build)


if __name__ == "__main__":
    main()
