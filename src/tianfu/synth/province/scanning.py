"""Which stays left a scan, and under whose number. Pure.

A poster is scanned on arrival, if at all: people without a phone leave none, people who share one leave theirs under
the number of who holds it. Classes, rooms and carriages have no poster.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tianfu.lake import layout
from tianfu.lake.layout import Partition
from tianfu.synth.province.model import NOBODY, Scans, Stays, lake_person, lake_venue
from tianfu.synth.province.world import World

# Who uses another's phone often finds that it is not at hand.
_BORROWED: Final = 0.5
_LATE_MINUTES: Final = 3


def scans(world: World, number: int, stays: Stays) -> Scans:
    """The scans of `stays`, the stays of day `number`, in no order."""
    dice = world.settings.dice(11, number)
    holder = world.people.holder[stays.person]
    likely = world.people.scans[stays.person] * world.settings.scan_share
    likely = np.where(holder == stays.person, likely, likely * _BORROWED)
    noted = (stays.place < world.sites.posters) & (holder != NOBODY)
    noted &= dice.random(len(holder), np.float32) < likely
    late = dice.integers(0, _LATE_MINUTES, int(noted.sum())).astype(np.int16)
    minute = np.minimum(stays.begins[noted] + late, stays.ends[noted])
    return Scans(holder[noted], stays.place[noted], minute)


def partition(world: World, number: int, found: Scans) -> Partition:
    """The scans of day `number` as the lake keeps them, people and places by their own numbers plus 1."""
    return layout.partition(
        world.settings.day_number(number), lake_venue(found.place), found.minute, lake_person(found.person)
    )
