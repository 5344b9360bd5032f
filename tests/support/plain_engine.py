"""The rule format carried out a second time, slowly and plainly, to be compared with the real engine.

Reads the rule set as written, shares no code with what decides, keeps nothing between two questions, and finds the next
change by trying every instant that the rules and the statements could mean.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from tests.support.obvious_policy import age, latest_test, what_stands
from tianfu.evidence.kinds import Declaration
from tianfu.evidence.model import Evidence, Grade
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.policy.model import Decision
from tianfu.policy.rules import (
    Anchored,
    Counted,
    Counter,
    LaterStatement,
    NegativeTests,
    Overlay,
    Phase,
    Range,
    Release,
    Rule,
    RuleSet,
)

SHANGHAI = timezone(timedelta(hours=8))
SEVERITIES = ["green", "yellow", "red"]


class PlainReason(NamedTuple):
    rule: str
    colour: str
    evidence: int
    since: datetime
    until: datetime | None
    releases: tuple[str, ...]
    measure: str | None


class PlainPopup(NamedTuple):
    popup: str
    rule: str
    evidence: int
    since: datetime
    until: datetime | None


class PlainState(NamedTuple):
    colour: str
    popup: str | None
    reasons: tuple[PlainReason, ...]
    popups: tuple[PlainPopup, ...]
    test: tuple[TestResult, TestMethod, datetime] | None
    declared_until: datetime | None


def state_of(decision: Decision) -> PlainState:
    """What a decision of the real engine says, in the same words."""
    test = decision.test
    return PlainState(
        decision.colour.value,
        decision.popup,
        tuple(
            PlainReason(one.rule, one.colour.value, one.evidence, one.since, one.until, one.releases, one.measure)
            for one in decision.reasons
        ),
        tuple(PlainPopup(one.popup, one.rule, one.evidence, one.since, one.until) for one in decision.popups),
        None if test is None else (test.result, test.method, test.sampled_at),
        decision.declared_until,
    )


def plain_next(rules: RuleSet, evidence: Sequence[Evidence], at: datetime) -> datetime | None:
    """The first instant after `at` at which the state is another one."""
    now = plain_state(rules, evidence, at)
    for instant in sorted(set(possible_changes(rules, evidence))):
        if instant > at and plain_state(rules, evidence, instant) != now:
            return instant
    return None


def plain_state(rules: RuleSet, evidence: Sequence[Evidence], at: datetime) -> PlainState:
    """What the rules say at `at`."""
    strong = [item for item in what_stands(evidence) if item.grade is Grade.STRONG]
    now = [item for item in strong if item.valid.contains(at)]
    reasons: list[PlainReason] = []
    popups: list[PlainPopup] = []
    for rule in rules.rule:
        for item in sorted(now, key=lambda one: one.evidence_id):
            view = View(rules, rule, item, now)
            if view.fits(at) and not (rule.latest_only and newer_exists(item, strong, at)):
                found, shown = view.active(at)
                reasons += found
                popups += shown
    silent = silenced(rules, {reason.rule for reason in reasons})
    order = [rule.id for rule in rules.rule]
    reasons = [reason for reason in reasons if reason.rule not in silent]
    reasons.sort(key=lambda one: (-SEVERITIES.index(one.colour), order.index(one.rule), one.evidence))
    colour = reasons[0].colour if reasons else "green"
    listed: list[PlainPopup] = []
    for popup in popups:
        hidden = [word.value for table in rules.popup if table.id == popup.popup for word in table.preempted_by]
        if popup.rule not in silent and colour not in hidden and popup.popup not in {one.popup for one in listed}:
            listed.append(popup)
    declared = declared_until(rules, now, at)
    shown_popup = listed[0].popup if listed else None
    if shown_popup is None and rules.declaration is not None and declared is None:
        shown_popup = "declare"
    return PlainState(colour, shown_popup, tuple(reasons), tuple(listed), latest_test(now), declared)


def silenced(rules: RuleSet, active: set[str]) -> set[str]:
    """The rules that active ones take the word from; who has lost it takes it from nobody."""
    silent: set[str] = set()
    for rule in rules.rule:
        if rule.id in active and rule.id not in silent:
            silent |= set(rule.preempts)
    return silent


def declared_until(rules: RuleSet, now: list[Evidence], at: datetime) -> datetime | None:
    if rules.declaration is None:
        return None
    ends = []
    for item in now:
        if isinstance(item.attributes, Declaration) and item.attributes.declared_at <= at:
            until = item.attributes.declared_at + timedelta(days=rules.declaration.valid_days)
            ends.append(until if item.valid.end is None else min(until, item.valid.end))
    return max((until for until in ends if at < until), default=None)


def newer_exists(item: Evidence, strong: list[Evidence], at: datetime) -> bool:
    return any(
        other.kind == item.kind and other.source == item.source and other.valid.start <= at and age(other) > age(item)
        for other in strong
    )


def possible_changes(rules: RuleSet, evidence: Sequence[Evidence]) -> Iterator[datetime]:
    """Every instant at which anything may begin or end."""
    items = [item for item in what_stands(evidence) if item.grade is Grade.STRONG]
    for item in items:
        yield item.valid.start
        if item.valid.end is not None:
            yield item.valid.end
        if isinstance(item.attributes, Declaration):
            yield item.attributes.declared_at
            if rules.declaration is not None:
                yield item.attributes.declared_at + timedelta(days=rules.declaration.valid_days)
    periods = [(rule.applies_from, rule.applies_until) for rule in rules.rule]
    periods += [(overlay.applies_from, overlay.applies_until) for overlay in rules.overlay]
    yield from (instant for period in periods for instant in period if instant is not None)
    for rule in rules.rule:
        mine = [item for item in items if item.kind == rule.evidence and where_fits(rule.where, item.attributes)]
        if not mine:
            continue
        for anchor in anchors_of(rule):
            for item in mine:
                view = View(rules, rule, item, items)
                yield from (view.moved(anchor, instant) for instant in view.candidates(anchor.anchor))


def anchors_of(rule: Rule) -> Iterator[Anchored]:
    for phase in rule.phase:
        yield from as_list(phase.start)
        yield from as_list(phase.until)
    for release in rule.release:
        if not isinstance(release, NegativeTests) and release.not_before is not None:
            yield release.not_before


def as_list(anchors: Anchored | tuple[Anchored, ...] | None) -> list[Anchored]:
    if anchors is None:
        return []
    return [anchors] if isinstance(anchors, Anchored) else list(anchors)


def where_fits(where: dict[str, Any], fact: object) -> bool:
    for name, wanted in where.items():
        present = getattr(fact, name)
        if isinstance(wanted, Range):
            bounds = [
                present is not None,
                wanted.at_least is None or present is None or present >= wanted.at_least,
                wanted.at_most is None or present is None or present <= wanted.at_most,
                wanted.since is None or present is None or present >= wanted.since,
                wanted.before is None or present is None or present < wanted.before,
            ]
            if not all(bounds):
                return False
        else:
            values = present if isinstance(present, tuple) else (present,)
            words = [value.value if isinstance(value, enum.Enum) else value for value in values]
            if not any(word in wanted for word in words):
                return False
    return True


class View:
    """One rule and one statement of a person of whom `now` is known."""

    def __init__(self, rules: RuleSet, rule: Rule, item: Evidence, now: list[Evidence]) -> None:
        self.rules, self.rule, self.item, self.now = rules, rule, item, now
        self.overlay = next((one for one in rules.overlay if one.id == rule.overlay), None)

    def fits(self, at: datetime) -> bool:
        rule, place = self.rule, self.item.place
        if self.item.kind != rule.evidence or not where_fits(rule.where, self.item.attributes):
            return False
        if rule.places and not lies_in(place, rule.places):
            return False
        if self.overlay is not None:
            return lies_in(place, self.overlay.places)
        return not any(
            rule.id in city.suspends and lies_in(place, city.places) and applies(city, at)
            for city in self.rules.overlay
        )

    def active(self, at: datetime) -> tuple[list[PlainReason], list[PlainPopup]]:
        """The reason and the popups that the rule gives for the statement at `at`."""
        if any(self.released(release, at) for release in self.rule.release):
            return [], []
        colours: list[tuple[Phase, datetime, datetime | None]] = []
        popups: list[PlainPopup] = []
        for phase in self.rule.phase:
            since, until = self.begins(phase), self.ends(phase)
            if since is None or at < since or (until is not None and (at >= until or until <= since)):
                continue
            if phase.colour is not None:
                colours.append((phase, since, until))
            if phase.popup is not None:
                popups.append(PlainPopup(phase.popup, self.rule.id, self.item.evidence_id, since, until))
        ids = tuple(release.id for release in self.rule.release)
        for colour in ("red", "yellow"):
            for phase, since, until in colours:
                if phase.colour is not None and phase.colour.value == colour:
                    number = self.item.evidence_id
                    return [PlainReason(self.rule.id, colour, number, since, until, ids, phase.measure)], popups
        return [], popups

    def begins(self, phase: Phase) -> datetime | None:
        anchors = as_list(phase.start)
        instants = [self.instant(anchor, None) for anchor in anchors]
        if instants[0] is None:
            return None
        bounds = [self.item.valid.start, self.rule.applies_from]
        if self.overlay is not None:
            bounds.append(self.overlay.applies_from)
        return max(instant for instant in [*instants, *bounds] if instant is not None)

    def ends(self, phase: Phase) -> datetime | None:
        begun = self.raw(as_list(phase.start)[0].anchor, None)
        instants = [self.instant(anchor, begun) for anchor in as_list(phase.until)]
        bounds = [self.item.valid.end, self.rule.applies_until]
        if self.overlay is not None:
            bounds.append(self.overlay.applies_until)
        return min((instant for instant in [*instants, *bounds] if instant is not None), default=None)

    def instant(self, anchor: Anchored, begun: datetime | None) -> datetime | None:
        raw = self.raw(anchor.anchor, begun)
        return None if raw is None else self.moved(anchor, raw)

    def moved(self, anchor: Anchored, raw: datetime) -> datetime:
        if anchor.midnight:
            raw = raw.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
        return raw + timedelta(days=anchor.days, hours=anchor.hours)

    def raw(self, name: str, begun: datetime | None) -> datetime | None:
        """The instant that an anchor names, without what is added to it."""
        head, _, tail = name.rpartition(".")
        counter = next((one for one in self.rule.counter if one.id == head), None)
        if counter is not None:
            samples = self.samples(counter)
            if tail == "last":
                return max((instant for instant, _ in samples), default=None)
            counts = counts_of(counter, samples)
            return counts[int(tail) - 1] if len(counts) >= int(tail) else None
        found = self.candidates(name)
        return min((instant for instant in found if begun is None or not head or instant >= begun), default=None)

    def candidates(self, name: str) -> list[datetime]:
        """Every instant that the anchor could be."""
        head, _, tail = name.rpartition(".")
        if name in {"occurred", "received"}:
            return [self.item.occurred_at if name == "occurred" else self.item.received_at]
        if any(counter.id == head for counter in self.rule.counter):
            return [item.attributes.sampled_at for item in self.now if hasattr(item.attributes, "sampled_at")]
        items = [other for other in self.now if other.kind == head] if head else [self.item]
        instants = [getattr(other.attributes, tail) for other in items]
        return [instant for instant in instants if instant is not None]

    def samples(self, counter: Counter) -> list[tuple[datetime, str]]:
        kinds = {"test": ["test", "sampling"] if counter.pending else ["test"], "parent_test": ["parent_test"]}
        chosen = []
        for other in self.now:
            fact: Any = other.attributes
            if other.kind not in kinds[counter.of.value] or fact.method not in counter.methods:
                continue
            if not counter.pending and fact.result not in counter.results:
                continue
            if other.kind == "parent_test" and fact.contact != self.item.source_record:
                continue
            if not (counter.single and fact.pooled) and self.is_after(counter, fact.sampled_at):
                chosen.append((fact.sampled_at, fact.laboratory))
        return sorted(chosen)

    def is_after(self, counter: Counter, sampled_at: datetime) -> bool:
        after = counter.sampled_after
        first = self.rule.phase[0]
        if isinstance(after, Anchored):
            least = self.instant(after, None)
            return least is not None and sampled_at >= least
        begins = self.begins(first) if after.value == "coloured" else self.raw(as_list(first.start)[0].anchor, None)
        return begins is not None and sampled_at > begins

    def released(self, release: Release, at: datetime) -> bool:
        match release:
            case NegativeTests():
                counter = Counter(
                    id="it",
                    sampled_after=release.sampled_after,
                    methods=release.methods,
                    min_gap_hours=release.min_gap_hours,
                )
                return len(counts_of(counter, self.samples(counter))) >= release.count
            case Counted():
                happened = all(self.raw(need, None) is not None for need in release.needs)
                return happened and self.is_time(release.not_before, at)
            case LaterStatement():
                happened = any(self.is_said(release, other) for other in self.now)
                return happened and self.is_time(release.not_before, at)

    def is_time(self, not_before: Anchored | None, at: datetime) -> bool:
        if not_before is None:
            return True
        least = self.instant(not_before, None)
        return least is not None and at >= least

    def is_said(self, release: LaterStatement, other: Evidence) -> bool:
        return (
            other.kind == release.evidence
            and where_fits(release.where, other.attributes)
            and (other.source == self.item.source or not release.same_source)
            and age(other) > age(self.item)
            and not (
                release.about_this and getattr(other.attributes, "record", None) not in {None, self.item.source_record}
            )
        )


def counts_of(counter: Counter, samples: list[tuple[datetime, str]]) -> list[datetime]:
    """Every instant at which the counter has one more."""
    gap, length = timedelta(hours=counter.min_gap_hours), timedelta(hours=counter.round_hours)
    counts: list[datetime] = []
    left = list(samples)
    while left:
        first = left[0][0]
        laboratories: set[str] = set()
        used = 0
        if not counts or first - counts[-1] >= gap:
            for number, (instant, laboratory) in enumerate(left, start=1):
                laboratories |= {laboratory} if instant - first <= length or counter.laboratories == 1 else set()
                if len(laboratories) >= counter.laboratories:
                    counts.append(instant)
                    used = number
                    break
        left = left[used or 1 :]
    return counts


def lies_in(place: str | None, codes: tuple[str, ...]) -> bool:
    return place is not None and any(place[: len(code)] == code for code in codes)


def applies(city: Overlay, at: datetime) -> bool:
    begun = city.applies_from is None or city.applies_from <= at
    return begun and (city.applies_until is None or at < city.applies_until)
