"""Codes and lists for a scanner without network, built byte by byte as docs/formats.md has them.

Built here and not by the gate's own writers where those are not needed: the reader in the browser is held against the
description. Keys are made of words, signatures follow RFC 6979, so everything comes out the same each time.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tianfu.passcode import base45
from tianfu.platform.cbor import ARRAY, byte_string, head, number, text
from tianfu.platform.cose import sign1
from tianfu.platform.sign import KeyPurpose, Signer, SigningKey

LIST_SECONDS: Final = 4 * 3600
HASHES: Final = 13
BITS_PER_ENTRY: Final = 20
FILTER_BYTES_MIN: Final = 2_048
SHOWING: Final = b"tianfu device code 1"
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def key_of(word: str) -> SigningKey:
    """A key made of a word. What it may sign is said by the list that names it, so its own purpose is any."""
    return SigningKey(hashlib.sha256(word.encode()).digest(), KeyPurpose.LIST)


def point_of(key: SigningKey) -> bytes:
    """The point as x ‖ y."""
    return _public(key).public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def compressed(key: SigningKey) -> bytes:
    """The 33 bytes of a compressed point."""
    return _public(key).public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def _public(key: SigningKey) -> ec.EllipticCurvePublicKey:
    public: ec.EllipticCurvePublicKey = key.verify_key()._public
    return public


def base64url(data: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def mirrored(signature: bytes) -> bytes:
    """(r, n − s) for (r, s): verifies as well."""
    return signature[:32] + (ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")


class ToldKey(NamedTuple):
    """A key as a trust list tells it."""

    purpose: str
    point: bytes
    starts_at: int = 0
    ends_at: int = 0

    @property
    def kid(self) -> bytes:
        """The head of the hash of the uncompressed point."""
        return hashlib.sha256(b"\x04" + self.point).digest()[:4]


def told(purpose: str, key: SigningKey, starts_at: int = 0, ends_at: int = 0) -> ToldKey:
    """A key of ours for a trust list."""
    return ToldKey(purpose, point_of(key), starts_at, ends_at)


def root(keys: Iterable[ToldKey]) -> dict[str, list[dict[str, str]]]:
    """What a device pins at its first start."""
    return {"keys": [{"kid": key.kid.hex(), "point": base64url(key.point)} for key in keys]}


def trust_list(signer: Signer, keys: Sequence[ToldKey], at: int, *, number_: int = 1, life: int = LIST_SECONDS) -> str:
    """A signed trust list made at `at`."""
    told_keys = b"".join(
        head(ARRAY, 5)
        + text(key.purpose.encode())
        + byte_string(key.kid)
        + byte_string(key.point)
        + number(key.starts_at)
        + number(key.ends_at)
        for key in keys
    )
    content = head(ARRAY, 5) + _list_head(b"trust", number_, at, life) + head(ARRAY, len(keys)) + told_keys
    return "HKL:" + base64url(sign1(signer, content))


def not_green_list(
    signer: Signer, ids: Collection[bytes], at: int, *, number_: int = 1, life: int = LIST_SECONDS
) -> str:
    """A signed list of credentials that are not green, made at `at`."""
    bits = bytearray(max(FILTER_BYTES_MIN, (len(ids) * BITS_PER_ENTRY + 7) // 8))
    size = 8 * len(bits)
    for credential_id in ids:
        digest = hashlib.sha256(credential_id + number_.to_bytes(4, "big")).digest()
        first, step = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big")
        for turn in range(HASHES):
            bit = (first + turn * step) % size
            bits[bit >> 3] |= 1 << (bit & 7)
    content = (
        head(ARRAY, 7)
        + _list_head(b"not-green", number_, at, life)
        + number(len(ids))
        + number(HASHES)
        + byte_string(bytes(bits))
    )
    return "HKL:" + base64url(sign1(signer, content))


def _list_head(kind: bytes, number_: int, at: int, life: int) -> bytes:
    return text(kind) + number(number_) + number(at) + number(at + life)


def card_content(credential_id: bytes, at: int, *, life: int = 7 * 86_400, generation: int = 1, kind: int = 0) -> bytes:
    """What a printed card says."""
    fixed = head(ARRAY, 7) + number(at + life) + number(at) + byte_string(credential_id)
    return fixed + number(generation) + number(kind) + text("*小明".encode()) + text(b"431X")


def card(signer: Signer, content: bytes) -> str:
    """The text of a printed card."""
    return "HK2:" + base45.encode(sign1(signer, content))


def certificate(signer: Signer, credential_id: bytes, device: bytes, at: int, *, life: int = 86_400) -> bytes:
    """What we sign for the phone with the compressed public key `device`."""
    fixed = head(ARRAY, 7) + number(at + life) + number(at) + byte_string(credential_id) + byte_string(device)
    return sign1(signer, fixed + number(7) + text("*小明".encode()) + text(b"431X"))


def showing(made: bytes, device: SigningKey, at: int, *, mirror: bool = False) -> str:
    """The text of a device-bound code shown at `at` by the phone with the key `device`."""
    time = at.to_bytes(4, "big")
    signature = device.sign(SHOWING + hashlib.sha256(made).digest() + time)
    return "HK3:" + base45.encode(made + time + (mirrored(signature) if mirror else signature))
