"""A key is taken out of use while a gate serves: what it made dies within seconds, and nobody gets a broken answer."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import httpx
import pytest

from tests.support.gate import ODD_GATE, GateWorld, gate_process
from tests.support.ports import free_port
from tests.support.running import PROGRAM, until
from tianfu.platform.keyfile import KeyUse
from tianfu.platform.keyring import RELOAD_SECONDS, GateKeys, gate_path

# Within the ring's two seconds, and the request that finds out; the rest is for a busy machine.
REFUSED_SECONDS_MAX = RELOAD_SECONDS + 28.0
# The gate gives a code again for so long, in place of its ten seconds: two commands and the refusal fit into it on any
# machine, so that the old code would still be given.
KEPT_SECONDS = 80


class Shift:
    """A gate, people who use it all the time, and an operator with the command line."""

    def __init__(self, world: GateWorld, port: int) -> None:
        self.world = world
        self.address = f"http://127.0.0.1:{port}"
        self.statuses: Counter[int] = Counter()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(person,)) for person in (1, 3)]

    def client(self, **cookies: str) -> httpx.Client:
        return httpx.Client(base_url=self.address, cookies=cookies, trust_env=False, timeout=10)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, person: int) -> None:
        with self.client(tianfu_session=self.world.resident(person)) as phone:
            while not self._stopping.is_set():
                self.statuses[phone.get("/gate/v1/code").status_code] += 1
                self.statuses[phone.post("/gate/v1/scan", json={"poster": "x"}).status_code] += 1
                time.sleep(0.005)

    def replace(self, use: KeyUse) -> None:
        """Rotate and retire at once, as one does with a key that was stolen."""
        (old,) = (key.id for key in self.world.ring.keys if key.use is use)
        for words in (["rotate", "--which", use.value], ["retire", old, "--which", use.value]):
            subprocess.run(
                [PROGRAM, "keys", *words],
                env={"TIANFU_VAR": str(self.world.var), "LANG": "C.UTF-8"},
                check=True,
                capture_output=True,
            )
        self.world.ring = GateKeys.load_or_create(gate_path(self.world.var))


@pytest.fixture
def shift(tmp_path: Path) -> Iterator[Shift]:
    world = GateWorld(tmp_path)
    port = free_port()
    constants = json.dumps({"tianfu.passcode.show:REUSE_SECONDS": KEPT_SECONDS})
    with gate_process(world.var, port, program=ODD_GATE, ODD_CONSTANTS=constants), Shift(world, port) as started:
        yield started
    world.writer.close()


def test_codes_of_a_retired_key_are_refused_and_none_is_given_again(shift: Shift) -> None:
    with (
        shift.client(tianfu_session=shift.world.resident(1)) as phone,
        shift.client(tianfu_operator=shift.world.guard_token()) as guard,
    ):

        def kept() -> str:
            return str(phone.get("/gate/v1/code").json()["code"])

        def said(code: str) -> str:
            answer = guard.post("/gate/v1/check", json={"code": code}).json()
            return str(answer.get("code") or answer["verdict"])

        old = kept()
        assert kept() == old
        at = time.monotonic()
        shift.replace(KeyUse.PERSONAL)

        until(lambda: said(old) == "code_invalid", "the refusal", seconds=REFUSED_SECONDS_MAX)
        assert time.monotonic() - at < KEPT_SECONDS  # so that the old code would have been given again
        new = kept()
        assert new != old
        assert said(new) == "valid"

    assert set(shift.statuses) == {200, 422}


def test_sessions_of_a_retired_key_end_and_new_ones_begin(shift: Shift) -> None:
    with shift.client(tianfu_session=shift.world.resident(1)) as phone:
        assert phone.get("/gate/v1/code").status_code == 200
        shift.replace(KeyUse.SESSION)

        until(lambda: phone.get("/gate/v1/code").status_code == 401, "the refusal", seconds=REFUSED_SECONDS_MAX)
    with shift.client(tianfu_session=shift.world.resident(1)) as phone:
        assert phone.get("/gate/v1/code").status_code == 200

    assert set(shift.statuses) <= {200, 422, 401}


def test_posters_of_a_retired_key_are_refused_and_new_ones_taken(shift: Shift) -> None:
    poster = shift.world.poster()
    with shift.client(tianfu_session=shift.world.resident(1)) as phone:

        def said() -> int:
            return phone.post("/gate/v1/scan", json={"poster": poster}).status_code

        assert said() == 200
        shift.replace(KeyUse.VENUE)

        until(lambda: said() == 422, "the refusal", seconds=REFUSED_SECONDS_MAX)
        poster = shift.world.poster()
        assert said() == 200

    assert set(shift.statuses) == {200, 422}
