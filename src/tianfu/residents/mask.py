"""What may be shown of a name, a document or a phone: enough to recognise one's own, too little to learn another's.

The shape follows the screen of the Sichuan mini-program: a name of two characters keeps its last, a longer one its
first and last; numbers keep their ends.
"""

from __future__ import annotations

from typing import Final

# More stars would tell the length of the name, and lengthen the signed code.
NAME_STARS_MAX: Final = 3
LAST_DIGITS: Final = 4
# Below this many characters four last ones would be most of the number.
_SHORT_LENGTH_MAX: Final = 7
_SHORT_LAST_DIGITS: Final = 2
_HEAD_LENGTH_MIN: Final = 12
_HEAD: Final = 2
_TWO_CHARACTERS: Final = 2


def mask_name(name: str) -> str:
    """`*三` for 张三, `欧**娜` for 欧阳娜娜, `M***a` for Maria Santa; one character becomes `*`."""
    if len(name) <= _TWO_CHARACTERS:
        return "*" + name[1:]
    return name[0] + "*" * min(len(name) - 2, NAME_STARS_MAX) + name[-1]


def mask_document(number: str) -> str:
    """`51************2345`: the first two of long numbers and the last four (two of short ones), stars between."""
    head = number[:_HEAD] if len(number) >= _HEAD_LENGTH_MIN else ""
    tail = last_digits(number)
    return head + "*" * (len(number) - len(head) - len(tail)) + tail


def last_digits(number: str) -> str:
    """The end of the number that a guard compares with the card in the holder's hand."""
    return number[-_SHORT_LAST_DIGITS:] if len(number) <= _SHORT_LENGTH_MAX else number[-LAST_DIGITS:]


def mask_phone(phone: str) -> str:
    """`138****5678` for `+8613812345678`; elsewhere the plus sign and the last four: `+*******5678`."""
    if phone.startswith("+86"):
        return f"{phone[3:6]}****{phone[-4:]}"
    return "+" + "*" * (len(phone) - 5) + phone[-4:]
