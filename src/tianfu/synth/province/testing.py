"""Mass testing once an outbreak is known: rounds that nearly everybody attends. Pure.

Rounds begin on fixed days after the first positive result. A few never come, a few miss a round. Who is sampled when is
drawn for everybody, so that negatives of the healthy and tests of the infected come from the same round.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from tianfu.synth.province.disease import DAY, RESULT_HOURS, SENSITIVITY
from tianfu.synth.province.model import Flags, Settings, Whole

# Days after the first positive: at once, the day after, then wider apart until two weeks are over.
ROUND_DAYS: Final = (1, 2, 4, 7, 10, 12, 14)
# Sampling begins at eight in the morning and takes ten hours.
BEGINS: Final = 8 * 60
LASTS: Final = 10 * 60
NEVER_COMES: Final = 0.004
MISSES: Final = 0.02


class Round(NamedTuple):
    """One round: whether each person comes, when sampled, when the result is known, and whether it could find it."""

    comes: Flags
    sampled_at: Whole
    resulted_at: Whole
    finds: Flags


def begins_at(alarm_at: int, number: int) -> int:
    """The minute at which round `number`, from 0, begins."""
    return (alarm_at // DAY + ROUND_DAYS[number]) * DAY + BEGINS


def round_of(settings: Settings, alarm_at: int, number: int) -> Round:
    """Round `number` for everybody."""
    never = settings.dice(20).random(settings.people, np.float32) < NEVER_COMES
    dice = settings.dice(21, number)
    comes = ~never & (dice.random(settings.people, np.float32) >= MISSES)
    sampled = begins_at(alarm_at, number) + dice.integers(0, LASTS, settings.people, np.int32)
    resulted = sampled + dice.integers(RESULT_HOURS[0] * 60, RESULT_HOURS[1] * 60, settings.people, np.int32)
    finds = dice.random(settings.people, np.float32) < SENSITIVITY
    return Round(comes, sampled.astype(np.int32), resulted.astype(np.int32), finds)
