"""The clocks of all rule sets as parameters of SQL: for an incident, those of its own set or of the one in force.

A statement finds the hours by `hours_of` with the incident's `rules` and the instant from which they count. A set that
an incident names and that is there no more is replaced by the one in force, as somebody must answer by some hour.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any, Final, LiteralString

import msgspec

from tianfu.clock import day_start
from tianfu.tracing import rule_files
from tianfu.tracing.rules import Clocks

CLOCKS: Final[tuple[LiteralString, ...]] = (
    "core_facts",
    "contact_list",
    "tell_contacts",
    "quarantine",
    "test_symptomatic",
    "handover",
)


class RuleClocks(msgspec.Struct, frozen=True):
    """The clocks of every set by its name, and the sets that follow each other, oldest first; there is at least one."""

    named: dict[str, Clocks]
    dated: tuple[tuple[date, Clocks], ...]

    @property
    def parameters(self) -> dict[str, Any]:
        """For statements with `hours_of`."""
        # Before the first set there was none; what happened then is measured by the first.
        found: dict[str, Any] = {"dated_since": [day_start(since) for since, _ in self.dated[1:]]}
        for clock in CLOCKS:
            found[f"named_{clock}"] = json.dumps({name: getattr(held, clock) for name, held in self.named.items()})
            found[f"dated_{clock}"] = [getattr(held, clock) for _, held in self.dated]
        return found

    def in_force(self, clock: str, day: date) -> int:
        """The hours of the set in force on that Shanghai day."""
        held = [clocks for since, clocks in self.dated if since <= day] or [self.dated[0][1]]
        hours: int = getattr(held[-1], clock)
        return hours


def load(folder: Path = rule_files.FOLDER) -> RuleClocks:
    """The clocks of the rule sets in a folder. Raises as `rule_files.every` does.

    Raises `TracingRulesNotFoundError` where all of them are local.
    """
    sets = [loaded.rules for loaded in rule_files.every(folder)]
    if all(rules.local for rules in sets):
        raise rule_files.TracingRulesNotFoundError
    dated = tuple((rules.effective_from, rules.clocks) for rules in sets if not rules.local)
    return RuleClocks({rules.name: rules.clocks for rules in sets}, dated)


def hours_of(clock: LiteralString, *, rules: LiteralString, since: LiteralString) -> LiteralString:
    """An expression of SQL: the hours of a clock of `CLOCKS`. `rules`, `since`: the columns it goes by."""
    # A set on request (`plain-scan:45`) has the clocks of its file.
    named = "(%(named_" + clock + ")s::jsonb ->> split_part(" + rules + ", ':', 1))::integer"
    place = "1 + width_bucket(" + since + ", %(dated_since)s::timestamptz[])"
    return "coalesce(" + named + ", (%(dated_" + clock + ")s::integer[])[" + place + "])"
