"""The printed card `HK2:`: what it says and how that is written, byte for byte.

`HK2:` ‖ Base45(COSE_Sign1(content)), the content a CBOR array of seven items in the one encoding made here. There is
no colour inside: paper cannot turn. The colour comes from the scanner's board, or, without network, from the signed
"not green" list (`tianfu.passcode.lists`). The id leads to the holder for us alone.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from tianfu.passcode import base45
from tianfu.passcode.token import LAST_DIGITS_BYTES_MAX, MASKED_NAME_BYTES_MAX
from tianfu.platform.cbor import NUMBER, number, read_head, read_text, text
from tianfu.platform.cose import CodeInvalidError, open1
from tianfu.platform.sign import KeyPurpose, VerifyKeys

PREFIX: Final = "HK2:"

# The longest that such cards lived in China (Shanghai: 180 days); a card key is accepted a day longer.
CARD_DAYS_MAX: Final = 180
CARD_LIFE_SECONDS_MAX: Final = CARD_DAYS_MAX * 86_400

CREDENTIAL_ID_BYTES: Final = 16
GENERATION_MAX: Final = 2**16 - 1

# For whom: oneself, or somebody whom a guardian answers for.
KINDS: Final = ("self", "child", "elder", "ward")

# Content 1 + 5 + 5 + 17 + 3 + 1 + 66 + 9 = 107 bytes, COSE 80 bytes around it: 187 bytes, 281 characters.
CARD_CHARACTERS_MAX: Final = len(PREFIX) + 281

# Array of 7; exp and iat as 32-bit numbers; the id as 16 bytes.
_FIXED: Final = struct.Struct(">BBIBIB16s")
_ARRAY_OF_7: Final = 0x87
_NUMBER_32: Final = 0x1A
_BYTES_16: Final = 0x50
_INSTANT_MIN: Final = 2**16  # below, the shortest form would be another; 18 hours after the start of 1970


class Card(NamedTuple):
    """The content of one card. Instants are seconds since 1970; `expires_at` no longer belongs to its life.

    `credential_id` names the card (`tianfu.passcode.reference`). `generation` counts a holder's cards of one `kind`
    (an index into `KINDS`); only the latest is good.
    """

    expires_at: int
    issued_at: int
    credential_id: bytes
    generation: int
    kind: int
    masked_name: str
    last_digits: str


class OpenedCard(NamedTuple):
    """A card whose signature holds, and the kid of the key that made it."""

    card: Card
    kid: bytes


def encode(card: Card) -> bytes:
    """The content bytes of `card`. Raises `ValueError` for a value outside its limits: the caller's bug."""
    expires_at, issued_at, credential_id, generation, kind, masked_name, last_digits = card
    name = masked_name.encode()
    digits = last_digits.encode()
    if len(name) > MASKED_NAME_BYTES_MAX or len(digits) > LAST_DIGITS_BYTES_MAX:
        message = "a mask is too long"
        raise ValueError(message)
    if len(credential_id) != CREDENTIAL_ID_BYTES or not 1 <= generation <= GENERATION_MAX:
        message = "credential id or generation is outside its limits"
        raise ValueError(message)
    if not 0 <= kind < len(KINDS):
        message = "kind is outside its limits"
        raise ValueError(message)
    if not _INSTANT_MIN <= issued_at < expires_at < 2**32 or expires_at - issued_at > CARD_LIFE_SECONDS_MAX:
        message = "life is outside its limits"
        raise ValueError(message)
    fixed = _FIXED.pack(_ARRAY_OF_7, _NUMBER_32, expires_at, _NUMBER_32, issued_at, _BYTES_16, credential_id)
    return fixed + number(generation) + number(kind) + text(name) + text(digits)


def decode(content: bytes) -> Card:
    """The card that `encode` wrote. Raises `CodeInvalidError` for any other bytes."""
    try:
        _, _, expires_at, _, issued_at, _, credential_id = _FIXED.unpack_from(content)
        generation, at = read_head(content, _FIXED.size, NUMBER)
        kind, at = read_head(content, at, NUMBER)
        masked_name, at = read_text(content, at)
        last_digits, _ = read_text(content, at)
        card = Card(expires_at, issued_at, credential_id, generation, kind, masked_name, last_digits)
        # Writing it again checks every fixed byte, every shortest form, every limit and the end in one comparison.
        is_exact = encode(card) == content
    except (struct.error, IndexError, ValueError):
        raise CodeInvalidError from None
    if not is_exact:
        raise CodeInvalidError
    return card


def read_card(code: str, keys: VerifyKeys) -> OpenedCard:
    """The card with the text `code`, if a trusted card key signed it. Raises `CodeInvalidError` and nothing else.

    Whether it still lives, was killed, and what its holder's colour is, is for the caller to look up.
    """
    if len(code) > CARD_CHARACTERS_MAX or not code.startswith(PREFIX):
        raise CodeInvalidError
    try:
        message = base45.decode(code[len(PREFIX) :])
    except ValueError:
        raise CodeInvalidError from None
    opened = open1(message, keys, KeyPurpose.CARD)
    return OpenedCard(decode(opened.payload), opened.key.kid)
