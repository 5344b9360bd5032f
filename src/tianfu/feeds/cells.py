"""Reading the cells of one row: text in, typed values or faults out. Pure.

Full-width forms are read as their plain ones (departments' files hold both). What cannot be read is a fault with a
stable code and never a guess; a row gathers all its faults.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, TypeVar

from tianfu.errors import Fault

# How far a department's clock may run ahead of ours.
CLOCK_SKEW: Final = timedelta(minutes=5)
# A spreadsheet that lost a date writes 1900; nothing this system is fed happened before 2000.
INSTANT_MIN: Final = datetime(2000, 1, 1, tzinfo=UTC)
KEY_CHARACTERS_MAX: Final = 64

# Asia/Shanghai for every instant after INSTANT_MIN: there has been no summer time since 1991.
_SHANGHAI: Final = timezone(timedelta(hours=8))
_WITH_OFFSET: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_LOCAL: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}(?::[0-9]{2})?", re.ASCII)
# What a spreadsheet makes of a long number that it was not told to leave alone: 5.10104E+17.
_MANGLED: Final = re.compile(r"[0-9](?:\.[0-9]+)?E\+[0-9]{1,3}", re.ASCII | re.IGNORECASE)
_KEY: Final = re.compile(r"[^\s\x00-\x1f\x7f]+(?: [^\s\x00-\x1f\x7f]+)*")
_DIVISION: Final = re.compile(r"[0-9]{6}", re.ASCII)

Choice = TypeVar("Choice", bound=enum.Enum)


class Cells:
    """The cells of one row by column name, read one by one; `faults` says what was wrong.

    `received_at` is when the file came; no instant in it may be later, but for the skew of clocks.
    """

    def __init__(self, cells: Mapping[str, str], received_at: datetime) -> None:
        self._cells = cells
        self._latest = received_at + CLOCK_SKEW
        self.faults: list[Fault] = []

    def fault(self, field: str, code: str, zh: str, en: str) -> None:
        """Note that `field` cannot be accepted."""
        self.faults.append(Fault(field=field, code=code, zh=zh, en=en))

    def text(self, name: str) -> str:
        """The cell as it is meant: full-width forms made plain, blanks around it off; empty when there is none."""
        raw = self._cells.get(name, "")
        return raw.strip() if raw.isascii() else unicodedata.normalize("NFKC", raw).strip()

    def key(self, name: str, *, required: bool = True) -> str:
        """A key of the department's own: printable, in one piece, not mangled by a spreadsheet."""
        text = self.text(name)
        if not text:
            if required:
                self._missing(name)
        elif len(text) > KEY_CHARACTERS_MAX:
            self.fault(
                name,
                "too_long",
                f"超过 {KEY_CHARACTERS_MAX} 个字符。",
                f"is longer than {KEY_CHARACTERS_MAX} characters",
            )
        elif _MANGLED.fullmatch(text):
            self._mangled(name)
        elif not _KEY.fullmatch(text):
            self.fault(name, "characters", "含有不可见字符。", "holds characters that cannot be printed")
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

    def choice(self, name: str, words: Mapping[str, Choice]) -> Choice | None:
        """The value that one of `words` stands for; letter case makes no difference."""
        text = self.text(name)
        if not text:
            self._missing(name)
            return None
        value = words.get(text.lower())
        if value is None:
            options = ", ".join(words)
            self.fault(name, "choice", f"应为以下之一：{options}。", f"must be one of: {options}")
        return value

    def place(self, name: str) -> str | None:
        """A six-digit division code of GB/T 2260, None when the cell is empty."""
        text = self.text(name)
        if text and not _DIVISION.fullmatch(text):
            self.fault(name, "place", "应为六位行政区划代码。", "must be a six-digit division code")
            return None
        return text or None

    def instant(self, name: str, *, required: bool = True) -> datetime | None:
        """An instant, as UTC: ISO 8601 with offset, or `YYYY-MM-DD HH:MM[:SS]` in the time of Asia/Shanghai."""
        text = self.text(name)
        if not text:
            if required:
                self._missing(name)
            return None
        at = _instant(text)
        if at is None:
            self.fault(
                name,
                "instant",
                "时间格式应为 2022-06-27 10:00（北京时间），或带时区的 ISO 8601。",
                "must read like 2022-06-27 10:00 (Beijing time), or be ISO 8601 with an offset",
            )
        elif at > self._latest:
            self.fault(name, "future", "时间晚于当前时间。", "lies in the future")
        elif at < INSTANT_MIN:
            self.fault(name, "too_old", "时间早于 2000 年。", "lies before the year 2000")
        else:
            return at
        return None

    def ordered(self, earlier: tuple[str, datetime | None], later: tuple[str, datetime | None]) -> None:
        """Note a fault on the later field when the two instants are both there and the wrong way round."""
        (earlier_name, first), (later_name, second) = earlier, later
        if first is not None and second is not None and second < first:
            self.fault(later_name, "order", f"早于 {earlier_name}。", f"lies before {earlier_name}")

    def _missing(self, name: str) -> None:
        self.fault(name, "missing", "不能为空。", "must not be empty")

    def _mangled(self, name: str) -> None:
        self.fault(
            name,
            "spreadsheet_number",
            "号码已被电子表格改写（如 5.1E+17），请将该列设为文本后重新导出。",
            "a spreadsheet has rewritten this number (5.1E+17); set the column to text and export again",
        )


def _instant(text: str) -> datetime | None:
    try:
        if _LOCAL.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=_SHANGHAI).astimezone(UTC)
        if _WITH_OFFSET.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None
