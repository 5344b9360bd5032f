"""The public halves of a gate's signing keys, as they are told to verifiers elsewhere.

Nothing secret: a point, its kid, what it may sign and when. A verifier takes none of it on trust but what a signed
list or a pinned root brings (`tianfu.passcode.lists`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tianfu.platform.keyfile import StoredKey
from tianfu.platform.sign import KID_BYTES, KeyPurpose, VerifyKey

POINT_BYTES: Final = 64

_UNCOMPRESSED: Final = b"\x04"
_PURPOSES: Final = {purpose.value: purpose for purpose in KeyPurpose}


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


def public_keys(keys: Iterable[StoredKey], at_seconds: int) -> tuple[PublicKey, ...]:
    """The public halves of those of `keys` that sign and are accepted at `at_seconds`, in the order given.

    Raises `ValueError` for a secret that is no scalar. Each costs a multiplication on the curve, about 60 µs.
    """
    return tuple(
        _public(key, _PURPOSES[key.use.value]) for key in keys if key.use.value in _PURPOSES and key.is_live(at_seconds)
    )


def kid_of_point(point: bytes) -> bytes:
    """The kid of the key with that point (x ‖ y)."""
    return hashlib.sha256(_UNCOMPRESSED + point).digest()[:KID_BYTES]


def _public(key: StoredKey, purpose: KeyPurpose) -> PublicKey:
    private = ec.derive_private_key(int.from_bytes(key.secret_bytes(), "big"), ec.SECP256R1())
    encoded = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    point = encoded[len(_UNCOMPRESSED) :]
    return PublicKey(purpose, kid_of_point(point), point, key.starts_at or 0, key.ends_at or 0)
