"""Follow-up within the tracer: a step when nothing more urgent waits, so that no positive waits for its list.

Every ten seconds it looks whether something was confirmed, judged or traced anew, and brings those incidents up to it;
every five minutes all of them, for what the ledger says meanwhile of tests and exposures. Tasks whose time is over are
marked, and who waits for the answer to a hand-over is reminded of, at each look.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from tianfu.clock import Clock, monotonic_seconds
from tianfu.errors import TianfuError
from tianfu.platform.database import Database, Purpose
from tianfu.platform.observe import Log
from tianfu.tracing import incidents
from tianfu.tracing.followup import handover, upkeep, upkeep_store, work
from tianfu.tracing.followup.upkeep import Kept
from tianfu.tracing.followup.upkeep_store import Standing

LOOK_SECONDS: Final = 10.0
# A pass that finds nothing new takes a second for a thousand contacts.
ALL_SECONDS: Final = 300.0


class _Pass(NamedTuple):
    """An incident under way; `kept` is what the last step said."""

    standing: Standing
    steps: Iterator[Kept]
    kept: Kept


class FollowUp:
    """What the tracer does for follow-up, one step a call; a refusal is logged once until it is over."""

    def __init__(self, database: Database, log: Log, clock: Clock) -> None:
        """Begin with a look at everything."""
        self._database = database
        self._log = log
        self._clock = clock
        self._look_at = 0.0
        self._all_at = 0.0
        self._waiting: deque[Standing] = deque()
        self._sweeping: Iterator[int] | None = None
        self._pass: _Pass | None = None
        # By number: the mark up to which an incident was brought, and the refusal that was told.
        self._kept: dict[str, tuple[object, ...]] = {}
        self._told: dict[str, str] = {}

    def step(self) -> bool:
        """Do at most one transaction's work; whether there was anything. Raises what the database raises."""
        if self._sweeping is not None:
            self._sweep(self._sweeping)
            return True
        if self._pass is not None:
            self._go_on(self._pass)
            return True
        if self._waiting:
            self._begin(self._waiting.popleft())
            return True
        if monotonic_seconds() < self._look_at:
            return False
        self._look()
        return bool(self._waiting)

    def _look(self) -> None:
        at = self._clock.now()
        everything = monotonic_seconds() >= self._all_at
        with self._database.read(Purpose.WORKER) as read:
            found = upkeep_store.standing(read)
        self._remind(at)
        self._sweep(work.sweep_parts(self._database, at=at))
        self._waiting.extend(one for one in found if everything or self._kept.get(one.number) != one.mark)
        self._look_at = monotonic_seconds() + LOOK_SECONDS
        if everything:
            self._all_at = monotonic_seconds() + ALL_SECONDS

    def _remind(self, at: datetime) -> None:
        """There is nobody to send a reminder to from here: the log and the indicator of overdue ones have them."""
        with self._database.write(Purpose.WORKER) as write:
            due = handover.remind(write, at)
        for one in due:
            self._log.warning(
                "a hand-over waits for its answer",
                key=str(one.handover_ref),
                count=one.asked,
                status="overdue" if one.due_at <= at else "due",
            )

    def _sweep(self, parts: Iterator[int]) -> None:
        """One part of what was not done in its time; the others come in the next steps."""
        self._sweeping = None
        missed = next(parts, None)
        if missed:
            self._log.info("tasks were missed", count=missed)
            self._sweeping = parts

    def _begin(self, standing: Standing) -> None:
        with self._database.read(Purpose.WORKER) as read:
            incident = incidents.find(read, standing.number)
        steps = upkeep.keep(self._database, incident, at=self._clock.now())
        self._go_on(_Pass(standing, steps, Kept()))

    def _go_on(self, under_way: _Pass) -> None:
        self._pass = None
        number = under_way.standing.number
        try:
            kept = next(under_way.steps, None)
        except TianfuError as error:
            if error.code.startswith("database_"):
                raise
            self._kept[number] = under_way.standing.mark
            if self._told.get(number) != error.code:
                self._told[number] = error.code
                self._log.error("follow-up is not kept up", key=number, code=error.code)
            return
        if kept is not None:
            self._pass = under_way._replace(kept=kept)
            return
        self._kept[number] = under_way.standing.mark
        if self._told.pop(number, None) is not None:
            self._log.info("follow-up is kept up again", key=number)
        done = under_way.kept
        if done.changed:
            self._log.info(
                "follow-up was kept up",
                key=number,
                count=done.planned.begun + done.planned.replanned + done.planned.closed,
                rows=done.planned.inserted + done.synced.done,
            )
