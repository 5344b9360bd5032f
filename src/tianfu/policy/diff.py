"""What is different between two rule sets, part by part, in words. Pure.

Rules, popups, measures, overlays and colours are matched by their id. The order of the report is the order of the
newer set; what it no longer has comes last.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeVar

import msgspec

from tianfu.policy import words
from tianfu.policy.rules import Bilingual, Measure, Overlay, Popup, Rule, RuleSet, ZoneStep

_Part = TypeVar("_Part", Rule, Popup, Measure, Overlay)

RULE: Final = "rule"


class Change(enum.Enum):
    """What happened to a part of the set."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class FieldChange(msgspec.Struct, frozen=True):
    """One field, as it was and as it is, in words."""

    field: str
    old: Bilingual
    new: Bilingual


class PartChange(msgspec.Struct, frozen=True):
    """One part of the set: what it is (`rule`, `popup`, …), its id, and every field that differs.

    Of an added or removed part the fields say what it is or was.
    """

    part: str
    id: str
    change: Change
    fields: tuple[FieldChange, ...]


def differences(old: RuleSet, new: RuleSet) -> tuple[PartChange, ...]:
    """Everything that differs; empty for two sets that say the same in every word."""
    whole = _compare("set", "", _set_fields(old), _set_fields(new))
    return (
        *whole,
        *_parts(RULE, old.rule, new.rule, _rule_fields),
        *_order(old, new),
        *_parts("popup", old.popup, new.popup, _popup_fields),
        *_parts("measure", old.measure, new.measure, _measure_fields),
        *_parts("overlay", old.overlay, new.overlay, _overlay_fields),
    )


def _parts(
    part: str, old: Iterable[_Part], new: Iterable[_Part], fields_of: Callable[[_Part], dict[str, Bilingual]]
) -> Iterator[PartChange]:
    before, after = {each.id: each for each in old}, {each.id: each for each in new}
    for name, each in after.items():
        if name in before:
            yield from _compare(part, name, fields_of(before[name]), fields_of(each))
        else:
            yield PartChange(part, name, Change.ADDED, _told({}, fields_of(each)))
    for name, each in before.items():
        if name not in after:
            yield PartChange(part, name, Change.REMOVED, _told(fields_of(each), {}))


def _compare(
    part: str, name: str, before: Mapping[str, Bilingual], after: Mapping[str, Bilingual]
) -> Iterator[PartChange]:
    if fields := _told(before, after):
        yield PartChange(part, name, Change.CHANGED, fields)


def _told(before: Mapping[str, Bilingual], after: Mapping[str, Bilingual]) -> tuple[FieldChange, ...]:
    absent = words.plain(None)
    changes = (FieldChange(name, before.get(name, absent), after.get(name, absent)) for name in {**after, **before})
    return tuple(change for change in changes if change.old != change.new)


def _order(old: RuleSet, new: RuleSet) -> Iterator[PartChange]:
    """Whether the rules that both have stand in another order, which is the order in which reasons are shown."""
    both = {rule.id for rule in old.rule} & {rule.id for rule in new.rule}
    before, after = ([rule.id for rule in rules.rule if rule.id in both] for rules in (old, new))
    yield from _compare("order", "", {"rules": words.listed(before)}, {"rules": words.listed(after)})


def _set_fields(rules: RuleSet) -> dict[str, Bilingual]:
    header = rules.set
    fields = {
        "name": words.plain(header.name),
        "number": words.plain(header.number),
        "authority": header.authority,
        "effective_from": words.plain(header.effective_from.isoformat()),
        "title": header.title,
    }
    if rules.declaration is not None:
        days = rules.declaration.valid_days
        fields["declaration.valid_days"] = Bilingual(zh=f"{days}天", en=f"{days} days")
        fields["declaration.title"] = rules.declaration.title
        fields["declaration.text"] = rules.declaration.text
    for name in ("green", "yellow", "red"):
        colour = getattr(rules.colour, name)
        fields[f"colour.{name}.title"] = colour.title
        fields[f"colour.{name}.text"] = colour.text
    if rules.zone:
        fields["zone"] = words.joined(_zone(step) for step in rules.zone)
    return fields


def _zone(step: ZoneStep) -> Bilingual:
    return Bilingual(
        zh=f"{step.level.value} 区连续{step.clean_days}天无新增后降为 {step.becomes.value}",
        en=f"{step.level.value} becomes {step.becomes.value} after {step.clean_days} days without a new infection",
    )


def _rule_fields(rule: Rule) -> dict[str, Bilingual]:
    fields = {
        "evidence": words.plain(rule.evidence),
        "where": words.where(rule.where),
        "places": words.listed(rule.places),
        "overlay": words.plain(rule.overlay),
        "applies_from": words.plain(rule.applies_from and rule.applies_from.isoformat()),
        "applies_until": words.plain(rule.applies_until and rule.applies_until.isoformat()),
        "latest_only": words.plain("latest_only" if rule.latest_only else None),
        "preempts": words.listed(rule.preempts),
        "reason_class": words.plain(rule.reason_class),
    }
    fields |= {f"phase {number}": words.phase(phase) for number, phase in enumerate(rule.phase, start=1)}
    fields |= {f"counter {counter.id}": words.counter(counter) for counter in rule.counter}
    for release in rule.release:
        fields[f"release {release.id}"] = words.release(release)
        fields[f"release {release.id}.text"] = release.text
    text = rule.text
    fields |= {"text.title": text.title, "text.meaning": text.meaning}
    fields |= {
        f"text.{name}": written for name, written in (("ends", text.ends), ("ends_open", text.ends_open)) if written
    }
    return fields | {"office": rule.office, "cites": rule.cites, "choices": words.plain("; ".join(rule.choices))}


def _popup_fields(popup: Popup) -> dict[str, Bilingual]:
    return {
        "popup_class": words.plain(popup.popup_class),
        "blocks": words.listed(popup.blocks),
        "preempted_by": words.listed(popup.preempted_by),
        "title": popup.title,
        "text": popup.text,
    }


def _measure_fields(measure: Measure) -> dict[str, Bilingual]:
    return {"title": measure.title, "text": measure.text}


def _overlay_fields(overlay: Overlay) -> dict[str, Bilingual]:
    return {
        "places": words.listed(overlay.places),
        "suspends": words.listed(overlay.suspends),
        "applies_from": words.plain(overlay.applies_from and overlay.applies_from.isoformat()),
        "applies_until": words.plain(overlay.applies_until and overlay.applies_until.isoformat()),
        "title": overlay.title,
        "authority": overlay.authority,
    }
