"""Making the code that a phone shows: one random number, one sealed reference, one signature. Hot."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, NamedTuple

from tianfu.access.session import Session
from tianfu.passcode import base45
from tianfu.passcode.reference import seal
from tianfu.passcode.token import CODE_LIFE_SECONDS, CTI_BYTES, PREFIX, REFRESH_AFTER_SECONDS, content, masks
from tianfu.platform.cose import unsigned1
from tianfu.platform.keyring import GateKeys
from tianfu.platform.sign import KeyPurpose, Signer

LAST_DIGITS: Final = 4
CTIS_DRAWN: Final = 512


class IssuedCode(NamedTuple):
    """A code: the text for the QR, and its life in seconds since 1970."""

    text: str
    issued_at: int
    refresh_at: int
    expires_at: int


class UnsignedCode(NamedTuple):
    """A code that lacks its signature: `signer` is to sign `to_sign`."""

    signer: Signer
    to_sign: bytes
    start: bytes
    issued_at: int


def signed(codes: Sequence[UnsignedCode], signatures: Sequence[bytes]) -> list[IssuedCode]:
    """The codes with their signatures of 64 bytes each, in the same order."""
    texts = base45.encode_many([code.start + signature for code, signature in zip(codes, signatures, strict=True)])
    return [
        IssuedCode(PREFIX + text, at, at + REFRESH_AFTER_SECONDS, at + CODE_LIFE_SECONDS)
        for text, (_, _, _, at) in zip(texts, codes, strict=True)
    ]


class Issuer:
    """Makes codes with the personal signing key in force. For one thread."""

    __slots__ = ("_keys", "_random", "_used")

    def __init__(self, keys: GateKeys) -> None:
        """Follow `keys` through rotations."""
        self._keys = keys
        self._random = b""
        self._used = 0

    def issue(self, session: Session, record_colour: int, rule_set: int, at_seconds: int) -> IssuedCode:
        """A new code for the resident of `session`, good from now for `CODE_LIFE_SECONDS`.

        `record_colour` indexes `tianfu.status.record.COLOURS`. Each call makes another code.
        """
        unsigned = self.prepare(session, record_colour, rule_set, at_seconds)
        return signed((unsigned,), (unsigned.signer.sign(unsigned.to_sign),))[0]

    def prepare(self, session: Session, record_colour: int, rule_set: int, at_seconds: int) -> UnsignedCode:
        """As `issue`, all but the signature."""
        keys = self._keys.at(at_seconds)
        signer = keys.signers[KeyPurpose.PERSONAL]
        cti = self._next_cti()
        reference = seal(session.subject, cti, keys.references[signer.kid])
        end = masks(session.masked_name, last_digits(session.masked_document))
        payload = content(at_seconds + CODE_LIFE_SECONDS, at_seconds, cti, reference, record_colour, rule_set, end)
        to_sign, start = unsigned1(signer.kid, payload)
        return UnsignedCode(signer, to_sign, start, at_seconds)

    def _next_cti(self) -> bytes:
        """The next eight random bytes. The system is asked for many at once: each asking costs half a microsecond."""
        at = self._used
        if at == len(self._random):
            self._random = os.urandom(CTI_BYTES * CTIS_DRAWN)
            at = 0
        self._used = at + CTI_BYTES
        return self._random[at : at + CTI_BYTES]


def withheld(at_seconds: int) -> IssuedCode:
    """What a holder gets whose popup keeps the code from being seen: no text, and the times at which to ask again."""
    return IssuedCode("", at_seconds, at_seconds + REFRESH_AFTER_SECONDS, at_seconds + CODE_LIFE_SECONDS)


def last_digits(masked_document: str) -> str:
    """What a masked number shows at its end: at most four characters behind the last star."""
    return masked_document.rpartition("*")[2][-LAST_DIGITS:]
