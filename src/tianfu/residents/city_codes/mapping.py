"""A mapping file: how one old city code's export is laid out, and what its words mean here.

Ten cities exported ten layouts; each is described by a TOML file (docs/city-codes.md) and none by code. Nothing in a
mapping is guessed: a word that is in no table, a column that is not in the file and a setting that nobody knows are
faults, and all faults of a file are told at once.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import tomllib
from collections.abc import Mapping as AnyMapping
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, Final

import msgspec

from tianfu.access.places import is_county, is_sichuan
from tianfu.errors import Fault, TianfuError
from tianfu.residents.documents import DocumentType

# A mapping is a page of text; a word table of every village would still be below.
MAPPING_BYTES_MAX: Final = 256 * 1024
ENCODINGS: Final = ("utf-8", "gb18030")
DELIMITERS: Final = (",", "\t", "|", ";", "^", "~")
_PREFECTURE: Final = re.compile(r"51[0-9]{2}00", re.ASCII)


class DateForm(Enum):
    """How instants are written; the value shows it. A time of day may follow all but the last two."""

    DASHES = "2021-03-05"
    SLASHES = "2021/3/5"
    COMPACT = "20210305"
    CHINESE = "2021年3月5日"
    SECONDS = "seconds since 1970"
    MILLISECONDS = "milliseconds since 1970"


class MappingInvalidError(TianfuError):
    """A mapping file cannot be used; the faults say where and why."""

    code = "city_mapping_invalid"
    status = 422
    zh = "城市码字段对照文件有误。"
    en = "The mapping of a city code's file is not right."


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """Where a field comes from.

    The cells of `columns` are joined with `join`, then every text of `remove` is taken out. When nothing is left,
    `otherwise` stands in; without it the row is set aside. `words` turns what the city wrote into what is meant, and
    where it is given, no other word is accepted.
    """

    columns: tuple[str, ...] = ()
    join: str = ""
    remove: tuple[str, ...] = ()
    words: dict[str, str] = {}
    otherwise: str | None = None


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """When the city registered the holder, in Beijing time; `otherwise` (2021-03-05) where it did not say."""

    columns: tuple[str, ...] = ()
    form: DateForm = DateForm.DASHES
    otherwise: str | None = None


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """The six fields of a holder."""

    name: Column
    document_type: Column
    document_number: Column
    phone: Column
    district: Column
    registered: Registered


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """One city's layout. `columns` names the columns of a file without a header line, in order."""

    city: str
    name_zh: str
    name_en: str
    encoding: str
    delimiter: str
    fields: Fields
    quote: str = '"'
    columns: tuple[str, ...] = ()

    def wanted_columns(self) -> frozenset[str]:
        """Every column that some field is read from."""
        fields = self.fields
        columns = (fields.name, fields.document_type, fields.document_number, fields.phone, fields.district)
        return frozenset(name for field in (*columns, fields.registered) for name in field.columns)


class Known(msgspec.Struct, frozen=True):
    """A mapping and the digest of its file: another digest is another mapping."""

    mapping: Mapping
    digest: bytes


def load(path: Path) -> Known:
    """The mapping at `path`. Raises `MappingInvalidError` with every fault."""
    with path.open("rb") as file:
        text = file.read(MAPPING_BYTES_MAX + 1)
    if len(text) > MAPPING_BYTES_MAX:
        raise MappingInvalidError(faults=(_fault("", "文件过大。", "the file is larger than 256 KiB"),))
    return Known(parse(text), hashlib.sha256(text).digest())


def parse(text: bytes) -> Mapping:
    """The mapping written in `text`. Raises `MappingInvalidError` with every fault."""
    try:
        document = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as cause:  # a number of too many digits is a plain ValueError
        raise MappingInvalidError(faults=(_fault("", "不是有效的 TOML。", f"is no TOML: {cause}"),)) from None
    faults: list[Fault] = []
    _inspect_table(document, Mapping, "", faults)
    if faults:
        raise MappingInvalidError(faults=tuple(faults))
    mapping = msgspec.convert(document, Mapping)
    faults = [*_inspect_layout(mapping), *_inspect_fields(mapping)]
    if faults:
        raise MappingInvalidError(faults=tuple(faults))
    return mapping


def _inspect_table(table: AnyMapping[str, Any], kind: type[msgspec.Struct], at: str, faults: list[Fault]) -> None:
    """Unknown and missing settings, and settings of the wrong type, at every level of `table`."""
    known = {field.name: field for field in msgspec.structs.fields(kind)}
    faults += [_fault(at + name, "未知设置。", "is no setting of a mapping") for name in table if name not in known]
    for name, field in known.items():
        if name not in table:
            if field.required:
                faults.append(_fault(at + name, "缺少设置。", "is missing"))
            continue
        value = table[name]
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct) and isinstance(value, dict):
            _inspect_table(value, field.type, f"{at}{name}.", faults)
            continue
        try:
            msgspec.convert(value, field.type)
        except msgspec.ValidationError as cause:
            faults.append(_fault(at + name, "类型不符。", str(cause)))


def _inspect_layout(mapping: Mapping) -> list[Fault]:
    faults = []
    if not (_PREFECTURE.fullmatch(mapping.city) and is_sichuan(mapping.city)):
        faults.append(_fault("city", "应为四川省市州代码。", "must be the code of a prefecture of Sichuan"))
    if mapping.encoding not in ENCODINGS or codecs.lookup(mapping.encoding).name != mapping.encoding:
        faults.append(_fault("encoding", "仅支持 utf-8、gb18030。", f"must be one of: {', '.join(ENCODINGS)}"))
    if mapping.delimiter not in DELIMITERS:
        faults.append(_fault("delimiter", "不支持的分隔符。", "must be one of: , ; | ^ ~ or a tab"))
    if mapping.quote not in ('"', "'", ""):
        faults.append(_fault("quote", "不支持的引号。", "must be \", ' or empty"))
    if len(set(mapping.columns)) != len(mapping.columns):
        faults.append(_fault("columns", "列名重复。", "names a column twice"))
    if mapping.columns:
        faults += [
            _fault("columns", f"缺少列 {name}。", f"lacks the column {name} that a field is read from")
            for name in sorted(mapping.wanted_columns() - set(mapping.columns))
        ]
    return faults


def _inspect_fields(mapping: Mapping) -> list[Fault]:
    fields = mapping.fields
    own = {"name": fields.name, "document_number": fields.document_number, "phone": fields.phone}
    others: dict[str, Column | Registered] = {
        "document_type": fields.document_type,
        "district": fields.district,
        "registered": fields.registered,
    }
    faults = [
        _fault(f"fields.{name}.columns", "不能为空。", "must name a column") for name in own if not own[name].columns
    ]
    faults += [
        _fault(f"fields.{name}.otherwise", "不得代填。", "nobody's name, number or phone can be made up")
        for name in own
        if own[name].otherwise is not None
    ]
    faults += [
        _fault(f"fields.{name}", "需要列名或固定值。", "needs columns, or otherwise, or both")
        for name, field in others.items()
        if not field.columns and field.otherwise is None
    ]
    types = {member.value for member in DocumentType}
    meant = {*fields.document_type.words.values(), fields.document_type.otherwise or "resident_id"}
    faults += [
        _fault("fields.document_type", f"未知证件类型 {word}。", f"{word} is no type of document here")
        for word in sorted(meant - types)
    ]
    places = {*fields.district.words.values(), fields.district.otherwise or mapping.city}
    faults += [
        _fault("fields.district", f"{code} 不是四川省行政区划。", f"{code} is no division of Sichuan")
        for code in sorted(places)
        if not is_sichuan(code) or not (is_county(code) or code == mapping.city)
    ]
    if fields.registered.otherwise is not None and not _is_day(fields.registered.otherwise):
        faults.append(_fault("fields.registered.otherwise", "应为日期。", "must be a day like 2021-03-05"))
    return faults


def _is_day(text: str) -> bool:
    try:
        return re.fullmatch(r"20[0-9-]{8}", text, re.ASCII) is not None and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _fault(field: str, zh: str, en: str) -> Fault:
    return Fault(field=field, code="mapping", zh=zh, en=en)
