"""Reading the days: with a permit, mapped from the files, while they are rolled and compacted.

A reader sees the lake as one state says it is. Files that a later state no longer names stay mapped for whoever has
them; who comes a moment too late to map them starts again with the newer state.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final

from tianfu.lake import days, layout, state
from tianfu.lake.layout import Partition
from tianfu.lake.permit import Permit
from tianfu.lake.state import LakeBrokenError, State

# Each try begins with a newer state, and a roller commits every few seconds at most.
_TRIES: Final = 5


class Visits:
    """Visits of some days, as of one moment. Valid inside the `with` block of `open_days`."""

    def __init__(self, permit: Permit, partitions: tuple[Partition, ...]) -> None:
        """Made by `open_days` only."""
        self.permit = permit
        self._partitions: tuple[Partition, ...] | None = partitions

    @property
    def partitions(self) -> tuple[Partition, ...]:
        """The partitions, by day: each day's closed part, what came late, today's buffer. Memory-mapped."""
        if self._partitions is None:
            message = "the days are closed"
            raise RuntimeError(message)
        return self._partitions

    def close(self) -> None:
        """Let go of the files; arrays that somebody still holds keep theirs."""
        self._partitions = None


@contextmanager
def open_days(lake: Path, permit: Permit, first: date, last: date) -> Iterator[Visits]:
    """The visits of the Shanghai days `first` to `last`, both included.

    Everything rolled up to this moment is in it. A scan that was sent twice may be in it twice until the day is
    compacted. Raises `PermitRefusedError`, `LakeBrokenError`. Nothing is written or locked.
    """
    permit.require()
    visits = Visits(permit, _mapped(lake, first, last))
    try:
        yield visits
    finally:
        visits.close()


def _mapped(lake: Path, first: date, last: date) -> tuple[Partition, ...]:
    seen = -1
    for _ in range(_TRIES):
        current = state.load(lake)
        try:
            return tuple(_partitions(lake, current, first, last))
        except FileNotFoundError as error:
            if current.generation == seen:
                # Nobody has changed the lake meanwhile, so the file is missing and not replaced.
                raise LakeBrokenError from error
            seen = current.generation
    raise LakeBrokenError


def _partitions(lake: Path, current: State, first: date, last: date) -> Iterator[Partition]:
    for day in sorted(current.days):
        if not first <= date.fromisoformat(day) <= last:
            continue
        number = layout.day_number(date.fromisoformat(day))
        for part in current.days[day]:
            yield Partition(
                number,
                days.open_words(lake, day, part, days.BY_VENUE),
                days.open_words(lake, day, part, days.BY_PERSON),
            )
