"""What must hold across a rule-set file. Pure: returns every fault found, in the order of the file."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from tianfu.colour import Colour
from tianfu.errors import Fault
from tianfu.evidence.kinds import KINDS
from tianfu.policy.rules import (
    REASON_CLASSES,
    Anchored,
    Bilingual,
    LaterStatement,
    Phase,
    Range,
    Rule,
    RuleSet,
    RuleText,
    Where,
)
from tianfu.policy.vocabulary import Attribute, attributes_of, resolve_anchor, value_of

_ENDS_FIELDS: Final = {"since", "until"}
_OPEN_FIELDS: Final = {"since"}


def faults_of(rules: RuleSet) -> list[Fault]:
    """Every way in which the set contradicts itself or names what does not exist; empty when it can be used."""
    found: list[Fault] = []
    counts = Counter(rule.id for rule in rules.rule)
    for place, rule in enumerate(rules.rule):
        path = f"rule[{place}]"
        if counts[rule.id] > 1:
            found.append(_fault(f"{path}.id", "duplicate", f"编号“{rule.id}”重复", f"`{rule.id}` is used twice"))
        if rule.reason_class not in REASON_CLASSES:
            known = ", ".join(REASON_CLASSES)
            found.append(_fault(f"{path}.reason_class", "value", f"应为其中之一：{known}", f"must be one of: {known}"))
        found.extend(_kind_faults(rule, path))
    return found


def _kind_faults(rule: Rule, path: str) -> Iterator[Fault]:
    if rule.evidence not in KINDS:
        yield _unknown_kind(f"{path}.evidence", rule.evidence)
        return
    yield from _where_faults(rule.where, rule.evidence, f"{path}.where")
    yield from _phase_faults(rule, path)
    yield from _release_faults(rule, path)
    yield from _text_faults(rule, f"{path}.text")


def _where_faults(where: Where, kind: str, path: str) -> Iterator[Fault]:
    known = attributes_of(kind)
    for name, wanted in where.items():
        attribute = known.get(name)
        here = f"{path}.{name}"
        if attribute is None:
            yield _fault(here, "unknown", f"“{kind}”没有这个属性", f"is not an attribute of `{kind}`")
        elif isinstance(wanted, Range):
            yield from _range_faults(wanted, attribute, here)
        elif not wanted:
            yield _fault(here, "length", "至少需要一个值", "needs at least one value")
        else:
            for value in wanted:
                try:
                    value_of(attribute, value)
                except ValueError:
                    yield _fault(here, "value", f"不认识的值 {value!r}", f"{value!r} is not a value of it")


def _range_faults(wanted: Range, attribute: Attribute, path: str) -> Iterator[Fault]:
    if attribute.type is not int or attribute.many:
        yield _fault(path, "type", "只有数值可以使用范围", "a range fits numbers only")
    low, high = wanted.at_least, wanted.at_most
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        yield _fault(path, "value", "范围为空", "the range is empty or has no bound")


def _phase_faults(rule: Rule, path: str) -> Iterator[Fault]:
    for place, phase in enumerate(rule.phase):
        here = f"{path}.phase[{place}]"
        if phase.colour is Colour.GREEN:
            yield _fault(f"{here}.colour", "value", "应为 yellow 或 red", "must be yellow or red; green is no reason")
        resolved = resolve_anchor(phase.start.anchor, rule.evidence)
        if resolved is None:
            yield _unknown_anchor(f"{here}.from.anchor", phase.start.anchor)
        elif not resolved.sure and place == 0:
            yield _fault(
                f"{here}.from.anchor",
                "anchor",
                "首个阶段的起点必须总是存在",
                "may be absent, and then the rule would never begin",
            )
        if phase.until is not None and resolve_anchor(phase.until.anchor, rule.evidence) is None:
            yield _unknown_anchor(f"{here}.until.anchor", phase.until.anchor)
        if phase.until is not None and not _may_precede(phase.start, phase.until, strictly=True):
            yield _fault(here, "order", "结束不晚于开始", "ends no later than it begins")
    for place, (phase, following) in enumerate(pairwise(rule.phase), start=1):
        if phase.until is None or not _may_precede(phase.until, following.start, strictly=False):
            yield _fault(f"{path}.phase[{place}]", "order", "早于前一阶段结束", "begins before the phase above it ends")


def _may_precede(first: Anchored, second: Anchored, *, strictly: bool) -> bool:
    """Whether `first` can come before `second`; only instants on the same anchor can be compared in advance."""
    if first.anchor != second.anchor:
        return True
    return first.days < second.days if strictly else first.days <= second.days


def _release_faults(rule: Rule, path: str) -> Iterator[Fault]:
    counts = Counter(release.id for release in rule.release)
    for place, release in enumerate(rule.release):
        here = f"{path}.release[{place}]"
        if counts[release.id] > 1:
            yield _fault(f"{here}.id", "duplicate", f"编号“{release.id}”重复", f"`{release.id}` is used twice")
        if isinstance(release, LaterStatement):
            if release.evidence not in KINDS:
                yield _unknown_kind(f"{here}.evidence", release.evidence)
            else:
                yield from _where_faults(release.where, release.evidence, f"{here}.where")


def _text_faults(rule: Rule, path: str) -> Iterator[Fault]:
    text = rule.text
    may_end = any(phase.until is not None for phase in rule.phase)
    may_be_open = any(_may_be_open(phase, rule.evidence) for phase in rule.phase)
    for name, wanted, given in (("ends", may_end, text.ends), ("ends_open", may_be_open, text.ends_open)):
        if wanted and given is None:
            yield _fault(f"{path}.{name}", "missing", "缺少此说明", "is missing: people must read what ends it")
        if not wanted and given is not None:
            yield _fault(f"{path}.{name}", "unknown", "此规则不会用到", "can never be shown for this rule")
    yield from _placeholder_faults(text, path)


def _may_be_open(phase: Phase, kind: str) -> bool:
    if phase.until is None:
        return True
    resolved = resolve_anchor(phase.until.anchor, kind)
    return resolved is not None and not resolved.sure


def _placeholder_faults(text: RuleText, path: str) -> Iterator[Fault]:
    allowed: Mapping[str, tuple[Bilingual | None, set[str]]] = {
        "title": (text.title, set()),
        "meaning": (text.meaning, set()),
        "ends": (text.ends, _ENDS_FIELDS),
        "ends_open": (text.ends_open, _OPEN_FIELDS),
    }
    for name, (words, fields) in allowed.items():
        for language in ("zh", "en") if words is not None else ():
            try:
                used = [part[1:] for part in string.Formatter().parse(getattr(words, language))]
                fits = all(field in {None, *fields} and not spec and not turn for field, spec, turn in used)
            except ValueError:
                fits = False
            if not fits:
                names = ", ".join(f"{{{field}}}" for field in sorted(fields)) or "—"
                yield _fault(
                    f"{path}.{name}.{language}", "value", f"只能使用：{names}", f"may only hold these fields: {names}"
                )


def _unknown_kind(path: str, kind: str) -> Fault:
    known = ", ".join(KINDS)
    return _fault(path, "value", f"没有“{kind}”这类证据，应为：{known}", f"`{kind}` is no kind; known: {known}")


def _unknown_anchor(path: str, anchor: str) -> Fault:
    return _fault(path, "anchor", f"“{anchor}”不是时间锚点", f"`{anchor}` names no instant of this or another kind")


def _fault(path: str, code: str, zh: str, en: str) -> Fault:
    return Fault(field=path, code=code, zh=zh, en=en)
