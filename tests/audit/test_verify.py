"""Verifying the trail: any tampering below the database's own guard is found, and where."""

from __future__ import annotations

from typing import LiteralString

import pytest

from tests.support.clock import NOON
from tianfu.audit import trail
from tianfu.audit.trail import GENESIS_HASH, Entry
from tianfu.audit.verify import Damage, Head, Verdict, verify
from tianfu.platform.database import Database, Purpose

ENTRY = Entry(at=NOON, actor_kind="system", actor="worker", action="retention", purpose="retention")
ROWS = 5


@pytest.fixture
def filled(database: Database) -> Database:
    """A trail of five rows, numbered from 1."""
    with database.write(Purpose.BATCH) as write:
        for _ in range(ROWS):
            trail.record(write, ENTRY)
    return database


def tamper(database: Database, statement: LiteralString) -> None:
    """What somebody with the database's own rights could do: switch the guard off first."""
    with database.write(Purpose.BATCH) as write:
        write.execute("alter table audit_trail disable trigger user")
        write.execute(statement)
        write.execute("alter table audit_trail enable trigger user")


def verdict(database: Database, noted: Head | None = None) -> Verdict:
    with database.read(Purpose.BATCH) as read:
        return verify(read, noted=noted)


def test_an_empty_trail_is_intact(database: Database) -> None:
    assert verdict(database) == Verdict(rows=0, head=Head(trail_id=0, hash=GENESIS_HASH))
    assert verdict(database).intact


def test_an_untouched_trail_is_intact_and_names_its_head(filled: Database) -> None:
    found = verdict(filled)

    assert (found.rows, found.head.trail_id, found.intact) == (ROWS, ROWS, True)


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_trail set at = at + interval '1 microsecond' where trail_id = 3",
        "update audit_trail set actor_kind = 'operator' where trail_id = 3",
        "update audit_trail set actor = 'other' where trail_id = 3",
        "update audit_trail set action = 'other' where trail_id = 3",
        "update audit_trail set purpose = 'other' where trail_id = 3",
        "update audit_trail set person_ref = 7 where trail_id = 3",
        "update audit_trail set subject = 'other' where trail_id = 3",
        "update audit_trail set detail = '{\"count\": 1}' where trail_id = 3",
        "update audit_trail set hash = sha256('x') where trail_id = 3",
    ],
)
def test_a_changed_row_is_found_whatever_was_changed(filled: Database, statement: LiteralString) -> None:
    tamper(filled, statement)

    found = verdict(filled)

    assert (found.broken_at, found.damage, found.rows) == (3, Damage.CHANGED, 2)
    assert not found.intact


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("delete from audit_trail where trail_id = 1", 2),
        ("delete from audit_trail where trail_id = 3", 4),
        ("update audit_trail set previous_hash = sha256('x') where trail_id = 3", 3),
    ],
)
def test_a_removed_row_is_found_at_the_row_after_it(filled: Database, statement: LiteralString, broken_at: int) -> None:
    tamper(filled, statement)

    found = verdict(filled)

    assert (found.broken_at, found.damage) == (broken_at, Damage.MISSING_BEFORE)


def test_a_row_slipped_in_is_found(filled: Database) -> None:
    tamper(
        filled,
        "insert into audit_trail (at, actor_kind, actor, action, purpose, previous_hash, hash)"
        " select at, actor_kind, 'other', action, purpose, previous_hash, sha256('x')"
        " from audit_trail where trail_id = 3",
    )

    assert verdict(filled).broken_at == ROWS + 1


def test_newest_rows_cut_off_are_found_with_a_head_noted_before(filled: Database) -> None:
    noted = verdict(filled).head
    tamper(filled, "delete from audit_trail where trail_id > 3")

    assert verdict(filled).intact
    found = verdict(filled, noted)

    assert (found.broken_at, found.damage, found.rows) == (ROWS, Damage.HEAD_MISSING, 3)


def test_a_head_noted_before_is_found_again_in_a_trail_that_has_grown(filled: Database) -> None:
    noted = verdict(filled).head
    with filled.write(Purpose.BATCH) as write:
        trail.record(write, ENTRY)

    assert verdict(filled, noted).intact
    assert verdict(filled, Head(trail_id=0, hash=GENESIS_HASH)).intact
