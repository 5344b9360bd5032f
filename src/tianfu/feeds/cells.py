"""Reading the cells of one row: text in, typed values or faults out. Pure.

Full-width forms are read as their plain ones (departments' files hold both). What cannot be read is a fault with a
stable code and never a guess; a row gathers all its faults. After a fault a reader goes on with a stand-in value, so
whoever reads a row looks at `faults` once, before anything is made of it.
"""

from __future__ import annotations

import enum
import functools
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, TypeVar

from tianfu.errors import Fault
from tianfu.feeds import instants
from tianfu.feeds.instants import INSTANT_MIN, Unread

# How far a department's clock may run ahead of ours.
CLOCK_SKEW: Final = timedelta(minutes=5)
# Ends of orders and timetables lie ahead; further than this is a year mistyped.
AHEAD_MAX: Final = timedelta(days=3653)
KEY_CHARACTERS_MAX: Final = 64
# The ledger keeps records of 128 characters: 32 of a code, a stroke and 64 of a key fit.
CODE_CHARACTERS_MAX: Final = 32

# A key that needs no further look: plain characters, not made of digits alone (those a spreadsheet can have changed).
_PLAIN_KEY: Final = re.compile(r"[A-Z][A-Z0-9_/:\-]{0,63}", re.ASCII | re.IGNORECASE)
# What programs make of a long number that they were not told to leave alone: 5.10104E+17, 5.1E17, 510104.0.
_MANGLED: Final = re.compile(
    r"[0-9](?:\.[0-9]+)?E\+[0-9]{1,3}|[0-9]\.[0-9]+E-?[0-9]{1,3}|[0-9]+\.0*", re.ASCII | re.IGNORECASE
)
_KEY: Final = re.compile(r"[^\s\x00-\x1f\x7f]+(?: [^\s\x00-\x1f\x7f]+)*")
_PLACE: Final = re.compile(r"[0-9]{6}", re.ASCII)
_DIVISION: Final = re.compile(r"[0-9]{6}(?:[0-9]{3})?", re.ASCII)
_INTEGER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_YES: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("yes", "true", "1", "是"), True),
    **dict.fromkeys(("no", "false", "0", "否"), False),
}

Choice = TypeVar("Choice", bound=enum.Enum)


class Cells:
    """The cells of one row by column name, read one by one; `faults` says what was wrong.

    `received_at` is when the file came; no instant in it may be later, but for the skew of clocks, except where the
    contract says that a column looks `ahead`.
    """

    __slots__ = ("_cells", "_latest", "faults")

    def __init__(self, cells: Mapping[str, str], received_at: datetime) -> None:
        self._cells = cells
        self._latest = received_at + CLOCK_SKEW
        self.faults: list[Fault] = []

    def fault(self, field: str, code: str, zh: str, en: str) -> None:
        """Note that `field` cannot be accepted."""
        self.faults.append(Fault(field=field, code=code, zh=zh, en=en))

    def text(self, name: str) -> str:
        """The cell as it is meant: full-width forms made plain, blanks around it off; empty when there is none."""
        raw = self._cells.get(name)
        if not raw:
            return ""
        return raw.strip() if raw.isascii() else _plain(raw)

    def key(self, name: str) -> str:
        """A key of the department's own: printable, in one piece, not mangled by a spreadsheet."""
        text = self.text(name)
        if not text:
            self._missing(name)
        elif not _PLAIN_KEY.fullmatch(text):
            self._check_key(name, text)
        return text

    def key_or_none(self, name: str) -> str | None:
        """As `key`, None when the cell is empty."""
        return self.key(name) if self.text(name) else None

    def code(self, name: str) -> str:
        """A short key that is put before another, with a stroke between them: it must hold none itself."""
        text = self.key(name)
        if CODE_CHARACTERS_MAX < len(text) <= KEY_CHARACTERS_MAX:
            self._too_long(name, CODE_CHARACTERS_MAX)
        elif "/" in text:
            self.fault(name, "characters", "不能含有“/”。", "must not hold a stroke (/)")
        return text

    def number(self, name: str) -> str:
        """A document number, not yet checked; empty (with a fault) when it is missing or a spreadsheet mangled it."""
        text = self.text(name)
        if not text:
            self._missing(name)
        elif _MANGLED.fullmatch(text):
            self._mangled(name)
            return ""
        return text

    def choice(self, name: str, words: Mapping[str, Choice]) -> Choice:
        """The value that one of `words` stands for; letter case makes no difference."""
        value = words.get(self._cells.get(name, ""))
        if value is not None:
            return value
        text = self.text(name)
        value = words.get(text.lower())
        if value is not None:
            return value
        if not text:
            self._missing(name)
        else:
            options = ", ".join(words)
            self.fault(name, "choice", f"应为以下之一：{options}。", f"must be one of: {options}")
        return next(iter(words.values()))

    def choice_or_none(self, name: str, words: Mapping[str, Choice]) -> Choice | None:
        """As `choice`, None when the cell is empty."""
        return self.choice(name, words) if self.text(name) else None

    def yes(self, name: str) -> bool:
        """Whether the cell says yes; empty is no."""
        text = self.text(name)
        if not text:
            return False
        value = _YES.get(text.lower())
        if value is None:
            self.fault(name, "yes_no", "应填写“是”或“否”。", "must be yes or no")
        return bool(value)

    def integer(self, name: str, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        text = self.text(name)
        if not text:
            self._missing(name)
        elif not _INTEGER.fullmatch(text) or not least <= int(text) <= most:
            self.fault(
                name, "integer", f"应为 {least} 至 {most} 的整数。", f"must be a whole number from {least} to {most}"
            )
        else:
            return int(text)
        return least

    def integer_or_none(self, name: str, least: int, most: int) -> int | None:
        """As `integer`, None when the cell is empty."""
        return self.integer(name, least, most) if self.text(name) else None

    def place(self, name: str) -> str | None:
        """A six-digit division code of GB/T 2260, None when the cell is empty."""
        text = self.text(name)
        if text and not _PLACE.fullmatch(text):
            self.fault(name, "place", "应为六位行政区划代码。", "must be a six-digit division code")
            return None
        return text or None

    def division(self, name: str) -> str:
        """A division code of six digits, or of nine where the department knows the township."""
        text = self.text(name)
        if not text:
            self._missing(name)
        elif not _DIVISION.fullmatch(text):
            self.fault(name, "place", "应为六位或九位行政区划代码。", "must be a division code of six or nine digits")
        return text

    def division_or_none(self, name: str) -> str | None:
        """As `division`, None when the cell is empty."""
        return self.division(name) if self.text(name) else None

    def matching(self, name: str, shape: re.Pattern[str], zh: str, en: str) -> str:
        """Capital letters and digits of a given shape; `zh` and `en` say which."""
        text = self.text(name).upper()
        if not text:
            self._missing(name)
        elif _MANGLED.fullmatch(text):
            self._mangled(name)
        elif not shape.fullmatch(text):
            self.fault(name, "format", zh, en)
        return text

    def matching_or_none(self, name: str, shape: re.Pattern[str], zh: str, en: str) -> str | None:
        """As `matching`, None when the cell is empty."""
        return self.matching(name, shape, zh, en) if self.text(name) else None

    def instant(self, name: str, *, ahead: bool = False, day: bool = False) -> datetime:
        """An instant, as UTC, in one of the styles of `tianfu.feeds.instants`.

        With `day` a date alone is its first instant in Asia/Shanghai; with `ahead` it may lie in the future.
        """
        text = self.text(name)
        if not text:
            self._missing(name)
            return INSTANT_MIN
        at = instants.read(text, day=day)
        if isinstance(at, Unread):
            self.fault(name, at.code, at.zh, at.en)
        elif at > self._latest and (not ahead or at > self._latest + AHEAD_MAX):
            self.fault(name, "future", "时间晚于当前时间。", "lies in the future")
        elif at < INSTANT_MIN:
            self.fault(name, "too_old", "时间早于 2000 年。", "lies before the year 2000")
        else:
            return at
        return INSTANT_MIN

    def instant_or_none(self, name: str, *, ahead: bool = False, day: bool = False) -> datetime | None:
        """As `instant`, None when the cell is empty."""
        return self.instant(name, ahead=ahead, day=day) if self.text(name) else None

    def ordered(self, earlier: str, first: datetime | None, later: str, second: datetime | None) -> None:
        """Note a fault on column `later` when both instants could be read and are the wrong way round."""
        if first is None or second is None or second >= first:
            return
        if INSTANT_MIN not in (first, second):
            self.fault(later, "order", f"早于 {earlier}。", f"lies before {earlier}")

    def _check_key(self, name: str, text: str) -> None:
        if len(text) > KEY_CHARACTERS_MAX:
            self._too_long(name, KEY_CHARACTERS_MAX)
        elif _MANGLED.fullmatch(text):
            self._mangled(name)
        elif not _KEY.fullmatch(text):
            self.fault(name, "characters", "含有不可见字符。", "holds characters that cannot be printed")

    def _too_long(self, name: str, most: int) -> None:
        self.fault(name, "too_long", f"超过 {most} 个字符。", f"is longer than {most} characters")

    def _missing(self, name: str) -> None:
        self.fault(name, "missing", "不能为空。", "must not be empty")

    def _mangled(self, name: str) -> None:
        self.fault(
            name,
            "spreadsheet_number",
            "号码已被电子表格改写（如 5.1E+17、510104.0），请将该列设为文本后重新导出。",
            "a spreadsheet has rewritten this number (5.1E+17, 510104.0); set the column to text and export again",
        )


@functools.lru_cache(maxsize=4096)
def _plain(raw: str) -> str:
    """NFKC without blanks around; kept because the words that are not ASCII are few and come again in every row."""
    return unicodedata.normalize("NFKC", raw).strip()
