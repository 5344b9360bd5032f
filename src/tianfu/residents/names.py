"""Names as people write them."""

from __future__ import annotations

import unicodedata
from typing import Final

from tianfu.errors import Fault

NAME_LENGTH_MAX: Final = 64

# Between the parts of a transliterated name people type any of these; the standard one is U+00B7.
_DOTS: Final = str.maketrans(dict.fromkeys("•‧・･．∙⋅", "·"))
_MARKS_ALLOWED: Final = frozenset("·'’-. ")


def inspect(text: str, *, field: str = "name") -> tuple[str | None, tuple[Fault, ...]]:
    """The name in one spelling (NFC, single blanks, one kind of dot), or what is wrong with it.

    Letters and the marks of names only: no digit, sign or control character. That also keeps a name from being read
    as a formula where somebody opens an export in a spreadsheet.
    """
    if len(text) > 2 * NAME_LENGTH_MAX:
        return None, (_fault(field),)
    name = " ".join(unicodedata.normalize("NFC", text).translate(_DOTS).split())
    # Nearly every name is letters throughout, which one call tells.
    letters = name.isalpha() or all(unicodedata.category(mark)[0] in "LM" or mark in _MARKS_ALLOWED for mark in name)
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not letters or not unicodedata.category(name[0]).startswith("L"):
        return None, (_fault(field),)
    return name, ()


def _fault(field: str) -> Fault:
    return Fault(
        field=field,
        code="name",
        zh=f"请填写证件上的姓名（1 至 {NAME_LENGTH_MAX} 个字，不含数字和符号）。",
        en=f"Please enter the name on the document (1 to {NAME_LENGTH_MAX} letters, no digits or signs).",
    )
