"""Phone numbers in one spelling: E.164, `+86` for the mainland."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from tianfu.errors import Fault, InputInvalidError

# E.164 allows 15 digits; typed with separators and a prefix it stays well under this.
PHONE_TYPED_LENGTH_MAX: Final = 32

_SEPARATORS: Final = re.compile(r"[\s\-‐‑–—()./]+")
_MAINLAND: Final = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})", re.ASCII)
# Country codes begin with 1 to 9; seven digits are the shortest subscriber numbers in use with their country code.
_INTERNATIONAL: Final = re.compile(r"(?:\+|00)([1-9][0-9]{6,14})", re.ASCII)
_MAINLAND_PREFIX: Final = "86"


def parse(text: str, *, field: str = "phone") -> str:
    """The number as `+8613…` or `+<country>…`. Raises `InputInvalidError` on `field`."""
    number, faults = inspect(text, field=field)
    if number is None:
        raise InputInvalidError(faults=faults)
    return number


def inspect(text: str, *, field: str = "phone") -> tuple[str | None, tuple[Fault, ...]]:
    """As `parse`, with the faults as a value."""
    tidy = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)) if len(text) <= PHONE_TYPED_LENGTH_MAX else ""
    if match := _MAINLAND.fullmatch(tidy):
        return f"+{_MAINLAND_PREFIX}{match.group(1)}", ()
    # A number that says +86 and is no mainland mobile cannot receive the password.
    if (match := _INTERNATIONAL.fullmatch(tidy)) and not match.group(1).startswith(_MAINLAND_PREFIX):
        return f"+{match.group(1)}", ()
    fault = Fault(
        field=field,
        code="phone",
        zh="请填写 11 位大陆手机号，或以 + 和国家代码开头的号码。",
        en="Please enter a mainland mobile number of 11 digits, or + and the country code.",
    )
    return None, (fault,)
