"""The instants in city codes' files: Beijing time in six forms, each read as its mapping says and in no other way."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Final

from tianfu.residents.city_codes.mapping import DateForm

# Asia/Shanghai has had no summer time since 1991, and no city code is older than 2020.
_SHANGHAI: Final = timezone(timedelta(hours=8))
# The first city codes were made in February 2020; anything before is a spreadsheet's lost date.
REGISTERED_MIN: Final = int(datetime(2020, 1, 1, tzinfo=_SHANGHAI).timestamp())
_TIME: Final = r"(?:[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,6})?)?)?"
_FORMS: Final = {
    DateForm.DASHES: re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})" + _TIME, re.ASCII),
    DateForm.SLASHES: re.compile(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})" + _TIME, re.ASCII),
    DateForm.COMPACT: re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?: ?([0-9]{2}):?([0-9]{2}):?([0-9]{2}))?", re.ASCII),
    DateForm.CHINESE: re.compile(r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日" + _TIME, re.ASCII),
}
_UNITS: Final = {DateForm.SECONDS: 1, DateForm.MILLISECONDS: 1_000}


def reader(form: DateForm) -> Callable[[str], int | None]:
    """What turns a cell written in `form` into seconds since 1970; None for a cell written otherwise."""
    unit = _UNITS.get(form)
    if unit is not None:
        return lambda text: (
            int(text) // unit if text.isascii() and text.isdigit() and len(text) <= len("9" * 13) else None
        )
    match_of = _FORMS[form].fullmatch
    days: dict[tuple[str, str, str], int | None] = {}

    def read(text: str) -> int | None:
        match = match_of(text)
        if match is None:
            return None
        year, month, day, hour, minute, second = match.groups()
        key = (year, month, day)
        # A file holds a few thousand different days and millions of rows.
        if key not in days:
            days[key] = _midnight(int(year), int(month), int(day))
        midnight = days[key]
        clock = int(hour or 0), int(minute or 0), int(second or 0)
        if midnight is None or clock[0] > 23 or clock[1] > 59 or clock[2] > 59:  # noqa: PLR2004 - a day's clock
            return None
        return midnight + clock[0] * 3_600 + clock[1] * 60 + clock[2]

    return read


def day(text: str) -> int:
    """Midnight in Beijing of a day such as 2021-03-05, checked already."""
    seconds = reader(DateForm.DASHES)(text)
    if seconds is None:
        raise ValueError(text)
    return seconds


def _midnight(year: int, month: int, day_of_month: int) -> int | None:
    try:
        return int(datetime(year, month, day_of_month, tzinfo=_SHANGHAI).timestamp())
    except ValueError:
        return None
