"""How long somebody is kept apart, and on which days they are tested: what a plan is made from. Pure.

The days of a stage are counted from 1; the first stage begins on the day after the last exposure, which is day 0, and
each later one on the day after the one before. Which rule set holds on which day is data of `tianfu.tracing.rules`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tianfu.evidence.care_kinds import IsolationStage

# Contacts are moved to quarantine within twelve hours of being named, unless the rules say otherwise.
MOVE_HOURS: Final = 12


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """`days` whole days of one kind of isolation, with a test on each of `tests` (1 is the first day of the stage)."""

    stage: IsolationStage
    days: int
    tests: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Raise `ValueError` for a stage without a day, or a test outside it."""
        if self.days < 1 or any(not 1 <= day <= self.days for day in self.tests):
            message = f"a stage of {self.days} days with tests on {self.tests}"
            raise ValueError(message)


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """What a tier has to do under the rule set called `rules`; no stage: nothing but to be told."""

    rules: str
    stages: tuple[Stage, ...] = ()
    # From the naming to the arrival in quarantine.
    move_hours: int = MOVE_HOURS

    @property
    def days(self) -> int:
        """The number of the last day."""
        return sum(stage.days for stage in self.stages)
