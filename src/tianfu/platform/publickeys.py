"""The public halves of a gate's signing keys, as they are told to verifiers elsewhere.

Nothing secret: a point, its kid, what it may sign and when. A verifier takes none of it on trust but what a signed
list or a pinned root brings (`tianfu.passcode.lists`).
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tianfu.platform.sign import KID_BYTES, KeyPurpose, VerifyKey

POINT_BYTES: Final = 64

_UNCOMPRESSED: Final = b"\x04"


class PublicKey(NamedTuple):
    """One public key. `point` is x ‖ y; instants are seconds since 1970, 0 for "from ever" and "no end yet"."""

    purpose: KeyPurpose
    kid: bytes
    point: bytes
    starts_at: int
    ends_at: int

    def verify_key(self) -> VerifyKey:
        """The key to verify with. Raises `ValueError` for a point off the curve or a kid that is not the point's."""
        if len(self.point) != POINT_BYTES or kid_of_point(self.point) != self.kid:
            message = "a point of another length, or another one's kid"
            raise ValueError(message)
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _UNCOMPRESSED + self.point)
        return VerifyKey(public, self.purpose)


def kid_of_point(point: bytes) -> bytes:
    """The kid of the key with that point (x ‖ y)."""
    return hashlib.sha256(_UNCOMPRESSED + point).digest()[:KID_BYTES]


def public_key(secret: bytes, purpose: KeyPurpose, *, starts_at: int, ends_at: int) -> PublicKey:
    """The public half of the key with this 32-byte scalar; costs a multiplication on the curve, about 60 µs.

    Raises `ValueError` for a scalar outside [1, n).
    """
    private = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
    encoded = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    point = encoded[len(_UNCOMPRESSED) :]
    return PublicKey(purpose, kid_of_point(point), point, starts_at, ends_at)
