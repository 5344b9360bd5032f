"""The gate: shows codes, records scans, answers guards. One process; more of them add capacity.

    python -m tianfu.services.gate --port 8001
    TIANFU_GATE_NUMBER=2 python -m tianfu.services.gate --port 8001 --share-port    # and one more for each core

It holds the keys, reads the board and writes a journal of its own, and knows no database. From here the hot path
is `passcode.show`, `passcode.issue`, `status.read`, `passcode.token`.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Final, Self

import uvloop

from tianfu.access.channel import SHARES
from tianfu.clock import now_milliseconds
from tianfu.passcode.handout import ListDesk
from tianfu.passcode.show import CodeDesk
from tianfu.platform.admission import Admission
from tianfu.platform.asgi import HotApp, Receive, Scope, Send
from tianfu.platform.collector import keep_what_is_loaded
from tianfu.platform.hot import HotDesk, Route
from tianfu.platform.journal import ClosedJournal, Journal, open_or_explain
from tianfu.platform.keyring import GateKeys, gate_path
from tianfu.platform.observe import Log
from tianfu.platform.rounds import Rounds
from tianfu.platform.settings import Settings, load
from tianfu.platform.shortcut import Shortcut
from tianfu.scans.batch import BATCH_BODY_BYTES_MAX, BatchDesk
from tianfu.scans.foreign.abroad import Abroad
from tianfu.scans.foreign.desk import ForeignDesk
from tianfu.scans.guard import GuardDesk
from tianfu.scans.used import shared_or_own
from tianfu.scans.venue import VenueDesk
from tianfu.services.gate_health import GateHealth
from tianfu.services.http_protocol import ShortcutProtocol
from tianfu.services.http_server import serve
from tianfu.services.refusal import explained
from tianfu.status.bearer import Bearers
from tianfu.status.read import Board
from tianfu.status.watch import Watchers

RESIDENT_COOKIE: Final = b"tianfu_session"
OPERATOR_COOKIE: Final = b"tianfu_operator"


class Gate:
    """The parts of a gate, put together on the running event loop. Mount it as an ASGI application.

    Served with `protocol`, most requests never get as far as the application: they are answered on the connection.
    """

    def __init__(
        self,
        desk: HotDesk,
        rounds: Rounds,
        journal: Journal | ClosedJournal,
        board: Board,
        watchers: Watchers,
        abroad: Abroad | None = None,
    ) -> None:
        """Use `open`."""
        self._abroad = abroad
        self._app = HotApp(desk)
        self.protocol = partial(ShortcutProtocol, rounds=rounds, shortcut=Shortcut(desk))
        self._journal = journal
        self._board = board
        self._watchers = watchers
        loop = asyncio.get_running_loop()
        self._running = (loop.create_task(watchers.follow()), loop.create_task(rounds.judge()))

    @classmethod
    async def open(cls, settings: Settings, log: Log) -> Self:
        """Read the keys, find the board, open the journal.

        Without a board, or with a journal that is full or damaged, the gate starts all the same and says so.
        Raises `KeyringBrokenError`, `JournalTakenError` when another gate has the same number, and as `Abroad.open`
        when foreign codes are to be known and cannot be.
        """
        ring, past = (GateKeys.load_or_create(gate_path(settings.var)) for _ in range(2))
        board = Board(
            settings.var / "board",
            age_max_seconds=settings.gate.board_age_max_seconds,
            loop=asyncio.get_running_loop(),
        )
        watchers = Watchers(board, log)
        watchers.look()
        folder = settings.var / "journal" / f"gate-{settings.gate.number:05d}"
        journal = open_or_explain(folder, loop=asyncio.get_running_loop(), log=log)
        bearers = Bearers(ring, board)
        admission = Admission(SHARES)
        code = CodeDesk(
            bearers=bearers, board=board, ring=ring, watchers=watchers, admission=admission, now_ms=now_milliseconds
        )
        venue = VenueDesk(
            bearers=bearers,
            board=board,
            ring=ring,
            admission=admission,
            public_origin=settings.server.public_origin,
            gate=settings.gate.number,
            now_ms=now_milliseconds,
        )
        abroad = open_abroad(settings)
        guard = GuardDesk(
            bearers=bearers,
            board=board,
            ring=ring,
            admission=admission,
            gate=settings.gate.number,
            now_ms=now_milliseconds,
            used=shared_or_own(settings.var / "used", log),
        )
        check = guard.check if abroad is None else ForeignDesk(guard, abroad, now_ms=now_milliseconds).check
        batch = BatchDesk(desk=guard, keys=ring, past_keys=past, now_ms=now_milliseconds, abroad=abroad)
        health = GateHealth(
            board=board,
            journal=journal,
            watchers=watchers,
            ring=ring,
            admission=admission,
            age_max_seconds=settings.gate.board_age_max_seconds,
            now_ms=now_milliseconds,
        )
        routes = {
            ("GET", "/gate/v1/code"): Route(code.show, RESIDENT_COOKIE),
            ("GET", "/gate/v1/changes"): Route(code.changes, RESIDENT_COOKIE),
            ("POST", "/gate/v1/scan"): Route(venue.scan, RESIDENT_COOKIE),
            ("POST", "/gate/v1/check"): Route(check, OPERATOR_COOKIE, guard.lost),
            ("POST", "/gate/v1/batch"): Route(batch.batch, OPERATOR_COOKIE, guard.lost, BATCH_BODY_BYTES_MAX),
            ("GET", "/gate/v1/health"): Route(health.health),
            ("GET", "/gate/v1/metrics"): Route(health.metrics),
        } | _list_routes(board, ring)
        health.abroad = abroad
        health.counted = desk = HotDesk(routes, journal=journal, public_origin=settings.server.public_origin, log=log)
        rounds = Rounds(
            desk,
            admission,
            lambda request: bearers.channel(request.token, now_milliseconds() // 1000),
            asyncio.get_running_loop(),
        )
        return cls(desk, rounds, journal, board, watchers, abroad)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[None, None, None]:
        """Answer an HTTP request."""
        return self._app(scope, receive, send)

    def release(self) -> None:
        """Answer everybody who waits for a change, so that a stop need not wait for them."""
        self._watchers.release()

    async def close(self) -> None:
        """Make durable what waits, release the files."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._abroad is not None:
            await self._abroad.close()
        await asyncio.to_thread(self._journal.close)
        self._board.close()


def open_abroad(settings: Settings) -> Abroad | None:
    """The other issuers of codes that the settings name. Raises as `Abroad.open`."""
    if settings.gate.resolvers is None:
        return None
    return Abroad.open(settings.gate.resolvers, keys=settings.var / "keys", now_ms=now_milliseconds)


def _list_routes(board: Board, ring: GateKeys) -> dict[tuple[str, str], Route]:
    """What scanners fetch to work without network; no session is asked for."""
    lists = ListDesk(board=board, ring=ring, now_ms=now_milliseconds)
    return {
        ("GET", "/gate/v1/lists/trust"): Route(lists.trust),
        ("GET", "/gate/v1/lists/not-green"): Route(lists.not_green),
        ("GET", "/gate/v1/lists/root"): Route(lists.root),
    }


def main() -> None:
    """Serve on the port of the command line with the settings of the environment."""
    parser = argparse.ArgumentParser(prog="python -m tianfu.services.gate", description="Run one gate.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--share-port", action="store_true", help="let other gates of this machine serve it as well")
    arguments = parser.parse_args()
    log = Log("gate")
    with explained(log):
        settings = load()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, log, arguments))


async def _serve(settings: Settings, log: Log, arguments: argparse.Namespace) -> None:
    gate = await Gate.open(settings, log)
    keep_what_is_loaded()
    try:
        await serve(
            gate,
            host=arguments.host,
            port=arguments.port,
            stopping=gate.release,
            protocol=gate.protocol,
            shares_port=arguments.share_port,
        )
    finally:
        await gate.close()


if __name__ == "__main__":
    main()
