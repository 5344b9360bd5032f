"""Rows on their way from the file to people: packed, sealed and sorted into buckets of documents.

A bucket is a range of the documents' blind index, so that every row about one document meets in one bucket, and
people written bucket after bucket extend the index in its own order.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from tianfu.platform.pseudonym import NONCE_BYTES, Bulk, Pseudonym
from tianfu.residents.city_codes.read import Holder

_PREFIX_BITS: Final = 16


class Indexed(NamedTuple):
    """A holder and the blind index of its document."""

    document: bytes
    holder: Holder


class Part(NamedTuple):
    """What one block gave for one bucket, sealed."""

    bucket: int
    block: int
    index_key: str
    seal_key: str
    rows_sealed: bytes


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[Indexed])


def document_text(holder: Holder) -> str:
    """What the blind index of a holder's document is made of, as `documents.document_key` makes it."""
    return f"{holder.document_type}:{holder.document_number}"


def bucket_of(index: bytes, bits: int) -> int:
    """The bucket of a document: the first `bits` of its index."""
    return int.from_bytes(index[:2], "big") >> (_PREFIX_BITS - bits)


def packed(holders: Iterable[Holder], *, file_id: int, block: int, bits: int, keys: Bulk) -> list[Part]:
    """The parts of a block, one for each bucket that has rows."""
    buckets: dict[int, list[Indexed]] = {}
    for holder in holders:
        index = keys.index_document(document_text(holder))
        buckets.setdefault(bucket_of(index, bits), []).append(Indexed(index, holder))
    return [
        Part(
            bucket,
            block,
            keys.index_key,
            keys.seal_key,
            keys.seal(_ENCODER.encode(rows), _context(file_id, bucket, block), os.urandom(NONCE_BYTES)),
        )
        for bucket, rows in sorted(buckets.items())
    ]


def opened(parts: Iterable[Part], *, file_id: int, keys: Bulk, pseudonym: Pseudonym) -> list[Indexed]:
    """The rows of a bucket, indexed under the key of `keys` also when it was another when they were packed."""
    rows: list[Indexed] = []
    for part in parts:
        data = pseudonym.open_bytes(part.rows_sealed, part.seal_key, context=_context(file_id, part.bucket, part.block))
        found = _DECODER.decode(data)
        if part.index_key != keys.index_key:
            found = [Indexed(keys.index_document(document_text(row.holder)), row.holder) for row in found]
        rows += found
    return rows


def _context(file_id: int, bucket: int, block: int) -> bytes:
    return f"city_part:{file_id}:{bucket}:{block}".encode()
