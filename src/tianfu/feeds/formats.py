"""Which format a file has: its first bytes say, never its name. Text formats are read here; Parquet has a module.

CSV with commas and quotes as in RFC 4180; NDJSON with one object a line, whose values are texts, numbers, true,
false or null. Text is UTF-8, with or without byte order mark, else GB18030 (which is told in the result, because a
wrong guess there would show as nonsense in names, and no feed holds names).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, Final

from tianfu.feeds import parquet
from tianfu.feeds.sheet import COLUMNS_MAX, Sheet, UnreadableError, unreadable

# A whole number of so many digits is beyond 2^53, where programs that hold numbers as doubles change the last ones.
INTEGER_DIGITS_MAX: Final = 15
# A hundred columns of 256 characters with their names are 32 KiB; twice that for escapes.
LINE_CHARACTERS_MAX: Final = 64 * 1024
# No document or key has more digits than this; a longer number is kept as it is and refused for its length.
_DIGITS_SHOWN_MAX: Final = 300

_COMPRESSED: Final = unreadable(
    code="compressed", zh="文件是压缩包，请解压后再提交。", en="is compressed; unpack it and send what is inside"
)
_WORKBOOK: Final = unreadable(
    code="workbook",
    zh="文件是电子表格工作簿（xls、xlsx）或 ZIP，请另存为 UTF-8 的 CSV。",
    en="is a workbook of a spreadsheet or a ZIP; save the sheet as CSV in UTF-8",
)
_UTF16: Final = unreadable(
    code="utf16", zh="文件编码是 UTF-16，请另存为 UTF-8。", en="is UTF-16 text; save it as UTF-8"
)
_ENCRYPTED: Final = unreadable(code="encrypted", zh="文件已加密，无法读取。", en="is an encrypted Parquet file")
_REFUSED: Final = (
    (b"\x1f\x8b", _COMPRESSED),
    (b"\x28\xb5\x2f\xfd", _COMPRESSED),
    (b"BZh", _COMPRESSED),
    (b"\xfd7zXZ\x00", _COMPRESSED),
    (b"PK\x03\x04", _WORKBOOK),
    (b"\xd0\xcf\x11\xe0", _WORKBOOK),
    (b"\xff\xfe", _UTF16),
    (b"\xfe\xff", _UTF16),
    (b"PARE", _ENCRYPTED),
)


def read(data: bytes, *, rows_max: int, characters_max: int) -> tuple[str, Sheet]:
    """How `data` is encoded (`utf-8`, `gb18030` or `parquet`), and what it holds.

    Texts may come cut to one more than `characters_max`; a reader may stop after one row more than `rows_max`. Raises
    `UnreadableError`.
    """
    for magic, reason in _REFUSED:
        if data.startswith(magic):
            raise UnreadableError(*reason.faults)
    if data.startswith(parquet.MAGIC):
        return "parquet", parquet.read(data, rows_max=rows_max, characters_max=characters_max)
    text, encoding = _decode(data)
    first = text.lstrip()[:1]
    if first == "[":
        raise unreadable(
            code="json_array", zh="请改为每行一个 JSON 对象（NDJSON）。", en="is a JSON array; send one object a line"
        )
    return encoding, _ndjson(text, rows_max) if first == "{" else _csv(text)


def _decode(data: bytes) -> tuple[str, str]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    raise unreadable(
        code="encoding", zh="文件编码既不是 UTF-8 也不是 GB18030。", en="is neither UTF-8 nor GB18030 text"
    )


def _csv(text: str) -> Sheet:
    lines = _csv_lines(text)
    # A row of 64 million empty cells would be a legal line of a small enough file.
    if max(map(len, io.StringIO(text, newline="")), default=0) > LINE_CHARACTERS_MAX:
        raise _too_long()
    header = next(lines, None)
    if header is None or not header[1]:
        raise unreadable(code="empty", zh="文件是空的。", en="is empty")
    if len(header[1]) > COLUMNS_MAX:
        raise _too_many()
    return Sheet(tuple(header[1]), lines)


def _too_many() -> UnreadableError:
    return unreadable(code="columns", zh=f"超过 {COLUMNS_MAX} 列。", en=f"has more than {COLUMNS_MAX} columns")


def _too_long() -> UnreadableError:
    return unreadable(
        code="line",
        zh=f"有一行超过 {LINE_CHARACTERS_MAX} 个字符。",
        en=f"has a line of more than {LINE_CHARACTERS_MAX} characters",
    )


def _csv_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    try:
        # Not from io: a cell may hold a line break, and the rows are numbered as a spreadsheet does.
        yield from enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), start=1)
    except csv.Error as error:
        raise unreadable(code="csv", zh="文件不是有效的 CSV。", en="is not a CSV file") from error


def _ndjson(text: str, rows_max: int) -> Sheet:
    objects: list[tuple[int, dict[str, str] | str]] = []
    columns: dict[str, None] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line or line.isspace():
            continue
        cells = _object(line)
        objects.append((number, cells))
        if isinstance(cells, dict):
            columns.update(dict.fromkeys(cells))
        if len(columns) > COLUMNS_MAX:
            raise _too_many()
        if len(objects) > rows_max:
            break
    names = tuple(columns)
    return Sheet(names, ((number, _cells(found, names)) for number, found in objects))


def _cells(found: dict[str, str] | str, names: tuple[str, ...]) -> list[str]:
    return [found] if isinstance(found, str) else [found.get(name, "") for name in names]


def _object(line: str) -> dict[str, str] | str:
    """The texts of one object by name; the line itself when it is none, is nested, or names a value twice."""
    if len(line) > LINE_CHARACTERS_MAX:
        return line
    try:
        found = _DECODER.decode(line)
    except (ValueError, RecursionError):
        return line
    return found if isinstance(found, dict) else line


def _texts(pairs: list[tuple[str, Any]]) -> dict[str, str]:
    found = {name: _text(value) for name, value in pairs}
    if len(found) != len(pairs):
        message = "a value is named twice"
        raise ValueError(message)
    return found


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    message = "a value is nested"
    raise ValueError(message)


def _integer(digits: str) -> str:
    """The digits as they stand, or as the double that most programs would have made of so long a number."""
    return repr(float(digits)) if INTEGER_DIGITS_MAX < len(digits) <= _DIGITS_SHOWN_MAX else digits


def _constant(name: str) -> str:
    message = f"{name} is no JSON"
    raise ValueError(message)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_texts, parse_int=_integer, parse_float=str, parse_constant=_constant
)
