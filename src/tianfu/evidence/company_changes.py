"""Where it changed who is together with whom, other than by scans: a queue beside the change feed, for whoever traces.

Queued in the transaction of the statement, its revision or withdrawal, of a merge or its undoing, and taken in the one
that acts on it, so that neither a crash nor the order of commits loses anything. The queue says only where to look;
what holds there is read from the ledger. What a list of passengers says of one carriage is one entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from tianfu.evidence import company_store
from tianfu.evidence.co_stays import CoStay
from tianfu.evidence.company_store import Change
from tianfu.ids import PersonRef
from tianfu.platform.database import Write

_Times = tuple[datetime, datetime | None]
# Places of one statement: three arrays of 1.5 MB together.
_AT_ONCE: Final = 50_000


def note_stays(write: Write, stays: Iterable[CoStay], at: datetime) -> None:
    """Queue the places of `stays` that came or went."""
    changed: dict[UUID, _Times] = {}
    for stay in stays:
        begins_at, ends_at = changed.get(stay.place, (stay.begins_at, stay.ends_at))
        ends_at = None if ends_at is None or stay.ends_at is None else max(ends_at, stay.ends_at)
        changed[stay.place] = (min(begins_at, stay.begins_at), ends_at)
    # In one order, as everything that is written for many.
    rows = [(place, *changed[place]) for place in sorted(changed)]
    for start in range(0, len(rows), _AT_ONCE):
        company_store.note_places(write, rows[start : start + _AT_ONCE], at)


def note_people(write: Write, persons: Iterable[PersonRef], at: datetime, *, merged: bool = False) -> None:
    """Queue people whose own stays went, whose isolation is another, or who are `merged` otherwise than before."""
    ordered = sorted(set(persons))
    if ordered:
        company_store.note_people(write, ordered, at, merged=merged)


def take(write: Write, *, limit: int) -> list[Change]:
    """Remove up to `limit` entries, oldest first; they are there again when the transaction rolls back."""
    return company_store.take(write, limit)
