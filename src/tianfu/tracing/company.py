"""From changed households, units, seats, carriers' lists, isolations and merges to the cases that they concern.

A case is concerned when it, or a contact that it goes on from, stays where something changed, or is who changed. Such
a case is marked, and the next run of its incident expands it again. Too many marks cost time and nothing else: a run
stores what holds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from tianfu.evidence import company_changes
from tianfu.ids import PersonRef
from tianfu.platform.database import Write
from tianfu.residents import merging
from tianfu.tracing import mark_store

# Places of schools have 50 people, of trains 100: 20,000 to look up, 0.2 s. Positives do not wait for more.
CHANGES_AT_ONCE: Final = 200
# With nothing to trace a load of a province's memberships is only forgotten: 0.1 s.
FORGOTTEN_AT_ONCE: Final = 10_000


class Concerned(NamedTuple):
    """How many changes were looked at, and how many marks they came to."""

    changes: int
    marks: int


def follow(write: Write, *, at: datetime) -> Concerned:
    """Look at some changes, oldest first, and mark the cases that they concern; in one transaction."""
    traced = mark_store.is_traced_anywhere(write)
    changes = company_changes.take(write, limit=CHANGES_AT_ONCE if traced else FORGOTTEN_AT_ONCE)
    if not changes or not traced:
        return Concerned(len(changes), 0)
    places = [
        (change.place, change.begins_at, change.ends_at)
        for change in changes
        if change.place is not None and change.begins_at is not None
    ]
    persons = {change.person for change in changes if change.person is not None and not change.merged}
    renumbered = {PersonRef(change.person) for change in changes if change.person is not None and change.merged}
    if places:
        persons.update(mark_store.people_at(write, places))
    everybody = merging.together(write, map(PersonRef, persons))
    return Concerned(len(changes), mark_store.mark(write, everybody, merging.together(write, renumbered), at=at))
