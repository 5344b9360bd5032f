"""People whom new evidence may make a case, or unmake one: a queue beside the change feed, for whoever traces.

They are queued in the transaction that appends the statement and taken in the one that acts on it, so that neither a
crash nor the order of commits loses anybody or counts them twice. The queue says only who is to be looked at; what
holds about them is read from the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from tianfu.evidence import case_store
from tianfu.evidence.care_kinds import Isolation
from tianfu.evidence.kinds import Case, Test
from tianfu.evidence.model import NewEvidence
from tianfu.evidence.test_words import TestResult
from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write

_ALWAYS: Final = (Case, Isolation)


def concerns(item: NewEvidence) -> bool:
    """Whether a statement, or its withdrawal, may make a case, unmake one, or change how long it infects."""
    said = item.attributes
    return isinstance(said, _ALWAYS) or (isinstance(said, Test) and said.result is TestResult.POSITIVE)


def note(write: Write, appended: Iterable[NewEvidence], revised: Iterable[PersonRef], at: datetime) -> None:
    """Queue the people whom `appended` concerns, and `revised`: people whose tests or reports say other than before."""
    persons = {item.person for item in appended if concerns(item)} | set(revised)
    if persons:
        case_store.mark(write, sorted(persons), at)


def mark(write: Write, persons: Iterable[PersonRef], at: datetime) -> None:
    """Queue `persons` again, as who takes an entry and cannot act on it does."""
    case_store.mark(write, sorted(set(persons)), at)


def take(write: Write, *, limit: int) -> dict[PersonRef, datetime]:
    """Remove up to `limit` entries: whom to look at, and since when they wait.

    They are there again when the transaction rolls back.
    """
    taken: dict[PersonRef, datetime] = {}
    for person, since in case_store.take(write, limit):
        known = PersonRef(person)
        taken[known] = min(since, taken.get(known, since))
    return taken


def isolated_among(read: Read, persons: Iterable[PersonRef]) -> list[PersonRef]:
    """Who of `persons` was ever said to be isolated, ascending; whether that stands is read from the ledger."""
    return [PersonRef(person) for person in case_store.isolated_among(read, sorted(set(persons)))]


def oldest(read: Read) -> datetime | None:
    """Since when the first entry waits; None when none does."""
    return case_store.oldest(read)
