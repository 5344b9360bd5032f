"""Half-open periods of time: the start belongs to the period, the end does not."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tianfu.clock import Instant, require_aware


class Interval(msgspec.Struct, frozen=True):
    """The period [start, end); an `end` of None has not been reached yet.

    Raises `ValueError` for a naive instant or an end before the start. An empty period (end = start) is legal and
    contains nothing.
    """

    start: Instant
    end: Instant | None = None

    def __post_init__(self) -> None:
        """Check what every later use relies on."""
        require_aware(self.start)
        if self.end is not None and require_aware(self.end) < self.start:
            message = f"period ends at {self.end.isoformat()}, before its start {self.start.isoformat()}"
            raise ValueError(message)

    def contains(self, at: datetime) -> bool:
        """Whether `at` lies in [start, end)."""
        return self.start <= at and (self.end is None or at < self.end)

    def overlaps(self, other: Interval) -> bool:
        """Whether the two periods share at least one instant."""
        begins_in_time = self.end is None or other.start < self.end
        ends_in_time = other.end is None or self.start < other.end
        return begins_in_time and ends_in_time and not self._is_empty() and not other._is_empty()

    def _is_empty(self) -> bool:
        return self.end is not None and self.end == self.start
