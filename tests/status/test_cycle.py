from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

from tests.support.clock import NOON
from tianfu.platform.database import Database, Purpose
from tianfu.platform.observe import Log
from tianfu.residents import store as residents
from tianfu.status.cycle import Cycle
from tianfu.status.read import Board

SESSION = b"\x07" * 8


def test_tidying_forgets_what_has_ended_by_itself_here_and_on_the_board(database: Database, tmp_path: Path) -> None:
    with database.write(Purpose.WORKER) as write:
        write.execute(
            "insert into revoked_session (session_id, expires_at, revoked_at) values (%s, %s, %s)",
            (SESSION, NOON + timedelta(days=1), NOON),
        )
        residents.insert_password(
            write,
            challenge=b"c" * 16,
            phone_index=b"p" * 32,
            code_digest=b"d" * 32,
            attempts=5,
            created_at=NOON,
            expires_at=NOON + timedelta(minutes=5),
        )
    cycle = Cycle(database, tmp_path, Log("test", stream=io.StringIO()))

    cycle.heartbeat(NOON)
    revoked_at_first = _revoked(cycle, tmp_path)
    cycle.tidy(NOON + timedelta(hours=1))
    kept = (_revoked(cycle, tmp_path), _passwords(database))
    cycle.tidy(NOON + timedelta(days=91))

    assert revoked_at_first
    assert kept == (True, 1)
    assert (_revoked(cycle, tmp_path), _passwords(database)) == (False, 0)


def _revoked(cycle: Cycle, folder: Path) -> bool:
    cycle.close()  # one process opens the board's files only once; the next turn opens them anew
    board = Board.open(folder)
    try:
        return board.is_revoked(SESSION)
    finally:
        board.close()


def _passwords(database: Database) -> int:
    with database.read(Purpose.WORKER) as read:
        return int(read.value("select count(*) from one_time_password"))
