"""What must hold of the words of a rule. Pure."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from typing import Final

from tianfu.errors import Fault
from tianfu.policy.anchors import listed
from tianfu.policy.rules import Bilingual, Phase, Rule, RuleText
from tianfu.policy.vocabulary import resolve_anchor

_ENDS_FIELDS: Final = {"since", "until"}
_OPEN_FIELDS: Final = {"since"}


def text_faults(rule: Rule, path: str) -> Iterator[Fault]:
    """What is wrong with the words of a rule about a kind that exists.

    A rule whose colour may end needs `ends`, one whose colour may last needs `ends_open`; what no phase can ever show
    is a fault. The end of the period in which a rule applies is an end too.
    """
    text = rule.text
    closed = rule.applies_until is not None
    may_end = [phase for phase in rule.phase if phase.until is not None]
    may_last = [phase for phase in rule.phase if _may_last(phase, rule.evidence)]
    needs_ends, needs_open = (any(phase.colour is not None for phase in phases) for phases in (may_end, may_last))
    if needs_ends and text.ends is None:
        yield _missing(f"{path}.ends")
    if text.ends is not None and not may_end and not closed and rule.overlay is None:
        yield _unused(f"{path}.ends")
    if needs_open and not closed and text.ends_open is None:
        yield _missing(f"{path}.ends_open")
    if text.ends_open is not None and not may_last:
        yield _unused(f"{path}.ends_open")
    yield from _placeholder_faults(text, path)


def _may_last(phase: Phase, kind: str) -> bool:
    """Whether none of the phase's ends need be there."""
    resolved = [resolve_anchor(anchor.anchor, kind) for anchor in listed(phase.until)]
    return not any(anchor is not None and anchor.sure for anchor in resolved)


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
                yield Fault(
                    field=f"{path}.{name}.{language}",
                    code="value",
                    zh=f"只能使用：{names}",
                    en=f"may only hold these fields: {names}",
                )


def _missing(path: str) -> Fault:
    return Fault(field=path, code="missing", zh="缺少此说明", en="is missing: people must read what ends it")


def _unused(path: str) -> Fault:
    return Fault(field=path, code="unknown", zh="此规则不会用到", en="can never be shown for this rule")
