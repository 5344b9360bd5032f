"""The first half of a load: a block of the file becomes sealed parts and rows set aside, in one transaction."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from tianfu.platform.database import Purpose
from tianfu.platform.pseudonym import NONCE_BYTES, Pseudonym
from tianfu.residents.city_codes import blocks, city_store, parts
from tianfu.residents.city_codes.blocks import Block
from tianfu.residents.city_codes.desk import Desk
from tianfu.residents.city_codes.read import Holder, Reader, Refused


def block(desk: Desk, reader: Reader, path: Path, piece: Block, *, file_id: int, bits: int, at: datetime) -> int:
    """Read one block; how many rows were accepted. Nothing happens when it was done before."""
    with path.open("rb") as file:
        data = blocks.read(file, piece)
    keys = desk.pseudonym.bulk()
    holders: list[Holder] = []
    refused: list[Refused] = []
    for row in reader.lines(data, piece.first_row):
        if isinstance(row, Holder):
            holders.append(row)
        else:
            refused.append(row)
    made = parts.packed(holders, file_id=file_id, block=piece.number, bits=bits, keys=keys)
    sealed = [
        (row.row, row.field, row.reason, keys.seal(row.line.encode(), _context(file_id, row.row), _nonce()), key)
        for row in refused
        for key in (keys.seal_key,)
    ]
    with desk.database.write(Purpose.BATCH) as write:
        if not city_store.hold_block(write, file_id, piece.number):
            return 0
        city_store.insert_parts(write, file_id, made)
        city_store.insert_set_aside(write, file_id, sealed)
        city_store.finish_block(write, file_id, piece.number, accepted=len(holders), set_aside=len(refused), at=at)
    return len(holders)


def _nonce() -> bytes:
    return os.urandom(NONCE_BYTES)


def _context(file_id: int, row: int) -> bytes:
    return f"city_set_aside:{file_id}:{row}".encode()


def set_aside_line(sealed: bytes, key: str, *, file_id: int, row: int, pseudonym: Pseudonym) -> str:
    """A line that was set aside, as the city wrote it."""
    return pseudonym.open(sealed, key, context=_context(file_id, row))
