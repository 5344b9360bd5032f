"""The numbers of the morning meeting, each with its counties and the list behind it.

Numbers say nothing about a person and small cells are hidden below the province; a list names people by reference, so
each page of one is in the trail.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final

import msgspec
from litestar import post
from litestar.params import FromPath, RawBody

from tianfu.access.accounts import Account
from tianfu.access.decide import Grant, Resource, require
from tianfu.access.roles import Action, Purpose
from tianfu.console import pages
from tianfu.console.followup import By, asked, noted
from tianfu.console.followup_forms import Rows, Scope
from tianfu.console.parts import ConsoleParts, operator
from tianfu.console.purposes import StatedForm
from tianfu.errors import Fault, InputInvalidError
from tianfu.ids import PersonRef, format_person_ref
from tianfu.platform import database as db
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.tracing import indicator_table, indicators
from tianfu.tracing.indicator_store import FunnelStep, Subject
from tianfu.tracing.indicator_table import Indicator, Of
from tianfu.tracing.indicators import WEEK_DAYS, Figure, Line


class FigureAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`hits` of `of`; `open_since` is the oldest that is not done. `hidden`: too few to be told."""

    hits: int
    of: int
    share: float | None
    open_since: datetime | None
    hidden: bool

    @classmethod
    def of_figure(cls, figure: Figure | None) -> FigureAnswer | None:
        """The answer for a figure; None is no data."""
        if figure is None:
            return None
        return cls(
            hits=figure.hits, of=figure.of, share=figure.share, open_since=figure.open_since, hidden=figure.hidden
        )


class LineAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One indicator; `day` or `week` None is no data, not 0. `met` says whether the day meets the target.

    `hours_least`, `hours_most`: in how many hours it is to be done, by the rules of the incidents counted; None where
    nothing has to be in time.
    """

    name: str
    block: str
    zh: str
    en: str
    at_least: float | None
    at_most: float | None
    day: FigureAnswer | None
    week: FigureAnswer | None
    met: bool | None
    hours_least: int | None
    hours_most: int | None

    @classmethod
    def of(cls, line: Line) -> LineAnswer:
        """The answer for a line."""
        indicator = line.indicator
        return cls(
            name=indicator.name,
            block=indicator.block.value,
            zh=line.zh,
            en=line.en,
            at_least=indicator.at_least,
            at_most=indicator.at_most,
            day=FigureAnswer.of_figure(line.day),
            week=FigureAnswer.of_figure(line.week),
            met=line.met,
            hours_least=None if line.hours is None else line.hours.least,
            hours_most=None if line.hours is None else line.hours.most,
        )


class BoardAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The board of a day and place; `funnel` None: nothing was screened."""

    day: date
    place: str
    lines: tuple[LineAnswer, ...]
    funnel: tuple[FunnelStep, ...] | None


class CountyAnswer(msgspec.Struct, frozen=True):
    """An indicator in one county, or of one unit that was written to."""

    place: str
    figure: FigureAnswer


class BoardQuery(StatedForm, frozen=True, kw_only=True):
    """Which Shanghai day (`2022-03-01`), in a place: a county, or the first digits of one."""

    day: str
    place: Scope = ""


class CountiesQuery(BoardQuery, frozen=True, kw_only=True):
    """The `days` that end with `day`."""

    days: Annotated[int, msgspec.Meta(ge=1, le=WEEK_DAYS)] = 1


class SubjectQuery(CountiesQuery, frozen=True, kw_only=True):
    """Whom: counted in the `days` that end with `day`; `hit` true those that count, false those that do not."""

    hit: bool | None = None
    after: str | None = None
    limit: Rows = pages.PAGE_ROWS


class SubjectAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One line behind a number: a person by reference, or the number of an incident or hand-over.

    `hours`: in how many it was to be done, by the rules of its incident; None where nothing has to be in time.
    """

    subject: str
    place: str
    at: datetime
    hit: bool | None
    open_since: datetime | None
    hours: int | None

    @classmethod
    def of(cls, indicator: Indicator, found: Subject) -> SubjectAnswer:
        """The answer for a line."""
        person = indicator.of is Of.PERSON
        return cls(
            subject=format_person_ref(PersonRef(found.subject)) if person else str(found.subject),
            place=found.place,
            at=found.at,
            hit=found.hit,
            open_since=found.open_since,
            hours=found.hours,
        )


class SubjectPage(msgspec.Struct, frozen=True):
    """Lines by instant; `next` is the `after` of the next page, None on the last one."""

    subjects: tuple[SubjectAnswer, ...]
    next: str | None


@post("/indicators", status_code=200, operation_class=documented(BoardQuery), sync_to_thread=True)
def board(request: AnyRequest, console: ConsoleParts, body: RawBody) -> BoardAnswer:
    """Every indicator of a day in a place, with seven days and the target."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(BoardQuery, body)
    grant = _may_read(account, sent.place, sent.stated)
    with console.database.read(db.Purpose.BATCH) as read:
        found = indicators.report(read, day=_day(sent.day), place=sent.place, at=at, scope=grant.district)
    return BoardAnswer(
        day=found.day, place=sent.place, lines=tuple(LineAnswer.of(line) for line in found.lines), funnel=found.funnel
    )


@post(
    "/indicators/{measure:str}/counties",
    status_code=200,
    operation_class=documented(CountiesQuery),
    sync_to_thread=True,
)
def counties(request: AnyRequest, console: ConsoleParts, measure: FromPath[str], body: RawBody) -> list[CountyAnswer]:
    """One indicator in each county of a place."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(CountiesQuery, body)
    grant = _may_read(account, sent.place, sent.stated)
    with console.database.read(db.Purpose.BATCH) as read:
        found = indicators.counties(
            read, measure, day=_day(sent.day), place=sent.place, at=at, scope=grant.district, days=sent.days
        )
    told = ((county, FigureAnswer.of_figure(figure)) for county, figure in found)
    return [CountyAnswer(county, figure) for county, figure in told if figure is not None]


@post(
    "/indicators/{measure:str}/subjects",
    status_code=200,
    operation_class=documented(SubjectQuery),
    sync_to_thread=True,
)
def subjects(request: AnyRequest, console: ConsoleParts, measure: FromPath[str], body: RawBody) -> SubjectPage:
    """A page of the list behind a number."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(SubjectQuery, body)
    by = asked(console, By(account, sent.stated), "indicator_list_refused", at, _may_list, sent.place)
    indicator = indicator_table.find(measure)
    counted = indicators.window(_day(sent.day), sent.place, at, days=sent.days)
    key = pages.after(sent.after, 2)
    position = None if key is None else (key[0], key[1][0], key[1][1])
    with console.database.write(db.Purpose.BATCH) as write:
        found = indicators.subjects(write, measure, counted, hit=sent.hit, after=position, limit=sent.limit)
        detail: dict[str, str | int] = {"name": indicator.name, "count": len(found)}
        noted(write, by, "indicator_list", at, detail=detail)
    last = found[-1] if len(found) == sent.limit else None
    return SubjectPage(
        tuple(SubjectAnswer.of(indicator, one) for one in found),
        None if last is None else pages.cursor(last.at, last.incident_ref, last.subject),
    )


def _may_read(account: Account, place: str, purpose: Purpose) -> Grant:
    return require(account.principal, Action.READ_INCIDENT, Resource(place), purpose=purpose)


def _may_list(account: Account, place: str, purpose: Purpose) -> By:
    return By(account, purpose, _may_read(account, place, purpose))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        fault = Fault("day", "day", "日期应如 2022-03-01。", "A day is written like 2022-03-01.")
        raise InputInvalidError(faults=(fault,)) from None


HANDLERS: Final = (board, counties, subjects)
