"""The gate: shows codes, records scans, answers guards. One process; more of them add capacity.

    python -m tianfu.services.gate --port 8001

It holds the keys, reads the board and writes a journal of its own, and knows no database. From here the hot path
is `passcode.show`, `passcode.issue`, `status.read`, `passcode.token`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Final, Self

import uvloop

from tianfu.clock import now_milliseconds
from tianfu.passcode.handout import ListDesk
from tianfu.passcode.issue import Issuer
from tianfu.passcode.show import CodeDesk
from tianfu.platform.asgi import HotApp, Receive, Route, Scope, Send
from tianfu.platform.journal import ClosedJournal, Journal, open_or_explain
from tianfu.platform.keyring import GateKeys
from tianfu.platform.observe import Log
from tianfu.platform.settings import Settings, load
from tianfu.scans.guard import GuardDesk
from tianfu.scans.venue import VenueDesk
from tianfu.services.gate_health import GateHealth
from tianfu.services.http_server import serve
from tianfu.services.refusal import explained
from tianfu.status.bearer import Bearers
from tianfu.status.read import Board
from tianfu.status.watch import Watchers

RESIDENT_COOKIE: Final = b"tianfu_session"
OPERATOR_COOKIE: Final = b"tianfu_operator"


class Gate:
    """The parts of a gate, put together on the running event loop. Mount it as an ASGI application."""

    def __init__(self, app: HotApp, journal: Journal | ClosedJournal, board: Board, watchers: Watchers) -> None:
        """Use `open`."""
        self._app = app
        self._journal = journal
        self._board = board
        self._watchers = watchers
        self._following = asyncio.get_running_loop().create_task(watchers.follow())

    @classmethod
    async def open(cls, settings: Settings, log: Log) -> Self:
        """Read the keys, find the board, open the journal.

        Without a board, or with a journal that is full or damaged, the gate starts all the same and says so.
        Raises `KeyringBrokenError`, and `JournalTakenError` when another gate has the same number.
        """
        ring = GateKeys.load_or_create(settings.var / "keys" / "gate.json")
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
        code = CodeDesk(bearers=bearers, board=board, issuer=Issuer(ring), watchers=watchers, now_ms=now_milliseconds)
        venue = VenueDesk(
            bearers=bearers,
            board=board,
            ring=ring,
            public_origin=settings.server.public_origin,
            gate=settings.gate.number,
            now_ms=now_milliseconds,
        )
        guard = GuardDesk(bearers=bearers, board=board, ring=ring, gate=settings.gate.number, now_ms=now_milliseconds)
        lists = ListDesk(board=board, ring=ring, now_ms=now_milliseconds)
        health = GateHealth(
            board=board,
            journal=journal,
            watchers=watchers,
            ring=ring,
            age_max_seconds=settings.gate.board_age_max_seconds,
            now_ms=now_milliseconds,
        )
        routes = {
            ("GET", "/gate/v1/code"): Route(code.show, RESIDENT_COOKIE),
            ("GET", "/gate/v1/changes"): Route(code.changes, RESIDENT_COOKIE),
            ("POST", "/gate/v1/scan"): Route(venue.scan, RESIDENT_COOKIE),
            ("POST", "/gate/v1/check"): Route(guard.check, OPERATOR_COOKIE, guard.lost),
            ("GET", "/gate/v1/lists/trust"): Route(lists.trust),
            ("GET", "/gate/v1/lists/not-green"): Route(lists.not_green),
            ("GET", "/gate/v1/lists/root"): Route(lists.root),
            ("GET", "/gate/v1/health"): Route(health.health),
            ("GET", "/gate/v1/metrics"): Route(health.metrics),
        }
        health.counted = app = HotApp(routes, journal=journal, public_origin=settings.server.public_origin, log=log)
        return cls(app, journal, board, watchers)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[None, None, None]:
        """Answer an HTTP request."""
        return self._app(scope, receive, send)

    def release(self) -> None:
        """Answer everybody who waits for a change, so that a stop need not wait for them."""
        self._watchers.release()

    async def close(self) -> None:
        """Make durable what waits, release the files."""
        self._following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._following
        await asyncio.to_thread(self._journal.close)
        self._board.close()


def main() -> None:
    """Serve on the port of the command line with the settings of the environment."""
    parser = argparse.ArgumentParser(prog="python -m tianfu.services.gate", description="Run one gate.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    log = Log("gate")
    with explained(log):
        settings = load()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, log, host=arguments.host, port=arguments.port))


async def _serve(settings: Settings, log: Log, *, host: str, port: int) -> None:
    gate = await Gate.open(settings, log)
    try:
        await serve(gate, host=host, port=port, stopping=gate.release)
    finally:
        await gate.close()


if __name__ == "__main__":
    main()
