"""Reading a department's file: bytes in, rows of named cells out, or one clear refusal of the whole file.

The formats are those of `tianfu.feeds.formats`; columns come in any order and must be those of the contract.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from tianfu.errors import Fault, TianfuError
from tianfu.feeds import formats
from tianfu.feeds.contract import Contract
from tianfu.feeds.sheet import Sheet, UnreadableError

# One batch is one transaction held in memory: 200,000 rows of about 1.5 kB as Python values are 0.3 GB and take about
# ten seconds. Larger deliveries come as several files.
ROWS_MAX: Final = 200_000
# 64 MiB / 200,000 rows = 335 bytes a row, three times a long one.
FILE_BYTES_MAX: Final = 64 * 1024 * 1024
CELL_CHARACTERS_MAX: Final = 256
# Of a row that does not fit, this much is kept for whoever looks into it: 64 cells of 256 characters, 64 KiB at most.
CELLS_KEPT_MAX: Final = 64


class FeedRefusedError(TianfuError):
    """The whole file cannot be read; nothing of it was kept."""

    code = "feed_refused"
    status = 422
    zh = "文件无法读取，未导入任何内容。"
    en = "The file cannot be read; nothing of it was loaded."


class FeedTooLargeError(FeedRefusedError):
    """The file has more bytes or rows than one batch may have."""

    code = "feed_too_large"
    status = 413
    zh = f"文件过大：每批不超过 {ROWS_MAX:,} 行、{FILE_BYTES_MAX // 2**20} MiB，请拆分后再导入。"
    en = f"The file is too large: at most {ROWS_MAX:,} rows and {FILE_BYTES_MAX // 2**20} MiB a batch; split it."


class Table(msgspec.Struct, frozen=True):
    """A file whose header fits its contract: how it was encoded, and its rows without the blank ones."""

    encoding: str
    rows: tuple[TableRow, ...]


class TableRow(msgspec.Struct, frozen=True):
    """One row: its number (in CSV the header is row 1), its cells as they stood, and by column name.

    `cells` is None when there are too many or too few of them, or one is longer than any legal value; then `raw` is
    cut to what may be kept.
    """

    number: int
    raw: tuple[str, ...]
    cells: Mapping[str, str] | None


def read(data: bytes, contract: Contract) -> Table:
    """The table in `data`. Raises `FeedTooLargeError`, or `FeedRefusedError` naming every column that is wrong."""
    if len(data) > FILE_BYTES_MAX:
        raise FeedTooLargeError
    try:
        encoding, sheet = formats.read(data, rows_max=ROWS_MAX, characters_max=CELL_CHARACTERS_MAX)
        return Table(encoding, tuple(_rows(sheet, contract)))
    except UnreadableError as error:
        raise FeedRefusedError(faults=error.faults) from error


def _rows(sheet: Sheet, contract: Contract) -> Iterator[TableRow]:
    names = _columns(sheet.columns, contract)
    read_rows = 0
    for number, cells in sheet.rows:
        if not any(cells):
            continue
        read_rows += 1
        if read_rows > ROWS_MAX:
            raise FeedTooLargeError
        # A row that is short as a whole, as nearly all are, has no long cell.
        short = len("".join(cells)) <= CELL_CHARACTERS_MAX or max(map(len, cells)) <= CELL_CHARACTERS_MAX
        if short and len(cells) == len(names):
            yield TableRow(number, tuple(cells), dict(zip(names, cells, strict=True)))
        else:
            yield TableRow(number, tuple(cell[:CELL_CHARACTERS_MAX] for cell in cells[:CELLS_KEPT_MAX]), None)


def _columns(header: Sequence[str], contract: Contract) -> list[str]:
    names = [unicodedata.normalize("NFKC", cell).strip().lower() for cell in header]
    known = {column.name for column in contract.columns}
    faults = [
        Fault(column.name, "column_missing", "缺少这一列。", "this column is missing")
        for column in contract.columns
        if column.required and column.name not in names
    ]
    for position, name in enumerate(names):
        shown = name[:CELL_CHARACTERS_MAX]
        if name not in known:
            faults.append(Fault(shown, "column_unknown", "没有这一列的约定。", "no such column is agreed"))
        elif name in names[:position]:
            faults.append(Fault(shown, "column_twice", "这一列出现了两次。", "this column is there twice"))
    if faults:
        raise FeedRefusedError(
            zh=f"表头与“{contract.zh}”的约定不符，未导入任何内容。",
            en=f"The header does not fit what is agreed for {contract.en}; nothing was loaded.",
            faults=tuple(faults),
        )
    return names
