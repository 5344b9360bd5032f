"""One person's evidence at one instant, as rules see it: newest statements, anchors, counts, releases. Pure.

Built only for people whom some rule fits; everything is computed on first use and kept for the one decision.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

from tianfu.evidence.care_kinds import Sampling
from tianfu.evidence.kinds import ParentTest, Test
from tianfu.evidence.model import Evidence, Grade
from tianfu.policy.anchors import ReadyAnchor, ReadyCounter
from tianfu.policy.compile import ReadyCounted, ReadyPhase, ReadyRule, ReadyStatement, all_fit
from tianfu.policy.counters import Sample, counted, since
from tianfu.policy.rules import SampledAfter

# When a statement was made: of two, the one with the higher key is the newer.
_Age = tuple[datetime, datetime, int]


class Moment:
    """The person's evidence at `at`: `live` are the statements that stand, `counting` those of them that count now.

    Statements whose validity has ended matter only for `is_newest`. `may_change` is the earliest instant met so far at
    which a release may take effect by itself.
    """

    def __init__(self, live: Sequence[Evidence], counting: Sequence[Evidence], at: datetime) -> None:
        self.may_change: datetime | None = None
        self._live = live
        self._counting = counting
        self._at = at
        self._newest: dict[tuple[type, str], Evidence] | None = None
        self._samples: dict[tuple[ReadyCounter, str | None], Sequence[Sample]] = {}
        self._instants: dict[tuple[type, str], list[datetime]] = {}
        self._ages: dict[ReadyStatement, dict[tuple[str | None, str | None], _Age]] = {}

    def is_newest(self, item: Evidence) -> bool:
        """Whether no newer statement of the same kind and source has begun to count."""
        if self._newest is None:
            self._newest = {}
            for other in self._live:
                if other.grade is Grade.WEAK or self._at < other.valid.start:
                    continue
                key = (type(other.attributes), other.source)
                known = self._newest.get(key)
                if known is None or _age(known) < _age(other):
                    self._newest[key] = other
        return self._newest[type(item.attributes), item.source].evidence_id == item.evidence_id

    def begins(self, rule: ReadyRule, phase: ReadyPhase, item: Evidence) -> datetime | None:
        """When the phase starts to count for this statement: the latest of its anchors that are there.

        None when the first of them is absent, or when one lies beyond the calendar.
        """
        begins = item.valid.start
        if rule.applies_from is not None and begins < rule.applies_from:
            begins = rule.applies_from
        first = phase.starts[0]
        try:
            for anchor in phase.starts:
                fetched = self._fetch(anchor, rule, item, None)
                if fetched is not None:
                    begins = max(begins, anchor.value(fetched))
                elif anchor is first:
                    return None
        except OverflowError:
            return None
        return begins

    def ends(self, rule: ReadyRule, phase: ReadyPhase, item: Evidence) -> datetime | None:
        """When the phase stops counting for this statement: the earliest of its anchors that are there.

        None while no end is known. An instant of another statement ends the phase only when it does not lie before the
        phase's own first anchor: last year's discharge does not end this year's illness.
        """
        ends = item.valid.end
        if rule.applies_until is not None and (ends is None or rule.applies_until < ends):
            ends = rule.applies_until
        for anchor in phase.untils:
            begun = None if anchor.kind is None else self._fetch(phase.starts[0], rule, item, None)
            fetched = self._fetch(anchor, rule, item, begun)
            if fetched is None:
                continue
            try:
                value = anchor.value(fetched)
            except OverflowError:
                continue
            if ends is None or value < ends:
                ends = value
        return ends

    def open_releases(self, rule: ReadyRule, item: Evidence) -> tuple[str, ...] | None:
        """The releases that have not happened yet; None when one has, so that the rule is over for this statement."""
        for release in rule.releases:
            if isinstance(release, ReadyCounted):
                happened = all(self._count(counter, nth, rule, item) is not None for counter, nth in release.needs)
            else:
                happened = self._stated(release, item)
            if happened and self._is_time(release.not_before, rule, item):
                return None
        return tuple(release.id for release in rule.releases)

    def _is_time(self, not_before: ReadyAnchor | None, rule: ReadyRule, item: Evidence) -> bool:
        """Whether a release that must wait has waited long enough; it waits for ever while its anchor is absent."""
        if not_before is None:
            return True
        fetched = self._fetch(not_before, rule, item, None)
        try:
            instant = None if fetched is None else not_before.value(fetched)
        except OverflowError:
            return False
        if instant is None:
            return False
        if self._at < instant and (self.may_change is None or instant < self.may_change):
            self.may_change = instant
        return instant <= self._at

    def _stated(self, release: ReadyStatement, item: Evidence) -> bool:
        """Whether a statement newer than `item` says what releases it."""
        ages = self._ages.get(release)
        if ages is None:
            ages = self._ages[release] = self._ages_of(release)
        source = item.source if release.same_source else None
        keys = [(source, None), (source, item.source_record)] if release.about_this else [(source, None)]
        mine = _age(item)
        return any(key in ages and mine < ages[key] for key in keys)

    def _ages_of(self, release: ReadyStatement) -> dict[tuple[str | None, str | None], _Age]:
        """For each source and record that a releasing statement can be about, the age of the newest."""
        ages: dict[tuple[str | None, str | None], _Age] = {}
        for other in self._counting:
            if type(other.attributes) is not release.kind or not all_fit(release.conditions, other.attributes):
                continue
            record: str | None = getattr(other.attributes, "record", None) if release.about_this else None
            key, age = (other.source if release.same_source else None, record), _age(other)
            if key not in ages or ages[key] < age:
                ages[key] = age
        return ages

    def _fetch(
        self, anchor: ReadyAnchor, rule: ReadyRule, item: Evidence, not_before: datetime | None
    ) -> datetime | None:
        if anchor.counter is not None:
            return self._count(anchor.counter, anchor.nth, rule, item)
        if anchor.kind is None:
            return anchor.fetch(item)
        instants = self._instants_of(anchor, anchor.kind)
        place = 0 if not_before is None else bisect_left(instants, not_before)
        return instants[place] if place < len(instants) else None

    def _instants_of(self, anchor: ReadyAnchor, kind: type) -> list[datetime]:
        """The instants that the person's statements of `kind` have there, in order."""
        instants = self._instants.get((kind, anchor.path))
        if instants is None:
            found = (anchor.fetch(other) for other in self._counting if type(other.attributes) is kind)
            instants = self._instants[kind, anchor.path] = sorted(instant for instant in found if instant is not None)
        return instants

    def _count(self, counter: ReadyCounter, nth: int, rule: ReadyRule, item: Evidence) -> datetime | None:
        """The instant of the counter's `nth` count for this statement, of its latest sample for 0; None if none."""
        samples = self._samples_of(counter, item.source_record if counter.parent else None)
        if not samples:
            return None
        after = self._counts_after(counter, rule, item)
        if after is None:
            return None
        eligible = since(samples, after, strictly=isinstance(counter.after, SampledAfter))
        if nth == 0:
            return eligible[-1][0] if eligible else None
        return counted(counter, eligible, nth)

    def _counts_after(self, counter: ReadyCounter, rule: ReadyRule, item: Evidence) -> datetime | None:
        first = rule.phases[0]
        if counter.after is SampledAfter.COLOURED:
            return self.begins(rule, first, item)
        if counter.after is SampledAfter.ANCHOR:
            return self._fetch(first.starts[0], rule, item, None)
        fetched = self._fetch(counter.after, rule, item, None)
        try:
            return None if fetched is None else counter.after.value(fetched)
        except OverflowError:
            return None

    def _samples_of(self, counter: ReadyCounter, contact: str | None) -> Sequence[Sample]:
        samples = self._samples.get((counter, contact))
        if samples is None:
            chosen = (item.attributes for item in self._counting)
            samples = sorted(
                (fact.sampled_at, fact.laboratory)
                for fact in chosen
                if isinstance(fact, (Test, ParentTest, Sampling)) and _is_counted(counter, fact, contact)
            )
            self._samples[counter, contact] = samples
        return samples


def _is_counted(counter: ReadyCounter, fact: Test | ParentTest | Sampling, contact: str | None) -> bool:
    """Whether the counter counts a sample of this kind, whenever it was taken."""
    if fact.method not in counter.methods or (counter.single and fact.pooled):
        return False
    if isinstance(fact, Sampling):
        return counter.pending and contact is None
    if isinstance(fact, ParentTest) and fact.contact != contact:
        return False
    if isinstance(fact, Test) and contact is not None:
        return False
    return counter.pending or fact.result in counter.results


def _age(item: Evidence) -> _Age:
    return item.occurred_at, item.valid.start, item.evidence_id
