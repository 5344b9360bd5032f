"""Facts for funnels: made at random from a seed, or about one person."""

from __future__ import annotations

import functools

import numpy as np

from tianfu.lake.layout import Minutes, People
from tianfu.platform import settings
from tianfu.tracing.screening import funnel_files, model
from tianfu.tracing.screening.definition import Funnel
from tianfu.tracing.screening.model import Facts, Ground

FUNNELS = settings.PROJECT_ROOT / "policies" / "tracing" / "funnels"
_PEOPLE = 3_000


@functools.cache
def wide() -> Funnel:
    """The default funnel."""
    return funnel_files.find(FUNNELS, funnel_files.DEFAULT).funnel


def says(*persons: int) -> Facts:
    """Everybody (person 7 when none is named) roamed in the place, is seen by the carriers and scanned somewhere."""
    people = np.array(persons or (7,), np.uint32)
    facts = model.no_facts()
    return facts._replace(
        roaming=model.Roaming(people, np.full(len(people), 900, np.int32)),
        companions=facts.companions._replace(covered=people),
    )


def random_facts(seed: int) -> Facts:
    """Every source says something of some of 3,000 people, repeated and out of order."""
    chance = np.random.default_rng(seed)

    def some(count: int) -> People:
        return chance.integers(0, _PEOPLE, count).astype(np.uint32)

    def numbers(count: int, low: int, high: int) -> Minutes:
        return chance.integers(low, high, count).astype(np.int32)

    judged = np.unique(some(100))
    return Facts(
        cases=some(20),
        since=1_000,
        roaming=model.Roaming(some(2_000), numbers(2_000, -1, 3_000)),
        companions=model.Companions(some(900), numbers(900, -1, 90), numbers(900, -1, 5_000), some(2_500)),
        scans=model.Scans(some(300), numbers(300, 0, 60), some(800)),
        seats=model.Seats(
            some(200),
            chance.integers(1, 5, 200).astype(np.uint8),
            chance.integers(-1, 2, 200).astype(np.int8),
            chance.integers(-1, 20, 200).astype(np.int16),
            chance.integers(-1, 2, 200).astype(np.int8),
            chance.random(200) < 0.05,
        ),
        groups=model.Groups(
            some(90),
            chance.choice([Ground.HOUSEHOLD, Ground.SCHOOL, Ground.WORK], 90).astype(np.uint16),
            chance.integers(1, 3, 90).astype(np.uint8),
        ),
        tests=model.Tests(some(3_000), numbers(3_000, 0, 9_000), chance.random(3_000) < 0.01),
        exposures=model.Exposures(some(500), numbers(500, 0, 3_000)),
        vaccinated=model.Vaccinated(some(500), chance.integers(0, 4, 500).astype(np.uint8)),
        whereabouts=model.Whereabouts(
            some(2_500), chance.choice([510104, 510112, 500101, 110101], 2_500).astype(np.int32), numbers(2_500, 0, 9)
        ),
        judged=model.Judged(judged, chance.integers(0, 5, len(judged)).astype(np.uint8)),
    )
