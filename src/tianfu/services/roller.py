"""The roller: makes days of the segments in the lake, compacts them at night, erases them when their time is over.

    python -m tianfu.services.roller

Rolling every few seconds is what makes a scan findable within a minute. Each kind of trouble is told once and tried
again; a gate in trouble stops no other, a damaged day no other day, and a database that is away only the erasing,
which needs the trail. What was missed while the process was away is done at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from tianfu.clock import SHANGHAI, Clock, SystemClock, monotonic_seconds
from tianfu.errors import TianfuError
from tianfu.lake import compact, state
from tianfu.lake.retain import retain
from tianfu.lake.roll import roll
from tianfu.platform.keyring import GateKeys, gate_path
from tianfu.platform.observe import Log
from tianfu.platform.settings import Settings, load
from tianfu.platform.sign import KeyPurpose
from tianfu.services.installation import installed_database
from tianfu.services.refusal import explained
from tianfu.services.told import until_told

# The shipper has a scan in a segment within 5 s; with this it is in a day within 16. The minute has room for a machine
# that is busy closing a large day.
TURN_SECONDS: Final = 10.0
# Shanghai hours: few scan, and yesterday is over.
COMPACT_HOUR: Final = 2
RETAIN_HOUR: Final = 3
# After trouble with a day or with erasing; rolling is tried every turn.
RETRY_SECONDS: Final = 600.0


class Roller:
    """The loop over the lake under `var`."""

    def __init__(self, settings: Settings, log: Log, *, clock: Clock | None = None) -> None:
        """Change nothing yet."""
        self._settings = settings
        self._lake = settings.var / "lake"
        self._log = log
        self._clock = clock or SystemClock()
        self._troubles: dict[str, str] = {}
        self._nightly: dict[str, float] = {}

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping` is set: rolling here, what belongs to the night in a thread of its own."""
        # A fault of ours on either side ends the process, and the supervisor starts it again.
        nights = threading.Thread(target=self._nights, args=(stopping,), name="nights", daemon=True)
        nights.start()
        while not stopping.is_set():
            if not self.turn():
                stopping.wait(TURN_SECONDS)
            if not nights.is_alive() and not stopping.is_set():
                message = "the night's work has ended by itself"
                raise RuntimeError(message)
        nights.join()

    def _nights(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            if not self.night():
                stopping.wait(TURN_SECONDS)

    def turn(self) -> bool:
        """Roll what is new; whether there is more than a turn takes."""
        return self._roll(self._clock.now())

    def night(self) -> bool:
        """Do one piece of the night's work if it is due: close a day, or erase; whether there is more to do."""
        at = self._clock.now()
        try:
            now = state.load(self._lake)
        except TianfuError:
            # Told by rolling.
            return False
        if now.compacted_at < _last(COMPACT_HOUR, at).timestamp():
            return self._at_night("compact", lambda: self._compact(at))
        if now.retained_at < _last(RETAIN_HOUR, at).timestamp():
            return self._at_night("retain", lambda: self._retain(at))
        return False

    def _roll(self, at: datetime) -> bool:
        try:
            rolled = roll(self._lake, at=at, days_kept=self._settings.lake.visit_days)
        except TianfuError as error:
            self._trouble("lake", error.code)
            return False
        self._well("lake")
        for name in [name for name in list(self._troubles) if name.startswith("gate-")]:
            if int(name.removeprefix("gate-")) not in rolled.troubles:
                self._well(name)
        for gate, code in rolled.troubles.items():
            self._trouble(f"gate-{gate:05d}", code)
        if rolled.records:
            self._log.info("scans were rolled", rows=rolled.records, duplicates=rolled.repeats)
        for reason, count in rolled.aside.items():
            self._log.warning("scans were set aside", set_aside=count, code=reason)
        return rolled.more

    def _compact(self, at: datetime) -> bool:
        """One day; True while there are more. A day in trouble is passed over until the next attempt."""
        failed: TianfuError | None = None
        for day in compact.due(state.load(self._lake), at):
            try:
                done = compact.compact_day(self._lake, day, at=at)
            except TianfuError as error:
                failed = error
                continue
            if done is not None:
                self._log.info("a day was compacted", rows=done.scans, duplicates=done.repeats)
                return True
        if failed is not None:
            raise failed
        compact.note_done(self._lake, at=at)
        return True

    def _retain(self, at: datetime) -> bool:
        keys = GateKeys.load_or_create(gate_path(self._settings.var), clock=self._clock)
        signer = keys.at(int(at.timestamp())).signers[KeyPurpose.EVIDENCE]
        days_kept = self._settings.lake.visit_days
        with installed_database(self._settings) as database:
            for made in retain(self._lake, database, signer, at=at, days_kept=days_kept):
                self._log.info("visits were erased", rows=made.scans, count=made.visits, limit=made.days_kept)
        return False

    def _at_night(self, job: str, work: Callable[[], bool]) -> bool:
        if monotonic_seconds() < self._nightly.get(job, 0.0):
            return False
        try:
            more = work()
        except TianfuError as error:
            self._nightly[job] = monotonic_seconds() + RETRY_SECONDS
            self._trouble(job, error.code)
            return False
        self._well(job)
        return more

    def _trouble(self, name: str, code: str) -> None:
        if self._troubles.get(name) == code:
            return
        self._troubles[name] = code
        if name == "compact":
            self._log.error("a day is not compacted", code=code)
        elif name == "retain":
            self._log.error("visits are not erased", code=code)
        else:
            self._log.error("scans are not rolled", key=name, code=code)

    def _well(self, name: str) -> None:
        if self._troubles.pop(name, None) is not None:
            self._log.info("the lake goes on", key=name)


def _last(hour: int, at: datetime) -> datetime:
    """The last time it was `hour` in Shanghai."""
    local = at.astimezone(SHANGHAI)
    today = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today <= local else today - timedelta(days=1)


def main() -> None:
    """Work with the settings of the environment until a signal comes."""
    log = Log("roller")
    with explained(log), until_told() as stopping:
        Roller(load(), log).run(stopping)


if __name__ == "__main__":
    main()
