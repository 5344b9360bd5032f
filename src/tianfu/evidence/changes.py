"""The change feed: people whose status may no longer follow from their evidence.

People are queued in the transaction that changes their evidence and taken in the transaction that recomputes their
status, so that neither a crash nor a race can lose the change. Marking somebody twice is harmless: they are decided
twice at worst. What one append concerns is one entry (a bulk append is cut into several), so appends never wait for
each other; entries of a few people have precedence over bulk, so that a fresh result does not wait behind a delivery.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from tianfu.evidence import store
from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write

CHANNEL: Final = store.CHANNEL
"""Where a listener hears that somebody was queued; the message is empty."""

# An append that concerns more people than this is bulk: a clinic's hour goes first, a laboratory's file does not.
SMALL_PEOPLE_MAX: Final = 100


class Backlog(msgspec.Struct, frozen=True):
    """How many people wait (who waits twice counts twice), and since when the first does (None when nobody waits)."""

    people: int
    oldest: datetime | None


def mark(write: Write, persons: Iterable[PersonRef], at: datetime) -> None:
    """Queue `persons` and wake the worker when this transaction commits."""
    ordered = sorted(set(persons))
    if ordered:
        _queue(write, ordered, at, bulk=len(ordered) > SMALL_PEOPLE_MAX)
        store.notify(write)


def wake(write: Write) -> None:
    """Wake the worker when this transaction commits though nobody was queued: what it decides by has changed."""
    store.notify(write)


def take(write: Write, *, limit: int, at: datetime) -> list[PersonRef]:
    """Remove up to `limit` people from the queue and return them, ascending and each once.

    Entries of a few people first, then by the instant they were queued for. They are queued again when the transaction
    rolls back. The rest of the transaction is planned for looking up its rows by key.
    """
    store.plan_by_key(write)
    taken: set[PersonRef] = set()
    room = limit
    for bulk, since, persons in store.take(write, limit, at):
        taken.update(persons[:room])
        if len(persons) > room:
            _queue(write, persons[room:], since, bulk=bulk)
        room -= min(room, len(persons))
    return sorted(taken)


def postpone(write: Write, persons: Iterable[PersonRef], until: datetime) -> None:
    """Queue `persons` for `until`; who is queued for then or earlier already is left at that."""
    wanted = set(persons)
    if wanted:
        ordered = sorted(wanted - store.waiting(write, sorted(wanted), until))
        _queue(write, ordered, until, bulk=False)


def _queue(write: Write, ordered: Sequence[PersonRef], at: datetime, *, bulk: bool) -> None:
    for start in range(0, len(ordered), store.CHANGE_PEOPLE_MAX):
        store.mark(write, ordered[start : start + store.CHANGE_PEOPLE_MAX], at, bulk=bulk)


def waiting(read: Read, persons: Sequence[PersonRef]) -> set[PersonRef]:
    """Which of `persons` are queued, postponed ones included."""
    return store.waiting(read, persons)


def backlog(read: Read) -> Backlog:
    """What is queued now."""
    people, oldest = store.backlog(read)
    return Backlog(people, oldest)
