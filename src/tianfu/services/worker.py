"""The worker: from evidence to the board, for as long as it lives.

    python -m tianfu.services.worker

One worker works, the one that holds the lease; others stand by and take over within seconds of its death. Without
the database nothing is recomputed and the board is not said to be alive, so the gates know its age. SIGTERM and
SIGINT end the batch under way and give the lease back.
"""

from __future__ import annotations

import threading
from typing import Final

from tianfu.clock import Clock, SystemClock, monotonic_seconds
from tianfu.errors import TianfuError
from tianfu.evidence import changes
from tianfu.feeds import freshness
from tianfu.platform import collector
from tianfu.platform.database import Database, Listener, Purpose
from tianfu.platform.observe import Log
from tianfu.platform.settings import Settings, load
from tianfu.services.installation import installed_database
from tianfu.services.lease import Lease
from tianfu.services.refusal import explained
from tianfu.services.signed_lists import SignedLists
from tianfu.services.told import until_told
from tianfu.status.cycle import Cycle

LEASE_NAME: Final = "status"
# A worker that dies keeps everybody waiting this long; one that lives renews five times in it.
LEASE_SECONDS: Final = 5.0
BEAT_SECONDS: Final = 1.0
# New evidence wakes the worker at once; this is for what only time brings (lapses, a policy taking effect).
IDLE_SECONDS: Final = 0.5
BACKOFF_SECONDS_MIN: Final = 0.2
BACKOFF_SECONDS_MAX: Final = 5.0
TIDY_SECONDS: Final = 3600.0
FEEDS_SECONDS: Final = 60.0


class Worker:
    """The loop. `run` returns when `stopping` is set; expected failures are logged and tried again."""

    def __init__(self, settings: Settings, database: Database, log: Log, *, clock: Clock | None = None) -> None:
        """Use the settings' board folder; one worker for one process."""
        self._database = database
        self._board_folder = settings.var / "board"
        self._log = log
        self._clock = clock or SystemClock()
        self._lease = Lease(database, log, self._clock, name=LEASE_NAME, seconds=LEASE_SECONDS, purpose=Purpose.WORKER)
        self._cycle: Cycle | None = None
        self._lists = SignedLists(database, settings.var, log, life_seconds=settings.codes.list_hours * 3600)
        self._beat_at = 0.0
        self._tidy_at = 0.0
        self._feeds_at = 0.0
        self._backoff = BACKOFF_SECONDS_MIN

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping` is set."""
        while not stopping.is_set():
            try:
                with self._database.listen(changes.CHANNEL) as listener:
                    self._serve(listener, stopping)
            except TianfuError as error:
                self._stand_down()
                self._log.warning("the worker waits", code=error.code, milliseconds=int(self._backoff * 1000))
                stopping.wait(self._backoff)
                self._backoff = min(self._backoff * 2, BACKOFF_SECONDS_MAX)
        self._leave()

    def _serve(self, listener: Listener, stopping: threading.Event) -> None:
        self._beat_at = 0.0
        while not stopping.is_set():
            due = monotonic_seconds() >= self._beat_at
            if due:
                self._beat_at = monotonic_seconds() + BEAT_SECONDS
                if not self._hold_lease():
                    self._stand_down()
            if self._cycle is None:
                listener.wait(IDLE_SECONDS)
                continue
            worked = self._cycle.step(self._clock.now())
            if due:
                self._beat(self._cycle)
            if not worked:
                listener.wait(IDLE_SECONDS)

    def _hold_lease(self) -> bool:
        """Whether this worker is the one that works; takes its place when it has become that."""
        held = self._lease.hold()
        if held and self._cycle is None:
            self._log.info("the worker works")
            self._cycle = Cycle(self._database, self._board_folder, self._log)
            self._lists.begin_anew()
        return held

    def _beat(self, cycle: Cycle) -> None:
        cycle.heartbeat(self._clock.now())
        self._backoff = BACKOFF_SECONDS_MIN
        self._lists.tend(cycle, self._clock.now())
        if monotonic_seconds() >= self._tidy_at:
            self._tidy_at = monotonic_seconds() + TIDY_SECONDS
            cycle.tidy(self._clock.now())
        if monotonic_seconds() >= self._feeds_at:
            self._feeds_at = monotonic_seconds() + FEEDS_SECONDS
            freshness.tend(self._database, self._log, self._clock.now())

    def _stand_down(self) -> None:
        if self._cycle is not None:
            self._cycle.close()
            self._log.info("the worker stands by")
        self._cycle = None

    def _leave(self) -> None:
        """Let another worker begin at once."""
        self._stand_down()
        self._lease.leave()


def main() -> None:
    """Work with the settings of the environment until a signal comes."""
    collector.collect_rarely()
    log = Log("worker")
    with explained(log), until_told() as stopping:
        settings = load()
        with installed_database(settings) as database:
            Worker(settings, database, log).run(stopping)


if __name__ == "__main__":
    main()
