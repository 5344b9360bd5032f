"""Keys with which departments sign what they push: made, listed and revoked by operators, each in the trail.

The private half leaves this system in the moment it is made, or is never here when a department brings its own public
key. What is stored is public.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tianfu.audit import trail
from tianfu.errors import Fault, InputInvalidError, NotFoundError
from tianfu.evidence import sources
from tianfu.feeds.contracts import CONTRACTS
from tianfu.feeds.push import keys_store, signature
from tianfu.feeds.push.keys_store import FeedKey
from tianfu.platform.database import Write

DAYS_DEFAULT: Final = 365
DAYS_MAX: Final = 730
# Ten full batches; a provincial laboratory service tests a few million people on its worst day and says so.
ROWS_PER_DAY_DEFAULT: Final = 2_000_000
ROWS_PER_DAY_MAX: Final = 100_000_000


class FeedKeyNotFoundError(NotFoundError):
    """No department's key has this id."""

    code = "feed_key_not_found"
    zh = "没有这把数据推送密钥。"
    en = "No department's key has this id."


def generate(algorithm: str) -> tuple[bytes, bytes]:
    """A new pair of keys: the private one as PEM (PKCS #8), the public one as DER."""
    key = (
        ed25519.Ed25519PrivateKey.generate()
        if algorithm == signature.ED25519
        else ec.generate_private_key(ec.SECP256R1())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, _der(key.public_key())


def public_from_pem(pem: bytes) -> bytes:
    """The public key in `pem` as DER. Raises `InputInvalidError` for anything but ed25519 and P-256."""
    try:
        der = serialization.load_pem_public_key(pem).public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return _der(signature.public_key(der))
    except ValueError:
        raise _invalid(
            field="public_key", zh="应为 ed25519 或 P-256 公钥。", en="is no ed25519 or P-256 public key"
        ) from None


def private_from_pem(pem: bytes) -> signature.PrivateKey:
    """The private key in `pem`. Raises `InputInvalidError`."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
        return key
    raise _invalid(field="key", zh="应为 ed25519 或 P-256 私钥。", en="must be an ed25519 or P-256 private key")


def create(
    write: Write,
    *,
    source: str,
    feeds: Sequence[str],
    public_der: bytes,
    made_by: str,
    at: datetime,
    days: int = DAYS_DEFAULT,
    rows_per_day: int = ROWS_PER_DAY_DEFAULT,
) -> FeedKey:
    """Register a public key for `source`, good for `days`. Raises `SourceUnknownError` or `InputInvalidError`."""
    sources.find(source)
    unknown = sorted(set(feeds) - set(CONTRACTS))
    if unknown or not feeds:
        raise _invalid(field="feeds", zh="应为已约定的数据种类。", en="must name agreed feeds")
    if not 1 <= days <= DAYS_MAX:
        raise _invalid(field="days", zh=f"应为 1 至 {DAYS_MAX}。", en=f"must be from 1 to {DAYS_MAX}")
    if not 1 <= rows_per_day <= ROWS_PER_DAY_MAX:
        raise _invalid(
            field="rows_per_day", zh=f"应为 1 至 {ROWS_PER_DAY_MAX}。", en=f"must be 1 to {ROWS_PER_DAY_MAX}"
        )
    public = signature.public_key(public_der)
    key = FeedKey(
        key_id=f"{source}-{secrets.token_hex(4)}",
        source=source,
        algorithm=signature.ED25519 if isinstance(public, ed25519.Ed25519PublicKey) else signature.ECDSA_P256,
        public_key=public_der,
        feeds=tuple(sorted(set(feeds))),
        rows_per_day=rows_per_day,
        made_by=made_by,
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    keys_store.insert(write, key)
    _note(write, "feed.key.create", key, made_by, at)
    return key


def revoke(write: Write, key_id: str, *, by: str, at: datetime) -> FeedKey:
    """Take a key out of use from now on; a second time changes nothing. Raises `FeedKeyNotFoundError`."""
    key = keys_store.find(write, key_id)
    if key is None:
        raise FeedKeyNotFoundError
    if keys_store.revoke(write, key_id, by=by, at=at):
        _note(write, "feed.key.revoke", key, by, at)
    return key


def _note(write: Write, action: str, key: FeedKey, by: str, at: datetime) -> None:
    trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="operator",
            actor=by,
            action=action,
            purpose="feed",
            subject=f"key:{key.key_id}",
            detail={"source": key.source, "key": key.key_id},
        ),
    )


def _der(key: signature.PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _invalid(*, field: str, zh: str, en: str) -> InputInvalidError:
    return InputInvalidError(faults=(Fault(field, "value", zh, en),))
