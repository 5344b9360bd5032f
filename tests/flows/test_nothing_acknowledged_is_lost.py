"""Kill any process while people claim and scan; whatever was answered is there afterwards."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.support.holders import Holder, number_of
from tests.support.running import RunningTianfu, until
from tianfu.lake import incoming, state
from tianfu.lake.verify import accounted
from tianfu.platform.journalfile import JournalFile
from tianfu.scans import event

SERIALS: Iterator[int] = itertools.count(1)
LOAD_SECONDS = 2.0
# The promise is 15 s; this bound only catches what is broken.
READY_SECONDS_MAX = 60.0


def new_holder(client: httpx.Client) -> Holder:
    serial = next(SERIALS)
    return Holder(client, number_of(serial), f"1990002{serial:04d}")


def wait_healthy(tianfu: RunningTianfu) -> None:
    def healthy() -> bool:
        with tianfu.client() as client, contextlib.suppress(httpx.HTTPError):
            return all(client.get(path).status_code == 200 for path in ("/gate/v1/health", "/api/v1/info"))
        return False

    until(healthy, "gate and control to answer again")


class Load:
    """Somebody who scans as fast as answered, and somebody who claims, until stopped; remembers what was answered."""

    def __init__(self, tianfu: RunningTianfu, poster: str) -> None:
        self.scans = 0
        self.claimed: list[Holder] = []
        self._tianfu = tianfu
        self._poster = poster
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._scan), threading.Thread(target=self._claim)]
        with tianfu.client() as client:
            scanner = new_holder(client)
            scanner.claim()
            self._cookies = dict(client.cookies)
        for thread in self._threads:
            thread.start()

    def go_on(self) -> None:
        """Until there is something that can be lost."""
        time.sleep(LOAD_SECONDS)
        until(lambda: self.scans > 0 and bool(self.claimed), "somebody who scanned and somebody who claimed")

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _scan(self) -> None:
        with self._tianfu.client() as client:
            client.cookies.update(self._cookies)
            while not self._stopping.is_set():
                with contextlib.suppress(httpx.HTTPError):
                    answer = client.post("/gate/v1/scan", json={"poster": self._poster})
                    self.scans += answer.status_code == 200

    def _claim(self) -> None:
        while not self._stopping.is_set():
            with self._tianfu.client() as client, contextlib.suppress(httpx.HTTPError):
                holder = new_holder(client)
                if holder.try_to_claim().status_code == 201:
                    self.claimed.append(holder)


def recorded(tianfu: RunningTianfu) -> int:
    """Scans in days, from there on in segments, and from there on in the journal, as everything stopped left them."""
    (gate,) = incoming.gates(tianfu.var / "journal")
    lake = tianfu.var / "lake"
    current = state.load(lake)
    rolled = current.gates.get(gate, 0)
    # The demo county came with visits, as a gate of its own.
    assert accounted(current) == sum(current.gates.values())
    moved = sum(number >= rolled for item in incoming.segments(lake, gate) for number, _ in incoming.events(item, gate))
    journal = JournalFile.open(tianfu.var / "journal" / f"gate-{gate:05d}")
    try:
        left = [event.unpack(data) for _, data in journal.read(incoming.offset(lake, gate).end, 1_000_000)]
    finally:
        journal.close()
    return rolled + moved + len(left)


@pytest.mark.parametrize(
    "victim",
    [
        pytest.param(lambda running: running.pids_of("tianfu.services.origin"), id="origin"),
        pytest.param(lambda running: running.pids_of("tianfu.services.control"), id="control"),
        pytest.param(lambda running: running.pids_of("tianfu.services.worker"), id="worker"),
        pytest.param(lambda running: running.pids_of("tianfu.services.shipper"), id="shipper"),
        pytest.param(lambda running: running.pids_of("tianfu.services.roller"), id="roller"),
        pytest.param(lambda running: running.postmasters(), id="postgres"),
    ],
)
def test_a_killed_process_loses_nothing_that_was_answered(
    tianfu: RunningTianfu, poster: str, victim: Callable[[RunningTianfu], list[int]]
) -> None:
    with tianfu.client() as client:
        before = client.get("/gate/v1/health").json()["journal_end"]
    load = Load(tianfu, poster)
    load.go_on()
    # One that a test before has killed may still be on its way.
    until(lambda: bool(victim(tianfu)), "somebody to kill")

    for pid in victim(tianfu):
        os.kill(pid, signal.SIGKILL)
    wait_healthy(tianfu)
    time.sleep(LOAD_SECONDS)
    load.stop()

    with tianfu.client() as client:
        assert client.get("/gate/v1/health").json()["journal_end"] - before >= load.scans
    # A database that was killed reads its log first; claims wait for it, so the first of them says when it is back.
    until(lambda: is_known(tianfu, load.claimed[0]), "the records to answer again")
    assert all(is_known(tianfu, holder) for holder in load.claimed)


def is_known(tianfu: RunningTianfu, holder: Holder) -> bool:
    """Whether the records know who claimed a code."""
    with tianfu.client() as client:
        client.cookies.update(holder.client.cookies)
        status = client.get("/api/v1/me").status_code
    assert status in {200, 503}
    return status == 200


def test_a_killed_supervisor_takes_its_processes_with_it_and_the_next_start_has_everything(
    tianfu: RunningTianfu, poster: str
) -> None:
    load = Load(tianfu, poster)
    load.go_on()

    tianfu.kill()
    load.stop()
    until(lambda: not tianfu.pids_of("tianfu.services.child"), "the children to end")
    kept = recorded(tianfu)
    ready_in = tianfu.restart()

    assert kept >= load.scans
    assert ready_in < READY_SECONDS_MAX
    for holder in load.claimed:
        with tianfu.client() as client:
            client.cookies.update(holder.client.cookies)
            assert client.get("/api/v1/me").status_code == 200


def test_a_stop_leaves_no_process_and_a_second_start_keeps_the_data(tianfu: RunningTianfu) -> None:
    with tianfu.client() as client:
        holder = new_holder(client)
        holder.claim()
        cookies = dict(client.cookies)

    assert tianfu.stop() == 0
    assert tianfu.pids_of("tianfu.services.child") == []
    assert not (tianfu.var / "postgres" / "postmaster.pid").exists()
    tianfu.restart()

    with tianfu.client() as client:
        client.cookies.update(cookies)
        assert client.get("/api/v1/me").status_code == 200
