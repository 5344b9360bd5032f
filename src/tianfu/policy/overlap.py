"""Which rules of a set can fit one and the same statement, and what comes of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import combinations

import msgspec

from tianfu.colour import Colour
from tianfu.policy.rules import Bilingual, Overlay, Range, Rule, RuleSet, Where
from tianfu.policy.vocabulary import attributes_of


class Overlap(msgspec.Struct, frozen=True):
    """Two rules that can fit one statement: the place of the earlier in the file, the other's id, and who wins."""

    place: int
    other: str
    outcome: Bilingual


def pairs(rules: RuleSet) -> Iterator[Overlap]:
    """The overlapping pairs, in the order of the file. A rule without a colour adds a popup and is in none of them."""
    overlays = {overlay.id: overlay for overlay in rules.overlay}
    colouring = [(place, rule, worst) for place, rule in enumerate(rules.rule) if (worst := worst_of(rule)) is not None]
    for (place, one, first), (_, two, second) in combinations(colouring, 2):
        if _can_meet(one, two, overlays):
            yield Overlap(place, two.id, _outcome(one, first, two, second))


def worst_of(rule: Rule) -> Colour | None:
    """The worst colour that a rule gives; None for one of popups alone."""
    given = [phase.colour for phase in rule.phase if phase.colour is not None]
    return max(given, key=lambda colour: colour.severity, default=None)


def prefixes_meet(one: Iterable[str], two: Iterable[str]) -> bool:
    """Whether some place lies in a division of each."""
    others = tuple(two)
    return any(first.startswith(second) or second.startswith(first) for first in one for second in others)


def _outcome(one: Rule, first: Colour, two: Rule, second: Colour) -> Bilingual:
    if two.id in one.preempts:
        return Bilingual(zh=f"“{one.id}”优先，后者不计", en=f"`{one.id}` pre-empts it")
    if one.id in two.preempts:
        return Bilingual(zh=f"“{two.id}”优先，前者不计", en=f"`{two.id}` pre-empts the former")
    if first is second:
        return Bilingual(zh=f"同为 {first.value}，两条原因都显示", en=f"both give {first.value} and both are shown")
    winner, colour = (one.id, first) if first.severity > second.severity else (two.id, second)
    return Bilingual(zh=f"“{winner}”的 {colour.value} 生效", en=f"{colour.value} of `{winner}` wins while it lasts")


def _can_meet(one: Rule, two: Rule, overlays: dict[str, Overlay]) -> bool:
    if one.evidence != two.evidence or not _periods_meet(one, two):
        return False
    if one.overlay is not None and two.overlay == one.overlay:
        pass
    elif one.overlay is not None and two.overlay is not None:
        if not prefixes_meet(overlays[one.overlay].places, overlays[two.overlay].places):
            return False
    elif one.overlay is not None or two.overlay is not None:
        inner, outer = (one, two) if one.overlay is not None else (two, one)
        overlay = overlays[inner.overlay or ""]
        if outer.id in overlay.suspends or (outer.places and not prefixes_meet(outer.places, overlay.places)):
            return False
    if one.places and two.places and not prefixes_meet(one.places, two.places):
        return False
    return _wheres_meet(one.where, two.where, one.evidence)


def _periods_meet(one: Rule, two: Rule) -> bool:
    start = max((each for each in (one.applies_from, two.applies_from) if each), default=None)
    end = min((each for each in (one.applies_until, two.applies_until) if each), default=None)
    return start is None or end is None or start < end


def _wheres_meet(one: Where, two: Where, kind: str) -> bool:
    """Whether one statement can fit both: no attribute that both speak of rules it out."""
    known = attributes_of(kind)
    for name in one.keys() & two.keys():
        first, second = one[name], two[name]
        if name in known and known[name].many:
            continue
        if not _values_meet(first, second):
            return False
    return True


def _values_meet(first: tuple[str | int | bool, ...] | Range, second: tuple[str | int | bool, ...] | Range) -> bool:
    if isinstance(first, Range) and isinstance(second, Range):
        return _ranges_meet(first, second)
    if isinstance(first, Range):
        return isinstance(second, Range) or any(_inside(value, first) for value in second)
    if isinstance(second, Range):
        return any(_inside(value, second) for value in first)
    return not set(first).isdisjoint(second)


def _ranges_meet(one: Range, two: Range) -> bool:
    low = max((each for each in (one.at_least, two.at_least) if each is not None), default=None)
    high = min((each for each in (one.at_most, two.at_most) if each is not None), default=None)
    since = max((each for each in (one.since, two.since) if each is not None), default=None)
    before: datetime | None = min((each for each in (one.before, two.before) if each is not None), default=None)
    return (low is None or high is None or low <= high) and (since is None or before is None or since < before)


def _inside(value: str | int | bool, wanted: Range) -> bool:  # noqa: FBT001 - a scalar of the file
    if not isinstance(value, int):
        return False
    return (wanted.at_least is None or value >= wanted.at_least) and (wanted.at_most is None or value <= wanted.at_most)
