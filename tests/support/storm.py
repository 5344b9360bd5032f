"""People and guards who go on whatever dies, and an account of what each of them was told.

Every device keeps its connection as long as it can. What was not answered is sent again, as a phone does, with the
same number; so a scan may be there as often as it was sent, and a scan that was answered is there at least once.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx

from tests.support.holders import Holder, number_of, sign_in
from tests.support.lake import events_in
from tests.support.running import RunningTianfu
from tianfu.clock import now_milliseconds
from tianfu.lake import incoming, state
from tianfu.lake.segment import SegmentBrokenError
from tianfu.lake.state import LakeBrokenError
from tianfu.lake.verify import accounted
from tianfu.passcode.verify import verify
from tianfu.platform.journalfile import JournalFile
from tianfu.platform.keyring import GateKeys, gate_path
from tianfu.scans import event

SENT_AGAIN_SECONDS = 0.05
# The first people of a storm; the flow tests give theirs from 1 up.
SERIAL = 15_000
BATCH = 3
RESIDENTS = 3
_RECORDS_MAX = 10_000_000


class Account(NamedTuple):
    """By the number of a scan: how often it was sent, and whether it was acknowledged."""

    sent: Counter[bytes]
    acknowledged: set[bytes]


class Storm:
    """Scans, checks, batches and shows over connections that stay open, until stopped."""

    def __init__(self, tianfu: RunningTianfu, poster: str, seed: int) -> None:
        """Claim, sign in and make ready; everything must run for that."""
        self.account = Account(Counter(), set())
        self.answers: Counter[tuple[str, int]] = Counter()
        self._tianfu = tianfu
        self._poster = poster
        self._seed = seed
        self._ring = GateKeys.load_or_create(gate_path(tianfu.var))
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._residents = [self._claimed(SERIAL + number) for number in range(RESIDENTS)]
        with tianfu.client() as client:
            sign_in(client, "guard")
            self._guard = dict(client.cookies)

    def start(self) -> None:
        """Let everybody begin."""
        self._stopping.clear()
        works = [*(self._scanning for _ in range(3)), self._checking, self._batching, self._showing]
        self._threads = [
            threading.Thread(target=self._device, args=(work, number)) for number, work in enumerate(works)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop everybody; what is under way is given up."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def wrong(self) -> str:
        """What is not as it was told, in words; empty when all is well."""
        there = recorded(self._tianfu)
        sent, acknowledged = self.account
        lost = sum(1 for nonce in acknowledged if there[nonce] == 0)
        doubled = sum(1 for nonce, times in there.items() if nonce in sent and times > sent[nonce])
        return f"{lost} lost, {doubled} doubled" if lost or doubled else ""

    def _claimed(self, serial: int) -> dict[str, str]:
        with self._tianfu.client() as client:
            Holder(client, number_of(serial), f"199{serial:08d}").claim()
            return dict(client.cookies)

    def _device(self, work: Callable[[httpx.Client, httpx.Client, random.Random], None], number: int) -> None:
        chance = random.Random(f"{self._seed}.{number}")
        while not self._stopping.is_set():
            with self._tianfu.client() as resident, self._tianfu.client() as guard:
                resident.cookies.update(self._residents[number % RESIDENTS])
                guard.cookies.update(self._guard)
                with contextlib.suppress(httpx.HTTPError):
                    while not self._stopping.is_set():
                        work(resident, guard, chance)
            self._stopping.wait(SENT_AGAIN_SECONDS)

    def _until_told(self, path: str, body: dict[str, Any], nonces: list[bytes], client: httpx.Client) -> Any:  # noqa: ANN401 (JSON)
        """Send until there is an answer; a lost connection is opened again. None when the storm ends first."""
        while not self._stopping.is_set():
            self.account.sent.update(nonces)
            with contextlib.suppress(httpx.HTTPError):
                answer = client.post(path, json=body)
                self.answers[path, answer.status_code] += 1
                if answer.status_code == 200:
                    return answer.json()
                if answer.status_code < 500 and answer.status_code != 429:
                    return None
            time.sleep(SENT_AGAIN_SECONDS)
        return None

    def _scanning(self, resident: httpx.Client, guard: httpx.Client, chance: random.Random) -> None:
        del guard
        nonce = chance.randbytes(8)
        body = {"poster": self._poster, "nonce": nonce.hex()}
        if self._until_told("/gate/v1/scan", body, [nonce], resident) is not None:
            self.account.acknowledged.add(nonce)

    def _checking(self, resident: httpx.Client, guard: httpx.Client, chance: random.Random) -> None:
        del chance
        code, nonce = self._code(resident)
        if self._until_told("/gate/v1/check", {"code": code}, [nonce], guard) is not None:
            self.account.acknowledged.add(nonce)

    def _batching(self, resident: httpx.Client, guard: httpx.Client, chance: random.Random) -> None:
        codes = [self._code(resident) for _ in range(BATCH)]
        items = [{"id": chance.randbytes(8).hex(), "code": code} for code, _ in codes]
        told = self._until_told("/gate/v1/batch", {"items": items}, [nonce for _, nonce in codes], guard)
        for (_, nonce), item in zip(codes, [] if told is None else told["items"], strict=told is not None):
            if item["ok"]:
                self.account.acknowledged.add(nonce)

    def _showing(self, resident: httpx.Client, guard: httpx.Client, chance: random.Random) -> None:
        del guard, chance
        self.answers["/gate/v1/code", resident.get("/gate/v1/code").status_code] += 1

    def _code(self, resident: httpx.Client) -> tuple[str, bytes]:
        """A code of its own, and the number that its events will have."""
        code: str = resident.get("/gate/v1/code?fresh=1").json()["code"]
        return code, verify(code, self._ring, now_milliseconds() // 1000).cti


def recorded(tianfu: RunningTianfu) -> Counter[bytes]:
    """How often each number is in days, from there on in segments, and in the journals, which may be open elsewhere.

    A poster scan that was sent twice may be in a day once.
    """
    there: Counter[bytes] = Counter()
    lake = tianfu.var / "lake"
    for gate in incoming.gates(tianfu.var / "journal"):
        journal = JournalFile.open(tianfu.var / "journal" / f"gate-{gate:05d}")
        try:
            # The journal first: what is moved and trimmed meanwhile is then in both, under its own number.
            records = dict(journal.read(0, _RECORDS_MAX))
        finally:
            journal.close()
        found = {number: event.unpack(data).nonce for number, data in records.items()}
        # While nobody rolls, a scan is in a segment or in a day.
        with state.alone(lake) as current:
            rolled = current.gates.get(gate, 0)
            if accounted(current) != sum(current.gates.values()):
                raise LakeBrokenError
            for item in incoming.segments(lake, gate):
                found.update((number, visit.nonce) for number, visit in incoming.events(item, gate))
            there.update(visit.nonce for visit in events_in(lake) if visit.gate == gate)
        behind = {number: nonce for number, nonce in found.items() if number >= rolled}
        if sorted(behind) != list(range(rolled, rolled + len(behind))):
            raise SegmentBrokenError
        there.update(behind.values())
    return there
