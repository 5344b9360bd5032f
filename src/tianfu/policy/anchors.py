"""Instants that a rule names, and the counters behind some of them, ready to be fetched. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Final

import msgspec

from tianfu.evidence.model import Evidence
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.policy.rules import Anchored, Anchors, SampledAfter
from tianfu.policy.vocabulary import counter_anchor, resolve_anchor

_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
# Asia/Shanghai has been eight hours ahead since 1991, all year round.
_SHANGHAI_AHEAD: Final = timedelta(hours=8)
_DAY: Final = timedelta(days=1)


class ReadyAnchor(msgspec.Struct, frozen=True):
    """An instant ready to be fetched, and what is added to it.

    `counter` with `nth` (0 for the latest sample) when it is one of a counter. Otherwise `fetch` from the statement
    itself, or from the person's statements of `kind`; `path` is what it fetches.
    """

    fetch: Callable[[Evidence], datetime | None]
    path: str
    kind: type[msgspec.Struct] | None
    counter: ReadyCounter | None
    nth: int
    after: timedelta
    midnight: bool

    def value(self, instant: datetime) -> datetime:
        """What the anchor says when it is fetched as `instant`. Raises `OverflowError` beyond the calendar."""
        return (midnight_before(instant) if self.midnight else instant) + self.after


class ReadyCounter(msgspec.Struct, frozen=True, eq=False):
    """One counter of a rule. `after` says from which instant on samples count.

    `parent`: it counts the close contact's tests. Compared by identity, so that it can be a key.
    """

    after: SampledAfter | ReadyAnchor
    methods: tuple[TestMethod, ...]
    results: tuple[TestResult, ...]
    parent: bool = False
    pending: bool = False
    single: bool = False
    gap: timedelta = timedelta(0)
    laboratories: int = 1
    round: timedelta = timedelta(0)


def ready_anchor(written: Anchored, kind: str, counters: Mapping[str, ReadyCounter]) -> ReadyAnchor:
    """The anchor that a checked rule about `kind` with these counters writes so."""
    after = timedelta(days=written.days, hours=written.hours)
    counted = counter_anchor(written.anchor, counters)
    if counted is not None:
        return ReadyAnchor(_nowhere, "", None, counters[counted.counter], counted.nth, after, written.midnight)
    resolved = resolve_anchor(written.anchor, kind)
    if resolved is None:
        message = f"anchor {written.anchor!r} was not checked"
        raise ValueError(message)
    return ReadyAnchor(attrgetter(resolved.path), resolved.path, resolved.kind, None, 0, after, written.midnight)


def listed(anchors: Anchors | None) -> tuple[Anchored, ...]:
    """One anchor, several or none, always as a tuple."""
    if anchors is None:
        return ()
    return (anchors,) if isinstance(anchors, Anchored) else anchors


def midnight_before(instant: datetime) -> datetime:
    """00:00 of the instant's day in Asia/Shanghai; on the calendar's first day, its beginning."""
    try:
        return instant - (instant - _BEGINNING + _SHANGHAI_AHEAD) % _DAY
    except OverflowError:
        return _BEGINNING


def _nowhere(_: Evidence) -> datetime | None:
    """What a counter's anchor finds in a statement."""
    return None
