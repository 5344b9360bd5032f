"""Whether a CSV file's quotation marks stand where RFC 4180 puts them, by its bytes alone, a gigabyte a second.

DuckDB reads other files too, but not as they are meant: `a, "b"` becomes `a,b`, a text that is never closed is dropped
by one thread with all that follows it, and several threads take a line end inside a text for the end of a row.
"""

from __future__ import annotations

import codecs
import enum
from pathlib import Path
from typing import Final

import numpy as np

BLOCK_BYTES: Final = 4 * 1024 * 1024
_MARK: Final = ord('"')
# What may stand before a mark that opens and after one that closes; a doubled mark closes and opens again.
_BESIDE: Final = np.zeros(256, np.bool_)
_BESIDE[[ord(letter) for letter in ',\r\n"']] = True


class Quotes(enum.Enum):
    """How quotation marks stand in a file: nowhere, only around whole fields and doubled inside, or otherwise."""

    NONE = "none"
    REGULAR = "regular"
    IRREGULAR = "irregular"


def quotes_of(path: Path, block_bytes: int = BLOCK_BYTES) -> Quotes:
    """How quotation marks stand in the CSV file `path`, which is read in blocks of `block_bytes`, at least 1."""
    seen, opening = False, True
    with path.open("rb") as file:
        if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            file.seek(0)
        # The file stands between two line ends. All letters but the first and the last have both neighbours at hand.
        text, more = b"\n", True
        while more:
            block = file.read(block_bytes)
            more = bool(block)
            text += block or b"\n"
            letters = np.frombuffer(text, np.uint8)
            marks = np.flatnonzero(letters[1:-1] == _MARK) + 1
            openers, closers = (marks[0::2], marks[1::2]) if opening else (marks[1::2], marks[0::2])
            if not (_BESIDE[letters[openers - 1]].all() and _BESIDE[letters[closers + 1]].all()):
                return Quotes.IRREGULAR
            seen = seen or len(marks) > 0
            opening ^= len(marks) % 2 == 1
            text = text[-2:]
    if not opening:
        return Quotes.IRREGULAR
    return Quotes.REGULAR if seen else Quotes.NONE
