"""A funnel's result in short: for the table on the terminal, the API and the report page. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from tianfu.tracing.screening import words
from tianfu.tracing.screening.definition import Funnel
from tianfu.tracing.screening.funnel import StepResult

BAR_COLUMNS: Final = 40


class Count(msgspec.Struct, frozen=True):
    """How many for one reason: its name, in words, and the number."""

    reason: str
    zh: str
    en: str
    people: int


class StepSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One step in words; `before + added - removed = after`."""

    position: int
    name: str
    kind: str
    zh: str
    en: str
    undone: bool
    before: int
    added: int
    removed: int
    after: int
    added_by: tuple[Count, ...]
    kept_by: tuple[Count, ...]
    removed_by: tuple[Count, ...]
    milliseconds: int


class FunnelSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A funnel as it went: `largest` is the longest the list ever was, the scale of the bars; `listed` what is left."""

    funnel: str
    zh: str
    en: str
    cites: tuple[str, ...]
    largest: int
    listed: int
    steps: tuple[StepSummary, ...]


def summary(funnel: Funnel, results: Sequence[StepResult]) -> FunnelSummary:
    """`results` of a run of `funnel` in words. A funnel that never listed anybody has `largest` 0."""
    steps = tuple(_step(result) for result in results)
    return FunnelSummary(
        funnel=funnel.name,
        zh=funnel.zh,
        en=funnel.en,
        cites=funnel.cites,
        largest=max((step.after for step in steps), default=0),
        listed=steps[-1].after if steps else 0,
        steps=steps,
    )


def bar(people: int, largest: int, columns: int = BAR_COLUMNS) -> str:
    """A bar of text for `people` out of `largest`; anybody at all is at least one column wide."""
    if people <= 0 or largest <= 0:
        return ""
    return "█" * max(1, round(columns * people / largest))


def _step(result: StepResult) -> StepSummary:
    return StepSummary(
        position=result.position,
        name=result.name,
        kind=result.kind,
        zh=words.step(result.kind, "zh"),
        en=words.step(result.kind, "en"),
        undone=result.undone,
        before=result.before,
        added=sum(result.added.values()),
        removed=sum(result.removed.values()),
        after=result.after,
        added_by=_counts(result.added),
        kept_by=_counts(result.kept),
        removed_by=_counts(result.removed),
        milliseconds=result.milliseconds,
    )


def _counts(numbers: dict[str, int]) -> tuple[Count, ...]:
    return tuple(
        Count(name, words.reason_named(name, "zh"), words.reason_named(name, "en"), people)
        for name, people in sorted(numbers.items(), key=lambda entry: (-entry[1], entry[0]))
    )
