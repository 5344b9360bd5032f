from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tianfu.tracing.files.instants import DUCKDB, MINUTE_MAX, MINUTE_MIN, minute_expression, minute_of, within

Columns = Callable[[list[str]], list[int | None]]

EIGHT = 27_700_320  # 2022-09-01T08:00Z

INSTANTS = {
    "2022-09-01T08:00:00Z": EIGHT,
    "2022-09-01T08:00:59.999999999Z": EIGHT,
    "2022-09-01 08:00": EIGHT,
    "2022-09-01t08:00z": EIGHT,
    "2022-09-01T16:00:30,5+08:00": EIGHT,
    "2022-09-01T16:00+0800": EIGHT,
    "2022-09-01 16:00:00+08": EIGHT,
    "2022-09-01T02:30:00-05:30": EIGHT,
    "2022-08-31T22:00-10": EIGHT,
    "20220901T080000Z": EIGHT,
    "20220901T0800": EIGHT,
    "20220901T160000.25+08": EIGHT,
    "  2022-09-01T08:00:00Z ": EIGHT,
    "2022-09-01": EIGHT - 480,
    "2024-02-29T00:00Z": 28_486_080,
    "1662019200": EIGHT,
    "1662019200.0": EIGHT,
    "1662019259.99999999": EIGHT,
    "1662019199.99999999": EIGHT - 1,
    "1662019260.": EIGHT + 1,
    "0": 0,
    "-0": 0,
    "-0.0": 0,
    "-0.01": -1,
    "-1": -1,
    "-60": -1,
    "-60.5": -2,
    "-61": -2,
    "1969-12-31T23:59:59Z": -1,
    "0001-01-01": MINUTE_MIN,
    "5999-12-31T23:59:59Z": MINUTE_MAX,
}
NO_INSTANTS = (
    *("", " ", "x", "2022-09-31", "2023-02-29T00:00Z", "2022-13-01", "2022-00-10", "2022-9-1", "2022-09-01T24:00Z"),
    *("2022-09-01T08:60Z", "2022-09-01T08:00:60Z", "2022-09-01T08", "2022-09-01T08:00:00+24:00", "2022-09-01 08:00 Z"),
    *("2022-09-01T08:00:00Z\n", "2022-09-01T08:00:00Z\u2028", "1662019200\n", "２０２２-09-01", "1e9", "1,5", "--5"),
    *("+5", "1.5.5", ".5", "0000-12-31T23:59-01:00", "0001-01-01T00:00+00:01", "6000-01-01", "1662019200000"),
    *(
        "9" * 18,
        "-" + "9" * 18,
        "9" * 30,
        "2022-W35-4",
        "2022-244",
        "NaN",
        "infinity",
        "2022-09-01T08:00:00 +08:00",
        "nan",
    ),
    *("epoch", "20220901T08", "2022-09-01T08:00:00+8", "2022-09-01T08:00:00.Z", "2022-09-01TZ", "2022-09-01Z"),
)


@pytest.fixture(scope="module")
def in_duckdb() -> Iterator[Columns]:
    with duckdb.connect() as connection:
        query = (
            f"select {within('minute')} from (select number, {minute_expression('text', DUCKDB)} as minute from "  # noqa: S608
            "(select unnest($texts) as text, unnest(range(len($texts))) as number)) order by number"
        ).replace("unnest($texts)", "trim(unnest($texts))")

        def minutes(texts: list[str]) -> list[int | None]:
            return [row[0] for row in connection.execute(query, {"texts": texts}).fetchall()]

        yield minutes


def test_every_way_to_write_an_instant_is_floored_to_its_minute(in_duckdb: Columns) -> None:
    assert {text: minute_of(text) for text in INSTANTS} == INSTANTS
    assert in_duckdb(list(INSTANTS)) == list(INSTANTS.values())


def test_what_is_no_instant_is_none(in_duckdb: Columns) -> None:
    assert [text for text in NO_INSTANTS if minute_of(text) is not None] == []
    assert in_duckdb(list(NO_INSTANTS)) == [None] * len(NO_INSTANTS)


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y%m%dT%H%M%S"])
@given(
    at=st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(5999, 12, 30)),  # noqa: DTZ001
    offset=st.integers(-1439, 1439),
)
def test_an_offset_is_taken_off(form: str, at: datetime, offset: int) -> None:
    aware = at.replace(tzinfo=timezone(timedelta(minutes=offset)))
    hours, minutes = divmod(abs(offset), 60)
    text = f"{at.strftime(form)}{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"

    expected = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(minutes=1)

    assert minute_of(text) == expected


@given(seconds=st.decimals(min_value=-(10**10), max_value=10**11, allow_nan=False, allow_infinity=False, places=9))
@example(seconds=Decimal("-0.000000001"))
def test_unix_seconds_are_floored_without_rounding(seconds: Decimal) -> None:
    expected = int((seconds / 60).to_integral_value(rounding="ROUND_FLOOR"))

    assert minute_of(f"{seconds:f}") == expected


LETTERS = st.text(alphabet="0123456789-+:.,TZtz ", max_size=26)


@given(st.lists(LETTERS | st.sampled_from([*INSTANTS, *NO_INSTANTS]), min_size=1, max_size=60))
def test_the_expression_for_columns_means_the_same(in_duckdb: Columns, texts: list[str]) -> None:
    assert in_duckdb(texts) == [minute_of(text) for text in texts]
