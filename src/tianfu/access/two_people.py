"""Names of those who state and approve, and the rule that two of them are two people. Pure."""

from __future__ import annotations

import re
from typing import Final

from tianfu.errors import Fault, InputInvalidError

# The names of accounts and of reasons, as the trail keeps them.
_WORD: Final = re.compile(r"[A-Za-z0-9_.:@+/-]{1,64}", re.ASCII)
_TERMINAL: Final = "os:"


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


def are_two(first: str | None, second: str | None) -> bool:
    """Whether both are there and a person would read them as two people.

    The operating system's user at a terminal (`os:li.na`) and the account of that name are one person.
    """
    return first is not None and second is not None and _person(first) != _person(second)


def _person(name: str) -> str:
    plain = name.casefold()
    while plain.startswith(_TERMINAL):
        plain = plain.removeprefix(_TERMINAL)
    return plain
