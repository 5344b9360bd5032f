"""Files for an office: whole or not at all, and nothing in them computes."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tianfu.tracing.exports import sheets

ATTACKS = ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1＋1", '=HYPERLINK("http://x")']


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_looks_like_a_formula_is_text_in_both_formats(tmp_path: Path, attack: str) -> None:
    for ending in sheets.FORMATS:
        assert sheets.write(tmp_path / f"list.{ending}", ["姓名", attack], [[attack, "张三"]]) == 1

    assert read_csv(tmp_path / "list.csv") == [["姓名", "'" + attack], ["'" + attack, "张三"]]
    with zipfile.ZipFile(tmp_path / "list.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert 't="inlineStr"' in sheet


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text(st.characters(blacklist_categories=["Cs"])), min_size=2, max_size=2), max_size=5))
def test_no_cell_of_a_csv_begins_like_a_formula_and_none_is_lost(tmp_path: Path, rows: list[list[str]]) -> None:
    sheets.write(tmp_path / "list.csv", ["a", "b"], rows)

    text = read_csv(tmp_path / "list.csv")[1:]
    assert all(cell[:1] not in sheets.FORMULA_BEGINNINGS or not cell for row in text for cell in row)
    assert [[cell.removeprefix("'") for cell in row] for row in text] == [
        [sheets.harmless(cell).removeprefix("'") for cell in row] for row in rows
    ]


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    sheets.write(path, ["a"], [["old"]])

    def failing() -> Iterator[list[str]]:
        yield ["new"]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        sheets.write(path, ["a"], failing())
    with pytest.raises(sheets.ExportUnwritableError):
        sheets.write(tmp_path / "nowhere" / "list.csv", ["a"], [])
    with pytest.raises(sheets.ExportUnwritableError):
        sheets.write(path / "list.csv", ["a"], [])

    assert read_csv(path) == [["a"], ["old"]]
    assert [item.name for item in tmp_path.iterdir()] == ["list.csv"]
    assert path.stat().st_mode & 0o077 == 0


def test_a_long_list_goes_on_on_another_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "SHEET_ROWS_MAX", 2)
    monkeypatch.setattr(sheets, "SHEETS_MAX", 2)

    assert sheets.write(tmp_path / "list.xlsx", ["a"], [[str(number)] for number in range(4)]) == 4
    with zipfile.ZipFile(tmp_path / "list.xlsx") as book:
        assert [name for name in book.namelist() if "worksheets/sheet" in name] == [
            "xl/worksheets/sheet1.xml",
            "xl/worksheets/sheet2.xml",
        ]
    with pytest.raises(sheets.ExportTooLongError):
        sheets.write(tmp_path / "more.xlsx", ["a"], [[str(number)] for number in range(5)])
    assert not (tmp_path / "more.xlsx").exists()
