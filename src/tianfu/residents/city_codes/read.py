"""From the bytes of a city's file to holders, row by row. Pure, but for the keys that index documents.

A row is one line. It is checked as a claim would be, every field of it, and comes out as a holder in this system's
spelling or is set aside with the first thing that is wrong with it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from tianfu.access.places import is_county, sichuan
from tianfu.errors import Fault, TianfuError
from tianfu.residents import documents, names, phones
from tianfu.residents.city_codes import dates
from tianfu.residents.city_codes.mapping import Column, Mapping

BOM: Final = b"\xef\xbb\xbf"
# A line of six fields is some 100 bytes; what is this long is no line of a table.
LINE_CHARACTERS_MAX: Final = 16_384
CODE_DIGITS: Final = 6


class Holder(NamedTuple):
    """A row that can be accepted. `registered` is in seconds since 1970, `row` the line of the file, from 1."""

    row: int
    document_type: str
    document_number: str
    name: str
    phone: str
    district: str
    registered: int

    def __repr__(self) -> str:
        """Never the values."""
        return f"Holder(row {self.row})"


class Refused(NamedTuple):
    """A row that cannot be accepted: the field, the code of the first fault, and the line as it was written."""

    row: int
    field: str
    reason: str
    line: str

    def __repr__(self) -> str:
        """Never the line."""
        return f"Refused(row {self.row}, {self.field}: {self.reason})"


class CityFileInvalidError(TianfuError):
    """The file as a whole is not what its mapping describes; nothing was loaded."""

    code = "city_file_invalid"
    status = 422
    zh = "文件与字段对照不符，未导入任何数据。"
    en = "The file is not laid out as its mapping says; nothing was loaded."


class _RowFaultError(Exception):
    """Ends the reading of one row."""

    def __init__(self, *, field: str, reason: str) -> None:
        super().__init__()
        self.field = field
        self.reason = reason


class Reader:
    """Reads the lines of one file."""

    def __init__(self, mapping: Mapping, header: bytes, *, at: datetime) -> None:
        """`header` is the first line, not looked at where the mapping names the columns. `at` bounds all dates.

        Raises `CityFileInvalidError` with every column that is missing or there twice.
        """
        self._mapping = mapping
        self._at = at
        self._now = int(at.timestamp())
        columns = mapping.columns or tuple(self._header(header))
        _require_columns(mapping, columns)
        self._width = len(columns)
        places = {name: place for place, name in enumerate(columns)}
        fields = mapping.fields
        self._name = _cell(fields.name, places, "name")
        self._type = _cell(fields.document_type, places, "document_type")
        self._number = _cell(fields.document_number, places, "document_number")
        self._phone = _cell(fields.phone, places, "phone")
        self._district = _cell(fields.district, places, "district")
        self._districts: dict[str, str | None] = _districts(mapping)
        registered = fields.registered
        self._registered = _cell(Column(columns=registered.columns, join=" ", otherwise=""), places, "registered")
        self._date = dates.reader(registered.form)
        self._date_otherwise = None if registered.otherwise is None else dates.day(registered.otherwise)

    def lines(self, block: bytes, first_row: int) -> Iterator[Holder | Refused]:
        """Every line of `block`, which begins with line `first_row` of the file; empty lines are passed over."""
        for number, line in enumerate(self._decoded(block), start=first_row):
            if isinstance(line, bytes):
                yield Refused(number, "", "encoding", line.decode("latin-1"))
                continue
            text = line.removesuffix("\r")
            if not text or text.isspace():
                continue
            try:
                yield self._row(number, self._cells(text))
            except _RowFaultError as fault:
                yield Refused(number, fault.field, fault.reason, text)

    def _decoded(self, block: bytes) -> list[str] | list[str | bytes]:
        """The lines as text; a line that is not in the file's encoding stays bytes."""
        whole = block.removesuffix(b"\n")
        try:
            return whole.decode(self._mapping.encoding).split("\n")
        except UnicodeDecodeError:
            return [self._line(line) for line in whole.split(b"\n")]

    def _line(self, line: bytes) -> str | bytes:
        try:
            return line.decode(self._mapping.encoding)
        except UnicodeDecodeError:
            return line

    def _cells(self, line: str) -> list[str]:
        quote = self._mapping.quote
        if len(line) > LINE_CHARACTERS_MAX:
            raise _RowFaultError(field="", reason="too_long")
        cells = self._cells_quoted(line) if quote and quote in line else line.split(self._mapping.delimiter)
        if len(cells) != self._width:
            raise _RowFaultError(field="", reason="columns")
        return cells

    def _cells_quoted(self, line: str) -> list[str]:
        """A cell in quotes may hold the delimiter, but no end of line: a row is a line."""
        reader = csv.reader([line], delimiter=self._mapping.delimiter, quotechar=self._mapping.quote, strict=True)
        try:
            return next(reader)
        except csv.Error:
            raise _RowFaultError(field="", reason="quoting") from None

    def _header(self, header: bytes) -> list[str]:
        text = self._line(header.removeprefix(BOM).removesuffix(b"\n").removesuffix(b"\r"))
        if isinstance(text, bytes):
            raise CityFileInvalidError(faults=(_file_fault("encoding", "表头编码不符。", "is not that of the header"),))
        quote = self._mapping.quote
        cells = self._cells_quoted(text) if quote and quote in text else text.split(self._mapping.delimiter)
        return [cell.strip() for cell in cells]

    def _row(self, number: int, cells: list[str]) -> Holder:
        name, faults = names.inspect(self._name(cells))
        document, document_faults = documents.inspect(self._type(cells), self._number(cells), at=self._at)
        phone, phone_faults = phones.inspect(self._phone(cells))
        if name is None or document is None or phone is None:
            first = (*faults, *document_faults, *phone_faults)[0]
            raise _RowFaultError(field=first.field, reason=first.code)
        district = self._districts.get(self._district(cells))
        if district is None:
            raise _RowFaultError(field="district", reason="district")
        return Holder(number, document.type.value, document.number, name, phone, district, self._registered_at(cells))

    def _registered_at(self, cells: list[str]) -> int:
        text = self._registered(cells)
        if not text and self._date_otherwise is not None:
            return self._date_otherwise
        seconds = self._date(text)
        if seconds is None:
            raise _RowFaultError(field="registered", reason="instant" if text else "missing")
        if not dates.REGISTERED_MIN <= seconds <= self._now:
            raise _RowFaultError(field="registered", reason="future" if seconds > self._now else "too_old")
        return seconds


def _require_columns(mapping: Mapping, columns: tuple[str, ...]) -> None:
    faults = [
        _file_fault(name, "文件中没有此列。", "is a column that the file lacks")
        for name in sorted(mapping.wanted_columns() - set(columns))
    ]
    faults += [
        _file_fault(name, "列名重复。", "is a column that the file has twice")
        for name in sorted(set(columns))
        if columns.count(name) > 1
    ]
    if faults:
        raise CityFileInvalidError(faults=tuple(faults))


def _cell(column: Column, places: dict[str, int], field: str) -> Callable[[list[str]], str]:
    """What takes one field's text out of a row's cells. It raises `_RowFaultError` where nothing can be said."""
    positions = [places[name] for name in column.columns]
    single = positions[0] if len(positions) == 1 else None
    words, remove, join, otherwise = column.words, column.remove, column.join, column.otherwise

    def text(cells: list[str]) -> str:
        if single is not None:
            found = cells[single].strip()
        else:
            found = join.join(part for part in (cells[position].strip() for position in positions) if part)
        for unwanted in remove:
            found = found.replace(unwanted, "")
        if not found:
            if otherwise is None:
                raise _RowFaultError(field=field, reason="missing")
            return otherwise
        if words:
            meant = words.get(found)
            if meant is None:
                raise _RowFaultError(field=field, reason="word")
            return meant
        return found

    return text


def _districts(mapping: Mapping) -> dict[str, str | None]:
    """The code of each spelling that is accepted: the city's own counties by code and by name, and itself."""
    found: dict[str, str | None] = {mapping.city: mapping.city}
    for division in sichuan():
        if is_county(division.code):
            found[division.code] = division.code
            if division.code.startswith(mapping.city[:4]):
                found[division.name] = division.code
    return found


def _file_fault(field: str, zh: str, en: str) -> Fault:
    return Fault(field=field, code="city_file", zh=zh, en=en)
