from __future__ import annotations

from datetime import timedelta

from tests.support.clock import NOON
from tests.support.evidence import case, contact, people
from tests.support.status import append, recompute_all
from tianfu.evidence import changes
from tianfu.evidence.kinds import ContactTier
from tianfu.platform.database import Database, Purpose
from tianfu.status import expire

# A close contact's red ends 21 days after the last exposure, a copresent person's yellow 14 days after designation.
LONG_AFTER = NOON + timedelta(days=60)


def test_people_are_due_when_their_decision_lapses_the_longest_overdue_first(database: Database) -> None:
    early, late, never = people(database, 3)
    append(
        database,
        contact(late, "K1", at=NOON - timedelta(hours=1)),
        contact(early, "K2", ContactTier.COPRESENT, at=NOON - timedelta(days=2)),
        case(never, "C1"),
    )
    recompute_all(database)

    with database.read(Purpose.WORKER) as read:
        assert expire.due(read, NOON, 10) == []
        assert expire.due(read, LONG_AFTER, 10) == [early, late]
        assert expire.due(read, LONG_AFTER, 1) == [early]
        assert expire.due(read, LONG_AFTER, 0) == []


def test_who_is_queued_or_postponed_is_not_due_as_well(database: Database) -> None:
    queued, postponed = people(database, 2)
    append(database, contact(queued, "K1"), contact(postponed, "K2"))
    recompute_all(database)
    with database.write(Purpose.WORKER) as write:
        changes.mark(write, [queued], NOON)
        changes.postpone(write, [postponed], LONG_AFTER + timedelta(days=1))

    with database.read(Purpose.WORKER) as read:
        assert expire.due(read, LONG_AFTER, 10) == []
