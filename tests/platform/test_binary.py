from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tianfu.clock import SHANGHAI
from tianfu.platform import binary
from tianfu.platform.database import Database, Purpose

INSTANTS = [datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC), None, datetime(2022, 3, 1, 8, tzinfo=SHANGHAI)]


def test_packed_arrays_arrive_as_they_were(database: Database) -> None:
    with database.read(Purpose.WORKER) as read:
        rows = read.rows(
            "select %s::bigint[], %s::text[], %s::bytea[], %s::timestamptz[]",
            (
                binary.bigints([-1, 0, 2**62]),
                binary.texts(["", None, "测试\t\\'"]),
                binary.byteas([b"", b"\x00\xff"]),
                binary.instants(INSTANTS),
            ),
            binary=True,
        )

    assert rows == [([-1, 0, 2**62], ["", None, "测试\t\\'"], [b"", b"\x00\xff"], INSTANTS)]


def test_empty_arrays_have_their_type(database: Database) -> None:
    with database.read(Purpose.WORKER) as read:
        row = read.row(
            "select cardinality(%s::bigint[]), pg_typeof(%s)::text, pg_typeof(%s)::text",
            (binary.bigints([]), binary.texts([]), binary.instants([])),
        )

    assert row == (0, "text[]", "timestamp with time zone[]")


@pytest.mark.parametrize("count", [0, 1, 1_201])
def test_packed_rows_are_stored(database: Database, count: int) -> None:
    at = datetime(2022, 3, 1, tzinfo=UTC)
    pack = binary.remembered_instants()
    rows = [
        b"\x00\x04"
        + binary.bigint(number)
        + binary.text(None if number == 1 else f"名{number}")
        + pack(at + timedelta(microseconds=number % 3))
        + binary.raw(b'{"a":1}')
        for number in range(count)
    ]
    with database.write(Purpose.WORKER) as write:
        write.execute("create temp table packed (number bigint, word text, at timestamptz, body json) on commit drop")
        stored = write.copy_binary("copy packed from stdin (format binary)", rows)
        found = write.rows("select number, word, at, body ->> 'a' from packed order by number")

    assert stored == count
    assert found == [
        (number, None if number == 1 else f"名{number}", at + timedelta(microseconds=number % 3), "1")
        for number in range(count)
    ]
