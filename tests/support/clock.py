"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tianfu.clock import require_aware

NOON = datetime(2022, 3, 1, 4, 0, tzinfo=UTC)
"""An ordinary instant for tests: noon in Shanghai on 1 March 2022."""


class FixedClock:
    """Always says the same instant, until `advance`."""

    def __init__(self, at: datetime = NOON) -> None:
        self._at = require_aware(at)

    def now(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> datetime:
        """Move on; the new instant."""
        self._at += by
        return self._at
