"""A small synthetic town with an outbreak, made once for all tests that only look at it."""

from __future__ import annotations

import functools
from datetime import date
from pathlib import Path

from tianfu.platform.settings import PROJECT_ROOT
from tianfu.synth.province import outbreak, world
from tianfu.synth.province.model import Settings
from tianfu.synth.province.outbreak import Outbreak, Plan
from tianfu.synth.province.world import World
from tianfu.tracing import rule_files, rules
from tianfu.tracing.model import Reach

SETTINGS = Settings(people=4_000, days=14, seed=7, first_day=date(2022, 2, 14))
PLAN = Plan(imported=4, vigour=3.0)
FUNNELS: Path = PROJECT_ROOT / "policies" / "tracing" / "funnels"


@functools.cache
def town() -> World:
    """Four thousand people in one district."""
    return world.make(SETTINGS)


@functools.cache
def spread() -> Outbreak:
    """What spreads among them."""
    return outbreak.spread(town(), PLAN)


@functools.cache
def reach() -> Reach:
    """How far a scan reaches by the rules of those days."""
    return rules.reach(rule_files.in_force(SETTINGS.first_day).rules, 1)
