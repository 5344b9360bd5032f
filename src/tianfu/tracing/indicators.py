"""The indicators of the morning meeting that concern tracing (`indicator_table`), counted, and who may see how much.

Each has a query (`tianfu.tracing.indicator_store`) that also opens the list behind the number. A source that never said
anything gives no number, not 0. Below the province small cells are hidden. By when something is to be done, the rule
set of its incident says.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tianfu.clock import day_start, shanghai_day
from tianfu.errors import Fault, InputInvalidError
from tianfu.platform.database import Read
from tianfu.tracing import indicator_store, rule_clocks, rule_files
from tianfu.tracing.indicator_store import Counted, FunnelStep, Subject, Window
from tianfu.tracing.indicator_table import INDICATORS, Indicator, find
from tianfu.tracing.rule_clocks import RuleClocks

WEEK_DAYS: Final = 7
# Fewer people than this could be recognised by somebody who lives there.
SMALL_CELL_MIN: Final = 5
_PROVINCE_DIGITS: Final = 2
# Nothing this system is told happened earlier.
DAY_MIN: Final = date(2000, 1, 1)


class Hours(NamedTuple):
    """In how many hours something is to be done; two numbers where incidents have different rules."""

    least: int
    most: int

    def __str__(self) -> str:
        """As it stands in a name: `4`, or `4-8`."""
        return f"{self.least}" if self.least == self.most else f"{self.least}-{self.most}"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A number: `hits` of `of`. `hidden`: there are some, too few to be told here, and the rest is 0."""

    hits: int
    of: int
    open_since: datetime | None = None
    hidden: bool = False

    @property
    def share(self) -> float | None:
        """Of 1; None without anybody to count, or hidden."""
        return None if self.hidden or not self.of else self.hits / self.of


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator on a day and over the seven days that end with it; None: no data (or, for a state, no week).

    `hours` are those that the rules of the incidents counted say, or else the rules in force on the day; None where
    nothing is to be in time.
    """

    indicator: Indicator
    day: Figure | None
    week: Figure | None
    hours: Hours | None = None

    @property
    def zh(self) -> str:
        """What it is called, with the hours."""
        return self.indicator.zh.format(hours=self.hours)

    @property
    def en(self) -> str:
        """What it is called, with the hours."""
        return self.indicator.en.format(hours=self.hours)

    @property
    def met(self) -> bool | None:
        """Whether the day's share meets the target; None where there is none to meet."""
        return None if self.day is None else meets(self.indicator, self.day)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The board of a day and place. `funnel` None: no screening was ever made."""

    day: date
    place: str
    lines: tuple[Line, ...]
    funnel: tuple[FunnelStep, ...] | None


def report(read: Read, *, day: date, place: str, at: datetime, scope: str, rules: Path = rule_files.FOLDER) -> Report:
    """Every indicator of a Shanghai day, as known at `at`, in `place` (a prefix of a county).

    `scope` is the district the reader's role is held in: below the province small cells are hidden. `rules` is the
    folder of the rule sets. Raises as `rule_files.every`.
    """
    clocks = rule_clocks.load(rules)
    one, week = (window(day, place, at, days=days, clocks=clocks) for days in (1, WEEK_DAYS))
    known = {source: indicator_store.known(read, source, one) for source in indicator_store.SOURCES}
    lines = tuple(
        _line(read, indicator, day, one, week, scope=scope, known=known[indicator.source]) for indicator in INDICATORS
    )
    steps = indicator_store.funnel(read, week)
    shown = None if steps is None else tuple(steps if _sees_all(scope) else map(_hide_step, steps))
    return Report(day=day, place=place, lines=lines, funnel=shown)


def counties(
    read: Read, name: str, *, day: date, place: str, at: datetime, scope: str, days: int = 1
) -> list[tuple[str, Figure]]:
    """One indicator in each county (for letters: the unit that is asked). Raises `IndicatorNotFoundError`."""
    indicator = find(name)
    found = indicator_store.by_county(read, indicator.name, window(day, place, at, days=days))
    return [(county, _figure(indicator, counted, scope)) for county, counted in found]


def subjects(
    read: Read,
    name: str,
    counted: Window,
    *,
    hit: bool | None,
    after: tuple[datetime, int, int] | None,
    limit: int,
) -> list[Subject]:
    """The list behind a number, by instant: everybody counted in that window, or the hits or misses of them.

    Names people by number, so the caller asks first whether it may be read. Raises `IndicatorNotFoundError`.
    """
    return indicator_store.subjects(read, find(name).name, counted, hit=hit, after=after, limit=limit)


def window(day: date, place: str, at: datetime, *, days: int = 1, clocks: RuleClocks | None = None) -> Window:
    """The `days` that end with `day`, known until its end or `at`, whichever comes first.

    `clocks` None are those of the rule sets there are. Raises `InputInvalidError` for a day that is still to come, when
    every number would read as 0, or of another age, and as `rule_files.every`.
    """
    if not DAY_MIN <= day <= shanghai_day(at):
        fault = Fault("day", "day", "应为今天或以前的日期。", "It must be today or earlier, and after 2000.")
        raise InputInvalidError(faults=(fault,))
    until = day_start(day + timedelta(days=1))
    return Window(
        since=day_start(day - timedelta(days=days - 1)),
        until=until,
        now=min(at, until),
        place=place,
        clocks=clocks or rule_clocks.load(),
    )


def meets(indicator: Indicator, figure: Figure) -> bool | None:
    """Whether a share meets the target; None without a target or a share."""
    if figure.share is None or (indicator.at_least is None and indicator.at_most is None):
        return None
    low = indicator.at_least is None or figure.share >= indicator.at_least
    return low and (indicator.at_most is None or figure.share <= indicator.at_most)


def _line(read: Read, indicator: Indicator, day: date, one: Window, week: Window, *, scope: str, known: bool) -> Line:
    windows = [one] if indicator.state else [one, week]
    counted = [indicator_store.count(read, indicator.name, window) for window in windows] if known else []
    figures = [_figure(indicator, found, scope) for found in counted]
    return Line(
        indicator=indicator,
        day=figures[0] if figures else None,
        week=figures[1] if len(figures) > 1 else None,
        hours=_hours(indicator, counted, one, day),
    )


def _hours(indicator: Indicator, counted: list[Counted], one: Window, day: date) -> Hours | None:
    if indicator.clock is None:
        return None
    used = [hours for found in counted for hours in (found.least, found.most) if hours is not None]
    used = used or [one.clocks.in_force(indicator.clock, day)]
    return Hours(min(used), max(used))


def _figure(indicator: Indicator, counted: Counted, scope: str) -> Figure:
    # What is left over tells as much as what is counted.
    cells = (counted.hits, counted.of, counted.of - counted.hits) if indicator.share else (counted.hits,)
    if not _sees_all(scope) and any(map(_small, cells)):
        return Figure(hits=0, of=0, hidden=True)
    return Figure(hits=counted.hits, of=counted.of, open_since=counted.open_since)


def _sees_all(scope: str) -> bool:
    return len(scope) <= _PROVINCE_DIGITS


def _hide_step(step: FunnelStep) -> FunnelStep:
    """The step without what is too small to be told, and without what that could be reckoned from."""
    if _small(step.before) or _small(step.after):
        return msgspec.structs.replace(step, before=None, after=None, added=None, removed=None)
    if _small(step.added) or _small(step.removed):
        return msgspec.structs.replace(step, added=None, removed=None)
    return step


def _small(cell: int | None) -> bool:
    return cell is not None and 0 < cell < SMALL_CELL_MIN
