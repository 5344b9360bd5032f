"""Rows into a file for an office: CSV or XLSX, in which nothing can become a formula.

A name such as `=HYPERLINK(…)` opened in a spreadsheet would run. In CSV a text that a spreadsheet might read as a
formula gets an apostrophe before it (the way OWASP describes under "CSV injection"); in XLSX every cell is stored as
text. A file is written beside its name and renamed when it is whole.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

import xlsxwriter

from tianfu.errors import TianfuError

FORMATS: Final = ("csv", "xlsx")
# A sheet of Excel has 1,048,576 rows, the first of which is ours.
SHEET_ROWS_MAX: Final = 1_048_575
SHEETS_MAX: Final = 10
# What Excel, LibreOffice and WPS take for the beginning of a formula, in both widths; a tab or line end may hide one.
FORMULA_BEGINNINGS: Final = "=+-@\t\r\n＝＋－＠"
_COLUMN_WIDTH: Final = 20


class ExportTooLongError(TianfuError):
    """More rows than a workbook holds; nothing was kept."""

    code = "export_too_long"
    status = 422
    zh = "名单超出 Excel 文件的行数上限，请改用 CSV 或缩小范围。"
    en = "The list has more rows than an Excel file holds; use CSV or narrow it."


class ExportUnwritableError(TianfuError):
    """The file cannot be written there."""

    code = "export_unwritable"
    status = 500
    zh = "无法写入导出文件，请检查目录与磁盘空间。"
    en = "The file cannot be written there; check the folder and the space on the disk."


def harmless(text: str) -> str:
    """`text` as a cell of CSV that no spreadsheet computes: an apostrophe comes before what may be a formula."""
    return "'" + text if text[:1] and text[0] in FORMULA_BEGINNINGS else text


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Write all rows to `path` by its ending, `.csv` or `.xlsx`; how many there were.

    CSV is UTF-8 with a mark at its beginning, so that Excel reads Chinese. Memory does not grow with the rows. Only
    the owner can read the file. Raises `ExportTooLongError`, `ExportUnwritableError`, and whatever `rows` raises;
    then nothing is left and what was there before stays.
    """
    part = path.with_name(path.name + ".part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        count = _write_xlsx(part, header, rows) if path.suffix == ".xlsx" else _write_csv(part, header, rows)
        part.replace(path)
    except OSError as error:
        raise ExportUnwritableError from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return count


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """What `write` puts into a file ending in `.csv`, for a list short enough to be held, such as one to be hashed."""
    text = io.StringIO(newline="")
    _write_lines(text, header, rows)
    return text.getvalue().encode("utf-8-sig")


def _write_csv(part: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    with part.open("w", encoding="utf-8-sig", newline="") as file:
        return _write_lines(file, header, rows)


def _write_lines(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    count = 0
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([harmless(cell) for cell in header])
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        count += 1
    return count


def _write_xlsx(part: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    count = 0
    with xlsxwriter.Workbook(str(part), options) as book:
        bold = book.add_format({"bold": True})
        sheet = None
        for row in rows:
            if count == SHEET_ROWS_MAX * SHEETS_MAX:
                raise ExportTooLongError
            if count % SHEET_ROWS_MAX == 0:
                sheet = _new_sheet(book, header, bold)
            if sheet is not None:
                _write_row(sheet, count % SHEET_ROWS_MAX + 1, row)
            count += 1
        if sheet is None:
            _new_sheet(book, header, bold)
    return count


def _new_sheet(
    book: xlsxwriter.Workbook, header: Sequence[str], bold: xlsxwriter.format.Format
) -> xlsxwriter.worksheet.Worksheet:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, max(len(header) - 1, 0), _COLUMN_WIDTH)
    for column, text in enumerate(header):
        sheet.write_string(0, column, text, bold)
    return sheet


def _write_row(sheet: xlsxwriter.worksheet.Worksheet, number: int, row: Sequence[str]) -> None:
    for column, text in enumerate(row):
        sheet.write_string(number, column, text)
