"""What goes wrong with departments' files, on purpose: late, doubled, mangled, without a column, empty. Pure.

Each fault is one that the intake must meet: rows that come late or twice are repetitions or simply later; digits that
a spreadsheet mangled are set aside; a file without a column it must have, or without anything in it, is refused.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

Row = Mapping[str, str]

# Every so many-th row of the feed that the fault is made in.
LATE_EVERY: Final = 7
DOUBLED_EVERY: Final = 9
MANGLED_EVERY: Final = 50


class Fault(enum.Enum):
    """Kinds of fault."""

    LATE = "late"
    DOUBLED = "doubled"
    MANGLED = "mangled"
    COLUMN_MISSING = "column_missing"
    EMPTY = "empty"


# Which feed has which fault, and the column that is missing.
FAULTS: Final[Mapping[str, Fault]] = {
    "lab": Fault.MANGLED,
    "railway": Fault.LATE,
    "education": Fault.DOUBLED,
    "aviation": Fault.COLUMN_MISSING,
    "coach": Fault.EMPTY,
}
MISSING_COLUMN: Final = "departed_at"


class Part(NamedTuple):
    """One file of a feed: what its name ends in, its rows, and what the intake must make of them.

    `refused`: nothing of it is taken. The rows from `once` on repeat earlier ones.
    """

    ending: str
    rows: Sequence[Row]
    fault: Fault | None
    once: int
    refused: bool = False


def parts(feed: str, rows: Sequence[Row]) -> list[Part]:
    """The files that the rows of `feed` arrive in, with the fault of that feed if it has one."""
    fault = FAULTS.get(feed)
    if fault is None or not rows:
        return [whole(rows)]
    if fault is Fault.LATE:
        late = rows[::LATE_EVERY]
        punctual = [row for number, row in enumerate(rows) if number % LATE_EVERY]
        return [whole(punctual), Part("-late", late, fault, len(late))]
    if fault is Fault.DOUBLED:
        again = rows[::DOUBLED_EVERY]
        return [Part("", [*rows, *again], fault, len(rows))]
    if fault is Fault.MANGLED:
        mangled = [_mangled(row) if number % MANGLED_EVERY == 0 else row for number, row in enumerate(rows)]
        return [Part("", mangled, fault, len(mangled))]
    if fault is Fault.COLUMN_MISSING:
        cut = [{name: cell for name, cell in row.items() if name != MISSING_COLUMN} for row in rows]
        # The department sends it again, whole.
        return [Part("-cut", cut, fault, len(cut), refused=True), whole(rows)]
    return [Part("-empty", (), fault, 0, refused=True), whole(rows)]


def whole(rows: Sequence[Row]) -> Part:
    """A file without a fault."""
    return Part("", rows, None, len(rows))


def is_mangled(row: Row) -> bool:
    """Whether a spreadsheet has been at the document number of `row`."""
    return "E+" in row["document_number"]


def _mangled(row: Row) -> Row:
    """A spreadsheet took the document number for a quantity."""
    return {**row, "document_number": f"{float(row['document_number'][:17]):.5E}"}
