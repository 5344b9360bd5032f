"""The schedule of a tier by the tracing rules: what `planning.Schedules` is, from the rule files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tianfu.tracing import rule_files
from tianfu.tracing.followup.planning import Schedules
from tianfu.tracing.followup.schedule import Schedule, Stage
from tianfu.tracing.model import Tier
from tianfu.tracing.rules import TracingRules, schedule


def schedules_of(name: str | None, day: date, *, folder: Path = rule_files.FOLDER) -> Schedules:
    """What is asked of each tier on that Shanghai day.

    By the rule set of that `name` (an incident's), or else the one in force; a set that says nothing of
    quarantine (the plain scan definition) leaves that to the one in force. Raises as `rule_files.in_force`.
    """
    rules = rule_files.in_force(day, name, folder=folder).rules
    if not rules.schedule and name is not None:
        rules = rule_files.in_force(day, folder=folder).rules
    made = {tier: _schedule(rules, tier) for tier in Tier}
    return made.__getitem__


def _schedule(rules: TracingRules, tier: Tier) -> Schedule:
    asked = schedule(rules, tier)
    stages = () if asked is None else asked.stay
    return Schedule(
        rules=rules.name,
        stages=tuple(Stage(stage=stay.stage, days=stay.days, tests=stay.tests) for stay in stages),
        move_hours=rules.clocks.move_contacts,
    )
