"""Printed cards and device-bound codes for tests, signed with a ring's own keys or with any others."""

from __future__ import annotations

import binascii
import os

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tianfu.passcode import base45, card, device
from tianfu.passcode.card import Card
from tianfu.passcode.device import Certificate, Presentation, device_message, presentation_text
from tianfu.passcode.reference import CARD_DOMAIN, DEVICE_DOMAIN, credential_id
from tianfu.platform.cose import sign1
from tianfu.platform.keyring import GateKeys
from tianfu.platform.sign import KeyPurpose, SigningKey, generate_secret

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
DAY = 86_400


def mirrored(signature: bytes) -> bytes:
    """(r, n − s) for (r, s): verifies as well."""
    return signature[:32] + (ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")


def card_of(ring: GateKeys, person: int, at: int, *, days: int = 7, **changes: object) -> Card:
    """The content of a fresh card."""
    keys = ring.at(at)
    cipher = keys.references[keys.signers[KeyPurpose.CARD].kid]
    made = Card(at + days * DAY, at, credential_id(person, os.urandom(8), cipher, CARD_DOMAIN), 1, 0, "*小明", "431X")
    return made._replace(**changes)  # type: ignore[arg-type]


def card_text(ring: GateKeys, content: Card, at: int, purpose: KeyPurpose = KeyPurpose.CARD) -> str:
    """The card's code, signed with the ring's key of `purpose`."""
    return card.PREFIX + base45.encode(sign1(ring.at(at).signers[purpose], card.encode(content)))


class Phone:
    """A phone with a key of its own and a certificate for it, which shows codes without network."""

    def __init__(self, ring: GateKeys, person: int, at: int, *, seconds: int = DAY, **changes: object) -> None:
        self.key = SigningKey(generate_secret(), KeyPurpose.DEVICE)
        keys = ring.at(at)
        signer = keys.signers[KeyPurpose.DEVICE]
        made = credential_id(person, os.urandom(8), keys.references[signer.kid], DEVICE_DOMAIN)
        content = Certificate(at + seconds, at, made, self.public_key(), 7, "*小明", "431X")
        self.content = content._replace(**changes)  # type: ignore[arg-type]
        self.certificate = sign1(signer, device.encode(self.content))

    def public_key(self) -> bytes:
        """The compressed point."""
        return compressed(self.key)

    def base64url(self) -> str:
        """The same as it is sent to the portal."""
        return binascii.b2a_base64(self.public_key(), newline=False).decode().translate(str.maketrans("+/", "-_", "="))

    def show(self, at: int, certificate: bytes | None = None) -> Presentation:
        """A showing at `at`, of another certificate where one is given."""
        shown = self.certificate if certificate is None else certificate
        return Presentation(shown, at, self.key.sign(device_message(shown, at)))

    def text(self, at: int) -> str:
        """The text of a showing at `at`."""
        return presentation_text(self.show(at))


def compressed(key: SigningKey) -> bytes:
    """The compressed point of a key."""
    public: ec.EllipticCurvePublicKey = key.verify_key()._public
    return public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
