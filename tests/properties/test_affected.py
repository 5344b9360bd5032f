"""Whoever a change of policy is said not to concern is decided alike by both policies, whatever their evidence."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.histories import SCAN_STEPS, histories, instants
from tianfu.colour import Colour
from tianfu.evidence.model import Evidence
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.affected import affected
from tianfu.policy.compare import differs
from tianfu.policy.compile import Policy, compile_policy
from tianfu.policy.decide import decide
from tianfu.policy.load import load
from tianfu.policy.rules import Anchored, Anchors, Overlay, Phase, Popup, Rule, RuleSet

CORE = load(PROJECT_ROOT / "policies" / "sichuan-core.toml")
SINK = load(Path(__file__).parent.parent / "policy" / "kitchen_sink.toml")


def changed_set(rules: RuleSet, chance: random.Random) -> RuleSet:
    """The set after one to three changes of any sort, still without names that do not exist."""
    for _ in range(chance.randint(1, 3)):
        change = chance.choice(
            [_without_a_rule, _another_order, _a_rule_changed, _popups_changed, _places_changed, _terms]
        )
        rules = change(rules, chance)
    return rules


def _without_a_rule(rules: RuleSet, chance: random.Random) -> RuleSet:
    if len(rules.rule) == 1:
        return rules
    gone = chance.choice(rules.rule).id
    left = tuple(
        msgspec.structs.replace(rule, preempts=tuple(name for name in rule.preempts if name != gone))
        for rule in rules.rule
        if rule.id != gone
    )
    overlays = tuple(
        msgspec.structs.replace(overlay, suspends=tuple(name for name in overlay.suspends if name != gone))
        for overlay in rules.overlay
    )
    return msgspec.structs.replace(rules, rule=left, overlay=overlays)


def _another_order(rules: RuleSet, chance: random.Random) -> RuleSet:
    return msgspec.structs.replace(rules, rule=tuple(chance.sample(rules.rule, len(rules.rule))))


def _a_rule_changed(rules: RuleSet, chance: random.Random) -> RuleSet:
    place = chance.randrange(len(rules.rule))
    rule = rules.rule[place]
    changed: Rule = chance.choice(
        [
            msgspec.structs.replace(rule, latest_only=not rule.latest_only),
            msgspec.structs.replace(rule, where={}),
            msgspec.structs.replace(rule, phase=tuple(_longer(phase) for phase in rule.phase)),
            msgspec.structs.replace(rule, phase=tuple(_other_colour(phase) for phase in rule.phase)),
            msgspec.structs.replace(rule, release=()),
            msgspec.structs.replace(rule, places=("5101",)),
            msgspec.structs.replace(rule, cites=rules.set.title, office=rules.set.title),
        ]
    )
    return msgspec.structs.replace(rules, rule=(*rules.rule[:place], changed, *rules.rule[place + 1 :]))


def _longer(phase: Phase) -> Phase:
    if phase.until is None:
        return phase
    return msgspec.structs.replace(phase, until=_later(phase.until))


def _later(instants_written: Anchors) -> Anchors:
    if isinstance(instants_written, Anchored):
        return msgspec.structs.replace(instants_written, days=instants_written.days + 3)
    return tuple(msgspec.structs.replace(each, days=each.days + 3) for each in instants_written)


def _other_colour(phase: Phase) -> Phase:
    if phase.colour is None:
        return phase
    return msgspec.structs.replace(phase, colour=Colour.YELLOW if phase.colour is Colour.RED else Colour.RED)


def _popups_changed(rules: RuleSet, chance: random.Random) -> RuleSet:
    def change(popup: Popup) -> Popup:
        hidden = chance.choice([(), (Colour.RED,), (Colour.YELLOW, Colour.RED)])
        return msgspec.structs.replace(popup, preempted_by=hidden)

    return msgspec.structs.replace(rules, popup=tuple(change(popup) for popup in rules.popup))


def _places_changed(rules: RuleSet, chance: random.Random) -> RuleSet:
    def change(overlay: Overlay) -> Overlay:
        return msgspec.structs.replace(overlay, places=(chance.choice(["5101", "5107", "51"]),))

    return msgspec.structs.replace(rules, overlay=tuple(change(overlay) for overlay in rules.overlay))


def _terms(rules: RuleSet, chance: random.Random) -> RuleSet:
    terms = rules.declaration
    if terms is None or chance.random() < 0.3:
        return msgspec.structs.replace(rules, declaration=None)
    return msgspec.structs.replace(rules, declaration=msgspec.structs.replace(terms, valid_days=terms.valid_days + 5))


@pytest.mark.parametrize("policy", [CORE, SINK], ids=["core", "sink"])
@settings(max_examples=200)
@given(history=histories(most=5), at=instants(-10, SCAN_STEPS), seed=st.integers(0, 2**32))
def test_who_is_not_concerned_is_decided_alike(
    policy: Policy, history: list[Evidence], at: datetime, seed: int
) -> None:
    rules = changed_set(policy.rule_set, random.Random(seed))
    other = compile_policy(rules, digest="0" * 64, body=b"")

    concerned = affected(policy.rule_set, rules).concerns(item.kind for item in history)

    if not concerned:
        assert not differs(decide(policy, history, at), decide(other, history, at))
