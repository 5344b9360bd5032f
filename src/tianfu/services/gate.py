"""The gate: shows codes, records scans, answers guards. One process; more of them add capacity.

    python -m tianfu.services.gate --port 8001

It holds the keys, reads the board and writes a journal of its own, and knows no database. From here the hot path
is `passcode.show`, `passcode.issue`, `status.read`, `passcode.token`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
from typing import Final, Self

import uvicorn

from tianfu.clock import now_milliseconds
from tianfu.platform.asgi import HotApp, Receive, Route, Scope, Send
from tianfu.platform.journal import ClosedJournal, Journal
from tianfu.platform.journalfile import JournalBrokenError, JournalFullError
from tianfu.passcode.issue import Issuer
from tianfu.passcode.show import CodeDesk
from tianfu.platform.keyring import GateKeys
from tianfu.platform.observe import Log
from tianfu.platform.settings import Settings, load
from tianfu.scans.guard import GuardDesk
from tianfu.scans.venue import VenueDesk
from tianfu.services.gate_health import GateHealth
from tianfu.status.bearer import Bearers
from tianfu.status.read import Board
from tianfu.status.watch import WATCHERS_MAX, Watchers

RESIDENT_COOKIE: Final = b"tianfu_session"
OPERATOR_COOKIE: Final = b"tianfu_operator"
# Every watcher holds a connection; as many again half for those who show, scan and check.
CONNECTIONS_MAX: Final = WATCHERS_MAX * 3 // 2
_STOP_SECONDS_MAX: Final = 3


class Gate:
    """The parts of a gate, put together on the running event loop. Mount it as an ASGI application."""

    def __init__(self, app: HotApp, journal: Journal | ClosedJournal, board: Board, watchers: Watchers) -> None:
        """Use `open`."""
        self._app = app
        self._journal = journal
        self._board = board
        self._following = asyncio.get_running_loop().create_task(watchers.follow())

    @classmethod
    async def open(cls, settings: Settings, log: Log) -> Self:
        """Read the keys, find the board, open the journal.

        Without a board, or with a journal that is full or damaged, the gate starts all the same and says so.
        Raises `KeyringBrokenError`, and `JournalTakenError` when another gate has the same number.
        """
        ring = GateKeys.load_or_create(settings.var / "keys" / "gate.json")
        board = Board(settings.var / "board", age_max_seconds=settings.gate.board_age_max_seconds)
        watchers = Watchers(board, log)
        watchers.look()
        journal = _journal(settings, log)
        bearers = Bearers(ring, board)
        code = CodeDesk(
            bearers=bearers, board=board, issuer=Issuer(ring), watchers=watchers, now_ms=now_milliseconds
        )
        venue = VenueDesk(
            bearers=bearers,
            board=board,
            ring=ring,
            public_origin=settings.server.public_origin,
            gate=settings.gate.number,
            now_ms=now_milliseconds,
        )
        guard = GuardDesk(
            bearers=bearers, board=board, ring=ring, gate=settings.gate.number, now_ms=now_milliseconds
        )
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
            ("GET", "/gate/v1/health"): Route(health.health),
            ("GET", "/gate/v1/metrics"): Route(health.metrics),
        }
        health.counted = app = HotApp(
            routes, journal=journal, public_origin=settings.server.public_origin, log=log
        )
        return cls(app, journal, board, watchers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an HTTP request."""
        await self._app(scope, receive, send)

    async def close(self) -> None:
        """Make durable what waits, release the files."""
        self._following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._following
        await asyncio.to_thread(self._journal.close)
        self._board.close()


def _journal(settings: Settings, log: Log) -> Journal | ClosedJournal:
    folder = settings.var / "journal" / f"gate-{settings.gate.number:05d}"
    try:
        return Journal.open(folder, loop=asyncio.get_running_loop())
    except (JournalBrokenError, JournalFullError) as error:
        log.error("the journal cannot be opened, scans are refused", code=error.code)
        return ClosedJournal(error)


def server_config(*, host: str, port: int) -> uvicorn.Config:
    """How every process with a gate in it serves: the fast parts, no access log, bounded connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + 1_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, wanted), hard), hard))
    return uvicorn.Config(
        _not_yet,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_STOP_SECONDS_MAX,
    )


async def serve(settings: Settings, *, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    gate = await Gate.open(settings, Log("gate"))
    config = server_config(host=host, port=port)
    config.app = gate
    try:
        await uvicorn.Server(config).serve()
    finally:
        await gate.close()
