"""What an instant in a file is, twice: in Python, and as an expression for whole columns that means the same.

ISO 8601 as a date or date and time, separated by T or a space, with or without seconds and fraction, with Z, an offset
of hours or hours and minutes, or none, which is read as UTC; also in the basic format (20220901T080000Z). Or Unix
seconds, whole or decimal, also negative. Spaces around it do not count. Always floored to the minute, exactly: no
floating point is involved, so that 1662019199.99999999 is the minute before.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, NamedTuple

_TIME: Final = r"([01]\d|2[0-3])"
_OFFSET: Final = rf"([Zz]|[+-]{_TIME}(:?[0-5]\d)?)?"
# A year 0 is known to one of the databases only.
_YEAR: Final = r"(000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d\d\d)"
_DAY: Final = r"(0[1-9]|1[0-2]){0}(0[1-9]|[12]\d|3[01])"
_SECONDS: Final = r"([.,]\d+)?"
# Character 5 of the extended format is a hyphen, of the basic one a digit.
EXTENDED: Final = rf"{_YEAR}-{_DAY.format('-')}([Tt ]{_TIME}:[0-5]\d(:[0-5]\d{_SECONDS})?{_OFFSET})?"
BASIC: Final = rf"{_YEAR}{_DAY.format('')}[Tt]{_TIME}[0-5]\d([0-5]\d{_SECONDS})?{_OFFSET}"
# 18 digits fit into 64 bits with their sign; what is out of range is refused by its value.
UNIX: Final = r"-?\d{1,18}(\.\d*)?"

_DAY_MINUTES: Final = 1_440
_EPOCH: Final = date(1970, 1, 1).toordinal()
MINUTE_MIN: Final = (date(1, 1, 1).toordinal() - _EPOCH) * _DAY_MINUTES
# 2,119 million minutes: 28 million below what int32 holds, so that a stay of a year does not overflow it.
MINUTE_MAX: Final = (date(6000, 1, 1).toordinal() - _EPOCH) * _DAY_MINUTES - 1

_EXTENDED: Final = re.compile(EXTENDED, re.ASCII)
_BASIC: Final = re.compile(BASIC, re.ASCII)
_UNIX: Final = re.compile(UNIX, re.ASCII)
# Lengths of +08:00, +0800 and +08.
_OFFSET_LENGTHS: Final = (6, 5, 3)


def minute_of(text: str) -> int | None:
    """The minute since 1970-01-01T00:00Z that holds the instant `text`, rounded down; None when it is no instant."""
    text = text.strip(" ")
    minute: int | None
    if _UNIX.fullmatch(text):
        whole, _, fraction = text.partition(".")
        minute = (int(whole) - (1 if whole.startswith("-") and fraction.strip("0") else 0)) // 60
    elif _EXTENDED.fullmatch(text):
        minute = _minute(text[:10], text[11:13] or "0", text[14:16] or "0", text[16:])
    elif _BASIC.fullmatch(text):
        day = f"{text[:4]}-{text[4:6]}-{text[6:8]}"
        minute = _minute(day, text[9:11], text[11:13], text[13:])
    else:
        return None
    return minute if minute is not None and MINUTE_MIN <= minute <= MINUTE_MAX else None


def _minute(day: str, hour: str, minute: str, rest: str) -> int | None:
    try:
        number = date.fromisoformat(day).toordinal() - _EPOCH
    except ValueError:
        return None
    return number * _DAY_MINUTES + int(hour) * 60 + int(minute) - _offset_minutes(rest)


def _offset_minutes(rest: str) -> int:
    for length in _OFFSET_LENGTHS:
        if len(rest) >= length and rest[-length] in "+-":
            offset = rest[-length:]
            minutes = int(offset[1:3]) * 60 + (int(offset[-2:]) if length > _OFFSET_LENGTHS[-1] else 0)
            return -minutes if offset[0] == "-" else minutes
    return 0


class Dialect(NamedTuple):
    """Where the two databases write the same thing differently; `{0}` and `{1}` are expressions.

    `matches` takes a text and a pattern that must fit it whole, `day` gives the number of days since 1970-01-01 of a
    text YYYY-MM-DD or NULL, `divided` divides whole numbers of one sign, `whole` makes 64 bits of a text or NULL.
    """

    matches: str
    day: str
    divided: str
    whole: str


DUCKDB: Final = Dialect(
    matches="regexp_full_match({0}, '{1}')",
    day="(try_cast({0} as date) - date '1970-01-01')",
    divided="(({0}) // {1})",
    whole="try_cast({0} as bigint)",
)
SPARK: Final = Dialect(
    matches="({0} rlike r'^(?:{1})\\z')",
    day="datediff(try_cast({0} as date), date '1970-01-01')",
    divided="(({0}) div {1})",
    whole="try_cast({0} as bigint)",
)


SECONDS_MAX: Final = 10**18 - 1
# Added before and taken off after a division, so that it rounds down below zero too. A multiple of 60 times this is
# more than the 18 digits that a number of seconds may have; their sum fits into 64 bits.
_LIFT: Final = 17_000_000_000_000_000


def minutes_of_seconds(seconds: str, dialect: Dialect) -> str:
    """An expression: whole minutes, rounded down, of an expression of whole seconds of at most 18 digits."""
    return f"({dialect.divided.format(f'{seconds} + {60 * _LIFT}', 60)} - {_LIFT})"


def within(minute: str) -> str:
    """An expression: the column `minute` where it is in range, else NULL."""
    return f"(case when {minute} between {MINUTE_MIN} and {MINUTE_MAX} then cast({minute} as int) end)"


def minute_expression(text: str, dialect: Dialect) -> str:
    """An expression: the minute of the column `text`, NULL where that is no instant, not yet held against the range.

    `within` of it is what `minute_of` gives. The column must be without spaces around its texts (`trim`); it is named
    many times.
    """
    day = f"concat(substr({text}, 1, 4), '-', substr({text}, 5, 2), '-', substr({text}, 7, 2))"
    extended = _of_parts(f"substr({text}, 1, 10)", _part(text, 12, 11), _part(text, 15, 11), text, dialect)
    basic = _of_parts(day, _part(text, 10, 9), _part(text, 12, 9), text, dialect)
    return (
        f"(case when {dialect.matches.format(text, EXTENDED)} then {extended} "
        f"when {dialect.matches.format(text, UNIX)} then {_of_seconds(text, dialect)} "
        f"when {dialect.matches.format(text, BASIC)} then {basic} end)"
    )


def _part(text: str, at: int, least: int) -> str:
    """Two digits of the time as a number; 0 in a date without one."""
    return f"(case when length({text}) > {least} then try_cast(substr({text}, {at}, 2) as int) else 0 end)"


def _of_parts(day: str, hour: str, minute: str, text: str, dialect: Dialect) -> str:
    number = f"cast({dialect.day.format(day)} as bigint)"
    return f"({number} * {_DAY_MINUTES} + {hour} * 60 + {minute} - {_offset(text)})"


def _offset(text: str) -> str:
    def digits(back: int) -> str:
        return f"try_cast(substr({text}, length({text}) - {back}, 2) as int)"

    # Shorter than a date and an hour there is no offset, and a hyphen is one of the date's.
    branches = [f"when length({text}) <= 10 or right({text}, 1) in ('Z', 'z') then 0"]
    for length in _OFFSET_LENGTHS:
        sign = f"substr({text}, length({text}) - {length - 1}, 1)"
        minutes = f"{digits(length - 2)} * 60" + (f" + {digits(1)}" if length > _OFFSET_LENGTHS[-1] else "")
        branches += [f"when {sign} = '+' then {minutes}", f"when {sign} = '-' then -({minutes})"]
    return f"(case {' '.join(branches)} else 0 end)"


def _of_seconds(text: str, dialect: Dialect) -> str:
    whole = dialect.whole.format(f"split_part({text}, '.', 1)")
    fraction = f"replace(split_part({text}, '.', 2), '0', '')"
    below = f"(case when substr({text}, 1, 1) = '-' and {fraction} <> '' then 1 else 0 end)"
    return minutes_of_seconds(f"{whole} - {below}", dialect)
