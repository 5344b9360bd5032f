"""No room for the journal while a gate serves, or when it starts. A file size limit stands for the full disk."""

from __future__ import annotations

import contextlib
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.gate import GateWorld, gate_process
from tests.support.ports import free_port
from tests.support.running import until
from tianfu.platform.journalfile import JournalFile
from tianfu.scans import event

SMALL_BYTES = 64 * 1024
SCANS_MAX = 5_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    made = GateWorld(tmp_path)
    yield made
    made.writer.close()


class Visitor:
    """A resident who scans, and remembers which scans were acknowledged."""

    def __init__(self, world: GateWorld, port: int) -> None:
        self.phone = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", cookies={"tianfu_session": world.resident(1)}, trust_env=False
        )
        self.acknowledged: list[bytes] = []
        self._poster = world.poster()
        self._number = 0

    def scan(self) -> httpx.Response:
        self._number += 1
        nonce = self._number.to_bytes(8, "big")
        answer = self.phone.post("/gate/v1/scan", json={"poster": self._poster, "nonce": nonce.hex()})
        if answer.status_code == 200:
            self.acknowledged.append(nonce)
        return answer


@contextlib.contextmanager
def limited(length: int) -> Iterator[None]:
    """Processes that are started meanwhile may let no file grow beyond `length`."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def limit(process: subprocess.Popen[bytes], length: int) -> None:
    """No file of the process may grow beyond `length` from now on."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (length, resource.RLIM_INFINITY))


def kept(var: Path) -> list[bytes]:
    journal = JournalFile.open(var / "journal" / "gate-00001")
    nonces = [event.unpack(record).nonce for _, record in journal.read(0, SCANS_MAX)]
    journal.close()
    return nonces


def test_a_full_disk_refuses_scans_shows_codes_and_is_over_when_there_is_room(world: GateWorld) -> None:
    port = free_port()
    with gate_process(world.var, port) as process:
        visitor = Visitor(world, port)
        with visitor.phone:
            assert visitor.scan().status_code == 200
            limit(process, SMALL_BYTES)

            refused = next(answer for answer in (visitor.scan() for _ in range(SCANS_MAX)) if answer.status_code != 200)
            assert (refused.status_code, refused.json()["code"]) == (503, "journal_full")
            assert int(refused.headers["retry-after"]) > 0
            assert visitor.phone.get("/gate/v1/code").json()["colour"] == "green"
            assert visitor.scan().status_code == 503

            limit(process, resource.RLIM_INFINITY)
            until(lambda: visitor.scan().status_code == 200, "room to be noticed")

    assert len(visitor.acknowledged) > 1
    assert kept(world.var) == visitor.acknowledged


def test_a_gate_that_starts_on_a_full_disk_records_as_soon_as_there_is_room(world: GateWorld) -> None:
    port = free_port()
    with contextlib.ExitStack() as stack:
        with limited(0):
            process = stack.enter_context(gate_process(world.var, port))
        visitor = Visitor(world, port)
        stack.enter_context(visitor.phone)

        refused = visitor.scan()
        health = visitor.phone.get("/gate/v1/health").json()
        assert (refused.status_code, refused.json()["code"]) == (503, "journal_full")
        assert (health["recording"], health["journal"]) == (False, "journal_full")
        assert visitor.phone.get("/gate/v1/code").status_code == 200

        limit(process, resource.RLIM_INFINITY)
        until(lambda: visitor.scan().status_code == 200, "room to be noticed")
        health = visitor.phone.get("/gate/v1/health").json()
        assert (health["recording"], health["journal"], health["journal_end"]) == (True, "open", 1)

    assert kept(world.var) == visitor.acknowledged
