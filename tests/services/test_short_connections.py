"""One connection on the short way: order, refusals that are not listened to, clients that do not read."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any, cast

import uvicorn
from uvicorn.server import ServerState

from tests.platform.test_asgi import ORIGIN, MemoryJournal, echo
from tests.services.test_sweep import Wire
from tianfu.platform.asgi import HotApp
from tianfu.platform.hot import HotDesk, Route
from tianfu.platform.observe import Log
from tianfu.platform.rounds import Due, Rounds
from tianfu.platform.shortcut import Shortcut
from tianfu.services.http_protocol import ShortcutProtocol

GET = b"GET /code HTTP/1.1\r\nHost: localhost\r\n\r\n"
LONG = GET.replace(b"Host", b"X-Long:\r\nHost")
HELD_BYTES = 70_000


class ReadingWire(Wire):
    """A transport that also notes whether it is read from."""

    def __init__(self) -> None:
        super().__init__()
        self.is_read = True

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True


class Collected:
    """Rounds that answer when the test does."""

    def __init__(self) -> None:
        self.due: list[Due] = []

    def add(self, due: Due) -> None:
        self.due.append(due)

    def admit_unusual(self) -> bool:
        return True


class Line:
    """A connection with both its ends."""

    def __init__(self) -> None:
        routes = {("GET", "/code"): Route(echo, b"tianfu_session")}
        log = Log("t", stream=io.StringIO())
        desk = HotDesk(routes, journal=MemoryJournal(), public_origin=ORIGIN, log=log)
        config = uvicorn.Config(HotApp(desk), lifespan="off", log_config=None, server_header=False, date_header=False)
        self.rounds = Collected()
        self.wire = ReadingWire()
        self.protocol = ShortcutProtocol(
            config=config,
            server_state=ServerState(),
            app_state={},
            rounds=cast("Rounds", self.rounds),
            shortcut=Shortcut(desk),
            _loop=asyncio.get_running_loop(),
        )
        self.protocol.connection_made(cast("Any", self.wire))


def on_a_line(test: Callable[[Line], Any]) -> None:
    async def run() -> None:
        line = Line()
        await test(line)
        line.protocol.connection_lost(None)

    asyncio.run(run())


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_what_comes_before_the_answer_is_answered_after_it() -> None:
    async def test(line: Line) -> None:
        line.protocol.data_received(GET)
        line.protocol.data_received(LONG)
        await turns()
        assert line.wire.sent == b""

        line.rounds.due[0].connection.pay(b"first")
        await turns()

        assert line.wire.sent.startswith(b"firstHTTP/1.1 200")

    on_a_line(test)


def test_a_refused_client_is_not_listened_to_until_it_may_come_back_and_then_in_order() -> None:
    async def test(line: Line) -> None:
        line.protocol.data_received(GET)
        line.protocol.data_received(LONG[:20])
        line.rounds.due[0].connection.refuse(b"busy", 60)
        refused_is_read = line.wire.is_read
        # A transport may bring what it had read already, and one whose client reads again is read from again.
        line.protocol.pause_writing()
        line.protocol.resume_writing()
        line.protocol.data_received(LONG[20:] + GET)
        await turns()
        assert line.wire.sent == b"busy"

        line.protocol._listen_again()
        await turns()

        assert (refused_is_read, line.wire.is_read) == (False, True)
        assert line.wire.sent.count(b"HTTP/1.1 200 OK") == 2
        assert len(line.rounds.due) == 1

    on_a_line(test)


def test_a_short_request_ends_the_wait_that_the_long_way_began() -> None:
    async def test(line: Line) -> None:
        line.protocol.data_received(LONG)
        await turns()
        assert line.protocol.timeout_keep_alive_task is not None
        waiting = line.protocol.timeout_keep_alive_task

        line.protocol.data_received(GET)

        assert waiting.cancelled()
        assert len(line.rounds.due) == 1

    on_a_line(test)


def test_a_client_that_reads_nothing_is_not_read_from_although_it_is_paid() -> None:
    async def test(line: Line) -> None:
        line.protocol.data_received(GET)
        line.protocol.data_received(LONG[:-2] + b"x-filler: " + b"f" * HELD_BYTES)
        assert not line.wire.is_read
        line.protocol.pause_writing()

        line.rounds.due[0].connection.pay(b"first")

        assert not line.wire.is_read
        line.protocol.resume_writing()
        assert line.wire.is_read

    on_a_line(test)
