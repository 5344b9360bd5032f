"""Identifiers: dense integers inside, checked text outside.

People and venues are numbered densely from 1, so that a board record, a scan and a tracing array can hold them in
few bits; the numbers say nothing about the person. Where a human types one it carries check digits (ISO 7064
MOD 97-10, as in an IBAN), so that a slip of the finger cannot open another person's record.
"""

from __future__ import annotations

import re
from typing import Final, NewType

from stdnum.iso7064 import mod_97_10

from tianfu.errors import TianfuError

PersonRef = NewType("PersonRef", int)
VenueRef = NewType("VenueRef", int)
EvidenceId = NewType("EvidenceId", int)

# The tracing arrays pack minute of day (11 bits), venue (25) and person (28) into one 64-bit word.
PERSON_REF_MAX: Final = 2**28 - 1
VENUE_REF_MAX: Final = 2**25 - 1

_PERSON_TEXT: Final = re.compile(r"P-?([0-9]{1,9})-?([0-9]{2})", re.ASCII)


class PersonRefInvalidError(TianfuError):
    """A typed person reference is malformed or its check digits do not fit."""

    code = "person_ref_invalid"
    status = 422
    zh = "人员编号有误，请核对后重新输入（例：P-000000012-62）。"
    en = "This person reference is not valid; please check it (example: P-000000012-62)."


def format_person_ref(person: PersonRef) -> str:
    """`P-000000012-62` for 12: nine digits, then two check digits."""
    digits = f"{person:09d}"
    return f"P-{digits}-{mod_97_10.calc_check_digits(digits)}"


def parse_person_ref(text: str) -> PersonRef:
    """The person that `format_person_ref` wrote; blanks around, missing hyphens and a small `p` are accepted.

    Raises `PersonRefInvalidError`.
    """
    match = _PERSON_TEXT.fullmatch(text.strip().upper())
    if match is None:
        raise PersonRefInvalidError
    digits, check = match.groups()
    number = int(digits)
    if not 1 <= number <= PERSON_REF_MAX or mod_97_10.calc_check_digits(f"{number:09d}") != check:
        raise PersonRefInvalidError
    return PersonRef(number)
