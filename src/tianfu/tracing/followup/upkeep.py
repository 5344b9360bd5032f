"""Follow-up that goes on by itself: planned, closed by results and off the list, in steps that keep nobody waiting.

It does what `tianfu trace follow INCIDENT plan` does, as the system, so that a contact who was confirmed has tasks
within seconds and a result closes its test within minutes. Messages are not sent by it: that is a person's decision.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from tianfu.access.roles import Purpose as Why
from tianfu.clock import shanghai_day
from tianfu.platform.database import Database, Purpose
from tianfu.tracing import acting
from tianfu.tracing.acting import TRACER
from tianfu.tracing.followup import planning, work
from tianfu.tracing.followup.planning import Planned
from tianfu.tracing.followup.rule_schedule import schedules_of
from tianfu.tracing.followup.work import Synced
from tianfu.tracing.incidents import Incident


class Kept(NamedTuple):
    """What was done so far."""

    planned: Planned = Planned()
    synced: Synced = Synced(0, 0)

    @property
    def changed(self) -> bool:
        """Whether anything was, beyond looking at people."""
        return any(self.planned[1:]) or any(self.synced)


def keep(database: Database, incident: Incident, *, at: datetime) -> Iterator[Kept]:
    """Bring the follow-up of `incident` up to its list, rules and results; what was done, after each step.

    A step is one transaction over at most `planning.PEOPLE_AT_ONCE` people, one to three seconds of work when all are
    new. Steps can be left undone: the next time goes on from anywhere. What changed is in the trail. Raises the errors
    of the rule files before the first step, and those of the database.
    """
    schedules = schedules_of(incident.rules, shanghai_day(at))
    kept = Kept()
    for planned in planning.parts(database, incident, schedules, at=at):
        kept = kept._replace(planned=kept.planned.plus(planned))
        yield kept
    for synced in work.sync_parts(database, incident.incident_ref, at=at):
        kept = kept._replace(synced=kept.synced.plus(synced))
        yield kept
    if kept.changed:
        with database.write(Purpose.BATCH) as write:
            acting.record(
                write,
                TRACER,
                "follow_up_plan",
                incident.number,
                at=at,
                purpose=Why.FOLLOW_UP,
                people=kept.planned.begun + kept.planned.replanned + kept.planned.closed,
                count=kept.planned.inserted,
            )
