from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gate import gate_process
from tests.support.ports import free_port
from tianfu.services.http_protocol import HEAD_BYTES_MAX

ANSWER_SECONDS_MAX = 30


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    number = free_port()
    with gate_process(tmp_path, number):
        yield number


def one_answer(connection: socket.socket) -> bytes:
    """Head and body of one JSON answer, or what came before the connection ended."""
    answer = b""
    while not answer.endswith(b"}"):
        got = connection.recv(65_536)
        if not got:
            break
        answer += got
    return answer


def answer_to(port: int, *parts: bytes) -> tuple[int, dict[str, object]]:
    """The status and the problem that a connection gets for `parts`, sent one after the other."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS_MAX) as connection:
        for part in parts:
            try:
                connection.sendall(part)
            except OSError:
                break  # refused already
        answer = one_answer(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    return int(head.split(b" ")[1]), json.loads(body)


@pytest.mark.parametrize("nonsense", [b"\x16\x03\x01 hello\r\n\r\n", b"GET /\xff\xfe HTTP/9.9\r\n\r\n"])
def test_what_is_no_http_is_refused_as_a_problem(port: int, nonsense: bytes) -> None:
    status, content = answer_to(port, nonsense)

    assert (status, content["code"]) == (400, "request_unreadable")


def test_a_head_without_end_is_refused(port: int) -> None:
    line = b"x-filler: " + b"f" * 4_000 + b"\r\n"

    status, content = answer_to(port, b"GET /gate/v1/health HTTP/1.1\r\n", *[line] * (HEAD_BYTES_MAX // 4_000 + 2))

    assert (status, content["code"]) == (431, "head_too_large")


def test_a_connection_goes_on_after_many_ordinary_requests(port: int) -> None:
    request = b"GET /gate/v1/health HTTP/1.1\r\nhost: localhost\r\nx-filler: " + b"f" * 2_000 + b"\r\n\r\n"

    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS_MAX) as connection:
        for _ in range(HEAD_BYTES_MAX // len(request) + 3):
            connection.sendall(request)
            assert one_answer(connection).startswith(b"HTTP/1.1 200")
