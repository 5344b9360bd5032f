"""The change feed: people whose status may no longer follow from their evidence.

A person is queued in the transaction that changes their evidence and taken in the transaction that recomputes their
status, so that neither a crash nor a race can lose the change. Marking somebody twice is harmless.
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


class Backlog(msgspec.Struct, frozen=True):
    """How many people wait, and since when the first of them does (None when nobody waits)."""

    people: int
    oldest: datetime | None


def mark(write: Write, persons: Iterable[PersonRef], at: datetime) -> None:
    """Queue `persons` and wake the worker when this transaction commits.

    Rows are locked in ascending order, so that two transactions never wait for each other in a circle.
    """
    ordered = sorted(set(persons))
    if ordered:
        store.mark(write, ordered, at)
        store.notify(write)


def wake(write: Write) -> None:
    """Wake the worker when this transaction commits though nobody was queued: what it decides by has changed."""
    store.notify(write)


def take(write: Write, *, limit: int, at: datetime) -> list[PersonRef]:
    """Remove up to `limit` people from the queue and return them, ascending.

    They are queued again when the transaction rolls back. People who are being queued at this moment are passed over
    and come later. The rest of the transaction is planned for looking up its rows by key.
    """
    store.plan_by_key(write)
    return store.take(write, limit, at)


def postpone(write: Write, persons: Iterable[PersonRef], until: datetime) -> None:
    """Queue `persons` for `until`: not taken before, unless new evidence marks them for earlier."""
    ordered = sorted(set(persons))
    if ordered:
        store.mark(write, ordered, until)


def waiting(read: Read, persons: Sequence[PersonRef]) -> set[PersonRef]:
    """Which of `persons` are queued, postponed ones included."""
    return store.waiting(read, persons)


def backlog(read: Read) -> Backlog:
    """What is queued now."""
    people, oldest = store.backlog(read)
    return Backlog(people, oldest)
