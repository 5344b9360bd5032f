"""A department's file as it stands: the names of its columns, and rows of texts; whatever its format. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from tianfu.errors import Fault

# No contract has a quarter of this; a file with more columns is something else.
COLUMNS_MAX: Final = 100


class Sheet(msgspec.Struct, frozen=True):
    """The columns as the file names them, and its rows: each with its number and one text a column.

    A row that does not fit has another number of texts; what they say is then only kept for whoever looks into it.
    Reading the rows can raise `UnreadableError`.
    """

    columns: tuple[str, ...]
    rows: Iterator[tuple[int, Sequence[str]]]


class UnreadableError(Exception):
    """The whole file cannot be read; `faults` says why."""

    def __init__(self, *faults: Fault) -> None:
        """Keep the faults."""
        super().__init__(", ".join(fault.code for fault in faults))
        self.faults = faults


def unreadable(*, code: str, zh: str, en: str) -> UnreadableError:
    """The error for a fault of the file as such."""
    return UnreadableError(Fault("file", code, zh, en))
