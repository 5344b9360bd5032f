"""What the database itself refuses of the ledger, whoever writes."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.clock import NOON
from tests.support.evidence import lab_test, people
from tianfu.evidence import ledger
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose


def test_a_statement_about_nobody_is_refused_with_all_that_came_with_it(database: Database) -> None:
    (person,) = people(database, 1)

    with pytest.raises(psycopg.errors.ForeignKeyViolation), database.write(Purpose.WORKER) as write:
        ledger.append(write, [lab_test(person, "1"), lab_test(PersonRef(999), "2")], received_at=NOON)

    with database.read(Purpose.WORKER) as read:
        assert read.value("select count(*) from evidence") == 0


def test_a_statement_of_a_batch_that_does_not_exist_is_refused(database: Database) -> None:
    (person,) = people(database, 1)

    with pytest.raises(psycopg.errors.ForeignKeyViolation), database.write(Purpose.WORKER) as write:
        ledger.append(write, [lab_test(person, "1")], received_at=NOON, batch_id=77)


def test_nobody_is_deleted_under_their_evidence(database: Database) -> None:
    person, free = people(database, 2)
    with database.write(Purpose.WORKER) as write:
        ledger.append(write, [lab_test(person, "1")], received_at=NOON)

    with pytest.raises(psycopg.errors.ForeignKeyViolation), database.write(Purpose.WORKER) as write:
        write.execute("delete from person where person_ref = %s", (person,))
    with database.write(Purpose.WORKER) as write:
        assert write.execute("delete from person where person_ref = %s", (free,)) == 1


def test_no_batch_is_deleted_under_its_evidence(database: Database) -> None:
    (person,) = people(database, 1)
    with database.write(Purpose.WORKER) as write:
        batch_id = write.value(
            "insert into feed_batch (feed, source, digest, received_at, rows, accepted, duplicates, set_aside)"
            " values ('lab', 'laboratory', %s, %s, 1, 1, 0, 0) returning batch_id",
            (bytes(32), NOON),
        )
        ledger.append(write, [lab_test(person, "1")], received_at=NOON, batch_id=batch_id)

    with pytest.raises(psycopg.errors.ForeignKeyViolation), database.write(Purpose.WORKER) as write:
        write.execute("delete from feed_batch")
