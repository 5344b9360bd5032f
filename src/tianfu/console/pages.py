"""Pages of long lists: a cursor is the key of the last row, an instant and numbers, and says nothing about a person."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from tianfu.errors import Fault, InputInvalidError

PAGE_ROWS: Final = 100
PAGE_ROWS_MAX: Final = 500
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR: Final = re.compile(r"(-?[0-9]{1,17})((?:\.[0-9]{1,18}){1,2})", re.ASCII)


def cursor(at: datetime, *numbers: int) -> str:
    """The key of a row as text: microseconds since 1970, then its numbers."""
    return ".".join(str(part) for part in ((at - _EPOCH) // timedelta(microseconds=1), *numbers))


def after(text: str | None, count: int) -> tuple[datetime, tuple[int, ...]] | None:
    """The instant and the `count` numbers that `cursor` wrote; None at the beginning. Raises `InputInvalidError`."""
    if text is None:
        return None
    match = _CURSOR.fullmatch(text)
    numbers = () if match is None else tuple(int(part) for part in match[2].split(".")[1:])
    if match is None or len(numbers) != count or any(number >= 2**63 for number in numbers):
        raise _invalid()
    try:
        return _EPOCH + timedelta(microseconds=int(match[1])), numbers
    except OverflowError:
        raise _invalid() from None


def _invalid() -> InputInvalidError:
    return InputInvalidError(faults=(Fault("after", "cursor", "翻页位置有误。", "This is no position in the list."),))
