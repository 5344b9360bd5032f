"""What must hold of the conditions of a rule or release (`where`). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tianfu.errors import Fault
from tianfu.evidence.kinds import KINDS
from tianfu.policy.rules import Range, Where
from tianfu.policy.vocabulary import Attribute, attributes_of, value_of


def where_faults(where: Where, kind: str, path: str) -> Iterator[Fault]:
    """What is wrong with conditions on statements of `kind`, a kind that exists."""
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


def unknown_kind(path: str, kind: str) -> Fault:
    """The fault of naming a kind of evidence that does not exist."""
    known = ", ".join(KINDS)
    return _fault(path, "value", f"没有“{kind}”这类证据，应为：{known}", f"`{kind}` is no kind; known: {known}")


def _range_faults(wanted: Range, attribute: Attribute, path: str) -> Iterator[Fault]:
    low, high = wanted.at_least, wanted.at_most
    since, before = wanted.since, wanted.before
    numbers, instants = (low, high) != (None, None), (since, before) != (None, None)
    fitting = {int: not instants, datetime: not numbers}.get(attribute.type, False)
    if attribute.many or not fitting:
        yield _fault(
            path,
            "type",
            "数值用 at_least、at_most，时间用 since、before，其他属性不能使用范围",
            "at_least and at_most fit numbers, since and before instants, and no range fits anything else",
        )
    empty = (low is not None and high is not None and low > high) or (
        since is not None and before is not None and before <= since
    )
    if empty or not (numbers or instants):
        yield _fault(path, "value", "范围为空", "the range is empty or has no bound")


def _fault(path: str, code: str, zh: str, en: str) -> Fault:
    return Fault(field=path, code=code, zh=zh, en=en)
