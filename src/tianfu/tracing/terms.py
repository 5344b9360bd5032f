"""What a run goes by: a rule set as the tables that expanding needs."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

import msgspec
import numpy as np

from tianfu.clock import shanghai_day
from tianfu.evidence.kinds import ContactSetting
from tianfu.tracing import rule_files, rules
from tianfu.tracing.expand import HopTerms, TierTerms
from tianfu.tracing.model import VENUE_TYPES_MAX, Tier
from tianfu.tracing.rows import TIERS
from tianfu.tracing.rules import TracingRules, VehicleKind
from tianfu.venues.model import VenueCategory

# Numbers of settings in arrays count from 1 in these.
SETTINGS: Final = tuple(setting.value for setting in ContactSetting)

# Every type of venue there is: its category (None: nobody knows), and which kind of vehicle.
KINDS: Final[tuple[tuple[VenueCategory | None, VehicleKind | None], ...]] = (
    (None, None),
    *((category, None) for category in VenueCategory),
    *((VenueCategory.VEHICLE, vehicle) for vehicle in VehicleKind),
)


class Terms(msgspec.Struct, frozen=True):
    """A rule set, as asked for by `name`, with SHA-256 `hash`; `hops` has as many as are traced, none is possible."""

    name: str
    hash: bytes
    rules: TracingRules
    hops: tuple[HopTerms, ...]


def terms_of(name: str | None, hops: int | None, at: datetime) -> Terms:
    """The terms of rule set `name` at `at`, None: of the one in force then; at most `hops` hops.

    Raises `TracingRulesNotFoundError` and the other errors of `tianfu.tracing.rule_files`.
    """
    day = shanghai_day(at)
    loaded = rule_files.in_force(day, name)
    count = rules.hops(loaded.rules, day)
    numbers = range(1, (count if hops is None else min(count, hops)) + 1)
    return Terms(loaded.asked, loaded.digest, loaded.rules, tuple(_hop(loaded.rules, number) for number in numbers))


def tier_number(tier: Tier) -> int:
    """The number of a tier in arrays."""
    return TIERS.index(tier.value) + 1


def setting_number(setting: ContactSetting) -> int:
    """The number of a setting in arrays."""
    return SETTINGS.index(setting.value) + 1


def _hop(rule_set: TracingRules, number: int) -> HopTerms:
    settings = np.full(VENUE_TYPES_MAX, setting_number(ContactSetting.VENUE), np.uint8)
    for category, vehicle in KINDS:
        ground = rules.venue_ground(rule_set, number, category, vehicle)
        if ground is not None:
            settings[rules.venue_type(category, vehicle)] = setting_number(ground.setting)
    ways = []
    for tier in rules.tiers(rule_set, number):
        reach = rules.reach(rule_set, number, tier)
        if reach.before.any() or reach.after.any():
            ways.append(TierTerms(tier_number(tier), reach, settings))
    followed = np.array([tier_number(tier) for tier in rule_set.hop[number - 1].of], np.uint8)
    return HopTerms(tuple(ways), followed)


def first_day(terms: Terms, since: datetime) -> date:
    """The first day that a trace from `since` on must read.

    A source's visit after midnight meets whoever came before it, as far back as any type of venue reaches.
    """
    before = max((int(way.reach.before.max()) for hop in terms.hops for way in hop.tiers), default=0)
    return shanghai_day(since - timedelta(minutes=before))
