"""Who has scanned at all, from the lake: with a permit, for the people and days of one screening."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import numpy as np

from tianfu.lake.layout import MINUTE_BITS, VENUE_BITS, Partition, People
from tianfu.lake.permit import Permit
from tianfu.lake.read import open_days

Scanned = Callable[[People, date, date], People]
"""Which of some people (sorted, each once) scanned anywhere on the days from the first to the last."""


def from_lake(lake: Path, permit: Permit) -> Scanned:
    """Asks the lake at the path, under `permit`. Calling it raises what `open_days` raises."""

    def scanned(people: People, first: date, last: date) -> People:
        with open_days(lake, permit, first, last) as visits:
            return scanned_among(visits.partitions, people)

    return scanned


def scanned_among(partitions: Iterable[Partition], people: People) -> People:
    """Which of `people` (sorted, each once) have a visit in any of the partitions.

    Two binary searches a person and partition: nothing else of the lake is read.
    """
    have = np.zeros(len(people), np.bool_)
    below = np.uint64(MINUTE_BITS + VENUE_BITS)
    first = people.astype(np.uint64) << below
    last = first | (np.uint64(1) << below) - np.uint64(1)
    for partition in partitions:
        words = partition.by_person
        have |= np.searchsorted(words, first) < np.searchsorted(words, last, side="right")
    return people[have]
