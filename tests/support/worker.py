"""A worker in a process of its own, on a database and a data folder of the test's."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.status import POLICY_FILE
from tianfu.clock import monotonic_seconds, now_milliseconds
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.policy import publish
from tianfu.status import record
from tianfu.status.read import Board

PATIENCE_SECONDS = 60.0


def put_in_force(database: Database, body: bytes | None = None, *, at: datetime | None = None) -> None:
    """Publish a policy, the province's by default, from now on."""
    now = at or datetime.now(UTC)
    with database.write(Purpose.OPERATOR) as write:
        publish.publish(
            write,
            body=body or POLICY_FILE.read_bytes(),
            published_by="li.na",
            approved_by="wang.wei",
            effective_from=now,
            at=now - timedelta(seconds=1),
        )


def worker_process(database_url: str, var: Path) -> subprocess.Popen[bytes]:
    """A worker in a process of its own, because a board's files may be open only once in a process."""
    var.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "TIANFU_VAR": str(var), "TIANFU_DATABASE_URL": database_url}
    with (var / "worker.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "tianfu.services.worker"], env=environment, stderr=log)


@contextmanager
def running_worker(database_url: str, var: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process that is gone at the end, whatever happened to it meanwhile."""
    process = worker_process(database_url, var)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=PATIENCE_SECONDS)


def wait_until(condition: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> float:
    """Wait for `condition`; how long it took. An assertion fails when it takes longer than `seconds`."""
    started = monotonic_seconds()
    pause = threading.Event()
    while not condition():
        assert monotonic_seconds() - started < seconds, "what was waited for did not happen"
        pause.wait(0.005)
    return monotonic_seconds() - started


class BoardView:
    """What a gate would see."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def colour(self, person: PersonRef) -> str | None:
        """The colour word of a person, None when the board knows nobody of that number."""
        self._board.refresh()
        found = self._board.look_up(person)
        return None if found is None else record.COLOURS[found.colour]

    def age_seconds(self) -> int:
        """Seconds since the last heartbeat."""
        self._board.refresh()
        self._board.look_up(1)
        return self._board.age_seconds(now_milliseconds())


@contextmanager
def open_board(var: Path) -> Iterator[BoardView]:
    """The board of a worker's data folder, which may still be absent."""
    board = Board(var / "board")
    try:
        yield BoardView(board)
    finally:
        board.close()
