"""A rule set prepared for deciding: names resolved once, so that a decision only compares and adds.

Pure. Expects a rule set without faults (see `tianfu.policy.check`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Final

import msgspec

from tianfu.colour import Colour
from tianfu.evidence.kinds import KINDS, Attributes
from tianfu.evidence.model import Evidence
from tianfu.evidence.test_words import TestMethod
from tianfu.policy.rules import (
    Anchored,
    LaterStatement,
    NegativeTests,
    Phase,
    Range,
    Release,
    Rule,
    RuleSet,
    SampledAfter,
    Where,
)
from tianfu.policy.vocabulary import Attribute, attributes_of, resolve_anchor, value_of

# Where a sum would leave the calendar, time stops here.
END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)

# How to fetch an attribute, and whether its value fits.
Condition = tuple[Callable[[object], Any], Callable[[Any], bool]]


def all_fit(conditions: tuple[Condition, ...], attributes: Attributes) -> bool:
    """Whether every condition fits; a rule without conditions fits all."""
    for fetch, fits in conditions:  # noqa: SIM110 - a plain loop takes half the time of all()
        if not fits(fetch(attributes)):
            return False
    return True


class ReadyAnchor(msgspec.Struct, frozen=True):
    """An instant ready to be fetched: `fetch` from the statement itself, or from statements of `kind`, plus `after`."""

    fetch: Callable[[Evidence], datetime | None]
    kind: type[msgspec.Struct] | None
    after: timedelta


class ReadyPhase(msgspec.Struct, frozen=True):
    """One colour between two anchors; `until` None is open."""

    colour: Colour
    start: ReadyAnchor
    until: ReadyAnchor | None


class ReadyNegatives(msgspec.Struct, frozen=True):
    """A release by negative tests; `from_anchor` counts samples from the anchor, else from the reason's start."""

    id: str
    count: int
    gap: timedelta
    from_anchor: bool
    methods: tuple[TestMethod, ...]


class ReadyStatement(msgspec.Struct, frozen=True):
    """A release by a later statement."""

    id: str
    kind: type[msgspec.Struct]
    same_source: bool
    conditions: tuple[Condition, ...]


class ReadyRule(msgspec.Struct, frozen=True):
    """One rule of the set; `order` is its place in the file."""

    id: str
    order: int
    kind: type[msgspec.Struct]
    evidence: str
    reason_class: str
    latest_only: bool
    conditions: tuple[Condition, ...]
    phases: tuple[ReadyPhase, ...]
    releases: tuple[ReadyNegatives | ReadyStatement, ...]

    def fits(self, attributes: Attributes) -> bool:
        """Whether the rule is about a statement that says this."""
        return all_fit(self.conditions, attributes)


class Policy(msgspec.Struct, frozen=True):
    """A rule set in usable form. `hash` is the SHA-256 (hexadecimal) of the file's bytes, `body` those bytes."""

    name: str
    number: int
    hash: str
    body: bytes
    rule_set: RuleSet
    declaration_life: timedelta
    by_kind: dict[type, tuple[ReadyRule, ...]]
    by_id: dict[str, Rule]


def compile_policy(rule_set: RuleSet, *, digest: str, body: bytes) -> Policy:
    """The policy that `rule_set` describes."""
    ready = [_rule(rule, order) for order, rule in enumerate(rule_set.rule)]
    return Policy(
        name=rule_set.set.name,
        number=rule_set.set.number,
        hash=digest,
        body=body,
        rule_set=rule_set,
        declaration_life=timedelta(days=rule_set.declaration.valid_days),
        by_kind={kind: tuple(rule for rule in ready if rule.kind is kind) for kind in KINDS.values()},
        by_id={rule.id: rule for rule in rule_set.rule},
    )


def _rule(rule: Rule, order: int) -> ReadyRule:
    return ReadyRule(
        id=rule.id,
        order=order,
        kind=KINDS[rule.evidence],
        evidence=rule.evidence,
        reason_class=rule.reason_class,
        latest_only=rule.latest_only,
        conditions=_conditions(rule.where, rule.evidence),
        phases=tuple(_phase(phase, rule.evidence) for phase in rule.phase),
        releases=tuple(_release(release) for release in rule.release),
    )


def _phase(phase: Phase, kind: str) -> ReadyPhase:
    return ReadyPhase(
        colour=phase.colour,
        start=_anchor(phase.start, kind),
        until=None if phase.until is None else _anchor(phase.until, kind),
    )


def _anchor(written: Anchored, kind: str) -> ReadyAnchor:
    resolved = resolve_anchor(written.anchor, kind)
    if resolved is None:
        message = f"anchor {written.anchor!r} was not checked"
        raise ValueError(message)
    return ReadyAnchor(fetch=attrgetter(resolved.path), kind=resolved.kind, after=timedelta(days=written.days))


def _release(release: Release) -> ReadyNegatives | ReadyStatement:
    match release:
        case NegativeTests():
            return ReadyNegatives(
                id=release.id,
                count=release.count,
                gap=timedelta(hours=release.min_gap_hours),
                from_anchor=release.sampled_after is SampledAfter.ANCHOR,
                methods=release.methods,
            )
        case LaterStatement():
            return ReadyStatement(
                id=release.id,
                kind=KINDS[release.evidence],
                same_source=release.same_source,
                conditions=_conditions(release.where, release.evidence),
            )


def _conditions(where: Where, kind: str) -> tuple[Condition, ...]:
    known = attributes_of(kind)
    return tuple((attrgetter(name), _condition(wanted, known[name])) for name, wanted in where.items())


def _condition(wanted: tuple[str | int | bool, ...] | Range, attribute: Attribute) -> Callable[[Any], bool]:
    if isinstance(wanted, Range):
        return _within(wanted)
    values = tuple(value_of(attribute, value) for value in wanted)
    if attribute.many:
        chosen = frozenset(values)
        return lambda present: present is not None and not chosen.isdisjoint(present)
    # A tuple compares by identity first, which for enum members is far quicker than hashing them.
    return values.__contains__


def _within(wanted: Range) -> Callable[[Any], bool]:
    low, high = wanted.at_least, wanted.at_most
    return lambda value: value is not None and (low is None or value >= low) and (high is None or value <= high)
