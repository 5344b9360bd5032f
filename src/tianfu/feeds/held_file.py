"""The file of a batch that waits for its second person: compressed, cut, each part sealed for its place."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import Final

from tianfu.feeds import store
from tianfu.feeds.parsing import Parsed
from tianfu.feeds.store import Batch, HeldPart
from tianfu.feeds.table import FILE_BYTES_MAX
from tianfu.platform.database import Read, Write
from tianfu.platform.pseudonym import PLAINTEXT_BYTES_MAX, Pseudonym, SealBrokenError

# Sealing takes text; base64 makes four characters of three bytes: 2^17 characters are 98,304 bytes.
PART_BYTES: Final = PLAINTEXT_BYTES_MAX // 4 * 3
# Fast: a held file is read once or twice, and its columns repeat themselves.
_COMPRESSION: Final = 1


def keep(write: Write, batch: Batch, data: bytes, parsed: Parsed, *, pseudonym: Pseudonym) -> Batch:
    """Seal `data` beside its batch and write down what it holds; nothing of it is accepted."""
    packed = zlib.compress(data, _COMPRESSION)
    pieces = [packed[start : start + PART_BYTES] for start in range(0, len(packed), PART_BYTES)]
    store.keep_file(
        write,
        batch.batch_id,
        (
            HeldPart(number, sealed.data, sealed.key_id)
            for number, piece in enumerate(pieces)
            for sealed in (
                pseudonym.seal(
                    base64.b64encode(piece).decode("ascii"), context=_context(batch.batch_id, number, len(pieces))
                ),
            )
        ),
    )
    store.close_batch(
        write, batch.batch_id, rows=parsed.total, accepted=0, duplicates=0, set_aside=len(parsed.set_aside)
    )
    stored = store.batch(write, batch.batch_id)
    if stored is None:
        message = "a batch is gone in its own transaction"
        raise RuntimeError(message)
    return stored


def restore(read: Read, batch: Batch, *, pseudonym: Pseudonym) -> bytes:
    """The file as it came. Raises `SealBrokenError` when a part is missing, moved or changed."""
    parts = store.file_parts(read, batch.batch_id)
    packed = b"".join(
        base64.b64decode(
            pseudonym.open(part.data_sealed, part.seal_key, context=_context(batch.batch_id, part.part, len(parts)))
        )
        for part in parts
    )
    try:
        data = zlib.decompressobj().decompress(packed, FILE_BYTES_MAX + 1)
    except zlib.error:
        raise SealBrokenError from None
    if hashlib.sha256(data).digest() != batch.digest:
        raise SealBrokenError
    return data


def _context(batch_id: int, part: int, parts: int) -> bytes:
    """Binds a part to its batch, its place and the number of parts."""
    return f"feed.held:{batch_id}:{part}:{parts}".encode()
