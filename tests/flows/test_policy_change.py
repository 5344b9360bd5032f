"""A rule set is published and taken back while the worker works."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.evidence import contact, people
from tests.support.status import POLICY_FILE, append
from tests.support.worker import open_board, put_in_force, running_worker, wait_until
from tianfu.platform.database import Database

BODY = POLICY_FILE.read_bytes()
RED = b'colour = "red"\nfrom = { anchor = "designated_at" }\nuntil = { anchor = "last_exposure_at", days = 21 }'
MILDER = BODY.replace(b"number = 8\n", b"number = 9\n").replace(RED, RED.replace(b"red", b"yellow"))


def test_a_rule_set_reaches_the_gate_by_itself_and_so_does_taking_it_back(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    put_in_force(database, BODY)
    (person,) = people(database, 1)
    now = datetime.now(UTC)
    append(database, contact(person, "K1", at=now - timedelta(hours=3)), at=now)

    with running_worker(database_url, tmp_path), open_board(tmp_path) as board:
        wait_until(lambda: board.colour(person) == "red")
        put_in_force(database, MILDER)
        wait_until(lambda: board.colour(person) == "yellow")
        put_in_force(database, BODY)
        wait_until(lambda: board.colour(person) == "red")
