"""What must hold of the phases of a rule and of the instants it names. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from itertools import pairwise

from tianfu.colour import Colour
from tianfu.errors import Fault
from tianfu.policy.anchors import listed
from tianfu.policy.rules import Anchored, Anchors, Phase, Rule
from tianfu.policy.vocabulary import counter_anchor, resolve_anchor


class Use(enum.Enum):
    """Where an anchor is written, which decides whether it may be one of a counter."""

    FIRST = "first"
    LATER = "later"
    UNTIL = "until"
    ELSEWHERE = "elsewhere"


def phase_faults(rule: Rule, path: str) -> Iterator[Fault]:
    """What is wrong with the phases of a rule about a kind that exists."""
    for place, phase in enumerate(rule.phase):
        here = f"{path}.phase[{place}]"
        if phase.colour is Colour.GREEN:
            yield _fault(f"{here}.colour", "value", "应为 yellow 或 red", "must be yellow or red; green is no reason")
        if phase.colour is None and phase.popup is None:
            yield _fault(here, "missing", "需要颜色或弹窗", "needs a colour or a popup")
        yield from _start_faults(rule, phase, here, first=place == 0)
        for _, anchor, field in _written(phase.until, f"{here}.until"):
            yield from anchor_faults(rule, anchor, field, Use.UNTIL)
        starts = listed(phase.start)
        if any(_ends_first(anchor, starts[0]) for anchor in listed(phase.until)):
            yield _fault(here, "order", "结束不晚于开始", "ends no later than it begins")
    colours = [(place, phase) for place, phase in enumerate(rule.phase) if phase.colour is not None]
    for (_, phase), (place, following) in pairwise(colours):
        if _overlap(phase, following):
            yield _fault(f"{path}.phase[{place}]", "order", "早于前一阶段结束", "begins before the phase above it ends")


def anchor_faults(rule: Rule, written: Anchored, path: str, use: Use) -> Iterator[Fault]:
    """What is wrong with an anchor of the rule written at `path`."""
    counted = counter_anchor(written.anchor, {counter.id for counter in rule.counter})
    if counted is not None:
        if counted.nth == 0 and use is not Use.LATER:
            yield _fault(
                f"{path}.anchor",
                "anchor",
                "“.last”只能用于 from 的第二项及以后",
                "the latest sample can only delay a beginning: `.last` goes into `from`, after the first entry",
            )
        if counted.nth > 0 and use is not Use.UNTIL:
            yield _fault(
                f"{path}.anchor",
                "anchor",
                "计数锚点只能用于 until 和 needs",
                "a count can only end something: it goes into `until` or `needs`",
            )
    elif resolve_anchor(written.anchor, rule.evidence) is None:
        yield _fault(
            f"{path}.anchor",
            "anchor",
            f"“{written.anchor}”不是时间锚点",
            f"`{written.anchor}` names no instant of this or another kind, and no counter of this rule",
        )


def _start_faults(rule: Rule, phase: Phase, path: str, *, first: bool) -> Iterator[Fault]:
    for place, anchor, field in _written(phase.start, f"{path}.from"):
        yield from anchor_faults(rule, anchor, field, Use.LATER if place else Use.FIRST)
        resolved = resolve_anchor(anchor.anchor, rule.evidence)
        needed = place == 0 and (first or not isinstance(phase.start, Anchored))
        if needed and resolved is not None and not resolved.sure:
            yield _fault(
                f"{field}.anchor",
                "anchor",
                "首个起点必须总是存在",
                "may be absent, and then the phase would never begin; the first anchor must always be there",
            )


def _written(anchors: Anchors | None, path: str) -> Iterator[tuple[int, Anchored, str]]:
    """Each anchor with its place in the list and its own path."""
    for place, anchor in enumerate(listed(anchors)):
        yield place, anchor, path if isinstance(anchors, Anchored) else f"{path}[{place}]"


def _ends_first(until: Anchored, start: Anchored) -> bool:
    """Whether `until` never lies after `start`; only instants on the same anchor can be compared in advance."""
    return _comparable(until, start) and _hours(until) <= _hours(start)


def _overlap(phase: Phase, following: Phase) -> bool:
    """Whether a colour phase is sure to begin before the one above it ends, and is not the worse of the two."""
    if phase.until is None:
        return phase.colour is None or following.colour is None or following.colour.severity <= phase.colour.severity
    if not isinstance(phase.until, Anchored) or not isinstance(following.start, Anchored):
        return False
    return _comparable(phase.until, following.start) and _hours(following.start) < _hours(phase.until)


def _comparable(one: Anchored, other: Anchored) -> bool:
    return one.anchor == other.anchor and one.midnight is other.midnight


def _hours(written: Anchored) -> int:
    return written.days * 24 + written.hours


def _fault(path: str, code: str, zh: str, en: str) -> Fault:
    return Fault(field=path, code=code, zh=zh, en=en)
