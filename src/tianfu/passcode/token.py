"""The personal code `HK1:`: what it says and how that is written, byte for byte.

`HK1:` ‖ Base45(COSE_Sign1(content)), where the content is a CBOR array of eight items in the one encoding made here
(the shortest form of everything, as in RFC 8949, 4.2). It names nobody: the reference to the holder is sealed under
a random number, so that two codes of one person share only what a guard reads anyway, the masks.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from tianfu.platform.cbor import NUMBER, number, read_head, read_text, text
from tianfu.platform.cose import CodeInvalidError

PREFIX: Final = "HK1:"

# A phone fetches a new code after 60 s; the 30 s that remain bridge a slow network, and a screenshot is dead in 90 s.
CODE_LIFE_SECONDS: Final = 90
REFRESH_AFTER_SECONDS: Final = 60

CTI_BYTES: Final = 8
REFERENCE_BYTES: Final = 8
MASKED_NAME_BYTES_MAX: Final = 64
LAST_DIGITS_BYTES_MAX: Final = 8
COLOUR_MAX: Final = 3
RULE_SET_MAX: Final = 2**16 - 1

# Content 1 + 5 + 5 + 9 + 9 + 1 + 3 + 66 + 9 = 108 bytes, COSE 80 bytes around it: 188 bytes, 282 characters.
CODE_CHARACTERS_MAX: Final = len(PREFIX) + 282

# Array of 8; exp and iat as 32-bit numbers; cti and sealed reference as 8 bytes; colour below 24.
_FIXED: Final = struct.Struct(">BBIBIB8sB8sB")
_ARRAY_OF_8: Final = 0x88
_NUMBER_32: Final = 0x1A
_BYTES_8: Final = 0x48
_INSTANT_MIN: Final = 2**16  # below, the shortest form would be another; 18 hours after the start of 1970


class Token(NamedTuple):
    """The content of one code. Instants are seconds since 1970; `expires_at` no longer belongs to its life.

    `cti` is random and names this one code. `colour` (index into `tianfu.status.record.COLOURS`) and `rule_set` are
    what was true when it was made, for a scanner without network.
    """

    expires_at: int
    issued_at: int
    cti: bytes
    reference: bytes
    colour: int
    rule_set: int
    masked_name: str
    last_digits: str


def encode(token: Token) -> bytes:
    """The content bytes of `token`. Raises `ValueError` for a value outside its limits: the caller's bug."""
    return content(*token[:6], masks(token.masked_name, token.last_digits))


def masks(masked_name: str, last_digits: str) -> bytes:
    """The end of the content: what a guard may read of the holder. Raises `ValueError` for a mask that is too long."""
    name = masked_name.encode()
    digits = last_digits.encode()
    if len(name) > MASKED_NAME_BYTES_MAX or len(digits) > LAST_DIGITS_BYTES_MAX:
        message = "a mask is too long"
        raise ValueError(message)
    return text(name) + text(digits)


def content(
    expires_at: int, issued_at: int, cti: bytes, reference: bytes, colour: int, rule_set: int, masks_end: bytes
) -> bytes:
    """As `encode`, with what `masks` made, which is the same for every code of a session."""
    if len(cti) != CTI_BYTES or len(reference) != REFERENCE_BYTES:
        message = "cti or reference is outside its limits"
        raise ValueError(message)
    if not 0 <= colour <= COLOUR_MAX or not 0 <= rule_set <= RULE_SET_MAX:
        message = "colour or rule set is outside its limits"
        raise ValueError(message)
    if not _INSTANT_MIN <= issued_at < expires_at < 2**32:
        message = "life is outside its limits"
        raise ValueError(message)
    fixed = _FIXED.pack(
        _ARRAY_OF_8,
        _NUMBER_32,
        expires_at,
        _NUMBER_32,
        issued_at,
        _BYTES_8,
        cti,
        _BYTES_8,
        reference,
        colour,
    )
    return fixed + number(rule_set) + masks_end


def decode(data: bytes) -> Token:
    """The token that `encode` wrote. Raises `CodeInvalidError` for any other bytes."""
    try:
        _, _, expires_at, _, issued_at, _, cti, _, reference, colour = _FIXED.unpack_from(data)
        rule_set, name_start = read_head(data, _FIXED.size, NUMBER)
        masked_name, digits_start = read_text(data, name_start)
        last_digits, _ = read_text(data, digits_start)
        token = Token(expires_at, issued_at, cti, reference, colour, rule_set, masked_name, last_digits)
        # Writing it again checks every fixed byte, every shortest form, every limit and the end in one comparison.
        is_exact = encode(token) == data
    except (struct.error, IndexError, ValueError):
        raise CodeInvalidError from None
    if not is_exact:
        raise CodeInvalidError
    return token
