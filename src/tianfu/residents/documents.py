"""Identity documents: what their numbers look like, and one spelling for each.

A number is normalised before it is indexed, so that the same document always finds the same person however it was
typed: full-width forms, blanks, hyphens and small letters make no difference, and reissue counters that change with
each new card are left out.

Sources: GB 11643-1999 (citizen identification number, ISO 7064 MOD 11-2 check character); Exit and Entry
Administration of the Ministry of Public Security, 2010-03-10 (Mainland travel permit for Hong Kong and Macau
residents: H or M, eight digits for life, two for the reissue), and 2008-09-12 (Mainland travel permit for Taiwan
residents: eight digits for life; before, followed by two for the reissue and the issuing office in brackets);
National Immigration Administration, 2023-12-01 (foreign permanent resident ID card: 9, five digits of region and
nationality, birth date, three of sequence, MOD 11-2; before, three letters and twelve digits); ICAO 9303 for
passports, whose numbers each state sets itself.
"""

from __future__ import annotations

import enum
import functools
import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from typing import Final

import msgspec
from stdnum.cn import ric

from tianfu.access.places import divisions
from tianfu.clock import shanghai_day
from tianfu.errors import Fault, InputInvalidError

# The longest legal number has 18 characters; typed with separators it stays well under this.
NUMBER_TYPED_LENGTH_MAX: Final = 40
BIRTH_YEAR_MIN: Final = 1900

_SEPARATORS: Final = re.compile(r"[\s\-‐‑–—·.]+")
_OLD_CITIZEN_DIGITS: Final = 15
_PASSPORT: Final = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,17}", re.ASCII)
_HK_MACAU: Final = re.compile(r"([HM][0-9]{8})(?:[0-9]{2})?", re.ASCII)
_TAIWAN: Final = re.compile(r"([0-9]{8})(?:[0-9]{2}(?:\(?[A-Z0-9]\)?)?)?", re.ASCII)
_FOREIGN_OLD: Final = re.compile(r"[A-Z]{3}[0-9]{12}", re.ASCII)
_EIGHTEEN: Final = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)

# The check character for each remainder of the sum by 11.
_CHECKS: Final = "10X98765432"

# 83 is the prefix of the residence permit for Taiwan residents (2018), which uses the citizen format as those of
# Hong Kong (81) and Macau (82) do; GB/T 2260 itself calls Taiwan 71.
_TAIWAN_RESIDENCE_PREFIX: Final = "83"


class DocumentType(enum.Enum):
    """Which document; the value is what requests and feeds say."""

    RESIDENT_ID = "resident_id"
    PASSPORT = "passport"
    HK_MACAU_PERMIT = "hk_macau_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    FOREIGN_PERMANENT_RESIDENT = "foreign_permanent_resident"


_TYPES: Final = {member.value: member for member in DocumentType}


class Document(msgspec.Struct, frozen=True):
    """A document whose number has been checked and normalised; made by `parse` only."""

    type: DocumentType
    number: str

    def __repr__(self) -> str:
        """Never the number: a repr ends up in tracebacks."""
        return f"Document({self.type.value}, …)"


def document_key(document: Document) -> str:
    """The text whose keyed digest finds the person: `type:number`."""
    return f"{document.type.value}:{document.number}"


def parse(kind: DocumentType | str, number: str, *, at: datetime, field: str = "document") -> Document:
    """The document, checked and in its one spelling. `at` bounds the birth date.

    Raises `InputInvalidError` with faults on `<field>.type` or `<field>.number`.
    """
    checked, faults = inspect(kind, number, at=at, field=field)
    if checked is None:
        raise InputInvalidError(faults=faults)
    return checked


def inspect(
    kind: DocumentType | str, number: str, *, at: datetime, field: str = "document"
) -> tuple[Document | None, tuple[Fault, ...]]:
    """As `parse`, with the faults as a value, for callers that gather those of a whole form or file."""
    known = _TYPES.get(kind, kind) if isinstance(kind, str) else kind
    if isinstance(known, str):
        return None, (_fault(f"{field}.type", "document_type", "不支持的证件类型。", "This document type is unknown."),)
    today = _day(at)
    if known is DocumentType.RESIDENT_ID and _is_plain(number, today):
        return Document(known, number), ()
    if len(number) > NUMBER_TYPED_LENGTH_MAX:
        normal: str | Fault = _fault(
            f"{field}.number", "document_length", "证件号码过长。", "The document number is too long."
        )
    else:
        normal = _RULES[known](_tidy(number), today, f"{field}.number")
    if isinstance(normal, Fault):
        return None, (normal,)
    return Document(known, normal), ()


# The day of `at`: a file asks for every row with the same instant.
_day: Final = functools.lru_cache(maxsize=16)(shanghai_day)


def _tidy(number: str) -> str:
    """Full-width characters to ASCII, separators out, letters large."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", number)).upper()


def _fault(field: str, code: str, zh: str, en: str) -> Fault:
    return Fault(field=field, code=code, zh=zh, en=en)


@functools.cache
def _provinces() -> frozenset[str]:
    """The first two digits that a resident ID can have; worked out once, as a feed asks for every row."""
    return frozenset(code[:2] for code in divisions()) | {_TAIWAN_RESIDENCE_PREFIX}


def _is_plain(number: str, today: date) -> bool:
    """Whether a resident ID is legal just as it stands: the same as `_resident_id`, for the millions that are.

    The check character (MOD 11-2) is the sum of three parts' sums, each of which is worked out once.
    """
    if not _EIGHTEEN.fullmatch(number):
        return False
    region_sum = _region(number[:6])
    born, birth_sum = _birth(number[6:14])
    if region_sum is None or born is None or born > today:
        return False
    return _CHECKS[(region_sum + birth_sum + _serial(number[14:17])) % 11] == number[17]


def _weighted(digits: str, position: int) -> int:
    """What digits that begin at `position` of a number add to the sum of GB 11643: digit times 2^(17 - position)."""
    return sum(int(digit) << (17 - position - offset) for offset, digit in enumerate(digits))


@functools.lru_cache(maxsize=8192)
def _region(digits: str) -> int | None:
    return _weighted(digits, 0) if digits[:2] in _provinces() else None


@functools.lru_cache(maxsize=1000)
def _serial(digits: str) -> int:
    return _weighted(digits, 14)


# There are 45,000 birth dates.
@functools.lru_cache(maxsize=65536)
def _birth(digits: str) -> tuple[date | None, int]:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None, 0
    return (born if born.year >= BIRTH_YEAR_MIN else None), _weighted(digits, 6)


def _resident_id(number: str, today: date, field: str) -> str | Fault:
    if len(number) == _OLD_CITIZEN_DIGITS and number.isdigit():
        return _fault(
            field,
            "document_old",
            "15 位旧身份证号码已停用，请填写 18 位号码。",
            "Numbers of 15 digits are no longer valid; please enter the 18-digit one.",
        )
    if not _EIGHTEEN.fullmatch(number):
        return _fault(
            field,
            "document_format",
            "身份证号码应为 18 位数字（末位可为 X）。",
            "A resident ID has 18 digits; the last may be an X.",
        )
    # The county part is not held against the table: numbers were given by the county of registration of the time,
    # and many of those codes, or their years, are missing from every list. The province has to exist.
    if number[:2] not in _provinces():
        return _fault(
            field, "document_place", "身份证号码的地区部分有误。", "The region part of this resident ID does not exist."
        )
    return _dated_number(number, today, field)


def _dated_number(number: str, today: date, field: str) -> str | Fault:
    """Eighteen characters with the birth date at 7 to 14 and a MOD 11-2 check character: both must hold."""
    if ric.calc_check_digit(number) != number[-1]:
        return _fault(
            field,
            "document_checksum",
            "证件号码校验位不符，请核对。",
            "The check digit does not fit; please check the number.",
        )
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        born = None
    if born is None or born.year < BIRTH_YEAR_MIN or born > today:
        return _fault(
            field,
            "document_birth_date",
            "证件号码中的出生日期有误。",
            "The birth date in this number is not possible.",
        )
    return number


def _passport(number: str, _: date, field: str) -> str | Fault:
    if _PASSPORT.fullmatch(number):
        return number
    return _fault(
        field,
        "document_format",
        "护照号码应为 5 至 17 位字母和数字，至少含一位数字。",
        "A passport number has 5 to 17 letters and digits, at least one of them a digit.",
    )


def _hk_macau_permit(number: str, _: date, field: str) -> str | Fault:
    if match := _HK_MACAU.fullmatch(number):
        return match.group(1)
    return _fault(
        field,
        "document_format",
        "港澳居民来往内地通行证号码为 H 或 M 加 8 位（或 10 位）数字。",
        "A Hong Kong or Macau permit is H or M and 8 (or 10) digits.",
    )


def _taiwan_permit(number: str, _: date, field: str) -> str | Fault:
    if match := _TAIWAN.fullmatch(number):
        return match.group(1)
    return _fault(
        field,
        "document_format",
        "台湾居民来往大陆通行证号码为 8 位数字。",
        "A Taiwan permit has 8 digits.",
    )


def _foreign_permanent_resident(number: str, today: date, field: str) -> str | Fault:
    if _FOREIGN_OLD.fullmatch(number):
        return number
    if _EIGHTEEN.fullmatch(number) and number.startswith("9"):
        return _dated_number(number, today, field)
    return _fault(
        field,
        "document_format",
        "外国人永久居留身份证号码为 9 开头的 18 位号码，或 3 位字母加 12 位数字。",
        "A foreign permanent resident card has 18 digits beginning with 9, or 3 letters and 12 digits.",
    )


_RULES: Final[dict[DocumentType, Callable[[str, date, str], str | Fault]]] = {
    DocumentType.RESIDENT_ID: _resident_id,
    DocumentType.PASSPORT: _passport,
    DocumentType.HK_MACAU_PERMIT: _hk_macau_permit,
    DocumentType.TAIWAN_PERMIT: _taiwan_permit,
    DocumentType.FOREIGN_PERMANENT_RESIDENT: _foreign_permanent_resident,
}
