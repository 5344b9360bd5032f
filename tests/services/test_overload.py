"""A gate with little room is asked for too much at one entry: the others go on, and nobody is refused for nothing."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.support.gate import ODD_GATE, GateWorld, gate_process
from tests.support.ports import free_port
from tests.support.running import until

ROOM = 8
COST_SECONDS = 100e-6
# A round has room for eight requests; pressure is believed after a second, calm after one.
SMALL = {
    "tianfu.platform.admission:ROUND_SECONDS_MAX": ROOM * COST_SECONDS * 1.01,
    "tianfu.platform.admission:_COST_SECONDS": COST_SECONDS,
    "tianfu.platform.admission:_COST_SECONDS_MIN": COST_SECONDS,
    "tianfu.platform.admission:_COST_SECONDS_MAX": COST_SECONDS,
    "tianfu.platform.admission:_CALM_SECONDS": 1,
    "tianfu.platform.rounds:JUDGE_SECONDS": 1.0,
}
PHONES = 60
FLOOD_SECONDS = 4.0
CHECKS_MIN = 20
ANSWER_SECONDS_MAX = 30


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    made = GateWorld(tmp_path)
    yield made
    made.writer.close()


class Small(NamedTuple):
    """A gate with little room."""

    process: subprocess.Popen[bytes]
    port: int


@pytest.fixture
def small(world: GateWorld) -> Iterator[Small]:
    port = free_port()
    with gate_process(world.var, port, program=ODD_GATE, ODD_CONSTANTS=json.dumps(SMALL)) as process:
        yield Small(process, port)


class Phone:
    """A client that sends and reads when told to."""

    def __init__(self, port: int, token: str, *, cookie: str = "tianfu_session") -> None:
        self._head = f"Host: localhost\r\nCookie: {cookie}={token}\r\n"
        self.line = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS_MAX)

    def show(self) -> None:
        self.line.sendall(f"GET /gate/v1/code?fresh=1 HTTP/1.1\r\n{self._head}\r\n".encode())

    def check(self, code: str) -> None:
        body = json.dumps({"code": code})
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.line.sendall(f"POST /gate/v1/check HTTP/1.1\r\n{self._head}{kind}\r\n{body}".encode())

    def answer(self) -> tuple[int, str, bytes]:
        """Status, head and body of the next answer."""
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._more()
        head, _, body = got.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None
        while len(body) < int(length[1]):
            body += self._more()
        return int(head.split()[1]), head.decode(), body

    def _more(self) -> bytes:
        part = self.line.recv(65_536)
        assert part, "the gate ended the connection"
        return part


def connected(small: Small, token: str) -> list[Phone]:
    """Sixty phones that the gate has let in: it does so one at a time, and answers them in that order."""
    phones = [Phone(small.port, token) for _ in range(PHONES)]
    phones[-1].show()
    assert phones[-1].answer()[0] == 200
    return phones


class Flood:
    """Sixty phones of one entry that all ask at the same time, again and again, whatever they are told."""

    def __init__(self, small: Small, token: str) -> None:
        self.statuses: Counter[int] = Counter()
        self._process = small.process
        self._phones = connected(small, token)
        self._asked = threading.Semaphore(0)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(phone,)) for phone in self._phones]

    def _ask(self, phone: Phone) -> None:
        while not self._stopping.is_set():
            phone.show()
            self._asked.release()
            self.statuses[phone.answer()[0]] += 1

    def start(self) -> None:
        """All of them have asked before the gate looks: there is a flood also where sixty threads are slow."""
        self._process.send_signal(signal.SIGSTOP)
        for thread in self._threads:
            thread.start()
        for _ in self._threads:
            self._asked.acquire()
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        for phone in self._phones:
            phone.line.close()


@contextlib.contextmanager
def burst(small: Small, token: str) -> Iterator[list[tuple[Phone, int, str]]]:
    """What sixty phones are told whose requests come in one round: they are there before the gate looks."""
    phones = connected(small, token)
    try:
        small.process.send_signal(signal.SIGSTOP)
        for phone in phones:
            phone.show()
        small.process.send_signal(signal.SIGCONT)
        yield [(phone, *phone.answer()[:2]) for phone in phones]
    finally:
        for phone in phones:
            phone.line.close()


def test_a_flooded_entry_starves_no_guard_and_is_told_when_to_come_back(world: GateWorld, small: Small) -> None:
    code = world.shown_code(1)
    guard = Phone(small.port, world.guard_token(), cookie="tianfu_operator")
    flood = Flood(small, world.resident(1))
    checks: list[int] = []

    flood.start()
    try:
        ends_at = time.monotonic() + FLOOD_SECONDS
        while time.monotonic() < ends_at or len(checks) <= CHECKS_MIN:
            guard.check(code)
            checks.append(guard.answer()[0])
    finally:
        flood.stop()
        guard.line.close()

    assert set(checks) == {200}
    assert flood.statuses[429] > 0
    assert flood.statuses[200] > 0
    assert set(flood.statuses) == {200, 429}


def waits_of(head: str) -> int:
    found = re.search(r"retry-after: (\d+)", head)
    assert found is not None
    return int(found[1])


def test_who_is_refused_is_not_listened_to_until_the_time_given_and_then_answered(
    world: GateWorld, small: Small
) -> None:
    at = time.monotonic()
    with burst(small, world.resident(1)) as told:
        assert 1 <= sum(status == 200 for _, status, _ in told) < PHONES
        refused = [(waits_of(head), phone) for phone, status, head in told if status == 429]
        assert all(1 <= seconds <= 30 for seconds, _ in refused)
        # Not the shortest: a slow machine may take a second for what has happened so far.
        seconds, phone = min((one for one in refused if one[0] > 2), key=lambda one: one[0])

        phone.line.settimeout(seconds + ANSWER_SECONDS_MAX)
        phone.show()
        status, _, _ = phone.answer()

    assert status == 200
    assert time.monotonic() - at > seconds * 0.95


def test_add_ons_are_left_out_by_name_and_come_back(world: GateWorld, small: Small) -> None:
    with httpx.Client(
        base_url=f"http://127.0.0.1:{small.port}",
        cookies={"tianfu_session": world.resident(1)},
        trust_env=False,
        timeout=ANSWER_SECONDS_MAX,
    ) as phone:

        def level() -> int:
            found = re.search(r"tianfu_gate_degradation_level (\d)", phone.get("/gate/v1/metrics").text)
            assert found is not None
            return int(found[1])

        def pressed() -> bool:
            with burst(small, world.resident(1)):
                return level() == 4

        assert (level(), "degraded" in phone.get("/gate/v1/code").json()) == (0, False)

        until(pressed, "the last degree")
        health = phone.get("/gate/v1/health").json()
        shown = phone.get("/gate/v1/code").json()

        assert health["degraded"][:2] == ["vaccination", "test"]
        assert shown["degraded"][:2] == ["vaccination", "test"]
        assert (shown["colour"], shown["test"]) == ("green", None)
        until(lambda: level() == 0, "everything to come back")
        shown = phone.get("/gate/v1/code").json()

    assert (shown["colour"], shown["test"]["result"], "degraded" in shown) == ("green", "negative", False)
