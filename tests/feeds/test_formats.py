"""NDJSON, Parquet and what is neither: told by the first bytes, read within bounds."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import NOON
from tests.support.feeds import lab_cells
from tianfu.feeds import formats, table
from tianfu.feeds.contracts_lab import LAB
from tianfu.feeds.sheet import UnreadableError
from tianfu.feeds.table import FeedRefusedError, FeedTooLargeError, Table

HEADER = ",".join(lab_cells(1))
LINE = ",".join(lab_cells(1).values())


def ndjson(*rows: object) -> bytes:
    return "\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows).encode()


def parquet(folder: Path, values: str) -> bytes:
    """The file that DuckDB writes of one row of `values`."""
    path = folder / "file.parquet"
    duckdb.connect(":memory:").execute(f"copy (select {values}) to '{path}' (format parquet)")
    return path.read_bytes()


def as_values(**changes: str) -> str:
    cells = {name: f"'{text}'" for name, text in lab_cells(1).items()} | changes
    return ", ".join(f"{expression} as {name}" for name, expression in cells.items())


def refused(data: bytes) -> list[tuple[str, str]]:
    with pytest.raises(FeedRefusedError) as error:
        table.read(data, LAB)
    return [(fault.field, fault.code) for fault in error.value.faults]


def only_row(read: Table) -> dict[str, str]:
    (row,) = read.rows
    assert row.cells is not None
    return dict(row.cells)


def test_the_same_row_reads_the_same_in_every_format(tmp_path: Path) -> None:
    rows = [
        only_row(table.read(data, LAB))
        for data in (f"{HEADER}\n{LINE}\n".encode(), ndjson(lab_cells(1)), parquet(tmp_path, as_values()))
    ]

    assert rows == [lab_cells(1)] * 3


def test_the_format_is_told(tmp_path: Path) -> None:
    assert table.read(ndjson(lab_cells(1)), LAB).encoding == "utf-8"
    assert table.read(b"\xef\xbb\xbf" + ndjson(lab_cells(1)), LAB).encoding == "utf-8"
    assert table.read(parquet(tmp_path, as_values()), LAB).encoding == "parquet"


def test_lines_are_numbered_and_blank_ones_left_out() -> None:
    read = table.read(ndjson(lab_cells(1), "", "  ", lab_cells(2)) + b"\r\n", LAB)

    assert [row.number for row in read.rows] == [1, 4]


def test_values_of_json_are_read_as_they_are_written() -> None:
    row = lab_cells(1) | {"sample_id": 1234567, "pooled": True, "tube": 12.50, "place": None}

    cells = only_row(table.read(ndjson(row), LAB))

    assert (cells["sample_id"], cells["pooled"], cells["tube"], cells["place"]) == ("1234567", "yes", "12.5", "")


@pytest.mark.parametrize("number", [5101041990030745, 510104199003074518, 10**16])
def test_a_number_too_long_for_a_double_is_refused_where_it_is_read(number: int) -> None:
    cells = only_row(table.read(ndjson(lab_cells(1) | {"sample_id": number}), LAB))

    assert cells["sample_id"] != str(number)
    faults = LAB.parse(cells, NOON)
    assert isinstance(faults, tuple)
    assert [(fault.field, fault.code) for fault in faults] == [("sample_id", "spreadsheet_number")]


@pytest.mark.parametrize(
    "line",
    [
        '{"sample_id": {"deep": 1}}',
        '{"sample_id": ["a"]}',
        '{"sample_id": "a", "sample_id": "b"}',
        '{"sample_id": NaN}',
        '{"sample_id": 1e',
        "[1, 2]",
        '"text"',
        '{"sample_id": ' + "[" * 100_000,
        '{"sample_id": ' + "[" * 60_000,
    ],
)
def test_a_line_that_is_no_flat_object_is_set_aside_alone(line: str) -> None:
    read = table.read(ndjson(lab_cells(1), line, lab_cells(2)), LAB)

    assert [row.cells is None for row in read.rows] == [False, True, False]
    assert max(map(len, read.rows[1].raw)) <= table.CELL_CHARACTERS_MAX


def test_keys_of_objects_are_a_header() -> None:
    assert refused(ndjson({"sample": 1} | lab_cells(1))) == [("sample", "column_unknown")]
    without = {name: text for name, text in lab_cells(1).items() if name != "result"}
    assert refused(ndjson(without, without)) == [("result", "column_missing")]
    assert ("Result", "column_twice") in [
        (field.capitalize(), code) for field, code in refused(ndjson(lab_cells(1), {"RESULT": "x"}))
    ]
    assert refused(ndjson({f"c{number}": 1 for number in range(101)})) == [("file", "columns")]
    assert [row.cells is None for row in table.read(ndjson(without, lab_cells(1)), LAB).rows] == [False, False]


def test_instants_and_numbers_of_parquet_become_texts(tmp_path: Path) -> None:
    values = as_values(
        sampled_at="timestamp '2022-03-01 08:00:00'",
        resulted_at="timestamptz '2022-03-01 11:30:00+08:00'",
        sample_id="42::bigint",
        place="null",
        tube="5.1e17::double",
        pooled="true",
    )

    cells = only_row(table.read(parquet(tmp_path, values), LAB))

    assert (cells["sampled_at"], cells["resulted_at"]) == ("2022-03-01 08:00:00", "2022-03-01T03:30:00Z")
    assert (cells["sample_id"], cells["tube"], cells["pooled"]) == ("42", "5.1e+17", "true")
    assert cells["place"] == ""


def test_a_long_text_of_parquet_is_cut_and_set_aside(tmp_path: Path) -> None:
    read = table.read(parquet(tmp_path, as_values(sample_id="repeat('x', 1000000)")), LAB)

    assert read.rows[0].cells is None
    assert max(map(len, read.rows[0].raw)) == table.CELL_CHARACTERS_MAX


def test_more_rows_than_a_batch_may_have_are_refused_in_every_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "ROWS_MAX", 2)
    three = parquet(tmp_path, f"{as_values()} from range(3)")

    for data in (three, ndjson(*[lab_cells(1)] * 3)):
        with pytest.raises(FeedTooLargeError):
            table.read(data, LAB)


def test_columns_of_parquet_are_a_header_and_flat(tmp_path: Path) -> None:
    assert refused(parquet(tmp_path, as_values(sample_id="{'deep': 1}"))) == [("sample_id", "column_type")]
    assert refused(parquet(tmp_path, as_values(sample_id="[1]"))) == [("sample_id", "column_type")]
    assert refused(parquet(tmp_path, as_values() + """, 1 as "a"", b" """)) == [('a", b', "column_unknown")]
    many = ", ".join(f"1 as c{number}" for number in range(101))
    assert refused(parquet(tmp_path, many)) == [("file", "columns")]


def test_a_parquet_file_that_unpacks_beyond_bounds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tianfu.feeds.parquet.UNPACKED_BYTES_MAX", 100)

    assert refused(parquet(tmp_path, as_values())) == [("file", "unpacked")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (gzip.compress(f"{HEADER}\n{LINE}\n".encode()), "compressed"),
        (b"\x28\xb5\x2f\xfd....", "compressed"),
        (b"PK\x03\x04....", "workbook"),
        (b"\xd0\xcf\x11\xe0....", "workbook"),
        (f"{HEADER}\n".encode("utf-16"), "utf16"),
        (b"PARE....", "encrypted"),
        (b"PAR1", "parquet"),
        (b"PAR1" + b"x" * 100 + b"PAR1", "parquet"),
        (b"," * 70_000, "line"),
        (b"a," * 200, "columns"),
        (b" [" + ndjson(lab_cells(1)) + b"]", "json_array"),
    ],
)
def test_what_is_no_feed_is_refused_with_what_it_is(data: bytes, code: str) -> None:
    assert refused(data) == [("file", code)]


def test_a_damaged_parquet_file_is_refused_or_read_and_nothing_else(tmp_path: Path) -> None:
    whole = parquet(tmp_path, f"{as_values()} from range(50)")
    dice = random.Random(5)
    for _ in range(25):
        damaged = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            damaged[dice.randrange(4, len(whole))] = dice.randrange(256)
        with contextlib.suppress(FeedRefusedError):
            table.read(bytes(damaged[: dice.choice((len(whole), dice.randrange(4, len(whole))))]), LAB)


@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(max_size=200).map(str.encode),
        st.text().map(lambda t: b"{" + t.encode("utf-8", "replace")),
    )
)
def test_any_bytes_are_a_sheet_or_unreadable(data: bytes) -> None:
    try:
        encoding, sheet = formats.read(data, rows_max=5, characters_max=table.CELL_CHARACTERS_MAX)
        rows = list(sheet.rows)
    except UnreadableError:
        return
    assert encoding in {"utf-8", "gb18030"}
    assert all(isinstance(number, int) for number, _ in rows)
