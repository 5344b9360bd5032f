"""Making the code that a phone shows: one random number, one sealed reference, one signature. Hot."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from tianfu.access.session import Session
from tianfu.passcode import base45
from tianfu.passcode.reference import seal
from tianfu.passcode.token import CODE_LIFE_SECONDS, CTI_BYTES, PREFIX, REFRESH_AFTER_SECONDS, Token, encode
from tianfu.platform.cose import sign1
from tianfu.platform.keyring import GateKeys
from tianfu.platform.sign import KeyPurpose

LAST_DIGITS: Final = 4


class IssuedCode(NamedTuple):
    """A fresh code: the text for the QR, and its life in seconds since 1970."""

    text: str
    issued_at: int
    refresh_at: int
    expires_at: int


class Issuer:
    """Makes codes with the personal signing key in force."""

    __slots__ = ("_keys",)

    def __init__(self, keys: GateKeys) -> None:
        """Follow `keys` through rotations."""
        self._keys = keys

    def issue(self, session: Session, record_colour: int, rule_set: int, at_seconds: int) -> IssuedCode:
        """A new code for the resident of `session`, good from now for `CODE_LIFE_SECONDS`.

        `record_colour` indexes `tianfu.status.record.COLOURS`. Each call makes another code.
        """
        keys = self._keys.at(at_seconds)
        signer = keys.signers[KeyPurpose.PERSONAL]
        cti = os.urandom(CTI_BYTES)
        content = encode(
            Token(
                at_seconds + CODE_LIFE_SECONDS,
                at_seconds,
                cti,
                seal(session.subject, cti, keys.references[signer.kid]),
                record_colour,
                rule_set,
                session.masked_name,
                last_digits(session.masked_document),
            )
        )
        text = PREFIX + base45.encode(sign1(signer, content))
        return IssuedCode(text, at_seconds, at_seconds + REFRESH_AFTER_SECONDS, at_seconds + CODE_LIFE_SECONDS)


def withheld(at_seconds: int) -> IssuedCode:
    """What a holder gets whose popup keeps the code from being seen: no text, and the times at which to ask again."""
    return IssuedCode("", at_seconds, at_seconds + REFRESH_AFTER_SECONDS, at_seconds + CODE_LIFE_SECONDS)


def last_digits(masked_document: str) -> str:
    """What a masked number shows at its end: at most four characters behind the last star."""
    return masked_document.rpartition("*")[2][-LAST_DIGITS:]
