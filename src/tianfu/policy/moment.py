"""One person's evidence at one instant, as rules see it: newest statements, anchors, releases. Pure.

Built only for people whom some rule fits; everything is computed on first use and kept for the one decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from tianfu.evidence.kinds import Test
from tianfu.evidence.model import Evidence, Grade
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.policy.compile import ReadyAnchor, ReadyNegatives, ReadyPhase, ReadyRule, ReadyStatement, all_fit

_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


class Moment:
    """The person's evidence at `at`: `live` are the statements that stand, `counting` those of them that count now.

    Statements whose validity has ended matter only for `is_newest`.
    """

    def __init__(self, live: Sequence[Evidence], counting: Sequence[Evidence], at: datetime) -> None:
        self._live = live
        self._counting = counting
        self._at = at
        self._newest: dict[tuple[type, str], Evidence] | None = None
        self._samples: dict[tuple[TestMethod, ...], list[datetime]] = {}

    def is_newest(self, item: Evidence) -> bool:
        """Whether no newer statement of the same kind and source has begun to count."""
        if self._newest is None:
            self._newest = {}
            for other in self._live:
                if other.grade is Grade.WEAK or self._at < other.valid.start:
                    continue
                key = (type(other.attributes), other.source)
                known = self._newest.get(key)
                if known is None or _age_key(known) < _age_key(other):
                    self._newest[key] = other
        return self._newest[type(item.attributes), item.source].evidence_id == item.evidence_id

    def begins(self, phase: ReadyPhase, item: Evidence) -> datetime | None:
        """When the phase starts to count for this statement; None when its anchor is absent or beyond the calendar."""
        anchor = self._anchor(phase.start, item, not_before=None)
        try:
            instant = None if anchor is None else anchor + phase.start.after
        except OverflowError:
            return None
        return None if instant is None else max(instant, item.valid.start)

    def ends(self, phase: ReadyPhase, item: Evidence) -> datetime | None:
        """When the phase stops counting for this statement; None while no end is known.

        An instant of another statement ends the phase only when it does not lie before the phase's own anchor: last
        year's discharge does not end this year's illness. Of several the earliest counts.
        """
        own_end = item.valid.end
        if phase.until is None:
            return own_end
        begun = self._anchor(phase.start, item, not_before=None)
        anchor = self._anchor(phase.until, item, not_before=begun)
        try:
            instant = None if anchor is None else anchor + phase.until.after
        except OverflowError:
            instant = None
        if instant is None or (own_end is not None and own_end < instant):
            return own_end
        return instant

    def open_releases(self, rule: ReadyRule, item: Evidence) -> tuple[str, ...] | None:
        """The releases that have not happened yet; None when one has, so that the rule is over for this statement."""
        for release in rule.releases:
            if isinstance(release, ReadyNegatives):
                if self._released_by_tests(release, rule, item):
                    return None
            elif self._released_by_statement(release, item):
                return None
        return tuple(release.id for release in rule.releases)

    def _released_by_tests(self, release: ReadyNegatives, rule: ReadyRule, item: Evidence) -> bool:
        first = rule.phases[0]
        after = self._anchor(first.start, item, not_before=None) if release.from_anchor else self.begins(first, item)
        if after is None:
            return False
        counted = 0
        last: datetime | None = None
        for sample in self._samples_of(release.methods):
            if sample > after and (last is None or sample - last >= release.gap):
                counted, last = counted + 1, sample
                if counted == release.count:
                    return True
        return False

    def _released_by_statement(self, release: ReadyStatement, item: Evidence) -> bool:
        return any(
            type(other.attributes) is release.kind
            and (other.source == item.source or not release.same_source)
            and _age_key(item) < _age_key(other)
            and all_fit(release.conditions, other.attributes)
            for other in self._counting
        )

    def _anchor(self, anchor: ReadyAnchor, item: Evidence, *, not_before: datetime | None) -> datetime | None:
        if anchor.kind is None:
            return anchor.fetch(item)
        return min(self._elsewhere(anchor, anchor.kind, not_before or _BEGINNING), default=None)

    def _elsewhere(self, anchor: ReadyAnchor, kind: type[msgspec.Struct], not_before: datetime) -> list[datetime]:
        found = (anchor.fetch(other) for other in self._counting if type(other.attributes) is kind)
        return [instant for instant in found if instant is not None and instant >= not_before]

    def _samples_of(self, methods: tuple[TestMethod, ...]) -> list[datetime]:
        samples = self._samples.get(methods)
        if samples is None:
            tests = (item.attributes for item in self._counting if type(item.attributes) is Test)
            samples = sorted(
                test.sampled_at for test in tests if test.result is TestResult.NEGATIVE and test.method in methods
            )
            self._samples[methods] = samples
        return samples


def _age_key(item: Evidence) -> tuple[datetime, datetime, int]:
    return item.occurred_at, item.valid.start, item.evidence_id
