"""How often one address may ask for something, in memory and bounded: a token bucket for each address."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from tianfu.clock import monotonic_seconds
from tianfu.errors import TianfuError

# 10,000 addresses of about 200 bytes are 2 MB; the one unseen for longest is forgotten first.
ADDRESSES_MAX: Final = 10_000


class TooManyRequestsError(TianfuError):
    """The address asked too often."""

    code = "too_many_requests"
    status = 429
    zh = "操作过于频繁，请稍后再试。"
    en = "Too many requests from your network; please try again in a moment."


class Rate:
    """`burst` requests at once and `per_minute` on average for each address. Safe to share between threads."""

    def __init__(self, *, per_minute: int, burst: int) -> None:
        """Start with every bucket full."""
        self._per_second = per_minute / 60
        self._burst = burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._guard = threading.Lock()

    def spend(self, address: str) -> None:
        """Take one. Raises `TooManyRequestsError` with the seconds until there is one again."""
        now = monotonic_seconds()
        with self._guard:
            left, seen = self._buckets.pop(address, (float(self._burst), now))
            left = min(self._burst, left + (now - seen) * self._per_second)
            self._buckets[address] = (left - 1 if left >= 1 else left, now)
            if len(self._buckets) > ADDRESSES_MAX:
                self._buckets.popitem(last=False)
        if left < 1:
            raise TooManyRequestsError(retry_after_seconds=int((1 - left) / self._per_second) + 1)
