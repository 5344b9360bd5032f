"""The indicators of the morning meeting that concern tracing: what is counted, its target, and who may see how much.

Each has a query (`tianfu.tracing.indicator_store`) that also opens the list behind the number. A source that never said
anything gives no number, not 0. Below the province small cells are hidden.
"""

from __future__ import annotations

import enum
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from tianfu.clock import day_start, shanghai_day
from tianfu.errors import Fault, InputInvalidError, NotFoundError
from tianfu.platform.database import Read
from tianfu.tracing import indicator_store
from tianfu.tracing.indicator_store import Counted, FunnelStep, Subject, Window

WEEK_DAYS: Final = 7
# Fewer people than this could be recognised by somebody who lives there.
SMALL_CELL_MIN: Final = 5
_PROVINCE_DIGITS: Final = 2
# Nothing this system is told happened earlier.
DAY_MIN: Final = date(2000, 1, 1)


class IndicatorNotFoundError(NotFoundError):
    """There is no indicator of that name."""

    code = "indicator_not_found"
    zh = "没有这项指标。"
    en = "There is no indicator of that name."


class Block(enum.Enum):
    """The parts of the morning board."""

    OUTBREAK = "outbreak"
    SPEED = "speed"
    COMPLETENESS = "completeness"
    TESTS = "tests"
    LETTERS = "letters"


class Of(enum.Enum):
    """What the list behind a number lists."""

    PERSON = "person"
    INCIDENT = "incident"
    HANDOVER = "handover"


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `at_least` and `at_most` are targets of the share; `state`: how it is at the end of the day only.

    `share` False: a number of things, of which nothing is a share.
    """

    name: str
    block: Block
    zh: str
    en: str
    source: str
    share: bool = True
    at_least: float | None = None
    at_most: float | None = None
    state: bool = False
    of: Of = Of.PERSON


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
    """An indicator on a day and over the seven days that end with it; None: no data (or, for a state, no week)."""

    indicator: Indicator
    day: Figure | None
    week: Figure | None

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


INDICATORS: Final = (
    Indicator(name="new_cases", block=Block.OUTBREAK, zh="新增病例", en="new cases", source="cases", share=False),
    Indicator(
        name="known_contacts",
        block=Block.OUTBREAK,
        zh="新增病例中已在密接名单者",
        en="new cases already known as contacts",
        source="cases",
    ),
    Indicator(
        name="in_quarantine",
        block=Block.OUTBREAK,
        zh="新增病例中已在隔离者",
        en="new cases already in quarantine",
        source="cases",
    ),
    Indicator(
        name="without_source", block=Block.OUTBREAK, zh="来源不明的病例", en="cases without a source", source="cases"
    ),
    Indicator(
        name="chains",
        block=Block.OUTBREAK,
        zh="有新增病例的传播链",
        en="chains with new cases",
        source="cases",
        share=False,
        of=Of.INCIDENT,
    ),
    Indicator(
        name="long_gaps",
        block=Block.OUTBREAK,
        zh="与上一例间隔超过 7 天",
        en="gaps of more than 7 days in a chain",
        source="cases",
    ),
    Indicator(
        name="core_facts",
        block=Block.SPEED,
        zh="阳性至核心信息 4 小时内",
        en="positive to core facts in 4 h",
        source="interviews",
        at_least=1.0,
    ),
    Indicator(
        name="contact_list",
        block=Block.SPEED,
        zh="阳性至密接名单 4 小时内",
        en="positive to contact list in 4 h",
        source="runs",
        at_least=1.0,
    ),
    Indicator(
        name="told",
        block=Block.SPEED,
        zh="阳性至告知密接 12 小时内",
        en="positive to contact told in 12 h",
        source="follow_ups",
        at_least=0.9,
    ),
    Indicator(
        name="quarantined",
        block=Block.SPEED,
        zh="阳性至密接隔离 24 小时内",
        en="positive to quarantined in 24 h",
        source="follow_ups",
        at_least=1.0,
    ),
    Indicator(
        name="interviewed",
        block=Block.COMPLETENESS,
        zh="已流调病例",
        en="cases interviewed",
        source="interviews",
        at_least=1.0,
    ),
    Indicator(
        name="no_contacts",
        block=Block.COMPLETENESS,
        zh="没有密接的病例",
        en="cases without contacts",
        source="runs",
        at_most=0.1,
    ),
    Indicator(
        name="few_contacts",
        block=Block.COMPLETENESS,
        zh="密接不足 3 人的病例",
        en="cases with one or two contacts",
        source="runs",
    ),
    Indicator(
        name="reached",
        block=Block.COMPLETENESS,
        zh="已联系到的密接",
        en="contacts reached",
        source="follow_ups",
        at_least=0.9,
    ),
    Indicator(
        name="seen",
        block=Block.COMPLETENESS,
        zh="当日应随访已随访",
        en="contacts seen on their day",
        source="follow_ups",
        at_least=0.9,
    ),
    Indicator(name="lost", block=Block.COMPLETENESS, zh="失联", en="contacts lost", source="follow_ups", state=True),
    Indicator(
        name="not_seen",
        block=Block.COMPLETENESS,
        zh="3 天未随访到",
        en="contacts not seen for 3 days",
        source="follow_ups",
        state=True,
    ),
    Indicator(
        name="symptomatic_tested",
        block=Block.TESTS,
        zh="有症状密接 12 小时内检测",
        en="symptomatic contacts tested in 12 h",
        source="follow_ups",
        at_least=1.0,
    ),
    Indicator(
        name="overdue_tests", block=Block.TESTS, zh="逾期未检", en="tests overdue", source="follow_ups", at_most=0.0
    ),
    Indicator(
        name="letters_sent",
        block=Block.LETTERS,
        zh="发出的移交函",
        en="hand-overs sent",
        source="letters",
        share=False,
        of=Of.HANDOVER,
    ),
    Indicator(
        name="letters_answered",
        block=Block.LETTERS,
        zh="24 小时内答复",
        en="answered in 24 h",
        source="letters",
        at_least=1.0,
        of=Of.HANDOVER,
    ),
    Indicator(
        name="letters_overdue",
        block=Block.LETTERS,
        zh="逾期未答复",
        en="without an answer after 24 h",
        source="letters",
        share=False,
        state=True,
        of=Of.HANDOVER,
    ),
)
BY_NAME: Final = {indicator.name: indicator for indicator in INDICATORS}


def report(read: Read, *, day: date, place: str, at: datetime, scope: str) -> Report:
    """Every indicator of a Shanghai day, as known at `at`, in `place` (a prefix of a county).

    `scope` is the district the reader's role is held in: below the province small cells are hidden.
    """
    known = {source: indicator_store.known(read, source, window(day, place, at)) for source in indicator_store.SOURCES}
    lines = tuple(
        _line(read, indicator, day, place, at, scope=scope)
        if known[indicator.source]
        else Line(indicator=indicator, day=None, week=None)
        for indicator in INDICATORS
    )
    steps = indicator_store.funnel(read, window(day, place, at, days=WEEK_DAYS))
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


def find(name: str) -> Indicator:
    """The indicator of that name. Raises `IndicatorNotFoundError`."""
    found = BY_NAME.get(name)
    if found is None:
        raise IndicatorNotFoundError
    return found


def window(day: date, place: str, at: datetime, *, days: int = 1) -> Window:
    """The `days` that end with `day`, known until its end or `at`, whichever comes first.

    Raises `InputInvalidError` for a day that is still to come, when every number would read as 0, or of another age.
    """
    if not DAY_MIN <= day <= shanghai_day(at):
        fault = Fault("day", "day", "应为今天或以前的日期。", "It must be today or earlier, and after 2000.")
        raise InputInvalidError(faults=(fault,))
    until = day_start(day + timedelta(days=1))
    return Window(since=day_start(day - timedelta(days=days - 1)), until=until, now=min(at, until), place=place)


def meets(indicator: Indicator, figure: Figure) -> bool | None:
    """Whether a share meets the target; None without a target or a share."""
    if figure.share is None or (indicator.at_least is None and indicator.at_most is None):
        return None
    low = indicator.at_least is None or figure.share >= indicator.at_least
    return low and (indicator.at_most is None or figure.share <= indicator.at_most)


def _line(read: Read, indicator: Indicator, day: date, place: str, at: datetime, *, scope: str) -> Line:
    def figure(days: int) -> Figure:
        counted = indicator_store.count(read, indicator.name, window(day, place, at, days=days))
        return _figure(indicator, counted, scope)

    return Line(indicator=indicator, day=figure(1), week=None if indicator.state else figure(WEEK_DAYS))


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
