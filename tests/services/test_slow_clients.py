"""Clients that are slow, silent, greedy or gone: the gate ends them, keeps its memory, and serves the others."""

from __future__ import annotations

import contextlib
import json
import re
import resource
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.support.gate import ODD_GATE, GateWorld, gate_process
from tests.support.ports import free_port
from tests.support.running import until

SWEEP_SECONDS = 0.2
# Five silent sweeps, and time for a busy machine.
ENDED_SECONDS_MAX = 60.0
SLOW = 40
LEFT = 2_000
SHOW = b"GET /gate/v1/code?fresh=1 HTTP/1.1\r\nHost: localhost\r\nCookie: tianfu_session=%b\r\n\r\n"
HEAD = b"GET /gate/v1/code HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
POST = (
    b"POST /gate/v1/scan HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 8000\r\n\r\n{"
)
SENT_BYTES_MAX = 8 * 1024 * 1024
# Connections of somebody else that come and go meanwhile.
MARGIN = 3
MEMORY_BYTES_MAX = 96 * 1024 * 1024


class Served(NamedTuple):
    """A gate that sweeps five times a second, and the token of a resident."""

    process: subprocess.Popen[bytes]
    port: int
    token: str

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=ENDED_SECONDS_MAX)

    def memory(self) -> int:
        """Bytes of memory that the gate has in use."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def connections(self) -> int:
        """How many descriptors the gate has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    world = GateWorld(tmp_path)
    port = free_port()
    constants = json.dumps({"tianfu.services.http_server:SWEEP_SECONDS": SWEEP_SECONDS})
    with gate_process(world.var, port, program=ODD_GATE, ODD_CONSTANTS=constants) as process:
        yield Served(process, port, world.resident(1))
    world.writer.close()


@contextlib.contextmanager
def somebody_else(served: Served) -> Iterator[list[int]]:
    """Another phone that asks all the while; the statuses it got."""
    statuses: list[int] = []
    stopping = threading.Event()

    def ask() -> None:
        address = f"http://127.0.0.1:{served.port}"
        with httpx.Client(
            base_url=address, cookies={"tianfu_session": served.token}, trust_env=False, timeout=ENDED_SECONDS_MAX
        ) as phone:
            while not stopping.wait(0.02):
                statuses.append(phone.get("/gate/v1/code").status_code)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield statuses
    finally:
        stopping.set()
        thread.join()


def is_ended(line: socket.socket) -> bool:
    """Whether the gate has ended the connection; what it sent before is read."""
    line.settimeout(0)
    try:
        return not line.recv(65_536)
    except BlockingIOError:
        return False
    except OSError:
        return True


def all_ended(lines: list[socket.socket], between: Callable[[socket.socket], None] = lambda _: None) -> None:
    """Wait for the end of every connection, doing `between` to those that are left."""
    left = list(lines)

    def none_left() -> bool:
        for line in left:
            with contextlib.suppress(OSError):
                between(line)
        left[:] = [line for line in left if not is_ended(line)]
        return not left

    until(none_left, "the connections to be ended", seconds=ENDED_SECONDS_MAX)
    for line in lines:
        line.close()


def trickle(line: socket.socket) -> None:
    line.send(b"a")


@pytest.mark.parametrize("start", [HEAD, POST, b""], ids=["heads", "bodies", "from the first byte"])
def test_who_trickles_is_ended_and_others_are_served(served: Served, start: bytes) -> None:
    with somebody_else(served) as statuses:
        lines = [served.connect() for _ in range(SLOW)]
        for line in lines:
            line.sendall(start)

        all_ended(lines, trickle)
        until(lambda: bool(statuses), "others to be served")

    assert set(statuses) == {200}


def greedy(served: Served, request: bytes, pause_seconds: float) -> socket.socket:
    """Somebody who asks until nothing more is taken, and reads nothing."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    line.settimeout(ENDED_SECONDS_MAX)
    line.connect(("127.0.0.1", served.port))
    line.settimeout(0.1)
    sent = 0
    with contextlib.suppress(OSError):
        while sent < SENT_BYTES_MAX:
            sent += line.send(request)
            time.sleep(pause_seconds)
    assert sent < SENT_BYTES_MAX
    return line


@pytest.mark.parametrize(("at_once", "pause_seconds"), [(8, 0.01), (400, 0.0)], ids=["steadily", "all at once"])
def test_who_asks_and_never_reads_is_ended_and_takes_no_memory(
    served: Served, at_once: int, pause_seconds: float
) -> None:
    before = served.memory()
    with somebody_else(served) as statuses, contextlib.ExitStack() as stack:
        alone = served.connections() + MARGIN
        stack.enter_context(greedy(served, SHOW % served.token.encode() * at_once, pause_seconds))
        assert served.memory() - before < MEMORY_BYTES_MAX
        until(lambda: served.connections() <= alone, "the greedy to be ended", seconds=ENDED_SECONDS_MAX)
        until(lambda: bool(statuses), "others to be served")

    assert set(statuses) == {200}


def test_thousands_of_connections_that_are_opened_and_left_are_ended(served: Served) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, LEFT + 500)), hard))
    before = served.memory()
    try:
        with somebody_else(served) as statuses:
            alone = served.connections() + MARGIN
            lines = [served.connect() for _ in range(LEFT)]
            asked = len(statuses)

            until(lambda: served.connections() <= alone, "those left to be ended", seconds=ENDED_SECONDS_MAX)
            until(lambda: len(statuses) > asked, "others to be served")
            for line in lines:
                line.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert set(statuses) == {200}
    assert served.memory() - before < MEMORY_BYTES_MAX


def test_who_resets_in_the_middle_of_everything_harms_nobody(served: Served) -> None:
    show = SHOW % served.token.encode()
    with somebody_else(served) as statuses:
        alone = served.connections() + MARGIN
        for number in range(300):
            line = served.connect()
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close resets
            line.sendall((show, show * 3, show[:40], HEAD, POST)[number % 5])
            line.close()
        until(lambda: served.connections() <= alone, "the connections to be forgotten")
        asked = len(statuses)
        until(lambda: len(statuses) > asked + 5, "others to be served")

    assert set(statuses) == {200}
    assert served.process.poll() is None
