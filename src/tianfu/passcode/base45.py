"""Base45 (RFC 9285): bytes as the 45 characters that a QR code packs two into eleven bits.

All groups of a text are converted at once: they lie side by side in the 32-bit lanes of one large integer, and a few
multiplications of that integer do what a loop would do group by group. A table of all 65,536 groups looks as fast
when one text is converted over and over, but with a different text each time it misses the processor's cache at every
group and takes two to four times as long. Decoding accepts exactly what encoding writes.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final

_ALPHABET: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_BASE: Final = len(_ALPHABET)
_NO_DIGIT: Final = 255

_CHARACTERS: Final = _ALPHABET.ljust(256, b"0")
_DIGITS: Final = bytes(_ALPHABET.index(character) if character in _ALPHABET else _NO_DIGIT for character in range(256))

# w // 45 is w * 46604 >> 21 for every w < 2**16 (46604 * 45 = 2**21 + 28, and 28 * 65535 < 2**21), and the product
# stays below 2**32, so that no lane reaches into the next; likewise q // 45 is q * 1457 >> 16 for every q < 1457.
_BY_45: Final = 46_604
_BY_45_SHIFT: Final = 21
_BY_45_AGAIN: Final = 1_457
_BY_45_AGAIN_SHIFT: Final = 16

# With q = w // 45 and c = q // 45 the digits of w are (w - 45 q), (q - 45 c), c. Put into the bytes of one lane they
# are w + q * (256 - 45) + c * (65536 - 45 * 256).
_LANE_Q: Final = 256 - _BASE
_LANE_C: Final = 65_536 - _BASE * 256

_LANE: Final = 4
_GROUP: Final = 3
_PAIR: Final = 2
_TEXTS_OF_A_LENGTH_MAX: Final = 256
# The two characters of a last byte that has no partner.
_LAST: Final = tuple(
    (_ALPHABET[byte % _BASE : byte % _BASE + 1] + _ALPHABET[byte // _BASE : byte // _BASE + 1]).decode()
    for byte in range(256)
)


def encode(data: bytes) -> str:
    """`data` in Base45."""
    even = len(data) & ~1
    return _encode_even(data) if even == len(data) else _encode_even(data[:even]) + _LAST[data[-1]]


def encode_many(texts: Sequence[bytes]) -> list[str]:
    """Each of `texts` in Base45. Sixty-four together take half the time of one after the other."""
    evens = [len(data) & ~1 for data in texts]
    characters = _encode_even(b"".join([data[:even] for data, even in zip(texts, evens, strict=True)]))
    encoded: list[str] = []
    start = 0
    for data, even in zip(texts, evens, strict=True):
        end = start + even // _PAIR * _GROUP
        encoded.append(characters[start:end] if even == len(data) else characters[start:end] + _LAST[data[-1]])
        start = end
    return encoded


def _encode_even(data: bytes) -> str:
    count = len(data) // _PAIR
    words = bytearray(_LANE * count)
    words[0::_LANE] = data[1::_PAIR]
    words[1::_LANE] = data[0::_PAIR]
    low_mask, high_mask = _masks(count)
    word = int.from_bytes(words, "little")
    quotient = (word * _BY_45 >> _BY_45_SHIFT) & low_mask
    highest = (quotient * _BY_45_AGAIN >> _BY_45_AGAIN_SHIFT) & high_mask
    digits = bytearray((word + _LANE_Q * quotient + _LANE_C * highest).to_bytes(_LANE * count, "little"))
    del digits[_GROUP::_LANE]
    return digits.translate(_CHARACTERS).decode()


def decode(text: str) -> bytes:
    """The bytes that `encode` turned into `text`.

    Raises `ValueError` for a character outside the alphabet, a length no bytes have, or a group over its maximum. The
    caller bounds the length of `text`.
    """
    digits = text.encode("ascii").translate(_DIGITS)
    count, rest = divmod(len(digits), _GROUP)
    if _NO_DIGIT in digits or rest == 1:
        message = "not Base45"
        raise ValueError(message)
    end = _GROUP * count
    word = (
        _lanes(digits[0:end:_GROUP], count)
        + _lanes(digits[1:end:_GROUP], count) * _BASE
        + _lanes(digits[2:end:_GROUP], count) * _BASE**2
    )
    lanes = word.to_bytes(_LANE * count, "little")
    if any(lanes[2::_LANE]):
        message = "a group is over 65535"
        raise ValueError(message)
    data = bytearray(_PAIR * count)
    data[0::_PAIR] = lanes[1::_LANE]
    data[1::_PAIR] = lanes[0::_LANE]
    if rest:
        data.append(digits[end] + digits[end + 1] * _BASE)  # over 255 is a ValueError
    return bytes(data)


def _lanes(digits: bytes, count: int) -> int:
    """One digit in each 32-bit lane of an integer."""
    spread = bytearray(_LANE * count)
    spread[0::_LANE] = digits
    return int.from_bytes(spread, "little")


@functools.lru_cache(maxsize=_TEXTS_OF_A_LENGTH_MAX)
def _masks(count: int) -> tuple[int, int]:
    """Which bits of each lane belong to a first quotient (below 1457) and to a second one (below 33)."""
    low = (0x7FF).to_bytes(_LANE, "little") * count
    high = (0x3F).to_bytes(_LANE, "little") * count
    return int.from_bytes(low, "little"), int.from_bytes(high, "little")
