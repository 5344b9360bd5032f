"""ES256 signatures behind one small seam, each key bound to one purpose.

A `Signer` may be a key in this process or a key service behind a network; nothing else in the code base knows which.
Nonces follow RFC 6979, so a weak random source cannot leak a key. Signatures are raw (r ‖ s, 64 bytes) as COSE
wants them, never DER. (r, n − s) verifies as well as (r, s): a signature never identifies what it signs.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable
from hmac import compare_digest
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KID_BYTES: Final = 4
SIGNATURE_BYTES: Final = 64
SECRET_BYTES: Final = 32

_HALF: Final = SIGNATURE_BYTES // 2
# Hashing beforehand spares the library a search for its own SHA-256 at every signature.
_ES256: Final = ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True)
_DER_INTEGER: Final = 0x02
_DER_SEQUENCE: Final = 0x30
_SIGN_BIT: Final = 0x80


class KeyPurpose(enum.Enum):
    """What a key may sign. A key of one purpose never verifies a code of another."""

    PERSONAL = "personal"
    CARD = "card"
    VENUE = "venue"
    LIST = "list"
    EVIDENCE = "evidence"


class Signer(Protocol):
    """Something that signs with one ES256 key; `kid` names the key in the signed message."""

    @property
    def kid(self) -> bytes:
        """The key's name: 4 bytes."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The raw 64-byte ES256 signature of `data`."""
        ...


class VerifyKey:
    """A public ES256 key with its purpose. `kid` is the head of the SHA-256 of its uncompressed point.

    Where this process holds the private half as well, a signature is checked by making it again: nonces follow RFC
    6979, so a key has exactly one signature for each message, and signing takes 24 µs where verifying takes 62. Any
    other signature, such as one of a key service with random nonces or (r, n - s), is then verified the usual way.
    """

    __slots__ = ("_private_half", "_public", "kid", "purpose")

    def __init__(
        self,
        public: ec.EllipticCurvePublicKey,
        purpose: KeyPurpose,
        *,
        kid: bytes | None = None,
        private_half: SigningKey | None = None,
    ) -> None:
        """Take a P-256 key; any other curve is a `ValueError`. `kid` is given only for a key of another issuer."""
        if not isinstance(public.curve, ec.SECP256R1):
            message = f"ES256 needs a P-256 key, not {public.curve.name}"
            raise ValueError(message)  # noqa: TRY004 - the type is right, its curve is not
        self._public = public
        self.purpose = purpose
        self.kid = kid_of(public) if kid is None else kid
        self._private_half = private_half

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature` (raw, 64 bytes) is this key's over `data`; False for anything malformed."""
        # Compared in constant time: how far a forgery agrees with the true signature is nobody's to learn.
        if self._private_half is not None and compare_digest(self._private_half.sign(data), signature):
            return True
        try:
            self._public.verify(_der_from_raw(signature), hashlib.sha256(data).digest(), _ES256)
        except (InvalidSignature, ValueError):
            return False
        return True


class SigningKey:
    """A private ES256 key held in this process."""

    __slots__ = ("_private", "kid", "purpose")

    def __init__(self, secret: bytes, purpose: KeyPurpose) -> None:
        """Build the key from its 32-byte scalar; a scalar outside [1, n) is a `ValueError`."""
        if len(secret) != SECRET_BYTES:
            message = f"an ES256 secret has {SECRET_BYTES} bytes"
            raise ValueError(message)
        self._private = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
        self.purpose = purpose
        self.kid = kid_of(self._private.public_key())

    def sign(self, data: bytes) -> bytes:
        """The raw 64-byte signature of `data`; the same data always gives the same signature."""
        return _raw_from_der(self._private.sign(hashlib.sha256(data).digest(), _ES256))

    def verify_key(self) -> VerifyKey:
        """The public half, for a process that keeps this one."""
        return VerifyKey(self._private.public_key(), self.purpose, private_half=self)


class VerifyKeys:
    """The keys trusted at one instant. Immutable; a code can name a key but never bring one."""

    def __init__(self, keys: Iterable[VerifyKey]) -> None:
        """Trust `keys` and nothing else. Two keys may share a kid: each of them is then tried."""
        table: dict[tuple[KeyPurpose, bytes], tuple[VerifyKey, ...]] = {}
        for key in keys:
            name = (key.purpose, key.kid)
            table[name] = (*table.get(name, ()), key)
        self._table = table

    def candidates(self, purpose: KeyPurpose, kid: bytes) -> tuple[VerifyKey, ...]:
        """Every trusted key of that purpose with that kid; empty when there is none."""
        return self._table.get((purpose, kid), ())


def generate_secret() -> bytes:
    """The 32-byte scalar of a fresh P-256 key, from the system's random source."""
    private = ec.generate_private_key(ec.SECP256R1())
    return private.private_numbers().private_value.to_bytes(SECRET_BYTES, "big")


def kid_of(public: ec.EllipticCurvePublicKey) -> bytes:
    """The first 4 bytes of the SHA-256 of the uncompressed point."""
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return hashlib.sha256(point).digest()[:KID_BYTES]


def _raw_from_der(der: bytes) -> bytes:
    """Take r ‖ s out of the DER that our own library has just made (30 len 02 len r 02 len s, lengths under 128)."""
    # A third of the time of decode_dss_signature, which goes through two Python integers.
    first = der[3]
    if first >= _HALF and der[5 + first] >= _HALF:  # 254 of 256 signatures; a longer number begins with a zero
        return der[4 + first - _HALF : 4 + first] + der[-_HALF:]
    return der[4 : 4 + first][-_HALF:].rjust(_HALF, b"\0") + der[6 + first :][-_HALF:].rjust(_HALF, b"\0")


def _der_from_raw(signature: bytes) -> bytes:
    """The DER of r ‖ s. Raises `ValueError` for another length than 64 bytes or a zero r or s."""
    if len(signature) != SIGNATURE_BYTES:
        message = "not a raw ES256 signature"
        raise ValueError(message)
    r = signature[:_HALF].lstrip(b"\0")
    s = signature[_HALF:].lstrip(b"\0")
    if not r or not s:
        message = "r or s is zero"
        raise ValueError(message)
    if r[0] & _SIGN_BIT:
        r = b"\0" + r
    if s[0] & _SIGN_BIT:
        s = b"\0" + s
    return bytes((_DER_SEQUENCE, len(r) + len(s) + 4, _DER_INTEGER, len(r))) + r + bytes((_DER_INTEGER, len(s))) + s
