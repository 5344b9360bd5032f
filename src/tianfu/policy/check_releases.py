"""What must hold of the counters and releases of a rule. Pure."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator

from tianfu.errors import Fault
from tianfu.evidence.kinds import KINDS
from tianfu.policy.anchors import listed
from tianfu.policy.check_phases import Use, anchor_faults
from tianfu.policy.check_where import unknown_kind, where_faults
from tianfu.policy.rules import (
    Anchored,
    Counted,
    Counter,
    CountOf,
    LaterStatement,
    NegativeTests,
    Release,
    Rule,
    SampledAfter,
)
from tianfu.policy.vocabulary import attributes_of, counter_anchor


def counter_faults(rule: Rule, path: str) -> Iterator[Fault]:
    """What is wrong with the counters of a rule about a kind that exists."""
    tally = Tally(counter.id for counter in rule.counter)
    for place, counter in enumerate(rule.counter):
        here = f"{path}.counter[{place}]"
        if tally[counter.id] > 1:
            yield _twice(f"{here}.id", counter.id)
        if counter.of is CountOf.PARENT:
            yield from _parent_faults(rule, counter, here)
        if isinstance(counter.sampled_after, Anchored):
            yield from anchor_faults(rule, counter.sampled_after, f"{here}.sampled_after", Use.ELSEWHERE)
        else:
            yield from _coloured_faults(rule, counter.sampled_after, here)


def release_faults(rule: Rule, path: str) -> Iterator[Fault]:
    """What is wrong with the releases of a rule about a kind that exists."""
    tally = Tally(release.id for release in rule.release)
    for place, release in enumerate(rule.release):
        here = f"{path}.release[{place}]"
        if tally[release.id] > 1:
            yield _twice(f"{here}.id", release.id)
        yield from _faults_of_one(rule, release, here)


def _faults_of_one(rule: Rule, release: Release, path: str) -> Iterator[Fault]:
    match release:
        case NegativeTests():
            yield from _coloured_faults(rule, release.sampled_after, path)
        case Counted():
            ids = {counter.id for counter in rule.counter}
            for place, need in enumerate(release.needs):
                anchor = counter_anchor(need, ids)
                if anchor is None or anchor.nth == 0:
                    yield _fault(
                        f"{path}.needs[{place}]",
                        "anchor",
                        f"“{need}”不是本规则的计数锚点",
                        f"`{need}` is no count of a counter of this rule, such as `own.2`",
                    )
        case LaterStatement():
            yield from _statement_faults(release, path)
    if not isinstance(release, NegativeTests) and release.not_before is not None:
        yield from anchor_faults(rule, release.not_before, f"{path}.not_before", Use.ELSEWHERE)


def _statement_faults(release: LaterStatement, path: str) -> Iterator[Fault]:
    if release.evidence not in KINDS:
        yield unknown_kind(f"{path}.evidence", release.evidence)
        return
    yield from where_faults(release.where, release.evidence, f"{path}.where")
    record = attributes_of(release.evidence).get("record")
    if release.about_this and (record is None or record.type is not str or record.many):
        yield _fault(
            f"{path}.about_this",
            "value",
            f"“{release.evidence}”不指明所针对的记录",
            f"a statement of kind `{release.evidence}` does not say which record it is about",
        )


def _parent_faults(rule: Rule, counter: Counter, path: str) -> Iterator[Fault]:
    if rule.evidence != "contact":
        yield _fault(
            f"{path}.of", "value", "只有接触者规则可以使用", "only a rule about `contact` knows of a contact's contact"
        )
    if counter.pending:
        yield _fault(
            f"{path}.pending",
            "value",
            "他人的检测只在有结果后才知道",
            "others' samples are known only with their result",
        )


def _coloured_faults(rule: Rule, after: SampledAfter | Anchored, path: str) -> Iterator[Fault]:
    """Samples cannot count from the rule's beginning where that beginning itself waits for samples."""
    ids = {counter.id for counter in rule.counter}
    waits = any(counter_anchor(anchor.anchor, ids) is not None for anchor in listed(rule.phase[0].start))
    if after is SampledAfter.COLOURED and waits:
        yield _fault(
            f"{path}.sampled_after",
            "circular",
            "首个阶段的开始取决于采样，不能再从其开始计数",
            "the first phase begins by samples, so samples cannot count from its beginning",
        )


def _twice(path: str, name: str) -> Fault:
    return _fault(path, "duplicate", f"编号“{name}”重复", f"`{name}` is used twice")


def _fault(path: str, code: str, zh: str, en: str) -> Fault:
    return Fault(field=path, code=code, zh=zh, en=en)
