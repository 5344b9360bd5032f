"""Holders as PostgreSQL's COPY takes them in binary: sealed and packed, a million at a time.

`profile.sealed` says what a stored holder is; this makes the same row, ten times faster, because keys are asked for
once, random bytes are drawn together and no value is turned into text and back.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from typing import Final

from tianfu.platform.pseudonym import NONCE_BYTES, Bulk
from tianfu.residents.city_codes.read import Holder

_COLUMNS: Final = 12
_FRONT: Final = struct.Struct("!hiq")
_LENGTH: Final = struct.Struct("!i")
_INSTANT: Final = struct.Struct("!iq")
# Seconds from 1970 to PostgreSQL's epoch, 2000-01-01 UTC.
_EPOCH_SECONDS: Final = 946_684_800
_SEALS: Final = 3


def residents(rows: Iterable[tuple[int, Holder]], *, provider: str, reference: str, keys: Bulk) -> bytes:
    """The rows of `resident` for people and what their city says of them."""
    pieces: list[bytes] = []
    add = pieces.extend
    front, length, instant = _FRONT.pack, _LENGTH.pack, _INSTANT.pack
    seal, index = keys.seal, keys.index_phone
    key = _text(keys.seal_key)
    proof = _text(provider) + _text(reference)
    language = _text("zh")
    digest = length(32)
    districts: dict[str, bytes] = {}
    types: dict[str, bytes] = {}
    for person, holder in rows:
        kind = types.get(holder.document_type)
        if kind is None:
            kind = types[holder.document_type] = _text(holder.document_type)
        district = districts.get(holder.district)
        if district is None:
            district = districts[holder.district] = _text(holder.district)
        noise = os.urandom(_SEALS * NONCE_BYTES)
        # The contexts of `profile.sealed`.
        name = seal(holder.name.encode(), b"resident.name:%d" % person, noise[:12])
        document = seal(holder.document_number.encode(), b"resident.document:%d" % person, noise[12:24])
        phone = seal(holder.phone.encode(), b"resident.phone:%d" % person, noise[24:])
        add(
            (
                front(_COLUMNS, 8, person),
                kind,
                length(len(name)),
                name,
                length(len(document)),
                document,
                length(len(phone)),
                phone,
                digest,
                index(holder.phone),
                key,
                district,
                language,
                proof,
                instant(8, (holder.registered - _EPOCH_SECONDS) * 1_000_000),
            )
        )
    return b"".join(pieces)


def documents(rows: Iterable[tuple[int, bytes]], *, index_key: str) -> bytes:
    """The rows of `person_document` for people and the blind index of each one's document."""
    front = struct.pack("!hi", 3, 32)
    pack = struct.Struct("!iq").pack
    key = _text(index_key)
    return b"".join([front + index + key + pack(8, person) for person, index in rows])


def _text(value: str) -> bytes:
    raw = value.encode()
    return _LENGTH.pack(len(raw)) + raw
