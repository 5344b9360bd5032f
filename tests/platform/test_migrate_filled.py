"""Migrations of a database that is in use: what was in it is still there afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.support.clock import NOON
from tests.support.database import TestServer
from tests.support.status import core_policy, recompute_all
from tianfu.evidence import changes, kinds, ledger
from tianfu.ids import PersonRef
from tianfu.platform import migrate, settings
from tianfu.platform.database import Database, Purpose
from tianfu.policy.decide import decide
from tianfu.status import store

REAL = settings.PROJECT_ROOT / "migrations"
# The last migration of the first release: what any installation has at least.
RELEASED = 8

PEOPLE = 3
ATTRIBUTES = {
    "type": "test",
    "result": "negative",
    "method": "nucleic_acid",
    "sampled_at": "2022-03-01T00:00:00Z",
    "resulted_at": "2022-03-01T04:00:00Z",
    "laboratory": "SYN-LAB-1",
}


def fill(database: Database) -> None:
    """People with a result, a status by the province's rules, and one of them queued."""
    policy = core_policy()
    decision = msgspec.json.encode(decide(policy, [], NOON)).decode()
    with database.write(Purpose.BATCH) as write:
        for number in range(1, PEOPLE + 1):
            write.execute("insert into person (first_seen_at) values (%s)", (NOON,))
            write.execute(
                """
                insert into evidence (person_ref, kind, source, source_record, content_hash, occurred_at, received_at,
                                      valid_from, grade, attributes)
                values (%s, 'test', 'laboratory', %s, %s, %s, %s, %s, 'strong', %s)
                """,
                (
                    *(number, f"SYN-LAB-1/{number}", bytes([number]) * 32, NOON, NOON, NOON),
                    msgspec.json.encode(ATTRIBUTES).decode(),
                ),
            )
            write.execute(
                """
                insert into status (person_ref, colour, policy_hash, decision, decided_at, sequence)
                values (%s, 'green', %s, %s, %s, nextval('status_sequence'))
                """,
                (number, policy.hash, decision, NOON),
            )
        write.execute("insert into evidence_pending (person_ref, since) values (2, %s)", (NOON,))


@pytest.fixture
def upgraded(postgres_server: TestServer, tmp_path: Path) -> Iterator[Database]:
    """A database of the first release, filled, then brought up to date."""
    for path in sorted(REAL.glob("*.sql"))[:RELEASED]:
        shutil.copy(path, tmp_path)
    name = postgres_server.create(migrated=False)
    with Database.open(postgres_server.url_of(name), settings.load({}).database) as database:
        migrate.apply(database, tmp_path)
        fill(database)
        migrate.apply(database, REAL)
        yield database
    postgres_server.drop(name)


def test_evidence_statuses_and_the_queue_outlive_the_migrations(upgraded: Database) -> None:
    persons = [PersonRef(number) for number in range(1, PEOPLE + 1)]

    with upgraded.read(Purpose.WORKER) as read:
        evidence = ledger.about_many(read, persons)
        statuses = store.read_many(read, persons)
        backlog = changes.backlog(read)
        assert changes.waiting(read, persons) == {PersonRef(2)}

    assert backlog.people == 1
    assert all(isinstance(item.attributes, kinds.Test) for items in evidence.values() for item in items)
    assert {len(items) for items in evidence.values()} == {1}
    assert {status.decision.policy_hash for status in statuses.values()} == {core_policy().hash}
    assert {status.decision.colour.value for status in statuses.values()} == {"green"}


def test_work_goes_on_after_the_migrations(upgraded: Database) -> None:
    assert recompute_all(upgraded) == 1

    with upgraded.read(Purpose.WORKER) as read:
        decided = store.read_many(read, [PersonRef(2)])[PersonRef(2)].decision
    assert decided.test is not None
