"""Quotation marks in a CSV file: where DuckDB alone would lose rows, change names or fail."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.plain_files import job, rows
from tianfu.tracing.files import reading
from tianfu.tracing.files.quotes import Quotes, quotes_of
from tianfu.tracing.files.refused import TraceFileInvalidError
from tianfu.tracing.files.run import with_arrays
from tianfu.tracing.files.workspace import opened

CASES = "person,from,to\ncase,0,60\n"

MANNERS = {
    b"": Quotes.NONE,
    b"a,b\n": Quotes.NONE,
    b'"a","b"\n"c","d"': Quotes.REGULAR,
    b'\xef\xbb\xbf"a",b\r\n': Quotes.REGULAR,
    b'"a ""b"" c","",""""\r"x\ny"\n': Quotes.REGULAR,
    b'"a b" ,c\n': Quotes.IRREGULAR,
    b'a, "b"\n': Quotes.IRREGULAR,
    b'a"b,c\n': Quotes.IRREGULAR,
    b'"a"b,c\n': Quotes.IRREGULAR,
    b'a,"b\n': Quotes.IRREGULAR,
    b'a"b,c\n"d,e\n': Quotes.IRREGULAR,
    b'a,b "': Quotes.IRREGULAR,
}


@pytest.mark.parametrize("content", MANNERS)
@pytest.mark.parametrize("block_bytes", [1, 2, 3, 5, 1_000])
def test_where_quotation_marks_stand_is_told_wherever_a_block_ends(
    content: bytes, block_bytes: int, tmp_path: Path
) -> None:
    (tmp_path / "V.csv").write_bytes(content)

    assert quotes_of(tmp_path / "V.csv", block_bytes) is MANNERS[content]


@given(records=st.lists(st.lists(st.text(alphabet='a ",\r\n', max_size=5), min_size=2, max_size=3), max_size=5))
def test_what_is_written_by_the_rules_is_regular(
    records: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "regular.csv"
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(records)
    path.write_bytes(text.getvalue().encode())

    assert quotes_of(path, 7) is (Quotes.REGULAR if records else Quotes.NONE)


def written(folder: Path, visits: str) -> tuple[Path, Path]:
    (folder / "V.csv").write_text(visits, encoding="utf-8", newline="")
    (folder / "C.csv").write_text(CASES, encoding="utf-8")
    return folder / "V.csv", folder / "C.csv"


def test_names_that_look_like_rows_are_read_in_a_file_of_many_megabytes(tmp_path: Path) -> None:
    """DuckDB reads a buffer of 32 MB after the other: who begins with the second must not guess where a row begins."""
    row = '"a\na,b,0\nb",v,0\n'
    count = 33_000_000 // len(row)
    visits, _ = written(tmp_path, "person,venue,at\n" + row * count)

    with opened(tmp_path / "OUT.csv") as workspace:
        reading.load_visits(workspace, visits)
        found = workspace.connection.execute("select person, venue, count(*) from visits group by all").fetchall()

    assert found == [("a\na,b,0\nb", "v", count)]


def test_spaces_before_a_quotation_mark_belong_to_the_name(tmp_path: Path) -> None:
    visits = 'person,venue,at\ncase,v,0\n "met",v,0\nmet,v,0\n'

    found = rows(with_arrays, job(*written(tmp_path, visits)))

    assert [row[0] for row in found[1:]] == [' "met"', "met"]


@pytest.mark.parametrize("row", ['"met" ,v,0', 'met,v,"0" ', 'met,v,"0', '"'])
def test_what_follows_a_closed_text_or_never_closes_it_is_refused(row: str, tmp_path: Path) -> None:
    asked = job(*written(tmp_path, f"person,venue,at\ncase,v,0\n{row}"))

    with pytest.raises(TraceFileInvalidError) as refused:
        rows(with_arrays, asked)

    assert [(fault.field, fault.code) for fault in refused.value.faults] == [("line 3", "unreadable")]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_commas_too_many_at_the_end_of_a_line_are_passed_over(ending: str, tmp_path: Path) -> None:
    visits = f"person,venue,at\ncase,v,0,{ending}met,v,0,,\n"

    assert [row[0] for row in rows(with_arrays, job(*written(tmp_path, visits)))[1:]] == ["met"]


def test_a_name_says_nothing_of_how_a_file_is_packed(tmp_path: Path) -> None:
    visits, cases = written(tmp_path, "person,venue,at\ncase,v,0\nmet,v,0\n")
    visits = visits.rename(tmp_path / "V.csv.gz")

    assert [row[0] for row in rows(with_arrays, job(visits, cases))[1:]] == ["met"]
