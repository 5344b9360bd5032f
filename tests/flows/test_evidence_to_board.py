"""From an append in the ledger to the board, with a real worker process between."""

from __future__ import annotations

import itertools
import random
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support import evidence as synthetic
from tests.support import worker
from tests.support.status import core_policy, next_policy
from tianfu.evidence import changes, ledger, test_words
from tianfu.evidence.model import NewEvidence
from tianfu.ids import PersonRef
from tianfu.platform import migrate, settings
from tianfu.platform.database import Database, Purpose
from tianfu.platform.postgres import EmbeddedPostgres
from tianfu.policy.load import load
from tianfu.status.replay import replay

LATENCY_APPENDS = 60
# The promise is one second at the 99th percentile; this bound only catches what is broken.
LATENCY_BOUND_SECONDS = 10.0


def now() -> datetime:
    return datetime.now(UTC)


def append(database: Database, *items: NewEvidence) -> ledger.Appended:
    with database.write(Purpose.WORKER) as write:
        return ledger.append(write, items, received_at=now())


def positive(person: PersonRef, record: str) -> NewEvidence:
    return synthetic.lab_test(person, record, test_words.TestResult.POSITIVE, at=now() - timedelta(hours=1))


def negative(person: PersonRef, record: str) -> NewEvidence:
    return synthetic.lab_test(person, record, at=now() - timedelta(hours=1))


def nothing_waits(database: Database) -> bool:
    with database.read(Purpose.WORKER) as read:
        return changes.backlog(read).people == 0


def test_evidence_reaches_the_board_within_a_second(
    database: Database, database_url: str, tmp_path: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    worker.put_in_force(database)
    persons = synthetic.people(database, LATENCY_APPENDS + 1)
    with worker.running_worker(database_url, tmp_path), worker.open_board(tmp_path) as board:
        append(database, negative(persons[0], "first"))
        worker.wait_until(lambda: board.colour(persons[0]) == "green")

        delays = []
        for person in persons[1:]:
            append(database, positive(person, f"L{person}"))
            delays.append(worker.wait_until(lambda person=person: board.colour(person) == "red"))  # type: ignore[misc]

    delays.sort()
    for name, value in (("median", delays[len(delays) // 2]), ("p99", delays[int(len(delays) * 0.99)])):
        record_testsuite_property(f"append_to_board_{name}_ms", round(value * 1000, 1))
    assert delays[-1] < LATENCY_BOUND_SECONDS


def test_a_worker_killed_again_and_again_loses_nothing(database: Database, database_url: str, tmp_path: Path) -> None:
    worker.put_in_force(database)
    persons = synthetic.people(database, 40)
    chance = random.Random(20220301)
    done = threading.Event()

    def stream() -> None:
        for number in itertools.count():
            if done.is_set():
                return
            make = chance.choice((positive, negative, synthetic.contact))
            append(database, *(make(person, f"R{number}-{person}") for person in chance.sample(persons, 5)))

    appending = threading.Thread(target=stream)
    appending.start()
    try:
        for _ in range(3):
            with worker.running_worker(database_url, tmp_path) as process:
                done.wait(chance.uniform(1.0, 2.5))
                process.send_signal(signal.SIGKILL)
    finally:
        done.set()
        appending.join(timeout=worker.PATIENCE_SECONDS)

    with worker.running_worker(database_url, tmp_path), worker.open_board(tmp_path) as board:
        worker.wait_until(lambda: nothing_waits(database))
        with database.read(Purpose.WORKER) as read:
            stored = dict(read.rows("select person_ref, colour from status"))
        worker.wait_until(lambda: {person: board.colour(person) for person in stored} == stored)
    chunks = list(replay(database, core_policy(), now()))
    assert sum(chunk.compared for chunk in chunks) == len(stored) > 0
    assert not any(chunk.differences for chunk in chunks)


def test_a_worker_that_stands_by_takes_over_from_one_that_was_killed(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    worker.put_in_force(database)
    first, second = synthetic.people(database, 2)
    with worker.running_worker(database_url, tmp_path) as working, worker.open_board(tmp_path) as board:
        append(database, positive(first, "L1"))
        worker.wait_until(lambda: board.colour(first) == "red")
        with worker.running_worker(database_url, tmp_path):
            working.kill()
            append(database, positive(second, "L2"))

            worker.wait_until(lambda: board.colour(second) == "red")


def test_a_worker_told_to_stop_ends_cleanly_and_the_next_begins_at_once(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    worker.put_in_force(database)
    (person,) = synthetic.people(database, 1)
    with worker.running_worker(database_url, tmp_path) as process, worker.open_board(tmp_path) as board:
        append(database, positive(person, "L1"))
        worker.wait_until(lambda: board.colour(person) == "red")
        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=worker.PATIENCE_SECONDS) == 0

    with database.read(Purpose.WORKER) as read:
        assert read.value("select count(*) from lease") == 0


def test_without_a_policy_the_worker_waits_and_starts_when_one_is_published(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    (person,) = synthetic.people(database, 1)
    append(database, positive(person, "L1"))
    with worker.running_worker(database_url, tmp_path) as process, worker.open_board(tmp_path) as board:
        worker.wait_until(lambda: "no_policy_in_force" in (tmp_path / "worker.log").read_text())
        assert process.poll() is None

        worker.put_in_force(database)

        worker.wait_until(lambda: board.colour(person) == "red")


def test_a_new_policy_reaches_everybody_whom_it_can_change_in_the_background(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    # A discharge counts 27 days instead of 28: a rule about tests, and everybody here has one.
    shorter = load(next_policy().body.replace(b"days = 28", b"days = 27"))
    worker.put_in_force(database)
    persons = synthetic.people(database, 30)
    append(database, *(positive(person, f"L{person}") for person in persons))
    with worker.running_worker(database_url, tmp_path):
        worker.wait_until(lambda: statuses_of(database, core_policy().hash) == len(persons))

        worker.put_in_force(database, shorter.body)

        worker.wait_until(lambda: statuses_of(database, shorter.hash) == len(persons))


def statuses_of(database: Database, policy_hash: str) -> int:
    with database.read(Purpose.WORKER) as read:
        count: int = read.value(
            "select count(*) from status s join decided_policy d on d.policy_ref = s.policy_ref"
            " where d.policy_hash = %s",
            (policy_hash,),
        )
    return count


def test_while_the_database_is_gone_the_heartbeat_stops_and_afterwards_work_goes_on(
    folder_for_server: Path, tmp_path: Path
) -> None:
    server = EmbeddedPostgres(folder_for_server / "postgres", durable=False)
    url = server.start()
    try:
        with Database.open(url, settings.load({}).database) as database:
            migrate.apply(database, settings.PROJECT_ROOT / "migrations")
            worker.put_in_force(database)
            first, second = synthetic.people(database, 2)
            with worker.running_worker(url, tmp_path), worker.open_board(tmp_path) as board:
                append(database, positive(first, "L1"))
                worker.wait_until(lambda: board.colour(first) == "red")

                worker.wait_until(lambda: board.age_seconds() <= 1)
                server.stop()
                worker.wait_until(lambda: board.age_seconds() >= 3)
                assert board.colour(first) == "red"

                server.start()
                append(database, positive(second, "L2"))
                worker.wait_until(lambda: board.colour(second) == "red" and board.age_seconds() <= 2)
    finally:
        server.stop()
