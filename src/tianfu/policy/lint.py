"""What is allowed in a rule set and yet is probably not meant. Pure; for `tianfu policy check`.

Faults (`tianfu.policy.check`) keep a set from being used; warnings do not. Each names a place in the file, and is
silent where the set says plainly that it is meant so (a release, an end, an overlay).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from tianfu.colour import Colour
from tianfu.policy import overlap
from tianfu.policy.overlap import prefixes_meet
from tianfu.policy.rules import Anchored, Anchors, Counted, NegativeTests, Overlay, Range, Rule, RuleSet
from tianfu.policy.vocabulary import attributes_of

# The words for a part that has to be there and says nothing: a file copied from a template.
_PLACEHOLDERS: Final = frozenset({"-", "—", "?", "todo", "tbd", "待定", "无", "x"})


class Warning(msgspec.Struct, frozen=True):  # noqa: A001 - what it is called wherever it is read
    """Something to look at: where in the file, a stable code, and the sentence in each language."""

    path: str
    code: str
    zh: str
    en: str


def warnings_of(rules: RuleSet) -> list[Warning]:
    """Everything worth a look in a set without faults: rules in their order, then overlays, popups and overlaps."""
    found: list[Warning] = []
    suspended = {name for overlay in rules.overlay for name in overlay.suspends}
    for place, rule in enumerate(rules.rule):
        path = f"rule[{place}]"
        found.extend(_never_fits(rule, path))
        found.extend(_outside_its_time(rules, rule, path))
        if rule.id in suspended:
            found.extend(_suspended_everywhere(rules, rule, path))
        found.extend(_no_end(rule, path))
        found.extend(_texts(rules, rule, path))
        found.extend(_worse_by_a_negative(rule, path))
    for place, overlay in enumerate(rules.overlay):
        found.extend(_idle_overlay(rules, overlay, f"overlay[{place}]"))
    found.extend(_popups(rules))
    found.extend(_overlaps(rules))
    return found


def _never_fits(rule: Rule, path: str) -> Iterator[Warning]:
    for name, wanted in rule.where.items():
        if isinstance(wanted, Range) and _empty(wanted.since, wanted.before):
            yield _warning(f"{path}.where.{name}", "unreachable", "条件永不成立", "nothing can ever fit this")
        attribute = attributes_of(rule.evidence).get(name)
        if attribute is not None and attribute.type is bool and wanted in {(True, False), (False, True)}:
            yield _warning(f"{path}.where.{name}", "idle", "条件总是成立", "everything fits this")


def _outside_its_time(rules: RuleSet, rule: Rule, path: str) -> Iterator[Warning]:
    begins = rules.set.effective_from
    if _empty(rule.applies_from, rule.applies_until):
        yield _warning(
            f"{path}.applies_until",
            "unreachable",
            "适用期为空，本条永不适用",
            "the rule's period is empty: never applies",
        )
    elif rule.applies_until is not None and rule.applies_until <= begins:
        yield _warning(
            f"{path}.applies_until",
            "unreachable",
            "适用期在规则集生效前已结束",
            "ends before the set may take effect: never applies",
        )
    overlay = next((each for each in rules.overlay if each.id == rule.overlay), None)
    if overlay is not None:
        if rule.places and not prefixes_meet(rule.places, overlay.places):
            yield _warning(
                f"{path}.places", "unreachable", "地区不在所属城市之内", "no place lies in the rule's overlay"
            )
        start = max((each for each in (rule.applies_from, overlay.applies_from) if each), default=None)
        end = min((each for each in (rule.applies_until, overlay.applies_until) if each), default=None)
        if _empty(start, end) and not _empty(rule.applies_from, rule.applies_until):
            yield _warning(
                f"{path}.overlay",
                "unreachable",
                "适用期与所属城市的适用期不相交",
                "its period never meets its overlay's",
            )


def _suspended_everywhere(rules: RuleSet, rule: Rule, path: str) -> Iterator[Warning]:
    """A rule with `places` that lie altogether in overlays which suspend it for good."""
    lasting = [
        overlay
        for overlay in rules.overlay
        if rule.id in overlay.suspends and overlay.applies_from is None and overlay.applies_until is None
    ]
    inside = [place for overlay in lasting for place in overlay.places]
    if rule.places and all(any(place.startswith(outer) for outer in inside) for place in rule.places):
        yield _warning(
            path, "unreachable", "适用地区均已被城市规则暂停", "suspended by overlays in every place it applies to"
        )


def _no_end(rule: Rule, path: str) -> Iterator[Warning]:
    if rule.release or rule.latest_only or rule.applies_until is not None:
        return
    for place, phase in enumerate(rule.phase):
        if phase.until is None:
            yield _warning(
                f"{path}.phase[{place}]",
                "no_end",
                "没有结束时间，也没有解除条件，只有撤回依据才能结束",
                "has no end and no release: only withdrawing the evidence ends it",
            )


def _texts(rules: RuleSet, rule: Rule, path: str) -> Iterator[Warning]:
    measures = {measure.id for measure in rules.measure}
    for place, phase in enumerate(rule.phase):
        if phase.measure is None and phase.colour is Colour.RED and measures:
            yield _warning(
                f"{path}.phase[{place}].measure",
                "no_measure",
                "红码阶段未说明管控措施",
                "a red phase that names no measure: people are not told what is asked of them",
            )
    for name, words in (("office", rule.office), ("cites", rule.cites), ("text.meaning", rule.text.meaning)):
        if words.zh.strip().casefold() in _PLACEHOLDERS or words.en.strip().casefold() in _PLACEHOLDERS:
            yield _warning(f"{path}.{name}", "no_text", "文字尚未填写", "is a placeholder; people read this")
        elif words.zh == words.en:
            yield _warning(f"{path}.{name}", "one_language", "中英文相同", "reads the same in Chinese and English")


def _worse_by_a_negative(rule: Rule, path: str) -> Iterator[Warning]:
    """A rule that negative tests set off, such as "no test for seven days": one more negative sets it off once more."""
    if rule.preempts and _ended_by_tests(rule):
        yield _warning(
            f"{path}.preempts",
            "negative_uncovers",
            "检测可提前结束本条，被其优先排除的条款随之恢复",
            "tests may end this rule early, and then what it pre-empts counts again",
        )
    if rule.evidence not in {"test", "parent_test"}:
        return
    results = rule.where.get("result")
    if results is None or isinstance(results, Range) or "negative" in results:
        yield _warning(
            f"{path}.where.result",
            "negative_sets_off",
            "阴性结果也会触发本条，新增阴性可能使状态变严",
            "a negative sets this off too, so that an added negative may make somebody worse off",
        )


def _ended_by_tests(rule: Rule) -> bool:
    """Whether more negatives can end the rule earlier: by a release, or by a phase that ends with a counter."""
    if any(isinstance(release, NegativeTests | Counted) for release in rule.release):
        return True
    counters = {counter.id for counter in rule.counter}
    ends = [end for phase in rule.phase if phase.until is not None for end in _several(phase.until)]
    return any(end.anchor.partition(".")[0] in counters for end in ends)


def _several(instants: Anchors) -> tuple[Anchored, ...]:
    return (instants,) if isinstance(instants, Anchored) else instants


def _idle_overlay(rules: RuleSet, overlay: Overlay, path: str) -> Iterator[Warning]:
    until = overlay.applies_until
    if _empty(overlay.applies_from, until) or (until is not None and until <= rules.set.effective_from):
        yield _warning(f"{path}.applies_until", "unreachable", "城市规则永不适用", "the overlay never applies")
    if not overlay.suspends and all(rule.overlay != overlay.id for rule in rules.rule):
        yield _warning(path, "idle", "没有属于它的条款，也不暂停任何条款", "holds no rule and suspends none")


def _popups(rules: RuleSet) -> Iterator[Warning]:
    for place, popup in enumerate(rules.popup):
        if all(phase.popup != popup.id for rule in rules.rule for phase in rule.phase):
            yield _warning(f"popup[{place}]", "idle", "没有条款使用它", "no rule shows it")
        if set(popup.preempted_by) == set(Colour):
            yield _warning(
                f"popup[{place}].preempted_by", "unreachable", "任何颜色下都不显示", "hidden under every colour"
            )
    for place, rule in enumerate(rules.rule):
        for number, phase in enumerate(rule.phase):
            shown = next((popup for popup in rules.popup if popup.id == phase.popup), None)
            if shown is not None and phase.colour is not None and _hidden_with(phase.colour, shown.preempted_by):
                yield _warning(
                    f"rule[{place}].phase[{number}].popup",
                    "unreachable",
                    "本阶段自身的颜色已使该弹窗不显示",
                    "the colour of this very phase keeps the popup from being shown",
                )
    used = {phase.measure for rule in rules.rule for phase in rule.phase}
    for place, measure in enumerate(rules.measure):
        if measure.id not in used:
            yield _warning(f"measure[{place}]", "idle", "没有条款使用它", "no rule names it")


def _hidden_with(colour: Colour, preempted_by: tuple[Colour, ...]) -> bool:
    """Whether the popup is hidden whatever else a person with this colour has: theirs may only get worse."""
    return all(each in preempted_by for each in Colour if each.severity >= colour.severity)


def _overlaps(rules: RuleSet) -> Iterator[Warning]:
    for pair in overlap.pairs(rules):
        zh = f"与“{pair.other}”可能同时适用于同一条依据：{pair.outcome.zh}"
        en = f"may fit the same statement as `{pair.other}`: {pair.outcome.en}"
        yield _warning(f"rule[{pair.place}]", "overlap", zh, en)


def _empty(start: datetime | None, end: datetime | None) -> bool:
    return start is not None and end is not None and end <= start


def _warning(path: str, code: str, zh: str, en: str) -> Warning:
    return Warning(path, code, zh, en)
