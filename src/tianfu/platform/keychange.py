"""Making, rotating and retiring keys: pure edits of the list of keys in a file."""

from __future__ import annotations

import os
import secrets
from typing import Final

import msgspec

from tianfu.errors import TianfuError
from tianfu.platform.keyfile import KeyFile, KeyUse, StoredKey, encode_secret
from tianfu.platform.sign import KeyPurpose, SigningKey, generate_secret

AES_KEY_BYTES: Final = 32

# Every process looks at its key file each 2 s (keyring.RELOAD_SECONDS); by now all of them know a new key.
ANNOUNCE_SECONDS: Final = 30

_DAY: Final = 86_400
# How long an outrun key is still accepted: as long as anything made with it may live, and a margin. None: until it
# is retired by hand, because what it made has no end of its own (posters on walls, evidence, sealed columns).
OVERLAP_SECONDS: Final[dict[KeyUse, int | None]] = {
    KeyUse.PERSONAL: 600,
    KeyUse.CARD: 181 * _DAY,
    KeyUse.DEVICE: 8 * _DAY,
    KeyUse.VENUE: None,
    KeyUse.VEHICLE: None,
    KeyUse.LIST: 8 * _DAY,
    KeyUse.EVIDENCE: None,
    KeyUse.SESSION: 91 * _DAY,
    KeyUse.SEAL: None,
    KeyUse.INDEX: None,
}

# Keys of codes about people: each has a second secret that seals the reference to the holder.
REFERRING: Final = frozenset({KeyUse.PERSONAL, KeyUse.CARD, KeyUse.DEVICE})
# Uses that files from before the codes they are for do not know; a file that lacks any other is damaged.
LATER_USES: Final = (KeyUse.DEVICE, KeyUse.VEHICLE)

_SIGNING: Final = frozenset(KeyUse(purpose.value) for purpose in KeyPurpose)
_SESSION_ID_MAX: Final = 255


class KeyUnknownError(TianfuError):
    """The ring has no such key."""

    code = "key_unknown"
    status = 404
    zh = "密钥环中没有这把密钥。"
    en = "The key ring has no such key."


class KeyInUseError(TianfuError):
    """The key is the newest of its use; retiring it would leave nothing to work with."""

    code = "key_in_use"
    status = 409
    zh = "这是该用途最新的密钥，请先轮换再停用。"
    en = "This is the newest key of its use; rotate first, then retire it."


class KeyringFullError(TianfuError):
    """No session key number is free: 255 keys are live at once."""

    code = "keyring_full"
    status = 409
    zh = "会话密钥过多，请先停用旧密钥。"
    en = "Too many session keys are live; retire old ones first."


def first_keys(uses: tuple[KeyUse, ...], at_seconds: int) -> tuple[StoredKey, ...]:
    """One key of each use, good for any instant."""
    keys: tuple[StoredKey, ...] = ()
    for use in uses:
        keys = (*keys, _make(use, keys, at_seconds, starts_at=None))
    return keys


def completed(content: KeyFile, uses: tuple[KeyUse, ...], at_seconds: int) -> tuple[StoredKey, ...]:
    """The keys of a file from before some of `uses` were known, with a first key of each and the references it lacks.

    A file that lacks nothing, or more than a file of ours ever did, comes back as it is.
    """
    known = {key.use for key in content.keys}
    if not known >= set(uses).difference(LATER_USES):
        return content.keys
    keys = tuple(
        msgspec.structs.replace(key, reference=encode_secret(os.urandom(AES_KEY_BYTES)))
        if key.use is KeyUse.CARD and key.retired_at is None and not key.reference
        else key
        for key in content.keys
    )
    for use in uses:
        if use not in known:
            keys = (*keys, _make(use, keys, at_seconds, starts_at=None))
    return keys


def rotated(content: KeyFile, use: KeyUse, at_seconds: int) -> tuple[StoredKey, ...]:
    """The keys with a new one of `use`, which takes over `ANNOUNCE_SECONDS` later; older ones stay for the overlap."""
    starts_at = at_seconds + ANNOUNCE_SECONDS
    overlap = OVERLAP_SECONDS[use]
    kept = tuple(
        _ending(key, starts_at + overlap) if overlap and key.use is use else key
        for key in content.keys
        # A session key's number is one byte, so numbers of dead session keys are given out again.
        if not (use is KeyUse.SESSION and key.use is use and not key.is_live(at_seconds))
    )
    return (*kept, _make(use, kept, at_seconds, starts_at=starts_at))


def retired(content: KeyFile, use: KeyUse, key_id: str, at_seconds: int) -> tuple[StoredKey, ...]:
    """The keys with that key of `use` out of use from now on and its secret wiped; a second time changes nothing.

    Raises `KeyUnknownError`, or `KeyInUseError` for the newest key of a use. If the next key was still waiting to
    take over, it does so at once.
    """
    named = next((key for key in content.keys if key.use is use and key.id == key_id), None)
    if named is None:
        raise KeyUnknownError
    if named.retired_at is not None:
        return content.keys
    newest = next(key for key in reversed(content.keys) if key.use is use)
    if newest is named:
        raise KeyInUseError
    gone = msgspec.structs.replace(named, secret="", reference="", retired_at=at_seconds)
    keys = tuple(gone if key is named else key for key in content.keys)
    if any(key.use is use and key.is_live(at_seconds) and key.has_started(at_seconds) for key in keys):
        return keys
    now = msgspec.structs.replace(newest, starts_at=at_seconds)
    return tuple(now if key is newest else key for key in keys)


def _ending(key: StoredKey, ends_at: int) -> StoredKey:
    if key.retired_at is not None or (key.ends_at is not None and key.ends_at <= ends_at):
        return key
    return msgspec.structs.replace(key, ends_at=ends_at)


def _make(use: KeyUse, others: tuple[StoredKey, ...], at_seconds: int, *, starts_at: int | None) -> StoredKey:
    """A fresh key whose id no key of the file has."""
    taken = {key.id for key in others}
    while True:
        secret = generate_secret() if use in _SIGNING else os.urandom(AES_KEY_BYTES)
        key_id = _id_of(use, secret, others)
        if key_id not in taken:
            break
    return StoredKey(
        id=key_id,
        use=use,
        created_at=at_seconds,
        secret=encode_secret(secret),
        reference=encode_secret(os.urandom(AES_KEY_BYTES)) if use in REFERRING else "",
        starts_at=starts_at,
    )


def _id_of(use: KeyUse, secret: bytes, others: tuple[StoredKey, ...]) -> str:
    """The kid in hex of a signing key, a free number of a session key, a random word of the others."""
    if use in _SIGNING:
        return SigningKey(secret, KeyPurpose(use.value)).kid.hex()
    if use is not KeyUse.SESSION:
        return secrets.token_hex(4)
    taken = {int(key.id) for key in others if key.use is use}
    free = (number for number in range(1, _SESSION_ID_MAX + 1) if number not in taken)
    number = next(free, None)
    if number is None:
        raise KeyringFullError
    return str(number)
