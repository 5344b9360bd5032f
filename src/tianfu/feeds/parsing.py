"""From the bytes of a file to rows that fit their contract and rows that do not. Touches no database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from tianfu.feeds import table
from tianfu.feeds.contract import Contract, Row
from tianfu.feeds.quarantine import SetAside

Progress = Callable[[str, int, int], None]
_PROGRESS_ROWS: Final = 2_000


class Parsed(msgspec.Struct, frozen=True):
    """What a file holds: how it was encoded, the rows that can be accepted, and those that are set aside."""

    encoding: str
    rows: tuple[Row, ...]
    set_aside: tuple[SetAside, ...]

    @property
    def total(self) -> int:
        """How many rows the file has."""
        return len(self.rows) + len(self.set_aside)


def parse(data: bytes, contract: Contract, at: datetime, progress: Progress | None = None) -> Parsed:
    """Read the file `data`, received `at`. Raises `FeedRefusedError` when it does not fit the contract as a whole."""
    content = table.read(data, contract)
    rows: list[Row] = []
    set_aside: list[SetAside] = []
    for done, line in enumerate(content.rows):
        if progress is not None and done % _PROGRESS_ROWS == 0:
            progress("read", done, len(content.rows))
        if line.cells is None:
            set_aside.append(SetAside(line.number, "", "cells", line.raw))
            continue
        parsed = contract.parse(line.cells, at)
        if isinstance(parsed, Row):
            rows.append(parsed)
        else:
            set_aside.append(SetAside(line.number, parsed[0].field, parsed[0].code, line.raw, line.cells))
    if progress is not None:
        progress("store", len(content.rows), len(content.rows))
    return Parsed(content.encoding, tuple(rows), tuple(set_aside))
