"""What must hold across a rule-set file. Pure: returns every fault found, rules first, then the other tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from tianfu.errors import Fault
from tianfu.evidence.kinds import KINDS
from tianfu.policy.check_phases import phase_faults
from tianfu.policy.check_releases import counter_faults, release_faults
from tianfu.policy.check_text import text_faults
from tianfu.policy.check_where import unknown_kind, where_faults
from tianfu.policy.rules import POPUP_CLASSES, POPUP_DECLARE, REASON_CLASSES, Overlay, Rule, RuleSet


def faults_of(rules: RuleSet) -> list[Fault]:
    """Every way in which the set contradicts itself or names what does not exist; empty when it can be used."""
    found: list[Fault] = []
    counts = Counter(rule.id for rule in rules.rule)
    for place, rule in enumerate(rules.rule):
        path = f"rule[{place}]"
        if counts[rule.id] > 1:
            found.append(_twice(f"{path}.id", rule.id))
        if rule.reason_class not in REASON_CLASSES:
            found.append(_one_of(f"{path}.reason_class", REASON_CLASSES))
        found.extend(_name_faults(rule, rules, path))
        found.extend(_kind_faults(rule, path))
    found.extend(_popup_faults(rules))
    found.extend(_duplicates("measure", (measure.id for measure in rules.measure)))
    found.extend(_zone_faults(rules))
    found.extend(_overlay_faults(rules))
    return found


def _kind_faults(rule: Rule, path: str) -> Iterator[Fault]:
    if rule.evidence not in KINDS:
        yield unknown_kind(f"{path}.evidence", rule.evidence)
        return
    yield from where_faults(rule.where, rule.evidence, f"{path}.where")
    yield from phase_faults(rule, path)
    yield from counter_faults(rule, path)
    yield from release_faults(rule, path)
    yield from text_faults(rule, f"{path}.text")


def _name_faults(rule: Rule, rules: RuleSet, path: str) -> Iterator[Fault]:
    """What the rule names of other tables, and the period in which it applies."""
    popups, measures = {popup.id for popup in rules.popup}, {measure.id for measure in rules.measure}
    for place, phase in enumerate(rule.phase):
        if phase.popup is not None and phase.popup not in popups:
            yield _unknown(f"{path}.phase[{place}].popup", phase.popup)
        if phase.measure is not None and phase.measure not in measures:
            yield _unknown(f"{path}.phase[{place}].measure", phase.measure)
    if rule.overlay is not None and rule.overlay not in {overlay.id for overlay in rules.overlay}:
        yield _unknown(f"{path}.overlay", rule.overlay)
    ids = {other.id for other in rules.rule}
    for place, name in enumerate(rule.preempts):
        if name not in ids:
            yield _unknown(f"{path}.preempts[{place}]", name)
        elif name == rule.id:
            yield Fault(
                field=f"{path}.preempts[{place}]",
                code="value",
                zh="规则不能取代自身",
                en="is the rule itself, which would then never show",
            )
    yield from _period_faults(rule.applies_from, rule.applies_until, path)


def _popup_faults(rules: RuleSet) -> Iterator[Fault]:
    yield from _duplicates("popup", (popup.id for popup in rules.popup))
    for place, popup in enumerate(rules.popup):
        if popup.id == POPUP_DECLARE:
            yield Fault(
                field=f"popup[{place}].id",
                code="value",
                zh="“declare”由 [declaration] 定义",
                en="`declare` is the popup of [declaration]",
            )
        if popup.popup_class not in POPUP_CLASSES:
            yield _one_of(f"popup[{place}].popup_class", POPUP_CLASSES)


def _zone_faults(rules: RuleSet) -> Iterator[Fault]:
    yield from _duplicates("zone", (step.level.value for step in rules.zone), field="level")
    for place, step in enumerate(rules.zone):
        if step.becomes is step.level:
            yield Fault(
                field=f"zone[{place}].becomes",
                code="value",
                zh="与原等级相同",
                en="is the level it had before",
            )


def _overlay_faults(rules: RuleSet) -> Iterator[Fault]:
    yield from _duplicates("overlay", (overlay.id for overlay in rules.overlay))
    by_id = {rule.id: rule for rule in rules.rule}
    for place, overlay in enumerate(rules.overlay):
        path = f"overlay[{place}]"
        yield from _period_faults(overlay.applies_from, overlay.applies_until, path)
        yield from _suspends_faults(overlay, by_id, path)


def _suspends_faults(overlay: Overlay, by_id: dict[str, Rule], path: str) -> Iterator[Fault]:
    for place, name in enumerate(overlay.suspends):
        rule = by_id.get(name)
        if rule is None:
            yield _unknown(f"{path}.suspends[{place}]", name)
        elif rule.overlay is not None:
            yield Fault(
                field=f"{path}.suspends[{place}]",
                code="value",
                zh=f"“{name}”是市（州）规则，只能停用省级规则",
                en=f"`{name}` is a city's own rule; only the province's can be suspended",
            )


def _period_faults(since: datetime | None, until: datetime | None, path: str) -> Iterator[Fault]:
    if since is not None and until is not None and until <= since:
        yield Fault(
            field=f"{path}.applies_until", code="order", zh="不晚于 applies_from", en="is not later than applies_from"
        )


def _duplicates(table: str, ids: Iterable[str], *, field: str = "id") -> Iterator[Fault]:
    names = list(ids)
    counts = Counter(names)
    for place, name in enumerate(names):
        if counts[name] > 1:
            yield _twice(f"{table}[{place}].{field}", name)


def _twice(path: str, name: str) -> Fault:
    return Fault(field=path, code="duplicate", zh=f"“{name}”重复", en=f"`{name}` is used twice")


def _unknown(path: str, name: str) -> Fault:
    return Fault(field=path, code="unknown", zh=f"本规则集没有“{name}”", en=f"`{name}` is not in this set")


def _one_of(path: str, words: Iterable[str]) -> Fault:
    known = ", ".join(words)
    return Fault(field=path, code="value", zh=f"应为其中之一：{known}", en=f"must be one of: {known}")
