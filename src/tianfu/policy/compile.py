"""A rule set prepared for deciding: names resolved once, so that a decision only compares and adds.

Pure. Expects a rule set without faults (see `tianfu.policy.check`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Final

import msgspec

from tianfu.colour import Colour
from tianfu.evidence.kinds import KINDS, Attributes
from tianfu.evidence.test_words import TestResult
from tianfu.policy.anchors import ReadyAnchor, ReadyCounter, listed, ready_anchor
from tianfu.policy.rules import (
    Anchored,
    Counted,
    Counter,
    CountOf,
    LaterStatement,
    NegativeTests,
    Overlay,
    Phase,
    Popup,
    Range,
    Release,
    Rule,
    RuleSet,
    Where,
)
from tianfu.policy.vocabulary import Attribute, attributes_of, counter_anchor, value_of

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


class ReadyPopup(msgspec.Struct, frozen=True):
    """A popup as a decision shows it; it is not shown while the colour is one of `hidden_by`."""

    id: str
    popup_class: str
    blocks: tuple[str, ...]
    hidden_by: tuple[Colour, ...]


class ReadyPhase(msgspec.Struct, frozen=True):
    """A colour, a popup or both: from the latest of `starts` to the earliest of `untils` (none: open)."""

    colour: Colour | None
    popup: ReadyPopup | None
    measure: str | None
    starts: tuple[ReadyAnchor, ...]
    untils: tuple[ReadyAnchor, ...]


class ReadyCounted(msgspec.Struct, frozen=True, eq=False):
    """A release by counts: each of `needs` is a counter and how many of it."""

    id: str
    needs: tuple[tuple[ReadyCounter, int], ...]
    not_before: ReadyAnchor | None = None


class ReadyStatement(msgspec.Struct, frozen=True, eq=False):
    """A release by a later statement. Compared by identity, so that it can be a key."""

    id: str
    kind: type[msgspec.Struct]
    same_source: bool
    about_this: bool
    conditions: tuple[Condition, ...]
    not_before: ReadyAnchor | None


class Suspension(msgspec.Struct, frozen=True):
    """Where and when a city's rules stand in for a rule of the province."""

    places: tuple[str, ...]
    since: datetime | None
    until: datetime | None


class ReadyRule(msgspec.Struct, frozen=True):
    """One rule of the set; `order` is its place in the file.

    It applies in [`applies_from`, `applies_until`), its overlay's period included. `within`: for each tuple the place
    must begin with one of its codes. `preempts` holds the places in the file of the rules it silences.
    """

    id: str
    order: int
    kind: type[msgspec.Struct]
    evidence: str
    reason_class: str
    latest_only: bool
    conditions: tuple[Condition, ...]
    phases: tuple[ReadyPhase, ...]
    releases: tuple[ReadyCounted | ReadyStatement, ...]
    applies_from: datetime | None
    applies_until: datetime | None
    within: tuple[tuple[str, ...], ...]
    suspended: tuple[Suspension, ...]
    preempts: frozenset[int]

    def fits(self, attributes: Attributes) -> bool:
        """Whether the rule is about a statement that says this."""
        return all_fit(self.conditions, attributes)

    def lies_within(self, place: str | None) -> bool:
        """Whether a statement about `place` is one of those the rule is for."""
        return not self.within or (place is not None and all(place.startswith(codes) for codes in self.within))


class Policy(msgspec.Struct, frozen=True):
    """A rule set in usable form. `hash` is the SHA-256 (hexadecimal) of the file's bytes, `body` those bytes.

    `declaration_life` is None when the set asks for no declarations.
    """

    name: str
    number: int
    hash: str
    body: bytes
    rule_set: RuleSet
    declaration_life: timedelta | None
    by_kind: dict[type, tuple[ReadyRule, ...]]
    by_id: dict[str, Rule]


def compile_policy(rule_set: RuleSet, *, digest: str, body: bytes) -> Policy:
    """The policy that `rule_set` describes."""
    maker = _Maker(rule_set)
    ready = [maker.rule(rule, order) for order, rule in enumerate(rule_set.rule)]
    declaration = rule_set.declaration
    return Policy(
        name=rule_set.set.name,
        number=rule_set.set.number,
        hash=digest,
        body=body,
        rule_set=rule_set,
        declaration_life=None if declaration is None else timedelta(days=declaration.valid_days),
        by_kind={kind: tuple(rule for rule in ready if rule.kind is kind) for kind in KINDS.values()},
        by_id={rule.id: rule for rule in rule_set.rule},
    )


class _Maker:
    """Turns the rules of one set into ready ones."""

    def __init__(self, rule_set: RuleSet) -> None:
        self._orders = {rule.id: order for order, rule in enumerate(rule_set.rule)}
        self._overlays = {overlay.id: overlay for overlay in rule_set.overlay}
        self._popups = {popup.id: _popup(popup) for popup in rule_set.popup}

    def rule(self, rule: Rule, order: int) -> ReadyRule:
        kind = rule.evidence
        overlay = None if rule.overlay is None else self._overlays[rule.overlay]
        counters: dict[str, ReadyCounter] = {}
        for counter in rule.counter:
            counters[counter.id] = _counter(counter, kind)
        return ReadyRule(
            id=rule.id,
            order=order,
            kind=KINDS[kind],
            evidence=kind,
            reason_class=rule.reason_class,
            latest_only=rule.latest_only,
            conditions=_conditions(rule.where, kind),
            phases=tuple(self._phase(phase, kind, counters) for phase in rule.phase),
            releases=tuple(_release(release, kind, counters) for release in rule.release),
            applies_from=_latest(rule.applies_from, None if overlay is None else overlay.applies_from),
            applies_until=_earliest(rule.applies_until, None if overlay is None else overlay.applies_until),
            within=tuple(places for places in (rule.places, () if overlay is None else overlay.places) if places),
            suspended=() if overlay is not None else self._suspensions(rule),
            preempts=frozenset(self._orders[name] for name in rule.preempts),
        )

    def _suspensions(self, rule: Rule) -> tuple[Suspension, ...]:
        return tuple(_suspension(overlay) for overlay in self._overlays.values() if rule.id in overlay.suspends)

    def _phase(self, phase: Phase, kind: str, counters: Mapping[str, ReadyCounter]) -> ReadyPhase:
        return ReadyPhase(
            colour=phase.colour,
            popup=None if phase.popup is None else self._popups[phase.popup],
            measure=phase.measure,
            starts=tuple(ready_anchor(anchor, kind, counters) for anchor in listed(phase.start)),
            untils=tuple(ready_anchor(anchor, kind, counters) for anchor in listed(phase.until)),
        )


def _popup(popup: Popup) -> ReadyPopup:
    return ReadyPopup(
        id=popup.id,
        popup_class=popup.popup_class,
        blocks=tuple(block.value for block in popup.blocks),
        hidden_by=popup.preempted_by,
    )


def _suspension(overlay: Overlay) -> Suspension:
    return Suspension(places=overlay.places, since=overlay.applies_from, until=overlay.applies_until)


def _counter(counter: Counter, kind: str) -> ReadyCounter:
    after = counter.sampled_after
    return ReadyCounter(
        after=ready_anchor(after, kind, {}) if isinstance(after, Anchored) else after,
        methods=counter.methods,
        results=counter.results,
        parent=counter.of is CountOf.PARENT,
        pending=counter.pending,
        single=counter.single,
        gap=timedelta(hours=counter.min_gap_hours),
        laboratories=counter.laboratories,
        round=timedelta(hours=counter.round_hours),
    )


def _release(release: Release, kind: str, counters: Mapping[str, ReadyCounter]) -> ReadyCounted | ReadyStatement:
    match release:
        case NegativeTests():
            counter = ReadyCounter(
                after=release.sampled_after,
                methods=release.methods,
                results=(TestResult.NEGATIVE,),
                gap=timedelta(hours=release.min_gap_hours),
            )
            return ReadyCounted(id=release.id, needs=((counter, release.count),))
        case Counted():
            anchors = [counter_anchor(need, counters) for need in release.needs]
            return ReadyCounted(
                id=release.id,
                needs=tuple((counters[need.counter], need.nth) for need in anchors if need is not None),
                not_before=_maybe_anchor(release.not_before, kind),
            )
        case LaterStatement():
            return ReadyStatement(
                id=release.id,
                kind=KINDS[release.evidence],
                same_source=release.same_source,
                about_this=release.about_this,
                conditions=_conditions(release.where, release.evidence),
                not_before=_maybe_anchor(release.not_before, kind),
            )


def _maybe_anchor(written: Anchored | None, kind: str) -> ReadyAnchor | None:
    return None if written is None else ready_anchor(written, kind, {})


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return one if other is None or (one is not None and other < one) else other


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return one if other is None or (one is not None and one < other) else other


def _conditions(where: Where, kind: str) -> tuple[Condition, ...]:
    known = attributes_of(kind)
    return tuple((attrgetter(name), _condition(wanted, known[name])) for name, wanted in where.items())


def _condition(wanted: tuple[str | int | bool, ...] | Range, attribute: Attribute) -> Callable[[Any], bool]:
    if isinstance(wanted, Range):
        return _between(wanted) if attribute.type is datetime else _within(wanted)
    values = tuple(value_of(attribute, value) for value in wanted)
    if attribute.many:
        chosen = frozenset(values)
        return lambda present: present is not None and not chosen.isdisjoint(present)
    # A tuple compares by identity first, which for enum members is far quicker than hashing them.
    return values.__contains__


def _within(wanted: Range) -> Callable[[Any], bool]:
    low, high = wanted.at_least, wanted.at_most
    return lambda value: value is not None and (low is None or value >= low) and (high is None or value <= high)


def _between(wanted: Range) -> Callable[[Any], bool]:
    since, before = wanted.since, wanted.before
    return lambda at: at is not None and (since is None or at >= since) and (before is None or at < before)
