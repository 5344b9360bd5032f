"""Time, read in one place.

Edges (services, commands) hold a `Clock`, read it once per use and pass the instant on; nothing below them asks
for the time. Instants are aware datetimes in UTC; a day is a day of Asia/Shanghai, which has had no summer time
since 1991.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, Protocol
from zoneinfo import ZoneInfo

import msgspec

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

# The type of a stored or sent instant: reading one without an offset is refused at the edge.
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Clock(Protocol):
    """Where an edge gets the time from."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)


def now_milliseconds() -> int:
    """Milliseconds since 1970 by the machine's clock, for the hot handlers' edge."""
    return time.time_ns() // 1_000_000


def monotonic_seconds() -> float:
    """Seconds on a clock that never goes back; for measuring durations and waiting."""
    return time.monotonic()


def thread_seconds() -> float:
    """Processor time of the calling thread in seconds, its share of the kernel's included."""
    return time.thread_time()


def require_aware(at: datetime) -> datetime:
    """`at` itself; a naive datetime is the caller's bug and raises `ValueError`."""
    if at.tzinfo is None or at.utcoffset() is None:
        message = f"instant {at.isoformat()} has no time zone"
        raise ValueError(message)
    return at


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant with offset, as UTC. Raises `ValueError` without an offset or when malformed."""
    return require_aware(datetime.fromisoformat(text)).astimezone(UTC)


def shanghai_day(at: datetime) -> date:
    """The Asia/Shanghai day that holds `at`."""
    return require_aware(at).astimezone(SHANGHAI).date()


def day_start(day: date) -> datetime:
    """The first instant of an Asia/Shanghai day, as UTC; the day ends (exclusive) at the next one's start."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def whole_hours_between(earlier: datetime, later: datetime) -> int:
    """Full hours from `earlier` to `later`; 0 when `later` comes first."""
    return max(0, int((later - earlier) // timedelta(hours=1)))
