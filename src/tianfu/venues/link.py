"""A signed link to our own origin: what the codes of venues and of vehicles have in common.

`<origin><path>#…`: a plain camera app opens our page, and the fragment never reaches a server log.
"""

from __future__ import annotations

from typing import Final

from tianfu.platform import base64url
from tianfu.platform.cose import sign1, verify1
from tianfu.platform.sign import KeyPurpose, Signer, VerifyKeys

PATH_VENUE: Final = "/v#"
PATH_VEHICLE: Final = "/t#"


def link(signer: Signer, content: bytes, start: str) -> str:
    """The link that begins with `start` (origin and path) and carries `content`, signed."""
    return start + base64url.encode(sign1(signer, content))


def content_of(text: str, start: str, keys: VerifyKeys, purpose: KeyPurpose, *, fragment_max: int) -> bytes:
    """What the link carries, if it begins with `start` and a trusted key of `purpose` signed it.

    Raises `ValueError` or `CodeInvalidError` for any other text.
    """
    if not len(start) < len(text) <= len(start) + fragment_max or not text.startswith(start):
        message = "not such a link"
        raise ValueError(message)
    return verify1(base64url.decode(text[len(start) :]), keys, purpose)
