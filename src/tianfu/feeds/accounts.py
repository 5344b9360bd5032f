"""Names of people who decide about feeds, and the rule that two of them are two people."""

from __future__ import annotations

import re
from typing import Final

from tianfu.errors import Fault, InputInvalidError, TianfuError

# The names of accounts and of reasons, as the trail keeps them.
_WORD: Final = re.compile(r"[A-Za-z0-9_.:@+/-]{1,64}", re.ASCII)
_TERMINAL: Final = "os:"


class FeedNeedsTwoError(TianfuError):
    """Bulk evidence was loaded and approved, or withdrawn and approved, by one person."""

    code = "feed_needs_two"
    status = 422
    zh = "批量数据须由两名不同的人员分别经办和批准。"
    en = "Bulk evidence needs two different people: one to act, another to approve."


def require_word(field: str, text: str) -> None:
    """Raise `InputInvalidError` unless `text` can stand in the trail: an account's name, or a reason in one word."""
    if _WORD.fullmatch(text) is None:
        raise InputInvalidError(
            faults=(
                Fault(
                    field,
                    "word",
                    "应为 1 至 64 个字母、数字或 _ . : @ + / -",
                    "must be 1 to 64 letters, digits or _ . : @ + / -",
                ),
            )
        )


def require_two(first: str | None, second: str | None) -> None:
    """Raise `FeedNeedsTwoError` unless both are there and a person would read them as two people.

    The operating system's user at a terminal (`os:li.na`) and the account of that name are one person.
    """
    if first is None or second is None or _person(first) == _person(second):
        raise FeedNeedsTwoError


def _person(name: str) -> str:
    return name.casefold().removeprefix(_TERMINAL)
