"""Cutting a file into blocks of whole lines, so that several processes read it and a killed load knows where it was."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

# Some 100,000 rows: two seconds of work for one process, which is what a kill costs.
BLOCK_BYTES: Final = 8 * 2**20
# What is settled at once comes from this many blocks' worth of the file: 50,000 to 150,000 rows, at most 100 MB.
BUCKET_BLOCKS: Final = 2
BUCKET_BITS_MAX: Final = 9


class Block(NamedTuple):
    """Bytes `starts_at` to `ends_at` of a file: whole lines, the first of them line `first_row` (from 1)."""

    number: int
    starts_at: int
    ends_at: int
    first_row: int


class Plan(NamedTuple):
    """A file before it is read. The first line is no row where it is a header."""

    digest: bytes
    size: int
    rows: int
    header: bytes
    blocks: tuple[Block, ...]
    bucket_bits: int


def plan(path: Path, *, has_header: bool, block_bytes: int = BLOCK_BYTES) -> Plan:
    """Read the file once, for its digest and its blocks."""
    digest = hashlib.sha256()
    blocks: list[Block] = []
    starts_at = position = 0
    row = lines = 1
    with path.open("rb") as file:
        header = file.readline()
        file.seek(0)
        if has_header:
            starts_at = len(header)
            row = 2
        while data := file.read(block_bytes):
            digest.update(data)
            lines += data.count(b"\n")
            position += len(data)
            # Cut behind the last line that ends in what was read; a longer line goes on into the next block.
            end = position - len(data) + data.rfind(b"\n") + 1
            if b"\n" in data and end > starts_at:
                blocks.append(Block(len(blocks), starts_at, end, row))
                starts_at, row = end, lines
        if position > starts_at:
            blocks.append(Block(len(blocks), starts_at, position, row))
            lines += 1
    first = 2 if has_header else 1
    bits = min(BUCKET_BITS_MAX, max(0, (position // (BUCKET_BLOCKS * block_bytes)).bit_length()))
    return Plan(digest.digest(), position, max(0, lines - first), header, tuple(blocks), bits)


def read(file: BinaryIO, block: Block) -> bytes:
    """The bytes of a block."""
    file.seek(block.starts_at)
    return file.read(block.ends_at - block.starts_at)
