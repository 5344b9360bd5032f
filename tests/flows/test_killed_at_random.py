"""Kill -9 of any process at any moment while people scan, check and show: nothing answered is lost, none is doubled.

`make soak` does a hundred rounds. A run prints its seed; SOAK_SEED repeats its order of deaths and their moments.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.flows.test_nothing_acknowledged_is_lost import wait_healthy
from tests.support.running import RunningTianfu, until
from tests.support.storm import Storm

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "6"))
SEED = int(os.environ.get("SOAK_SEED", "0")) or secrets.randbelow(2**31)
BEFORE_SECONDS_MAX = 1.0
AFTER_SECONDS = 0.3


def say(what: str) -> None:
    sys.stdout.write(f"soak: {what}\n")
    sys.stdout.flush()


def kill(pids: Callable[[], list[int]]) -> None:
    """Kill what runs; one that has just died before is waited for."""
    until(lambda: bool(pids()), "somebody to kill")
    for pid in pids():
        os.kill(pid, signal.SIGKILL)


def one_of(module: str) -> Callable[[RunningTianfu], None]:
    return lambda running: kill(lambda: running.pids_of(f"tianfu.services.{module}"))


def supervisor(running: RunningTianfu) -> None:
    running.kill()
    until(lambda: not running.pids_of("tianfu.services.child"), "the children to end")
    running.restart()


# The origin is the gate: it dies as often as all others together.
DEATHS: dict[str, Callable[[RunningTianfu], None]] = {
    "origin": one_of("origin"),
    "worker": one_of("worker"),
    "control": one_of("control"),
    "feeds": one_of("feeds"),
    "shipper": one_of("shipper"),
    "roller": one_of("roller"),
    "postgres": lambda running: kill(running.postmasters),
    "supervisor": supervisor,
}


def deaths(seed: int, rounds: int) -> Iterator[tuple[str, float]]:
    """Who dies in each round and how long into it; in any eight rounds half are the origin's."""
    chance = random.Random(seed)
    others = [name for name in DEATHS if name != "origin"]
    turn: list[str] = []
    for number in range(rounds):
        if not turn:
            turn = chance.sample(others, len(others))
        yield ("origin" if number % 2 == 0 else turn.pop()), chance.uniform(0.05, BEFORE_SECONDS_MAX)


def is_more(storm: Storm, before: int) -> bool:
    return len(storm.account.acknowledged) > before


@pytest.mark.slow
def test_nothing_answered_is_lost_or_doubled_whoever_dies_whenever(tianfu: RunningTianfu, poster: str) -> None:
    say(f"SOAK_SEED={SEED}, {ROUNDS} rounds")
    wait_healthy(tianfu)
    storm = Storm(tianfu, poster, SEED)

    for number, (who, after) in enumerate(deaths(SEED, ROUNDS), start=1):
        before = len(storm.account.acknowledged)
        storm.start()
        try:
            time.sleep(after)
            DEATHS[who](tianfu)
            wait_healthy(tianfu)
            time.sleep(AFTER_SECONDS)
            until(partial(is_more, storm, before), "scans to be acknowledged again")
        finally:
            storm.stop()
        wrong = storm.wrong()
        told = len(storm.account.acknowledged)
        say(f"round {number} of {ROUNDS}, {who} died, {told} scans acknowledged")
        assert not wrong, f"SOAK_SEED={SEED}, round {number}, {who} died after {after:.3f} s: {wrong}"

    refused = {status for _, status in storm.answers if status >= 400}
    assert not refused, storm.answers
