"""Personal data at rest: sealed so that only the records side can read it, indexed so that it can be found.

Sealing is AES-256-GCM with a random nonce; the context (which field of which row) is bound in, so that a value moved
to another row or column does not open. A blind index is HMAC-SHA256 under a key that is not in the database: equal
values are found, but nobody with the database alone can test guesses against it. Documents and phones have separate
keys, so that the two indexes cannot be joined.
"""

from __future__ import annotations

import enum
import hmac
import os
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tianfu.clock import Clock, SystemClock
from tianfu.errors import TianfuError
from tianfu.platform.keyring import RecordKeys, RecordKeySet

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16

# Rows set aside from a feed are the longest thing sealed; a feed row is at most 64 KiB.
PLAINTEXT_BYTES_MAX: Final = 2**17


class IndexDomain(enum.Enum):
    """What a blind index is of; the same text has unrelated indexes in two domains."""

    DOCUMENT = b"document"
    PHONE = b"phone"


class BlindIndex(NamedTuple):
    """The index of one value under one key: 32 bytes that say nothing without that key."""

    key_id: str
    digest: bytes


class Sealed(NamedTuple):
    """A sealed value: nonce, ciphertext and tag in one, and the key that opens it."""

    key_id: str
    data: bytes


class Bulk(NamedTuple):
    """The keys for new data of one moment, for millions of values in a row; to be asked for anew each few seconds."""

    seal_key: str
    index_key: str
    aead: AESGCM
    document_hasher: bytes
    phone_hasher: bytes

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Bulk({self.seal_key}, {self.index_key})"

    def seal(self, data: bytes, context: bytes, nonce: bytes) -> bytes:
        """As `Pseudonym.seal`, of any length. `nonce`: `NONCE_BYTES` fresh bytes of `os.urandom`, never used twice."""
        return nonce + self.aead.encrypt(nonce, data, context)

    def index_document(self, text: str) -> bytes:
        """The digest that `Pseudonym.index` gives of a document."""
        return hmac.digest(self.document_hasher, text.encode(), "sha256")

    def index_phone(self, text: str) -> bytes:
        """The digest that `Pseudonym.index` gives of a phone."""
        return hmac.digest(self.phone_hasher, text.encode(), "sha256")


class _Ready(NamedTuple):
    """Everything derived from one set of keys; swapped as a whole, so that threads never see half of two."""

    keys: RecordKeySet
    aeads: dict[str, AESGCM]
    hashers: dict[tuple[IndexDomain, str], bytes]


class SealBrokenError(TianfuError):
    """A sealed value does not open: it was changed, moved to another row, or its key is gone from the ring."""

    code = "seal_broken"
    status = 500
    zh = "一条加密记录无法打开，已停止处理。"
    en = "A sealed record cannot be opened; nothing was done with it."


class Pseudonym:
    """Seals, opens and indexes with the records' key ring, following its rotations."""

    def __init__(self, keys: RecordKeys, *, clock: Clock | None = None) -> None:
        """Use `keys`; `clock` decides which of them is in force."""
        self._keys = keys
        self._clock = clock or SystemClock()
        self._ready: _Ready | None = None

    def index(self, text: str, *, domain: IndexDomain = IndexDomain.DOCUMENT) -> BlindIndex:
        """The index of `text` under the key for new data. `text` is already normalised: equal means equal bytes."""
        ready = self._now()
        return _index(text, domain, ready.keys.indexes[0].id, ready)

    def index_candidates(self, text: str, *, domain: IndexDomain = IndexDomain.DOCUMENT) -> list[BlindIndex]:
        """The index of `text` under every live key, the one for new data first: what a stored row may carry."""
        ready = self._now()
        return [_index(text, domain, key.id, ready) for key in ready.keys.indexes]

    def seal(self, plaintext: str, *, context: bytes) -> Sealed:
        """`plaintext`, sealed for `context` under the key for new data; never twice the same bytes.

        Raises `ValueError` over `PLAINTEXT_BYTES_MAX`.
        """
        raw = plaintext.encode()
        if len(raw) > PLAINTEXT_BYTES_MAX:
            message = f"at most {PLAINTEXT_BYTES_MAX} bytes can be sealed"
            raise ValueError(message)
        ready = self._now()
        key_id = ready.keys.seals[0].id
        nonce = os.urandom(NONCE_BYTES)
        return Sealed(key_id, nonce + ready.aeads[key_id].encrypt(nonce, raw, context))

    def bulk(self) -> Bulk:
        """The keys for new data as they are now, without the checks that each single value costs."""
        ready = self._now()
        seal, index = ready.keys.seals[0].id, ready.keys.indexes[0].id
        document, phone = (ready.hashers[domain, index] for domain in (IndexDomain.DOCUMENT, IndexDomain.PHONE))
        return Bulk(seal, index, ready.aeads[seal], document, phone)

    def open(self, data: bytes, key_id: str, *, context: bytes) -> str:
        """What `seal` was given, from its two parts and the same context. Raises `SealBrokenError`."""
        return self.open_bytes(data, key_id, context=context).decode()

    def open_bytes(self, data: bytes, key_id: str, *, context: bytes) -> bytes:
        """As `open`, for what was sealed as bytes."""
        aead = self._now().aeads.get(key_id)
        if aead is None or len(data) < NONCE_BYTES + TAG_BYTES:
            raise SealBrokenError
        try:
            return aead.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], context)
        except InvalidTag:
            raise SealBrokenError from None

    def seal_key(self) -> str:
        """The id of the key for new data: rows with another one wait to be sealed again."""
        return self._now().keys.seals[0].id

    def index_key(self) -> str:
        """The id of the index key for new data."""
        return self._now().keys.indexes[0].id

    def _now(self) -> _Ready:
        """The keys in force, with everything derived from them."""
        keys = self._keys.at(int(self._clock.now().timestamp()))
        ready = self._ready
        if ready is None or ready.keys is not keys:
            ready = self._ready = _derive(keys)
        return ready


def _derive(keys: RecordKeySet) -> _Ready:
    """Ciphers, and one HMAC key for each domain and index key: itself the HMAC of the domain's name."""
    return _Ready(
        keys,
        {key.id: AESGCM(key.secret) for key in keys.seals},
        {
            (domain, key.id): hmac.digest(key.secret, b"tianfu index of " + domain.value, "sha256")
            for domain in IndexDomain
            for key in keys.indexes
        },
    )


def _index(text: str, domain: IndexDomain, key_id: str, ready: _Ready) -> BlindIndex:
    return BlindIndex(key_id, hmac.digest(ready.hashers[domain, key_id], text.encode(), "sha256"))
