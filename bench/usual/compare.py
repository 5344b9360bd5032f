"""The gate beside the stack that most teams would build, in the same run, with the same people and load generator.

Everything that serves has the one core that the gate has: FastAPI and PostgreSQL together. Rounds alternate. The
figure is how many times as many answers a second the gate gives; below one the usual stack would do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable, Generator
from typing import Final

from bench import check, process, scan, show
from bench.budget import Budget, get, limits, median, post
from bench.plain import Line
from bench.process import Server
from bench.stage import Stage
from bench.usual import app, store
from bench.usual.tokens import Keys
from bench.world import World
from tianfu.platform.postgres import EmbeddedPostgres
from tianfu.platform.postgres_programs import processes_in

TARGET: Final = 1.0
# A tenth of the gate's: what a round can use up at most.
CODES: Final = 20_000
GUARDS: Final = 64
_WARM_UP_SECONDS: Final = 1.0


class Requests:
    """The gate's requests in the words of the other stack."""

    def __init__(self, world: World, keys: Keys, venues: list[tuple[bytes, str, str, str]]) -> None:
        """Sign the sessions."""
        at_seconds = int(time.time())
        self._keys = keys
        self._people = world.people
        step = max(1, world.people // len(world.residents))
        self._residents = [
            keys.session(1 + number * step % world.people, 0, at_seconds) for number in range(len(world.residents))
        ]
        self._guards = [keys.session(account, account, at_seconds) for account in range(1, GUARDS + 1)]
        self._venues = [venue[0].hex() for venue in venues]

    def show(self) -> list[bytes]:
        """One for each session."""
        return [get("/gate/v1/code", f"tianfu_session={token}") for token in self._residents]

    def scan(self) -> list[bytes]:
        """Every session at one of the venues."""
        return [
            post(
                "/gate/v1/scan",
                f"tianfu_session={token}",
                json.dumps({"venue": self._venues[number % len(self._venues)], "nonce": f"{number:016x}"}).encode(),
            )
            for number, token in enumerate(self._residents)
        ]

    def check(self) -> list[bytes]:
        """Fresh codes, held up to the guards in turn."""
        now = int(time.time())
        codes = (self._keys.code(str(1 + number % self._people), "测*", now) for number in range(CODES))
        return [
            post(
                "/gate/v1/check",
                f"tianfu_operator={self._guards[number % GUARDS]}",
                json.dumps({"code": code}).encode(),
            )
            for number, code in enumerate(codes)
        ]


def measure(stage: Stage) -> Generator[Line, None, None]:
    """A line for each operation."""
    keys = Keys(os.urandom(31).rjust(32, b"\x01"))
    venues = [
        (os.urandom(16), f"测试菜市场 {number}", "market", "510104") for number in range(len(stage.world.posters))
    ]
    requests = Requests(stage.world, keys, venues)
    with _running(stage, keys, venues) as usual:
        for budget, make in (
            (show.BUDGET, requests.show),
            (scan.BUDGET, requests.scan),
            (check.BUDGET, requests.check),
        ):
            yield _compare(budget, make, stage, usual)


def _compare(budget: Budget, make: Callable[[], list[bytes]], stage: Stage, usual: Server) -> Line:
    gates, usuals = [], []
    database_seconds = 0.0
    # Not counted: every connection of the pool prepares its statement.
    process.load(usual, make(), _WARM_UP_SECONDS)
    for _ in range(stage.rounds):
        gates.append(process.load(stage.gate, budget.requests(stage.world), stage.seconds))
        requests, before = make(), sum(map(process.cpu_seconds, usual.others))
        usuals.append(process.load(usual, requests, stage.seconds))
        database_seconds += sum(map(process.cpu_seconds, usual.others)) - before
    ours, theirs = median(gates), median(usuals)
    ratio = ours.per_second / max(theirs.per_second, 1 / stage.seconds)
    refused = sum(load.refused for load in (*gates, *usuals))
    database_us = database_seconds / max(1, sum(load.answers for load in usuals)) * 1e6
    by_processor = theirs.cpu_us / max(ours.cpu_us, 0.1)
    notes = [f"by processor time {by_processor:.1f} times"]
    notes += [f"an answer costs {ours.cpu_us:.0f} and {theirs.cpu_us:.0f} µs, PostgreSQL {database_us:.0f} of it"]
    notes += [f"p99 {ours.p99_ms:.1f} and {theirs.p99_ms:.1f} ms"]
    notes += [f"{refused} REFUSED"] * bool(refused)
    notes += [said for said in (limits(theirs, usuals),) if said]
    return Line(
        name=f"usual-{budget.name}",
        figure=round(ratio, 1),
        unit="times the usual stack",
        target=TARGET,
        is_met=ratio >= TARGET and refused == 0,
        baseline=f"FastAPI, asyncpg and PostgreSQL {theirs.per_second:,.0f}/s, the gate {ours.per_second:,.0f}/s",
        note=", ".join(notes),
    )


@contextlib.contextmanager
def _running(stage: Stage, keys: Keys, venues: list[tuple[bytes, str, str, str]]) -> Generator[Server, None, None]:
    folder = stage.world.var / "usual-postgres"
    postgres = EmbeddedPostgres(folder)
    url = postgres.start()
    try:
        asyncio.run(store.fill(url, stage.world.people, venues))
        process.pin(processes_in(folder), process.cores()[0])
        environment = stage.environment | {app.URL: url, app.SEED: keys.seed.hex()}
        with process.server("bench.usual.app", environment=environment) as server:
            # The pool's connections are processes too, open by now and open until the end.
            yield server._replace(others=tuple(processes_in(folder)))
    finally:
        postgres.stop()
