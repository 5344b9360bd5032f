"""Readers of cells: each accepts what it says, names what it does not, and never raises."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import NOON
from tests.support.feeds import lab_cells, resident_id
from tianfu.feeds import instants
from tianfu.feeds.cells import AHEAD_MAX, Cells
from tianfu.feeds.contract import Contract, Row
from tianfu.feeds.contracts import CONTRACTS
from tianfu.feeds.instants import INSTANT_MIN, Unread
from tianfu.feeds.words import TIER_WORDS
from tianfu.residents import documents
from tianfu.residents.documents import DocumentType

# 10:05 in Shanghai.
AT = datetime(2022, 3, 1, 2, 5, tzinfo=UTC)
# Cells as people and programs spoil them, and anything at all.
SPOILT = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["", " ", "0", "-1", "1e9", "NaN", "44621.42", "2022-03-01 10:05", "２０２２/3/1 10:05", "是"]),
    st.from_regex(r"[0-9]{4}[-/年][0-9]{1,2}[-/月][0-9]{1,2}日?[ T]?[0-9]{0,2}[:时]?[0-9]{0,2}分?Z?", fullmatch=True),
    st.from_regex(r"[0-9]{1,20}(\.[0-9]{1,3})?(E\+[0-9]{1,3})?", fullmatch=True),
)


def reading(text: str) -> Cells:
    return Cells({"cell": text}, NOON)


def codes(cells: Cells) -> list[str]:
    return [fault.code for fault in cells.faults]


@pytest.mark.parametrize(
    "text",
    [
        "2022-03-01 10:05",
        "2022-03-01 10:05:00",
        "2022-03-01T10:05+08:00",
        "2022-03-01T02:05:00Z",
        "2022-03-01 02:05Z",
        "2022-03-01T02:05:00.000000+00:00",
        "2022/3/1 10:05",
        "2022/03/01 10:05:00",
        "2022年3月1日 10时5分",
        "2022年3月1日 10时05分0秒",
        "2022年3月1日10点5分",
        "2022年03月01日 10:05",
        "20220301100500",
    ],
)
def test_five_styles_of_one_instant(text: str) -> None:
    assert instants.read(text) == AT


@pytest.mark.parametrize("text", ["2022-03-01", "2022/3/1", "2022年3月1日", "20220301"])
def test_a_day_is_its_first_instant_where_a_day_will_do(text: str) -> None:
    cells = reading(text)

    assert cells.instant("cell", day=True) == datetime(2022, 2, 28, 16, tzinfo=UTC)
    assert cells.faults == []
    cells.instant("cell")
    assert codes(cells) == ["time_missing"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("44621.42", "spreadsheet_date"),
        ("44621", "spreadsheet_date"),
        ("03/01/2022", "day_or_month_first"),
        ("03/01/2022 10:05", "day_or_month_first"),
        ("1-3-22", "day_or_month_first"),
        ("01.03.2022 10:05", "day_or_month_first"),
        ("2.02203E+13", "spreadsheet_number"),
        ("20220301100500.0", "spreadsheet_number"),
        ("2022-03-01T10:05", "instant"),
        ("2022-3-1 10:05", "instant"),
        ("22/3/1 10:05", "instant"),
        ("2022-02-29 10:05", "instant"),
        ("2022-03-01 24:00", "instant"),
        ("2022年3月1日 10时", "instant"),
        ("202203011005", "instant"),
        ("9999-12-31T23:59-12:00", "instant"),
        ("yesterday", "instant"),
    ],
)
def test_what_could_mean_something_else_is_no_instant(text: str, code: str) -> None:
    found = instants.read(text)

    assert isinstance(found, Unread)
    assert found.code == code


def test_only_a_column_that_looks_ahead_may_lie_ahead_and_not_for_ever() -> None:
    later = (NOON + timedelta(days=30)).isoformat()
    far = (NOON + AHEAD_MAX + timedelta(days=1)).isoformat()
    cells = reading(later)

    assert cells.instant("cell", ahead=True) == NOON + timedelta(days=30)
    assert cells.faults == []
    assert cells.instant("cell") == INSTANT_MIN
    reading_far = reading(far)
    reading_far.instant("cell", ahead=True)
    assert codes(cells) + codes(reading_far) == ["future", "future"]


@pytest.mark.parametrize(("text", "meant"), [("是", True), ("YES", True), ("1", True), ("", False), ("no", False)])
def test_yes_and_no(text: str, *, meant: bool) -> None:
    cells = reading(text)

    assert cells.yes("cell") is meant
    assert cells.faults == []


@pytest.mark.parametrize(("text", "code"), [("", "missing"), ("0", "integer"), ("8", "integer"), ("2.0", "integer")])
def test_a_whole_number_lies_between_its_bounds(text: str, code: str) -> None:
    cells = reading(text)

    assert cells.integer("cell", 1, 7) == 1
    assert codes(cells) == [code]


def test_a_code_of_another_shape_is_told_which() -> None:
    cells = reading("G 87")
    cells.matching("cell", re.compile("[A-Z][0-9]+"), "应为车次。", "must be a train")

    assert [(fault.code, fault.zh, fault.en) for fault in cells.faults] == [("format", "应为车次。", "must be a train")]


def test_divisions_have_six_digits_or_nine() -> None:
    assert reading("510112003").division("cell") == "510112003"
    cells = reading("5101120")
    cells.division("cell")
    cells.place("cell")
    assert codes(cells) == ["place", "place"]


def test_a_stand_in_after_a_fault_is_never_without_the_fault() -> None:
    cells = reading("?")
    cells.choice("cell", TIER_WORDS)
    cells.instant("cell")
    cells.integer("cell", 1, 2)

    assert codes(cells) == ["choice", "instant", "integer"]


def test_an_order_is_not_held_against_what_could_not_be_read() -> None:
    cells = reading("?")
    read = cells.instant("cell")
    cells.ordered("other", NOON, "cell", read)

    assert codes(cells) == ["instant"]


@given(st.text(max_size=40))
def test_any_text_is_an_instant_or_says_why_not(text: str) -> None:
    for day in (False, True):
        found = instants.read(text, day=day)
        assert isinstance(found, Unread) or found.tzinfo is UTC


@given(st.sampled_from(tuple(CONTRACTS.values())), st.data())
def test_any_row_is_a_statement_or_names_columns_of_its_contract(contract: Contract, data: st.DataObject) -> None:
    names = [column.name for column in contract.columns]
    cells = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(names, SPOILT)))

    read = contract.parse(cells, NOON)

    if isinstance(read, Row):
        assert len(read.source_record) <= 128
    else:
        assert read
        assert {fault.field for fault in read} <= set(names)


@given(st.sampled_from(sorted(lab_cells(1))), SPOILT)
def test_one_spoilt_cell_is_the_only_one_named(column: str, text: str) -> None:
    read = CONTRACTS["lab"].parse(lab_cells(1) | {column: text}, NOON)

    if not isinstance(read, Row):
        # An earlier instant is held against the later one, a document's kind against its number.
        beside = {"sampled_at": {"resulted_at"}, "document_type": {"document_number"}}
        assert {fault.field for fault in read} <= {column} | beside.get(column, set())


@given(
    st.sampled_from(["510104", "110101", "830000", "990000", "000000"]),
    st.dates(min_value=date(1899, 1, 1), max_value=date(2023, 1, 1)),
    st.integers(0, 999),
    st.sampled_from("0123456789Xx"),
)
def test_a_number_read_the_short_way_is_what_the_long_way_finds(
    region: str, born: date, serial: int, check: str
) -> None:
    number = f"{region}{born:%Y%m%d}{serial:03d}{check}"
    spaced = f"{number[:6]} {number[6:]}"

    short, long = (documents.inspect(DocumentType.RESIDENT_ID, text, at=NOON) for text in (number, spaced))

    assert short == long


def test_a_small_x_is_the_same_document() -> None:
    number = next(text for text in map(resident_id, range(200)) if text.endswith("X"))

    assert documents.parse("resident_id", number.lower(), at=NOON) == documents.parse("resident_id", number, at=NOON)
