"""Parts of a rule set in words that a policy officer reads, in Chinese and English. Pure.

For reports about rule sets (differences, warnings). What residents read is in the set itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tianfu.policy.rules import (
    Anchored,
    Anchors,
    Bilingual,
    Counted,
    Counter,
    CountOf,
    LaterStatement,
    NegativeTests,
    Phase,
    Range,
    Release,
    SampledAfter,
    Where,
)

_ABSENT: Final = Bilingual(zh="（无）", en="(none)")
_AFTER: Final = {
    SampledAfter.COLOURED: Bilingual(zh="在赋码之后采样", en="sampled after the colour began"),
    SampledAfter.ANCHOR: Bilingual(zh="在首个阶段的起点之后采样", en="sampled after the first phase's anchor"),
}


def plain(value: object) -> Bilingual:
    """Something that reads the same in both languages; None, and nothing, read as "(none)"."""
    text = "" if value is None else str(value)
    return Bilingual(zh=text, en=text) if text else _ABSENT


def joined(parts: Iterable[Bilingual], zh: str = "；", en: str = "; ") -> Bilingual:
    """The parts one after another; "(none)" when there is none."""
    listed = list(parts)
    if not listed:
        return _ABSENT
    return Bilingual(zh=zh.join(part.zh for part in listed), en=en.join(part.en for part in listed))


def listed(names: Iterable[object]) -> Bilingual:
    """Names, separated by commas."""
    return plain(", ".join(str(getattr(name, "value", name)) for name in names))


def anchored(instant: Anchored) -> Bilingual:
    """`21 days after last_exposure_at`."""
    zh, en = instant.anchor, instant.anchor
    if instant.midnight:
        zh, en = f"{zh}当日零时", f"00:00 of the day of {en}"
    if instant.days and instant.hours:
        return Bilingual(
            zh=f"{zh}后{instant.days}天{instant.hours}小时",
            en=f"{_count(instant.days, 'day')} and {_count(instant.hours, 'hour')} after {en}",
        )
    if instant.days:
        return Bilingual(zh=f"{zh}后{instant.days}天", en=f"{_count(instant.days, 'day')} after {en}")
    if instant.hours:
        return Bilingual(zh=f"{zh}后{instant.hours}小时", en=f"{_count(instant.hours, 'hour')} after {en}")
    return Bilingual(zh=zh, en=en)


def start(instants: Anchors) -> Bilingual:
    """When a phase begins: the latest of its instants."""
    if isinstance(instants, Anchored):
        return anchored(instants)
    several = joined((anchored(each) for each in instants), "、", ", ")
    return Bilingual(zh=f"以下最晚者：{several.zh}", en=f"the latest of {several.en}")


def end(instants: Anchors | None) -> Bilingual:
    """When a phase ends: the earliest of its instants."""
    if instants is None:
        return Bilingual(zh="无固定期限", en="no fixed end")
    if isinstance(instants, Anchored):
        return anchored(instants)
    several = joined((anchored(each) for each in instants), "、", ", ")
    return Bilingual(zh=f"以下最早者：{several.zh}", en=f"the earliest of {several.en}")


def phase(written: Phase | None) -> Bilingual:
    """`red, from designated_at until 21 days after last_exposure_at, measure isolation`."""
    if written is None:
        return _ABSENT
    states = [written.colour.value] if written.colour is not None else []
    begins, ends = start(written.start), end(written.until)
    zh, en = [*states], [*states]
    if written.popup is not None:
        zh.append(f"弹窗 {written.popup}")
        en.append(f"popup {written.popup}")
    if written.measure is not None:
        zh.append(f"措施 {written.measure}")
        en.append(f"measure {written.measure}")
    return Bilingual(
        zh="，".join([*zh, f"自 {begins.zh} 至 {ends.zh}"]), en=", ".join([*en, f"from {begins.en} until {ends.en}"])
    )


def where(conditions: Where) -> Bilingual:
    """`tier: close; days: 3 to 7`."""
    return joined(plain(f"{name}: {_wanted(wanted)}") for name, wanted in sorted(conditions.items()))


def counter(written: Counter | None) -> Bilingual:
    """What a counter counts."""
    if written is None:
        return _ABSENT
    methods = ", ".join(method.value for method in written.methods)
    results = ", ".join(result.value for result in written.results)
    own = written.of is CountOf.OWN
    zh = [f"{'本人' if own else '上级密接'}的检测（{methods}）"]
    en = [f"{'own tests' if own else 'tests of the contact'} ({methods})"]
    zh.append("采样即计，不论结果" if written.pending else f"结果 {results}")
    en.append("counted at sampling, whatever the result" if written.pending else f"results {results}")
    after = _after(written.sampled_after)
    zh.append(after.zh)
    en.append(after.en)
    if written.single:
        zh.append("仅单采单检")
        en.append("single samples only")
    if written.min_gap_hours:
        zh.append(f"间隔至少{written.min_gap_hours}小时")
        en.append(f"at least {_count(written.min_gap_hours, 'hour')} apart")
    if written.laboratories > 1:
        zh.append(f"{written.round_hours}小时内{written.laboratories}家机构")
        en.append(f"by {written.laboratories} laboratories within {_count(written.round_hours, 'hour')}")
    return Bilingual(zh="，".join(zh), en=", ".join(en))


def release(written: Release | None) -> Bilingual:
    """What releases, without the sentence that residents read."""
    match written:
        case None:
            return _ABSENT
        case NegativeTests():
            methods = ", ".join(method.value for method in written.methods)
            after = _after(written.sampled_after)
            gap_zh = f"，间隔至少{written.min_gap_hours}小时" if written.min_gap_hours else ""
            gap_en = f", at least {_count(written.min_gap_hours, 'hour')} apart" if written.min_gap_hours else ""
            return Bilingual(
                zh=f"阴性{written.count}次（{methods}），{after.zh}{gap_zh}",
                en=f"{_count(written.count, 'negative')} ({methods}), {after.en}{gap_en}",
            )
        case Counted():
            needs = ", ".join(written.needs)
            return _not_before(Bilingual(zh=f"满足 {needs}", en=f"once there is {needs}"), written.not_before)
        case LaterStatement():
            fits = where(written.where)
            zh, en = [f"之后的 {written.evidence}（{fits.zh}）"], [f"a later {written.evidence} ({fits.en})"]
            zh.append("同一来源" if written.same_source else "任何来源")
            en.append("of the same department" if written.same_source else "of any department")
            if written.about_this:
                zh.append("针对本条")
                en.append("about this very statement")
            return _not_before(Bilingual(zh="，".join(zh), en=", ".join(en)), written.not_before)


def _not_before(words: Bilingual, instant: Anchored | None) -> Bilingual:
    if instant is None:
        return words
    earliest = anchored(instant)
    return Bilingual(zh=f"{words.zh}，不早于 {earliest.zh}", en=f"{words.en}, not before {earliest.en}")


def _after(sampled_after: SampledAfter | Anchored) -> Bilingual:
    if isinstance(sampled_after, SampledAfter):
        return _AFTER[sampled_after]
    instant = anchored(sampled_after)
    return Bilingual(zh=f"{instant.zh}起采样", en=f"sampled at or after {instant.en}")


def _wanted(wanted: tuple[str | int | bool, ...] | Range) -> str:
    if not isinstance(wanted, Range):
        return ", ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in wanted)
    bounds = [
        f"{sign} {bound if isinstance(bound, int) else bound.isoformat()}"
        for sign, bound in (
            (">=", wanted.at_least),
            ("<=", wanted.at_most),
            (">=", wanted.since),
            ("<", wanted.before),
        )
        if bound is not None
    ]
    return " ".join(bounds)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
