"""The tracer: from a positive result to the list, by itself, for as long as it lives.

    python -m tianfu.services.tracer

It is woken by new evidence, brings incidents up to what is stated, does the runs that operators ask for, traces what
was touched, and every few minutes traces open incidents again when visits were rolled meanwhile, so that late scans
count. What is stated of households, units, seats, companions, isolation and merges marks the cases that it concerns,
and these are expanded again. When nothing of that is urgent it keeps follow-up going, step by step
(`tianfu.services.follow_up`).

One tracer works, the one that holds the lease; two would only do the same twice. Nothing it does is half done by its
death: people wait in the queue, and a list is replaced whole.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tianfu.clock import Clock, SystemClock, monotonic_seconds
from tianfu.errors import TianfuError
from tianfu.evidence import case_changes, changes
from tianfu.lake import permit, state
from tianfu.lake.permit import Permit
from tianfu.platform import collector
from tianfu.platform.database import Database, Listener, Purpose, Write
from tianfu.platform.observe import Log
from tianfu.platform.settings import Settings, load
from tianfu.services.child import place
from tianfu.services.follow_up import FollowUp
from tianfu.services.installation import installed_database
from tianfu.services.lease import Lease
from tianfu.services.refusal import explained
from tianfu.services.told import until_told
from tianfu.tracing import asked, automatic, company, incident_store, mark_store, run
from tianfu.tracing.acting import TRACER

LEASE_NAME: Final = "tracing"
# A tracer that dies keeps a list waiting this long; a thread renews the lease while a run goes on.
LEASE_SECONDS: Final = 5.0
BEAT_SECONDS: Final = 1.0
# New evidence wakes the tracer at once; this is for runs that are asked for and cases entered by hand.
IDLE_SECONDS: Final = 1.0
BACKOFF_SECONDS: Final = 2.0
# Scans reach the lake within a minute, and late ones by the hour; each retrace reads what the first run read.
RETRACE_SECONDS: Final = 180.0
# A gate's last scans are shipped within 5 s and rolled within 10: an incident that was touched is traced once more
# then, so that who was scanned in the minute before the result is on the list within the promised 60 s.
AGAIN_SECONDS: Final = 25.0
# A file of statements concerns one case again and again while it is loaded; each time its incident is traced.
MARKED_SECONDS: Final = 20.0
# For what neither a mark nor the lake tells, such as another category of a venue.
RETRACE_ANYWAY_SECONDS: Final = 1_800.0
# A large file of revised results is thousands of people to look at; the first cases in it do not wait for the last.
FOLLOWED_IN_A_ROW_MAX: Final = 20
# A run that was refused (rules too wide, a broken lake) is tried again after this, or when its cases change.
REFUSED_SECONDS: Final = 60.0
# The promise is a list within 60 s of the result.
BEHIND_SECONDS: Final = 60.0
TEND_SECONDS: Final = 10.0


class Tracer:
    """The loop. `run` returns when `stopping` is set; expected failures are logged and tried again."""

    def __init__(self, settings: Settings, database: Database, log: Log, *, clock: Clock | None = None) -> None:
        """Use the settings' lake."""
        self._database = database
        self._lake = settings.var / "lake"
        self._log = log
        self._clock = clock or SystemClock()
        # Held by the operators' pool: a run of minutes has the others.
        self._lease = Lease(
            database, log, self._clock, name=LEASE_NAME, seconds=LEASE_SECONDS, purpose=Purpose.OPERATOR
        )
        self._works = threading.Event()
        # Number of an incident: when its run may be tried again, on the monotonic clock, and its touches by then.
        self._refused: dict[str, tuple[float, int]] = {}
        # Number of an incident: when it is traced once more, on the monotonic clock.
        self._again: dict[str, float] = {}
        # Number of an incident: before when its marked cases are not expanded again, on the monotonic clock.
        self._marked: dict[str, float] = {}
        self._retrace: list[str] = []
        self._retrace_at = 0.0
        self._retrace_anyway_at = 0.0
        self._generation = -1
        self._followed = 0
        self._follow_up = FollowUp(database, log, self._clock)
        self._turns = deque((self._follow_up.step, self._retrace_one, self._trace_marked, self._mark))
        self._tend_at = 0.0
        self._is_behind = False

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping` is set."""
        with self._beating(stopping):
            while not stopping.is_set():
                try:
                    with self._database.listen(changes.CHANNEL) as listener:
                        self._serve(listener, stopping)
                except TianfuError as error:
                    self._log.warning("the tracer waits", code=error.code)
                    stopping.wait(BACKOFF_SECONDS)

    def _serve(self, listener: Listener, stopping: threading.Event) -> None:
        while not stopping.is_set():
            if not (self._works.is_set() and self.turn()):
                listener.wait(IDLE_SECONDS)

    def turn(self) -> bool:
        """Do what is most urgent once; whether there was anything. Raises what the database raises."""
        self._tend()
        if self._followed < FOLLOWED_IN_A_ROW_MAX and self._follow():
            self._followed += 1
            return True
        self._followed = 0
        if self._trace_touched() or self._trace_again():
            return True
        return self._do_asked() or self._in_turn() or self._follow()

    def _in_turn(self) -> bool:
        """What may wait a while, each a step of seconds at most, none of which keeps the others waiting."""
        self._turns.rotate(-1)
        return any(step() for step in tuple(self._turns))

    def _follow(self) -> bool:
        at = self._clock.now()
        with self._database.write(Purpose.WORKER) as write:
            followed = automatic.follow(write, at=at)
        for code in followed.refused:
            self._log.error("a positive could not be made a case", code=code)
        if followed.added or followed.withdrawn:
            lag = 0 if followed.oldest is None else int((at - followed.oldest).total_seconds() * 1000)
            self._log.info("cases follow from evidence", accepted=followed.added, count=followed.withdrawn, lag_ms=lag)
        return followed.people > 0

    def _trace_touched(self) -> bool:
        with self._database.read(Purpose.WORKER) as read:
            waiting = incident_store.waiting(read)
        now = monotonic_seconds()
        for number, touches in waiting:
            until, refused_touches = self._refused.get(number, (0.0, -1))
            if touches != refused_touches or now >= until:
                self._trace(number, touches)
                return True
        return False

    def _trace_again(self) -> bool:
        """Trace an incident that was touched a moment ago once more, with the scans that were on their way then."""
        now = monotonic_seconds()
        number = next((one for one, at in self._again.items() if now >= at), None)
        if number is None:
            return False
        with self._database.read(Purpose.WORKER) as read:
            is_open = number in incident_store.open_numbers(read)
        del self._again[number]
        if is_open:
            self._trace(number, -1, everything=True)
        return True

    def _mark(self) -> bool:
        """Look at some of what changed in who is together with whom, and mark the cases that it concerns."""
        with self._database.write(Purpose.WORKER) as write:
            concerned = company.follow(write, at=self._clock.now())
        if concerned.marks:
            self._log.info("cases are expanded again", count=concerned.marks)
        return concerned.changes > 0

    def _trace_marked(self) -> bool:
        """Trace an incident with marked cases; the same one again only after a while."""
        with self._database.read(Purpose.WORKER) as read:
            waiting = mark_store.waiting(read)
        now = monotonic_seconds()
        for number in waiting:
            refused_until, _ = self._refused.get(number, (0.0, -1))
            if now >= max(refused_until, self._marked.get(number, 0.0)):
                self._marked[number] = now + MARKED_SECONDS
                self._trace(number, -1, again=False)
                return True
        return False

    def _do_asked(self) -> bool:
        outcome = asked.work(self._database, self._lake, at=self._clock.now())
        if outcome not in (None, "done"):
            self._log.warning("a run that was asked for failed", code=str(outcome))
        return outcome is not None

    def _retrace_one(self) -> bool:
        """Trace one open incident anew, when there may be new visits for it; the rest comes in the next turns."""
        if not self._retrace and monotonic_seconds() >= self._retrace_at:
            self._retrace_at = monotonic_seconds() + RETRACE_SECONDS
            generation = state.load(self._lake).generation
            if generation != self._generation or monotonic_seconds() >= self._retrace_anyway_at:
                self._generation = generation
                self._retrace_anyway_at = monotonic_seconds() + RETRACE_ANYWAY_SECONDS
                with self._database.read(Purpose.WORKER) as read:
                    self._retrace = incident_store.open_numbers(read)
        if not self._retrace:
            return False
        self._trace(self._retrace.pop(0), -1, everything=True)
        return True

    def _trace(self, number: str, touches: int, *, everything: bool = False, again: bool = True) -> None:
        at = self._clock.now()

        def allowed(write: Write) -> Permit:
            return permit.for_system(write, incident=number, at=at)

        try:
            report = run.trace(
                self._database,
                self._lake,
                number,
                actor=TRACER,
                permit_for=allowed,
                as_of=at,
                at=at,
                everything=everything,
            )
        except TianfuError as error:
            if error.code.startswith("database_"):
                raise
            self._refused[number] = (monotonic_seconds() + REFUSED_SECONDS, touches)
            self._log.error("an incident is not traced", key=number, code=error.code)
            return
        except Exception as error:  # noqa: BLE001 - an incident that breaks must not stop everybody else's lists
            self._refused[number] = (monotonic_seconds() + REFUSED_SECONDS, touches)
            self._log.error(
                "an incident is not traced", key=number, error=type(error).__name__, trace=place(error.__traceback__)
            )
            return
        self._refused.pop(number, None)
        if again and not everything:
            self._again.setdefault(number, monotonic_seconds() + AGAIN_SECONDS)
        self._log.info(
            "an incident was traced",
            key=number,
            count=report.expanded,
            rows=report.listed,
            milliseconds=report.milliseconds,
        )

    def _tend(self) -> None:
        """Look now and then whether anything waits longer than was promised."""
        if monotonic_seconds() < self._tend_at:
            return
        self._tend_at = monotonic_seconds() + TEND_SECONDS
        with self._database.read(Purpose.WORKER) as read:
            waits = [case_changes.oldest(read), incident_store.oldest_untraced(read)]
        at = self._clock.now()
        lag = max(((at - since).total_seconds() for since in waits if since is not None), default=0.0)
        if lag > BEHIND_SECONDS:
            self._log.error("tracing is behind", lag_ms=int(lag * 1000))
        elif self._is_behind:
            self._log.info("tracing has caught up")
        self._is_behind = lag > BEHIND_SECONDS

    @contextmanager
    def _beating(self, stopping: threading.Event) -> Iterator[None]:
        """Hold the lease from a thread of its own, so that a run of minutes does not let it lapse."""
        ended = threading.Event()

        def beat() -> None:
            while not (stopping.is_set() or ended.is_set()):
                self._hold_lease()
                ended.wait(BEAT_SECONDS)

        thread = threading.Thread(target=beat, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self._lease.leave()

    def _hold_lease(self) -> None:
        try:
            held = self._lease.hold()
        except TianfuError:
            # The loop meets the same failure and says so.
            held = False
        if held and not self._works.is_set():
            self._log.info("the tracer works")
            self._works.set()
        elif not held:
            self._works.clear()


def main() -> None:
    """Work with the settings of the environment until a signal comes."""
    collector.collect_rarely()
    log = Log("tracer")
    with explained(log), until_told() as stopping:
        settings = load()
        with installed_database(settings) as database:
            Tracer(settings, database, log).run(stopping)


if __name__ == "__main__":
    main()
