from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from tianfu.platform.asgi import Receive, Scope, Send
from tianfu.services.http_protocol import (
    CONNECTIONS_CROWDED,
    HALF_SWEEPS_MAX,
    SILENT_SWEEPS_CROWDED_MAX,
    SILENT_SWEEPS_MAX,
    WAITING_REQUESTS_MAX,
    BoundedHttpProtocol,
)

GET = b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Wire:
    """A transport that notes its end."""

    def __init__(self) -> None:
        self.is_ended = False
        self.sent = b""

    def get_extra_info(self, name: str, default: object = None) -> object:
        del name
        return default

    def is_closing(self) -> bool:
        return self.is_ended

    def write(self, data: bytes) -> None:
        self.sent += data

    def abort(self) -> None:
        self.is_ended = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    close = abort


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    """Never answers."""
    del scope, receive, send
    await asyncio.Event().wait()


async def quick(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers at once."""
    del scope, receive
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def connection(app: Application) -> tuple[BoundedHttpProtocol, Wire]:
    config = uvicorn.Config(app, http=BoundedHttpProtocol, lifespan="off", log_config=None)
    made: Any = partial(BoundedHttpProtocol, config=config, server_state=ServerState(), app_state={})
    wire = Wire()
    protocol: BoundedHttpProtocol = made(_loop=asyncio.get_running_loop())
    protocol.connection_made(wire)  # type: ignore[arg-type]  # as much of a transport as is used
    return protocol, wire


def sweeps_until_the_end(
    *parts: bytes, app: Application = quick, between: bytes = b"", sweeps_max: int = 50, others: int = 0
) -> int | None:
    """After how many sweeps a connection that sent `parts`, and `between` before each sweep, is ended."""

    async def run() -> int | None:
        protocol, wire = connection(app)
        protocol.connections.update(range(others))  # type: ignore[arg-type]  # only their number is looked at
        for part in parts:
            protocol.data_received(part)
        await asyncio.sleep(0)
        for number in range(1, sweeps_max):
            if between:
                protocol.data_received(between)
                await asyncio.sleep(0)
            protocol.sweep()
            if wire.is_ended:
                return number
        return None

    return asyncio.run(run())


def test_a_silent_connection_is_ended() -> None:
    assert sweeps_until_the_end() == SILENT_SWEEPS_MAX + 1
    assert sweeps_until_the_end(GET) == SILENT_SWEEPS_MAX + 1


def test_a_connection_in_use_is_left_alone() -> None:
    assert sweeps_until_the_end(between=GET) is None


def test_a_client_that_trickles_a_head_is_ended_however_busy_it_looks() -> None:
    assert sweeps_until_the_end(GET[:20], between=b"a") == HALF_SWEEPS_MAX + 1


def test_a_client_that_waits_for_us_is_left_alone() -> None:
    assert sweeps_until_the_end(GET, app=slow) is None


def test_a_client_that_waits_for_an_answer_and_reads_none_is_ended() -> None:
    async def run() -> int:
        protocol, wire = connection(slow)
        protocol.data_received(GET)
        await asyncio.sleep(0)
        protocol.pause_writing()
        sweeps = 0
        while not wire.is_ended:
            protocol.sweep()
            sweeps += 1
            assert sweeps < 50
        protocol.connection_lost(None)
        return sweeps

    assert asyncio.run(run()) == SILENT_SWEEPS_MAX + 1


@pytest.mark.parametrize(
    ("requests", "is_ended"), [(WAITING_REQUESTS_MAX + 1, False), (WAITING_REQUESTS_MAX + 2, True)]
)
def test_more_requests_sent_ahead_than_are_kept_end_the_connection(requests: int, *, is_ended: bool) -> None:
    async def run() -> bool:
        protocol, wire = connection(slow)
        protocol.data_received(GET * requests)
        return wire.is_ended

    assert asyncio.run(run()) is is_ended


def test_where_it_is_crowded_the_silent_give_way_sooner_and_those_who_are_answered_do_not() -> None:
    assert sweeps_until_the_end(others=CONNECTIONS_CROWDED) == SILENT_SWEEPS_CROWDED_MAX + 1
    assert sweeps_until_the_end(GET, others=CONNECTIONS_CROWDED) == SILENT_SWEEPS_CROWDED_MAX + 1
    assert sweeps_until_the_end(GET, app=slow, others=CONNECTIONS_CROWDED) is None
    assert sweeps_until_the_end(others=CONNECTIONS_CROWDED - 2) == SILENT_SWEEPS_MAX + 1
