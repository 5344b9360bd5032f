"""Bodies that are on their way: so many are read at once, and the oldest gives way to the newest.

Some clients trickle on purpose, to hold all places; those who send at once are not to wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from tianfu.platform.http import BusyError

Body = TypeVar("Body")


class Bodies:
    """The places for reading. For one event loop. No timers: one for each body would cost a tenth of a scan."""

    __slots__ = ("_at_once_max", "_reading")

    def __init__(self, at_once_max: int) -> None:
        """Read at most so many at once, at least one."""
        self._at_once_max = at_once_max
        self._reading: dict[asyncio.Task[Any] | None, None] = {}

    async def read(self, reading: Coroutine[Any, Any, Body]) -> Body:
        """What `reading` gives. Raises `BusyError` when it had to give way to a newer one."""
        task = asyncio.current_task()
        if len(self._reading) >= self._at_once_max:
            oldest = next(iter(self._reading))
            if oldest is not None:
                oldest.cancel()
        self._reading[task] = None
        try:
            return await reading
        except asyncio.CancelledError:
            raise BusyError from None
        finally:
            del self._reading[task]
