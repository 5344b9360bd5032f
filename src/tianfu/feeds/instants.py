"""Reading instants as departments write them: five styles, each of which has one meaning only. Pure.

1. `2022-03-01 10:05` or `2022-03-01 10:05:06`
2. ISO 8601 with an offset: `2022-03-01T10:05:06+08:00`, `2022-03-01T02:05Z`
3. `2022/3/1 10:05`
4. `2022年3月1日 10时5分`, also with `10:05`
5. `20220301100506`

Without an offset the time is that of Asia/Shanghai. What could mean two things (`03/01/2022`), what needs another
program's calendar (`44621.42`, a spreadsheet's serial number) and what has lost digits is told apart and refused.
"""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import msgspec

# A spreadsheet that lost a date writes 1900; nothing this system is fed happened before 2000.
INSTANT_MIN: Final = datetime(2000, 1, 1, tzinfo=UTC)
# A day has 1,440 minutes: a file about some weeks repeats itself, and 16,384 entries of about 200 bytes are 3 MB.
_KEPT_MAX: Final = 16_384

# Asia/Shanghai for every instant after INSTANT_MIN: there has been no summer time since 1991.
_SHANGHAI: Final = timezone(timedelta(hours=8))
_STANDARD: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?: [0-9]{2}:[0-9]{2}(?::[0-9]{2})?"
    r"|[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?P<offset>Z|[+-][0-9]{2}:[0-9]{2}))",
    re.ASCII,
)
_CLOCK: Final = r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?"
_SLASHES: Final = re.compile(rf"([0-9]{{4}})/([0-9]{{1,2}})/([0-9]{{1,2}}) {_CLOCK}", re.ASCII)
_CHINESE: Final = re.compile(
    r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日 ?"
    rf"(?:{_CLOCK}|([0-9]{{1,2}})[时点]([0-9]{{1,2}})分(?:([0-9]{{1,2}})秒)?)",
    re.ASCII,
)
_COMPACT: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})", re.ASCII)
_DAY: Final = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})-([0-9]{2})|/([0-9]{1,2})/([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日"
    r"|([0-9]{2})([0-9]{2}))",
    re.ASCII,
)
_SERIAL: Final = re.compile(r"[0-9]{5}(?:\.[0-9]+)?", re.ASCII)
_YEAR_LAST: Final = re.compile(r"[0-9]{1,2}[/.\-][0-9]{1,2}[/.\-](?:[0-9]{4}|[0-9]{2})(?:[ T].*)?", re.ASCII)
_FLOATED: Final = re.compile(r"[0-9]\.[0-9]+E\+?[0-9]{1,2}|[0-9]{8,14}\.0*", re.ASCII | re.IGNORECASE)


class Unread(msgspec.Struct, frozen=True):
    """Why a text is no instant: a stable code and a sentence in each language."""

    code: str
    zh: str
    en: str


_UNKNOWN: Final = Unread(
    "instant",
    "时间格式应为 2022-06-27 10:00（北京时间），或带时区的 ISO 8601。",
    "must read like 2022-06-27 10:00 (Beijing time), or be ISO 8601 with an offset",
)
_NO_TIME: Final = Unread("time_missing", "只有日期，缺少时刻。", "is a day without a time")
_SPREADSHEET: Final = Unread(
    "spreadsheet_date",
    "这是电子表格的日期序号（如 44621.42），请将该列设为文本后重新导出。",
    "is a spreadsheet's serial number (44621.42) instead of a date; set the column to text and export again",
)
_AMBIGUOUS: Final = Unread(
    "day_or_month_first",
    "无法判断日、月的先后（如 03/01/2022），请将年份写在最前。",
    "may begin with the day or the month (03/01/2022); write the year first",
)
_LOST: Final = Unread(
    "spreadsheet_number",
    "数字已被电子表格改写（如 2.02203E+13），请将该列设为文本后重新导出。",
    "a spreadsheet has rewritten this number (2.02203E+13); set the column to text and export again",
)


@functools.lru_cache(maxsize=_KEPT_MAX)
def read(text: str, *, day: bool = False) -> datetime | Unread:
    """The instant that `text` (plain, without blanks around it) says, as UTC; or why it says none.

    With `day` a date alone is the first instant of that day in Asia/Shanghai.
    """
    try:
        at = _timed(text) or _dated(text, day=day)
    except (ValueError, OverflowError):
        return _UNKNOWN
    return at or _why(text)


def _timed(text: str) -> datetime | None:
    if match := _STANDARD.fullmatch(text):
        at = datetime.fromisoformat(text)
        return (at if match["offset"] else at.replace(tzinfo=_SHANGHAI)).astimezone(UTC)
    match = _SLASHES.fullmatch(text) or _CHINESE.fullmatch(text) or _COMPACT.fullmatch(text)
    return _local(*(int(part) for part in match.groups() if part is not None)) if match else None


def _dated(text: str, *, day: bool) -> datetime | Unread | None:
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    at = _local(*(int(part) for part in match.groups() if part is not None))
    return at if day else _NO_TIME


def _local(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=_SHANGHAI).astimezone(UTC)


def _why(text: str) -> Unread:
    for shape, reason in ((_SERIAL, _SPREADSHEET), (_YEAR_LAST, _AMBIGUOUS), (_FLOATED, _LOST)):
        if shape.fullmatch(text):
            return reason
    return _UNKNOWN
