"""What the drills found, over all seeds: a text with bars, and one HTML page with the same as a drawing. Pure.

Recall is the share of later positives that are on the list (or handed over) after a step; people per positive is the
list's length by how many of them it holds. Each figure is given as least, median and most over the seeds.
"""

from __future__ import annotations

import html
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from tianfu.synth.province.drill import Drill, Score
from tianfu.tracing.screening.summary import bar

_WIDTH: Final = 560
_ROW: Final = 26
_LEFT: Final = 130
# Steps before the tests find people by what their records say; afterwards also by their own result.
TESTS: Final = "tests"


class Spread(msgspec.Struct, frozen=True):
    """A figure over the seeds."""

    least: float
    median: float
    most: float


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One step over all seeds: people on the list, recall of all later positives and of those that could be seen.

    `lost` is how many that could be seen are not on the list after it, all seeds together: by a naming source, and by
    the carriers alone.
    """

    step: str
    people: Spread
    recall: Spread
    recall_seen: Spread
    per_positive: Spread
    lost_named: int
    lost_telecom: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The drills of one funnel over all seeds; counts are of all seeds together.

    `seconds` are of a whole drill, `screened` milliseconds of the funnel in it.
    """

    funnel: str
    seeds: int
    people: int
    known: Spread
    later: int
    named: int
    telecom: int
    unseen: int
    lost_named: int
    lost_telecom: int
    seconds: Spread
    screened: Spread
    lines: tuple[Line, ...]


def summaries(drills: Sequence[Drill]) -> tuple[Summary, ...]:
    """A summary for each funnel, in the order in which the funnels first stand there."""
    funnels = list(dict.fromkeys(drill.funnel for drill in drills))
    return tuple(_summary([drill for drill in drills if drill.funnel == funnel]) for funnel in funnels)


def text(drills: Sequence[Drill]) -> str:
    """The report for a terminal."""
    return "\n".join(_text(drills))


def page(drills: Sequence[Drill]) -> str:
    """The report as one page that needs nothing else."""
    parts = [_drawing(summary) for summary in summaries(drills)]
    style = "body{font:14px/1.5 sans-serif;max-width:60em;margin:2em auto}table{border-collapse:collapse}"
    style += "td,th{padding:2px 10px;text-align:right}th:first-child,td:first-child{text-align:left}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Screening drill</title><style>{style}</style>'
        "<h1>Screening drill: a simulated outbreak, its true chain known</h1>"
        f"{''.join(parts)}<pre>{html.escape(text(drills))}</pre></html>\n"
    )


def _summary(drills: Sequence[Drill]) -> Summary:
    steps = range(len(drills[0].steps))
    return Summary(
        funnel=drills[0].funnel,
        seeds=len(drills),
        people=drills[0].people,
        known=_spread(drills, lambda drill: drill.known),
        later=sum(drill.later for drill in drills),
        named=sum(drill.named for drill in drills),
        telecom=sum(drill.telecom for drill in drills),
        unseen=sum(drill.unseen for drill in drills),
        lost_named=sum(drill.lost_named for drill in drills),
        lost_telecom=sum(drill.lost_telecom for drill in drills),
        seconds=_spread(drills, lambda drill: drill.simulated + drill.recorded + drill.screened),
        screened=_spread(drills, lambda drill: drill.screened * 1000),
        lines=tuple(_line(drills, number) for number in steps),
    )


def _line(drills: Sequence[Drill], number: int) -> Line:
    def step(drill: Drill) -> Score:
        return drill.steps[number]

    return Line(
        step=step(drills[0]).step,
        people=_spread(drills, lambda drill: step(drill).people),
        recall=_spread(drills, lambda drill: _share(step(drill).later, drill.later)),
        recall_seen=_spread(
            drills, lambda drill: _share(step(drill).named + step(drill).telecom, drill.named + drill.telecom)
        ),
        per_positive=_spread(drills, lambda drill: step(drill).people / max(1, step(drill).later)),
        lost_named=sum(drill.named - step(drill).named for drill in drills),
        lost_telecom=sum(drill.telecom - step(drill).telecom for drill in drills),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _spread(drills: Sequence[Drill], figure: Callable[[Drill], float]) -> Spread:
    figures = [float(figure(drill)) for drill in drills]
    return Spread(min(figures), statistics.median(figures), max(figures))


def _text(drills: Sequence[Drill]) -> Iterator[str]:
    for summary in summaries(drills):
        yield (
            f"funnel {summary.funnel}: {summary.seeds} seeds, {summary.people:,} people, "
            f"{_range(summary.known)} cases known at the screening, {_range(summary.seconds)} s a seed, "
            f"of that {_range(summary.screened)} ms the funnel"
        )
        yield (
            f"later positives: {summary.later}, of them {summary.named} that a scan, seat, household, class or room "
            f"places with a known case, {summary.telecom} that only the carriers do, {summary.unseen} nobody"
        )
        yield (
            f"lost at the end: {summary.lost_named} of {summary.named} named, "
            f"{summary.lost_telecom} of {summary.telecom} seen by the carriers alone"
        )
        yield (
            f"{'after step':<12} {'people: least, median, most':>30} {'recall %':>14} {'of the seen %':>14}"
            f" {'people per positive':>24} {'lost':>8}"
        )
        largest = max(line.people.most for line in summary.lines)
        for line in summary.lines:
            yield (
                f"{line.step:<12} {_range(line.people):>30} {_range(line.recall, 100):>14}"
                f" {_range(line.recall_seen, 100):>14} {_range(line.per_positive):>24}"
                f" {line.lost_named:>3} + {line.lost_telecom:<3} {bar(round(line.people.median), round(largest), 20)}"
            )
        yield ""
    yield "recall: share of later positives on the list or handed over; lost: named + seen by the carriers alone, all"
    yield f"seeds together. From the step {TESTS!r} on a positive test of their own puts people on the list as well."


def _range(spread: Spread, times: float = 1) -> str:
    return ", ".join(f"{value * times:,.0f}" for value in (spread.least, spread.median, spread.most))


def _drawing(summary: Summary) -> str:
    """Bars from least to most with the median marked, on a scale of powers of ten."""
    rows = []
    for number, line in enumerate(summary.lines):
        top = number * _ROW + 6
        low, middle, high = (_across(value) for value in (line.people.least, line.people.median, line.people.most))
        rows.append(
            f'<text x="0" y="{top + 12}">{html.escape(line.step)}</text>'
            f'<rect x="{low:.0f}" y="{top}" width="{max(2.0, high - low):.0f}" height="14" fill="#9cc"/>'
            f'<rect x="{middle - 1:.0f}" y="{top - 2}" width="3" height="18" fill="#046"/>'
            f'<text x="{high + 8:.0f}" y="{top + 12}">{line.people.median:,.0f}, recall '
            f"{line.recall.least:.0%} to {line.recall.most:.0%}</text>"
        )
    height = len(summary.lines) * _ROW + 10
    return (
        f"<h2>{html.escape(summary.funnel)}</h2><p>People on the list after each step, least to most over "
        f"{summary.seeds} seeds, median marked; each third of the width is a hundredfold.</p>"
        f'<svg width="{_LEFT + _WIDTH + 220}" height="{height}" font-size="13">{"".join(rows)}</svg>'
    )


def _across(people: float) -> float:
    return _LEFT + _WIDTH * min(1.0, (len(f"{max(1, round(people))}") - 1 + _fraction(people)) / 6)


def _fraction(people: float) -> float:
    """How far a figure is within its power of ten, straight."""
    whole = max(1, round(people))
    power = float(10 ** (len(str(whole)) - 1))
    return (whole / power - 1) / 9
