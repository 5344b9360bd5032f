"""The gate's clock is set back or forward while it serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.gate import ODD_GATE, VENUE_REF, GateWorld, gate_process
from tests.support.ports import free_port
from tests.support.running import until
from tianfu.access.session import Audience

HOUR_MS = 3_600_000
DAY_SECONDS = 86_400
# The session of `GateWorld.token` lasts as long.
SESSION_MS = HOUR_MS


class Moved:
    """A gate whose clock can be moved, with a resident and a guard."""

    def __init__(self, world: GateWorld, port: int, clock: Path) -> None:
        self.world = world
        self.resident = self._client(port, tianfu_session=world.token(Audience.RESIDENT, 1, seconds=DAY_SECONDS))
        self.guard = self._client(
            port, tianfu_operator=world.token(Audience.GUARD, 500, venue=VENUE_REF, seconds=DAY_SECONDS)
        )
        self._clock = clock

    @staticmethod
    def _client(port: int, **cookies: str) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{port}", cookies=cookies, trust_env=False, timeout=10)

    def sign_in(self, token: str) -> None:
        self.guard.cookies.clear()
        self.guard.cookies.set("tianfu_operator", token)

    def move(self, off_ms: int) -> None:
        # In one step: the gate looks at it all the while.
        made = self._clock.with_suffix(".new")
        made.write_text(str(off_ms), encoding="ascii")
        made.replace(self._clock)

    def show(self) -> dict[str, Any]:
        answer = self.resident.get("/gate/v1/code", params={"fresh": "1"})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def check(self, code: str) -> dict[str, Any]:
        found: dict[str, Any] = self.guard.post("/gate/v1/check", json={"code": code}).json()
        return found

    def said(self, code: str) -> str:
        """The verdict, or why there is none."""
        answer = self.check(code)
        return str(answer.get("verdict") or answer["code"])


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[Moved]:
    world = GateWorld(tmp_path)
    clock = tmp_path / "clock"
    clock.write_text("0", encoding="ascii")
    port = free_port()
    with gate_process(world.var, port, program=ODD_GATE, ODD_CLOCK=str(clock)):
        gate = Moved(world, port, clock)
        with gate.resident, gate.guard:
            yield gate
    world.writer.close()


def test_set_back_it_takes_no_code_from_its_future_and_guesses_no_colour(moved: Moved) -> None:
    code = moved.show()["code"]

    moved.move(-HOUR_MS)
    shown = moved.show()
    health = moved.resident.get("/gate/v1/health").json()

    assert moved.said(code) == "code_not_yet_valid"
    assert (shown["colour"], shown["test"]) == ("checking", None)
    assert shown["board_age_seconds"] > 6 * 3600
    assert (health["status"], health["board_age_seconds"]) == ("checking", None)
    assert moved.check(shown["code"])["colour"] == "checking"


def test_set_back_it_shows_colours_again_once_the_board_has_its_time(moved: Moved) -> None:
    moved.move(-HOUR_MS)
    assert moved.show()["colour"] == "checking"

    moved.world.writer.heartbeat(moved.world.at_ms - HOUR_MS)

    until(lambda: moved.show()["colour"] == "green", "the colour")
    assert moved.show()["board_age_seconds"] >= 0


def test_set_forward_it_takes_no_code_past_its_life_and_a_board_grown_old_says_nothing(moved: Moved) -> None:
    code = moved.show()["code"]

    moved.move(HOUR_MS)
    shown = moved.show()

    assert moved.said(code) == "code_expired"
    assert (shown["colour"], shown["board_age_seconds"] >= 3_600) == ("green", True)
    moved.move(7 * HOUR_MS)
    assert moved.show()["colour"] == "checking"


@pytest.mark.parametrize("there_ms", [-HOUR_MS, HOUR_MS])
def test_a_code_checked_before_two_jumps_is_known_as_used_after_them(moved: Moved, there_ms: int) -> None:
    code = moved.show()["code"]
    other = moved.world.guard_token(501)
    assert moved.said(code) == "valid"

    moved.move(there_ms)
    there = moved.show()["code"]
    assert moved.said(there) == "valid"
    moved.move(0)

    moved.sign_in(other)
    assert moved.said(code) == "already_used"
    assert moved.said(there) == ("code_expired" if there_ms < 0 else "code_not_yet_valid")


def test_a_session_ends_by_the_gates_clock_and_requests_go_on_being_admitted(moved: Moved) -> None:
    moved.sign_in(moved.world.guard_token())
    code = moved.show()["code"]

    moved.move(SESSION_MS + 1_000)
    assert moved.said(code) == "session_expired"
    moved.move(-HOUR_MS)
    assert [moved.resident.get("/gate/v1/code").status_code for _ in range(200)] == [200] * 200

    moved.move(0)
    assert moved.said(code) == "valid"
