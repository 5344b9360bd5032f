"""Base64url without padding (RFC 4648, section 5), in the one writing that each run of bytes has."""

from __future__ import annotations

import binascii
from typing import Final

_GROUP_CHARACTERS: Final = 4
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")


def encode(data: bytes) -> str:
    """`data` in base64url."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes that `encode` turned into `text`. Raises `ValueError` for any other text; the caller bounds it."""
    raw = text.encode("ascii")
    padding = b"=" * (-len(raw) % _GROUP_CHARACTERS)
    data = binascii.a2b_base64(raw.translate(_FROM_URL) + padding)
    # Two texts must not give the same bytes: spare bits, "+", stray characters and inner padding all fail here.
    if encode(data) != text:
        message = "not canonical base64url"
        raise ValueError(message)
    return data
