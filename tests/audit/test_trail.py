"""The trail: what is appended stays, and a person can see who looked."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any, LiteralString

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import NOON
from tianfu.audit import trail
from tianfu.audit.trail import GENESIS_HASH, Entry, EntryRefusedError
from tianfu.audit.verify import verify
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose

LOOKED = Entry(
    at=NOON,
    actor_kind="operator",
    actor="liu.desk",
    action="explain",
    purpose="consultation",
    person=PersonRef(12),
    detail={"role": "desk"},
)


def record(database: Database, *entries: Entry) -> list[int]:
    with database.write(Purpose.OPERATOR) as write:
        return [trail.record(write, entry) for entry in entries]


def change(**fields: Any) -> Entry:  # noqa: ANN401 - any field
    return msgspec.structs.replace(LOOKED, **fields)


def stored(database: Database) -> list[trail.Row]:
    with database.read(Purpose.BATCH) as read:
        return list(trail.stored_rows(read))


def test_an_entry_is_kept_as_it_was_given_and_chained_to_the_one_before(database: Database) -> None:
    second = change(subject="venue:7", person=None, detail={"count": 3, "outcome": True, "reason": "place"})

    numbers = record(database, LOOKED, second)

    rows = stored(database)
    assert [row.trail_id for row in rows] == numbers
    assert [row.entry for row in rows] == [LOOKED, second]
    assert [row.previous_hash for row in rows] == [GENESIS_HASH, rows[0].hash]


def test_an_entry_is_undone_together_with_what_it_reports(database: Database) -> None:
    def look_and_fail() -> None:
        with database.write(Purpose.OPERATOR) as write:
            trail.record(write, LOOKED)
            raise LookupError

    with pytest.raises(LookupError):
        look_and_fail()
    record(database, LOOKED)

    with database.read(Purpose.BATCH) as read:
        verdict = verify(read)
    # The number of the entry that was undone is missing, and that is no damage.
    assert (verdict.rows, verdict.head.trail_id, verdict.intact) == (1, 2, True)


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_trail set actor = 'somebody'",
        "delete from audit_trail",
        "truncate audit_trail",
    ],
)
def test_the_database_refuses_to_change_the_trail(database: Database, statement: LiteralString) -> None:
    record(database, LOOKED)

    with pytest.raises(psycopg.errors.IntegrityConstraintViolation), database.write(Purpose.BATCH) as write:
        write.execute(statement)

    assert len(stored(database)) == 1


def test_many_writers_at_once_make_one_chain(database: Database) -> None:
    def write_five(number: int) -> None:
        for _ in range(5):
            record(database, change(actor=f"operator{number}"))

    writers = [threading.Thread(target=write_five, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    with database.read(Purpose.BATCH) as read:
        verdict = verify(read)
    assert (verdict.rows, verdict.intact) == (20, True)


def test_a_person_sees_who_looked_newest_first_but_neither_names_nor_own_deeds(database: Database) -> None:
    record(
        database,
        LOOKED,
        change(person=PersonRef(13)),
        change(actor_kind="resident", actor="12", action="login", detail={}),
        change(at=NOON + timedelta(hours=1), actor_kind="department", action="case_reported", detail={}),
    )

    with database.read(Purpose.RESIDENT) as read:
        seen = trail.reads_of(read, PersonRef(12), limit=10, before=None)

    assert [(access.at, access.role, access.action, access.purpose) for access in seen] == [
        (NOON + timedelta(hours=1), "department", "case_reported", "consultation"),
        (NOON, "desk", "explain", "consultation"),
    ]
    assert not any("liu.desk" in str(access) for access in seen)


def test_a_long_list_is_read_page_by_page(database: Database) -> None:
    numbers = record(database, *[LOOKED] * 5)

    with database.read(Purpose.RESIDENT) as read:
        first = trail.reads_of(read, PersonRef(12), limit=2, before=None)
        second = trail.reads_of(read, PersonRef(12), limit=2, before=first[-1].trail_id)

    assert [access.trail_id for access in first + second] == numbers[:0:-1]


@pytest.mark.parametrize(
    "fields",
    [
        {"detail": {"patient": "x"}},
        {"detail": {"reason": "张三"}},
        {"detail": {"reason": "two words"}},
        {"detail": {"reason": "13800138000"}},
        {"detail": {"reason": "tel:13800138000"}},
        {"detail": {"number": 13800138000}},
        {"detail": {"number": 1.5}},
        {"detail": {"reason": None}},
        {"detail": {"reason": ["a"]}},
        {"detail": {"reason": ""}},
        {"subject": "51010119900307123X"},
        {"subject": "天府广场"},
        {"actor": "13800138000"},
        {"actor": ""},
        {"action": "x" * 65},
        {"purpose": "because I want to"},
    ],
)
def test_what_could_be_personal_data_is_refused_without_repeating_it(
    database: Database, fields: dict[str, Any]
) -> None:
    with pytest.raises(EntryRefusedError) as refused, database.write(Purpose.OPERATOR) as write:
        trail.record(write, change(**fields))

    assert not any(word in str(refused.value) for word in ("张三", "13800138000", "3071"))
    assert stored(database) == []


def test_a_naive_instant_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="no time zone"), database.write(Purpose.OPERATOR) as write:
        trail.record(write, change(at=NOON.replace(tzinfo=None)))


@pytest.mark.parametrize(
    "fields",
    [
        {"actor": "administrator.of.the.whole-province"},
        {"subject": "0123456789" * 6 + "abcd"},
        {"detail": {"effective_from": "2022-03-01T12:00:00+08:00"}},
        {"detail": {"policy": "sichuan-core@3", "count": 10**10 - 1}},
    ],
)
def test_machine_made_words_are_accepted(database: Database, fields: dict[str, Any]) -> None:
    assert record(database, change(**fields)) == [1]


words = st.text("abcxyz_", min_size=1, max_size=8)


@given(one=words, other=words)
def test_no_content_can_be_moved_between_fields_without_changing_the_hash(one: str, other: str) -> None:
    first = trail.chain_hash(GENESIS_HASH, change(action=one, purpose=other, detail={}))
    second = trail.chain_hash(GENESIS_HASH, change(action=one + other, purpose=other, detail={}))
    swapped = trail.chain_hash(GENESIS_HASH, change(action=other, purpose=one, detail={}))

    assert first != second
    assert (first == swapped) is (one == other)


def test_the_hash_depends_neither_on_the_order_of_details_nor_on_the_time_zone() -> None:
    one = change(detail={"role": "desk", "count": 1})
    same = change(detail={"count": 1, "role": "desk"}, at=NOON.astimezone())

    assert trail.chain_hash(GENESIS_HASH, one) == trail.chain_hash(GENESIS_HASH, same)
    assert trail.chain_hash(GENESIS_HASH, one) != trail.chain_hash(bytes([1]) * 32, one)
