from __future__ import annotations

import pytest

from tianfu.feeds import table
from tianfu.feeds.contracts_lab import LAB
from tianfu.feeds.table import FeedRefusedError, FeedTooLargeError

HEADER = "document_type,document_number,sample_id,sampled_at,resulted_at,result,method,laboratory"
LINE = "resident_id,510104199003074518,S-1,2022-03-01 08:00,2022-03-01 11:30,阴性,核酸,SYN-LAB-1"


def test_rows_are_numbered_as_a_spreadsheet_does() -> None:
    read = table.read(f"{HEADER}\n{LINE}\n\n{LINE}\n".encode(), LAB)

    assert [row.number for row in read.rows] == [2, 4]
    assert read.rows[0].cells == dict(zip(HEADER.split(","), LINE.split(","), strict=True))


@pytest.mark.parametrize(
    ("encoding", "told"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("gb18030", "gb18030"), ("gbk", "gb18030")]
)
def test_the_encoding_is_found_and_told(encoding: str, told: str) -> None:
    read = table.read(f"{HEADER}\r\n{LINE}\r\n".encode(encoding), LAB)

    assert read.encoding == told
    cells = read.rows[0].cells
    assert cells is not None
    assert cells["result"] == "阴性"


def test_columns_may_come_in_any_order_and_spelling_of_case() -> None:
    header = ",".join(name.upper() for name in reversed(HEADER.split(",")))
    line = ",".join(reversed(LINE.split(",")))

    read = table.read(f"{header}\n{line}\n".encode(), LAB)

    cells = read.rows[0].cells
    assert cells is not None
    assert cells["sample_id"] == "S-1"


@pytest.mark.parametrize(
    ("header", "field", "code"),
    [
        (HEADER.replace("sample_id", "sample"), "sample_id", "column_missing"),
        (HEADER.replace("sample_id", "sample"), "sample", "column_unknown"),
        (HEADER + ",name", "name", "column_unknown"),
        (HEADER + ",result", "result", "column_twice"),
        (LINE, "document_number", "column_missing"),
    ],
)
def test_a_header_that_does_not_fit_refuses_the_file_and_names_the_columns(header: str, field: str, code: str) -> None:
    with pytest.raises(FeedRefusedError) as refused:
        table.read(f"{header}\n{LINE}\n".encode(), LAB)

    assert (field, code) in [(fault.field, fault.code) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"\xff\xff\xff\xff\x81", "encoding"),
        (f'{HEADER}\n"open quote'.encode(), "csv"),
        (f'{HEADER}\n"a"b,c\n'.encode(), "csv"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(FeedRefusedError) as refused:
        table.read(data, LAB)

    assert [fault.code for fault in refused.value.faults] == [code]


@pytest.mark.parametrize("line", [LINE + ",510104", "resident_id", "x" * 257 + LINE])
def test_a_row_that_does_not_fit_the_header_is_kept_apart(line: str) -> None:
    read = table.read(f"{HEADER}\n{line}\n{LINE}\n".encode(), LAB)

    assert read.rows[0].cells is None
    assert max(map(len, read.rows[0].raw)) <= table.CELL_CHARACTERS_MAX
    assert read.rows[1].cells is not None


def test_a_file_over_the_limits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "ROWS_MAX", 2)
    three = f"{HEADER}\n{LINE}\n{LINE}\n{LINE}\n".encode()

    with pytest.raises(FeedTooLargeError):
        table.read(three, LAB)
    with pytest.raises(FeedTooLargeError):
        table.read(b" " * (table.FILE_BYTES_MAX + 1), LAB)


def test_a_header_alone_is_a_file_without_rows() -> None:
    assert table.read(HEADER.encode(), LAB).rows == ()
