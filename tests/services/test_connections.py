"""The gate's connections over real sockets: order, half-sent and silent ones, and refusals that are not listened to."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gate import ODD_GATE, gate_process
from tests.support.ports import free_port

GET = b"GET /gate/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
SHOW = b"GET /gate/v1/code HTTP/1.1\r\nHost: localhost\r\n\r\n"
ANSWER_SECONDS_MAX = 30
FLOOD = 1_000
# A tenth of the unusual requests that a gate takes in a second, so that a flood is one also where the test is slow.
FEW = {"tianfu.platform.admission:UNUSUAL_PER_SECOND_MAX": 300}


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    number = free_port()
    with gate_process(tmp_path, number):
        yield number


@pytest.fixture
def small_port(tmp_path: Path) -> Iterator[int]:
    number = free_port()
    with gate_process(tmp_path, number, program=ODD_GATE, ODD_CONSTANTS=json.dumps(FEW)):
        yield number


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS_MAX)


def statuses(connection: socket.socket, count: int) -> list[bytes]:
    """The statuses of the next `count` answers."""
    got = b""
    while got.count(b"HTTP/1.1 ") < count or not got.endswith(b"}"):
        part = connection.recv(65_536)
        assert part, got
        got += part
    return [piece[:3] for piece in got.split(b"HTTP/1.1 ")[1:]]


def test_requests_sent_without_waiting_are_answered_in_order(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(GET + SHOW + GET)
        assert statuses(connection, 3) == [b"200", b"401", b"200"]


def test_a_request_in_single_bytes_is_answered_like_one_in_a_piece(port: int) -> None:
    with connect(port) as connection:
        for byte in GET:
            connection.sendall(bytes((byte,)))
        assert statuses(connection, 1) == [b"200"]
        connection.sendall(SHOW)
        assert statuses(connection, 1) == [b"401"]


def test_short_and_long_ways_take_turns_on_one_connection(port: int) -> None:
    with connect(port) as connection:
        for number in range(20):
            request = (GET, SHOW.replace(b"Host", b"Content-Length: 0\r\nHost"), SHOW)[number % 3]
            connection.sendall(request)
            assert statuses(connection, 1) == [(b"200", b"401", b"401")[number % 3]]


def test_a_body_hidden_behind_a_short_request_is_not_taken_for_a_request(port: int) -> None:
    hidden = GET.replace(b"Host", b"Content-Length: %d\r\nHost" % len(SHOW))

    with connect(port) as connection:
        connection.sendall(hidden)
        time.sleep(0.05)
        connection.sendall(SHOW)
        connection.sendall(GET)
        assert statuses(connection, 2) == [b"200", b"200"]


def test_a_client_that_goes_away_half_way_leaves_the_gate_serving(port: int) -> None:
    for part in (GET[:10], GET[:-2], SHOW + GET[:5], b"POST /gate/v1/scan HTTP/1.1\r\nContent-Length: 99\r\n\r\n{"):
        with connect(port) as connection:
            connection.sendall(part)

    with connect(port) as connection:
        connection.sendall(GET)
        assert statuses(connection, 1) == [b"200"]


def test_gates_of_one_machine_can_share_a_port(tmp_path: Path) -> None:
    number = free_port()
    with (
        gate_process(tmp_path, number, "--share-port") as first,
        gate_process(tmp_path, number, "--share-port", TIANFU_GATE_NUMBER="2"),
    ):
        # Each gate counts what it answered itself: one alone would count up by one each time.
        counted = [asked_before(number)]
        while len(counted) < 2_000 and counted == list(range(counted[0], counted[0] + len(counted))):
            counted.append(asked_before(number))
        first.kill()
        first.wait()
        after = [asked_before(number) for _ in range(20)]

    assert len(counted) < 2_000
    assert after == list(range(after[0], after[0] + len(after)))


def asked_before(port: int) -> int:
    """How often the gate that answers was asked for its metrics before."""
    got = b""
    with connect(port) as connection:
        connection.sendall(GET.replace(b"health", b"metrics"))
        while b"\r\n\r\n" not in got or not got.endswith(b"\n"):
            got += connection.recv(65_536)
    found = re.search(rb'route="/gate/v1/metrics",status="200"} (\d+)', got)
    return int(found[1]) if found else 0


@pytest.mark.parametrize(("connections", "each"), [(1, FLOOD), (FLOOD, 1)])
def test_a_flood_of_unusual_requests_is_refused_and_ordinary_ones_are_answered(
    small_port: int, connections: int, each: int
) -> None:
    unusual = SHOW.replace(b"Host", b"cookie: a=b\r\nHost")
    with contextlib.ExitStack() as stack:
        ordinary, *others = [stack.enter_context(connect(small_port)) for _ in range(1 + connections)]
        for connection in others:
            connection.sendall(unusual * each)
        ordinary.sendall(GET)

        assert statuses(ordinary, 1) == [b"200"]
        answers = b"".join(everything(connection, each) for connection in others)
    # One client that sends so many at once is cut off; of many clients some are told to come back.
    assert answers.count(b"HTTP/1.1 401") < FLOOD
    assert connections == 1 or b"HTTP/1.1 503 Service Unavailable" in answers
    assert connections == 1 or b"retry-after: " in answers
    with connect(small_port) as connection:
        time.sleep(0.1)
        connection.sendall(unusual)
        assert statuses(connection, 1) == [b"401"]


def everything(connection: socket.socket, count: int) -> bytes:
    """What comes until there were `count` answers, or one that closes the connection."""
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while got.count(b"HTTP/1.1 ") < count and (part := connection.recv(65_536)):
            got += part
    return got
