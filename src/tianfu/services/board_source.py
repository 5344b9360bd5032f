"""The board of this machine for gates on other machines.

    python -m tianfu.services.board_source --host 127.0.0.1 --port 8010

GET /board/v1/snapshot?table=N[&after=HEX]               a page of the snapshot
GET /board/v1/changes?identity=N&after=N[&heard=MS]      what changed, at the latest after ten seconds

Answers are frames (`tianfu.status.stream`). Whoever asks shows the shared secret as a bearer token. What is said of
people is a number and a colour, and still nobody else's business: beyond loopback, put TLS in front.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Final
from urllib.parse import parse_qsl

from tianfu.clock import monotonic_seconds
from tianfu.errors import InputInvalidError, NotFoundError, TianfuError
from tianfu.platform import secretfile
from tianfu.platform.asgi import Receive, Scope, Send
from tianfu.platform.http import API_HEADERS, BusyError, MethodRefusedError, language_of, problem, problem_headers
from tianfu.platform.observe import Log
from tianfu.platform.settings import load
from tianfu.services.http_server import serve
from tianfu.services.refusal import explained
from tianfu.status import layout, stream
from tianfu.status.layout import BoardUnreadableError, Table
from tianfu.status.source import Source

PREFIX: Final = "/board/v1/"
LOOK_SECONDS: Final = 0.1
WAIT_SECONDS_MAX: Final = 10.0
# Each holds a frame of 4 MiB while it is sent: 512 MB for all.
FOLLOWERS_MAX: Final = 128
_QUERY_FIELDS_MAX: Final = 4
_NUMBER_DIGITS_MAX: Final = 20
_KEY_HEX_MAX: Final = 64
_FRAME: Final = (b"content-type", b"application/octet-stream")


class BoardSecretRefusedError(TianfuError):
    """The request does not carry the shared secret."""

    code = "board_secret_refused"
    status = 401
    zh = "未提供有效的共享密钥。"
    en = "The shared secret is missing or wrong."


class BoardSourceApp:
    """The ASGI application over one board."""

    def __init__(self, source: Source, secret: str, log: Log) -> None:
        """Let in whoever knows `secret`."""
        self._source = source
        self._secret = secret
        self._log = log
        self._answering = 0
        self._trouble = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; a body is not looked at."""
        del receive
        headers: dict[bytes, bytes] = dict(scope["headers"])
        language = language_of(headers.get(b"accept-language", b""))
        self._answering += 1
        try:
            body = stream.pack(await self._answer(scope, headers))
            status, lines = 200, (_FRAME, *API_HEADERS)
        except TianfuError as error:
            (status, body), lines = problem(error, language), problem_headers(error, language)
        except Exception as error:  # noqa: BLE001 - the edge: an answer is owed whatever broke
            self._log.error("a handler failed", route=PREFIX, error=type(error).__name__)
            (status, body), lines = problem(TianfuError(), language), problem_headers(TianfuError(), language)
        finally:
            self._answering -= 1
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": status, "headers": [length, *lines]})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes]) -> stream.Frame:
        if not secretfile.same(headers.get(b"authorization", b""), f"Bearer {self._secret}"):
            raise BoardSecretRefusedError
        if self._answering > FOLLOWERS_MAX:
            raise BusyError
        if scope["method"] != "GET":
            raise MethodRefusedError
        asked = _asked(scope["query_string"])
        if scope["path"] == PREFIX + "snapshot":
            self._look()
            return self._source.page(_table(asked), _key(asked))
        if scope["path"] == PREFIX + "changes":
            return await self._changes(_number(asked, "identity"), _number(asked, "after"), _number(asked, "heard"))
        raise NotFoundError

    async def _changes(self, identity: int, after: int, heard_ms: int) -> stream.Frame:
        """Wait until something changed, a newer heartbeat came, or the time is up."""
        ends = monotonic_seconds() + WAIT_SECONDS_MAX
        while True:
            self._look()
            news = self._source.changes_end() != after or self._source.heartbeat_ms() > heard_ms
            if news or self._source.identity() != identity or monotonic_seconds() >= ends:
                return self._source.changes(identity, after)
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        """Take up a board that has appeared or been built anew."""
        try:
            self._source.refresh()
        except BoardUnreadableError as error:
            if not self._trouble:
                self._log.error("the board cannot be read", code=error.code)
            self._trouble = True
            return
        self._trouble = False


def _asked(query: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(query.decode("ascii"), max_num_fields=_QUERY_FIELDS_MAX))
    except (UnicodeDecodeError, ValueError) as error:
        raise InputInvalidError from error


def _number(asked: dict[str, str], name: str) -> int:
    text = asked.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX):
        raise InputInvalidError
    return int(text)


def _table(asked: dict[str, str]) -> Table:
    table = layout.TABLES.get(_number(asked, "table"))
    if table is None:
        raise InputInvalidError
    return table


def _key(asked: dict[str, str]) -> bytes | None:
    text = asked.get("after")
    if text is None:
        return None
    try:
        key = bytes.fromhex(text) if len(text) <= _KEY_HEX_MAX else b""
    except ValueError as error:
        raise InputInvalidError from error
    if len(key) != _table(asked).key_bytes:
        raise InputInvalidError
    return key


def main() -> None:
    """Serve the board of the settings' data folder until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tianfu.services.board_source", description="Serve the board.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    log = Log("board-source")
    with explained(log):
        settings = load()
        secret = secretfile.read_or_create(settings.gate.board_secret)
        source = Source(settings.var / "board")
        app = BoardSourceApp(source, secret, log)
        asyncio.run(serve(app, host=arguments.host, port=arguments.port, stopping=lambda: None))
        source.close()


if __name__ == "__main__":
    main()
