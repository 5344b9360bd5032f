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

    `refused`: nothing of it is taken. `set_aside` and `repeated` count rows.
    """

    ending: str
    rows: Sequence[Row]
    fault: Fault | None
    refused: bool = False
    set_aside: int = 0
    repeated: int = 0


def parts(feed: str, rows: Sequence[Row]) -> list[Part]:
    """The files that the rows of `feed` arrive in, with the fault of that feed if it has one."""
    fault = FAULTS.get(feed)
    if fault is None or not rows:
        return [Part("", rows, None)]
    if fault is Fault.LATE:
        late = rows[::LATE_EVERY]
        punctual = [row for number, row in enumerate(rows) if number % LATE_EVERY]
        return [Part("", punctual, None), Part("-late", late, fault)]
    if fault is Fault.DOUBLED:
        again = rows[::DOUBLED_EVERY]
        return [Part("", [*rows, *again], fault, repeated=len(again))]
    if fault is Fault.MANGLED:
        mangled = [_mangled(row) if number % MANGLED_EVERY == 0 else row for number, row in enumerate(rows)]
        return [Part("", mangled, fault, set_aside=-(-len(rows) // MANGLED_EVERY))]
    if fault is Fault.COLUMN_MISSING:
        cut = [{name: cell for name, cell in row.items() if name != MISSING_COLUMN} for row in rows]
        # The department sends it again, whole.
        return [Part("-cut", cut, fault, refused=True), Part("", rows, None)]
    return [Part("-empty", (), fault, refused=True), Part("", rows, None)]


def _mangled(row: Row) -> Row:
    """A spreadsheet took the document number for a quantity."""
    return {**row, "document_number": f"{float(row['document_number'][:17]):.5E}"}
