"""The lease of a process of which one works and others stand by."""

from __future__ import annotations

import os
import socket

from tianfu.clock import Clock
from tianfu.errors import TianfuError
from tianfu.platform import leases
from tianfu.platform.database import Database, Purpose
from tianfu.platform.observe import Log


class Lease:
    """One process's hold on the lease `name`, which lapses `seconds` after it was last held.

    `purpose` is the pool it is held by: one that the work itself does not fill.
    """

    def __init__(
        self, database: Database, log: Log, clock: Clock, *, name: str, seconds: float, purpose: Purpose
    ) -> None:
        """Hold nothing yet."""
        self._database = database
        self._log = log
        self._clock = clock
        self._name = name
        self._seconds = seconds
        self._purpose = purpose
        self._holder = f"{socket.gethostname()[:100]}:{os.getpid()}"

    def hold(self) -> bool:
        """Whether this process has the lease for the next `seconds`. Raises what the database raises."""
        with self._database.write(self._purpose) as write:
            return leases.acquire(
                write, name=self._name, holder=self._holder, at=self._clock.now(), seconds=self._seconds
            )

    def leave(self) -> None:
        """Give it back, so that another process begins at once; without the database it is left to lapse."""
        try:
            with self._database.write(self._purpose) as write:
                leases.release(write, name=self._name, holder=self._holder)
        except TianfuError as error:
            self._log.warning("the lease is left to lapse", code=error.code)
