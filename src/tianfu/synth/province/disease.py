"""The clock of the disease and how it passes from one to another. Pure.

Exposed to infectious: lognormal, mean 4.5 days; infectious to symptoms: lognormal, mean 1.1 days (Covasim's defaults).
Infectiousness rises until symptoms begin and falls off after; how infectious somebody is varies a lot from person to
person, so most infect nobody and a few many. Rates by setting are ours, set so that without measures one case infects
two to three others.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.synth.province.model import Flags, Real, Setting, Whole

DAY: Final = 1_440
# Mean and standard deviation in days.
LATENT_DAYS: Final = (4.5, 1.5)
PRESYMPTOMATIC_DAYS: Final = (1.1, 0.9)
INFECTIOUS_DAYS: Final = (8.0, 2.0)
ASYMPTOMATIC_SHARE: Final = 0.25
ASYMPTOMATIC_FACTOR: Final = 0.6
# Shape of the gamma distribution of personal infectiousness, mean 1: smaller means more superspreading.
DISPERSION: Final = 0.6
FALL_DAYS: Final = 3.0
EARLY_FACTOR: Final = 0.4

# Chance an hour with somebody of full infectiousness; a night at home counts as `HOME_HOURS`.
HOURLY: Final = {
    Setting.HOUSEHOLD: 0.03,
    Setting.SCHOOL: 0.0015,
    Setting.WORK: 0.003,
    Setting.VENUE: 0.02,
    Setting.TRANSPORT: 0.02,
}
HOME_HOURS: Final = 6.0
# How many can be near somebody at once, however full the place is.
NEAR_MOST: Final = 20

# From a day before somebody is infectious until two weeks later a test can find it; then it finds it this often.
DETECTABLE_BEFORE: Final = DAY
DETECTABLE_AFTER: Final = 14 * DAY
SENSITIVITY: Final = 0.95
SEEKS_TEST: Final = 0.85
# Days from symptoms to a sample, mean; and once the outbreak is known.
DELAY_DAYS: Final = 2.2
DELAY_KNOWN_DAYS: Final = 0.6
# Hours from sample to result.
RESULT_HOURS: Final = (6, 16)

FAR: Final = np.iinfo(np.int32).max


class Course(NamedTuple):
    """The course of some infections: minutes of the lake, `FAR` for what never comes. All of one length.

    `sampled_at` is when they would be tested by themselves if the outbreak stayed unknown.
    """

    infectious_at: Whole
    onset_at: Whole
    recovers_at: Whole
    sampled_at: Whole
    strength: Real


def course(infected_at: Whole, dice: np.random.Generator, *, silent: Flags | None = None) -> Course:
    """Draw what follows from being infected at those minutes; who is `silent` never has symptoms."""
    count = len(infected_at)
    infectious = infected_at + _minutes(LATENT_DAYS, count, dice)
    asymptomatic = dice.random(count) < ASYMPTOMATIC_SHARE
    if silent is not None:
        asymptomatic |= silent
    onset = infectious + _minutes(PRESYMPTOMATIC_DAYS, count, dice)
    recovers = infectious + _minutes(INFECTIOUS_DAYS, count, dice)
    strength = dice.gamma(DISPERSION, 1 / DISPERSION, count)
    delay = (dice.gamma(2.0, DELAY_DAYS / 2.0, count) * DAY).astype(np.int64)
    seeks = ~asymptomatic & (dice.random(count) < SEEKS_TEST)
    strength[asymptomatic] *= ASYMPTOMATIC_FACTOR
    return Course(
        infectious_at=infectious.astype(np.int32),
        onset_at=np.where(asymptomatic, FAR, onset).astype(np.int32),
        recovers_at=recovers.astype(np.int32),
        sampled_at=np.where(seeks, onset + delay, FAR).astype(np.int32),
        strength=strength.astype(np.float32),
    )


def infectiousness(course: Course, at: NDArray[np.integer]) -> NDArray[np.float64]:
    """How infectious each is at minute `at`, 1 being the usual at its peak; 0 outside the infectious time."""
    since = (at.astype(np.int64) - course.infectious_at) / DAY
    peak = np.minimum(course.onset_at.astype(np.int64) - course.infectious_at, 2 * DAY) / DAY
    rising = EARLY_FACTOR + (1 - EARLY_FACTOR) * since / np.maximum(peak, 0.05)
    falling = np.exp(-np.maximum(since - peak, 0) / FALL_DAYS)
    active = (since >= 0) & (at < course.recovers_at)
    return np.where(active, np.where(since < peak, rising, falling) * course.strength, 0.0)


def chance(setting: NDArray[np.integer], strength: NDArray[np.floating], minutes: NDArray[np.integer]) -> Real:
    """The chance of infection by being together so many minutes in that setting."""
    rates = np.zeros(len(Setting))
    for known, rate in HOURLY.items():
        rates[known] = rate
    chance_: Real = (1 - np.exp(-rates[setting] * strength * minutes / 60)).astype(np.float32)
    return chance_


def detectable(infectious_at: Whole, sampled_at: Whole) -> Flags:
    """Whether a sample taken then can be positive."""
    found: Flags = (sampled_at >= infectious_at.astype(np.int64) - DETECTABLE_BEFORE) & (
        sampled_at < infectious_at.astype(np.int64) + DETECTABLE_AFTER
    )
    return found


def _minutes(days: tuple[float, float], count: int, dice: np.random.Generator) -> NDArray[np.int64]:
    """Lognormal durations of that mean and deviation in days, as minutes."""
    mean, deviation = days
    variance = np.log(1 + (deviation / mean) ** 2)
    drawn = dice.lognormal(np.log(mean) - variance / 2, np.sqrt(variance), count)
    minutes: NDArray[np.int64] = (drawn * DAY).astype(np.int64)
    return minutes
