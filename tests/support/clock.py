"""A clock that stands still until a test moves it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from tianfu.clock import SHANGHAI, SystemClock, require_aware

NOON = datetime(2022, 3, 1, 4, 0, tzinfo=UTC)
"""An ordinary instant for tests: noon in Shanghai on 1 March 2022."""


_DAY_LEFT_MIN = timedelta(minutes=2)


def within_a_day() -> datetime:
    """Now, with enough left of the day in Shanghai for a test that needs to begin and end on the same one."""
    now = SystemClock().now()
    local = now.astimezone(SHANGHAI)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    if midnight - local > _DAY_LEFT_MIN:
        return now
    time.sleep((midnight - local).total_seconds() + 1)
    return SystemClock().now()


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
