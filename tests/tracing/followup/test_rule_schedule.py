"""The schedules that the rule files give are those of the three editions."""

from __future__ import annotations

from datetime import date

import pytest

from tianfu.tracing import rule_files
from tianfu.tracing.followup.rule_schedule import schedules_of
from tianfu.tracing.model import Tier


@pytest.mark.parametrize(
    ("day", "tier", "stages"),
    [
        (date(2022, 3, 1), Tier.CLOSE, [("central", 14, (1, 4, 7, 14)), ("monitoring", 7, (2, 7))]),
        (date(2022, 3, 1), Tier.SECONDARY, [("central", 7, (1, 4, 7))]),
        (date(2022, 6, 28), Tier.CLOSE, [("central", 7, (1, 2, 3, 5, 7)), ("monitoring", 3, (3,))]),
        (date(2022, 6, 28), Tier.SECONDARY, [("home", 7, (1, 4, 7))]),
        (date(2022, 11, 11), Tier.CLOSE, [("central", 5, (1, 2, 3, 5)), ("home", 3, (1, 3))]),
        (date(2022, 11, 11), Tier.SECONDARY, []),
        (date(2022, 11, 11), Tier.GENERAL, []),
    ],
)
def test_each_edition_asks_for_its_days(day: date, tier: Tier, stages: list[tuple[str, int, tuple[int, ...]]]) -> None:
    found = schedules_of(None, day)(tier)

    assert [(stage.stage.value, stage.days, stage.tests) for stage in found.stages] == stages
    assert found.move_hours == 12


def test_a_rule_set_without_a_schedule_leaves_quarantine_to_the_one_in_force() -> None:
    silent = [loaded.rules.name for loaded in rule_files.every() if not loaded.rules.schedule and loaded.rules.local]

    named = {name: schedules_of(name, date(2022, 7, 1))(Tier.CLOSE).days for name in silent}

    assert named == dict.fromkeys(silent, 10)
