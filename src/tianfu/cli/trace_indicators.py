"""`tianfu trace indicators`: the numbers of the morning meeting, and the list behind each."""

from __future__ import annotations

import os
import unicodedata
from datetime import date, datetime, timedelta
from typing import Final

import click

from tianfu.cli.follow_parts import local, note, opened
from tianfu.cli.main import terminal_language
from tianfu.clock import SystemClock, shanghai_day
from tianfu.ids import PersonRef, format_person_ref
from tianfu.platform.database import Purpose
from tianfu.tracing import indicator_table, indicators
from tianfu.tracing.indicator_table import BY_NAME, Indicator, Of
from tianfu.tracing.indicators import Figure, Line, Report

_EPILOG: Final = """\b
Examples:
  tianfu trace indicators
  tianfu trace indicators --day 2022-08-31 --place 5101
  tianfu trace indicators --list without_source
  tianfu trace indicators --counties overdue_tests
"""
_LIST_MAX: Final = 500
# What the page says besides the names of the numbers, in Chinese; in English it is the words themselves.
_ZH: Final = {
    "outbreak": "疫情",
    "speed": "时效",
    "completeness": "完整性",
    "tests": "检测",
    "letters": "协查函",
    "day": "前一日",
    "7 days": "近 7 日",
    "target": "目标",
    "everywhere": "全省",
    "no data": "无数据",
    "hidden": "不显示",
    "funnel": "筛查",
    "funnel (in -> out, added, removed, median time)": "筛查（进入 -> 留下，加入，移除，用时中位数）",
}


@click.command(epilog=_EPILOG)
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="A day of Shanghai; yesterday when left out.")
@click.option("--place", default="", help="A county, or the first digits of one.")
@click.option("--list", "listed", type=click.Choice(sorted(BY_NAME)), help="The list behind this number.")
@click.option("--hits/--misses", "hit", default=None, help="With --list: those that count, or those that do not.")
@click.option("--counties", type=click.Choice(sorted(BY_NAME)), help="This number in each county or unit.")
@click.option("--language", type=click.Choice(["zh", "en"]), help="The terminal's when left out.")
def command(
    day: datetime | None,
    place: str,
    listed: str | None,
    counties: str | None,
    language: str | None,
    *,
    hit: bool | None,
) -> None:
    """Show yesterday, seven days and the target of each number."""
    now = SystemClock().now()
    on = shanghai_day(now) - timedelta(days=1) if day is None else day.date()
    language = language or terminal_language(os.environ)
    if listed is not None:
        _list(listed, on, place, now, hit=hit)
        return
    with opened() as (database, _), database.read(Purpose.BATCH) as read:
        if counties is not None:
            for county, figure in indicators.counties(read, counties, day=on, place=place, at=now, scope=""):
                click.echo(f"{county}  {_told(indicator_table.find(counties), figure, now, language)}")
            return
        found = indicators.report(read, day=on, place=place, at=now, scope="")
    _print(found, now, language)


def _list(name: str, day: date, place: str, now: datetime, *, hit: bool | None) -> None:
    indicator = indicator_table.find(name)
    counted = indicators.window(day, place, now)
    with opened() as (database, _), database.write(Purpose.OPERATOR) as write:
        found = indicators.subjects(write, name, counted, hit=hit, after=None, limit=_LIST_MAX)
        note(write, "indicator_list", now, detail={"name": name, "count": len(found)})
    for one in found:
        subject = format_person_ref(PersonRef(one.subject)) if indicator.of is Of.PERSON else str(one.subject)
        hours = "" if one.hours is None else f"{one.hours} h"
        said = {True: "yes", False: "no", None: "open"}[one.hit]
        click.echo(f"{local(one.at)}  {one.place}  {subject:<16} {said:<5} {hours:>5} {local(one.open_since)}")
    click.echo(f"{len(found):,} of {name}")


def _print(found: Report, now: datetime, language: str) -> None:
    def said(word: str) -> str:
        return _said(word, language)

    words = (said("day"), said("7 days"), said("target"))
    click.echo(f"{found.day}  {found.place or said('everywhere')}")
    columns = max(_width(_named(line, language)) for line in found.lines) + 4
    click.echo(_padded("", columns) + "".join(_padded(word, 22) for word in words))
    block = None
    for line in found.lines:
        if line.indicator.block is not block:
            block = line.indicator.block
            click.echo(said(block.value))
        click.echo("  " + _line(line, now, language, columns - 2))
    if found.funnel is None:
        click.echo(f"{said('funnel')}\n  {said('no data')}")
        return
    click.echo(said("funnel (in -> out, added, removed, median time)"))
    for step in found.funnel:
        before, after, added, removed = (
            said("hidden") if number is None else f"{number:,}"
            for number in (step.before, step.after, step.added, step.removed)
        )
        click.echo(f"  {step.name:<20} {before:>10} -> {after:>10}  +{added} -{removed}  {step.milliseconds:,} ms")


def _said(word: str, language: str) -> str:
    return _ZH[word] if language == "zh" else word


def _named(line: Line, language: str) -> str:
    name = line.zh if language == "zh" else line.en
    return f"{name} ({line.indicator.name})"


def _line(line: Line, now: datetime, language: str, columns: int) -> str:
    indicator = line.indicator
    target = ""
    if indicator.at_least is not None:
        target = f">= {indicator.at_least:.0%}"
    elif indicator.at_most is not None:
        target = f"<= {indicator.at_most:.0%}"
    met = {True: " ok", False: " !", None: ""}[line.met]
    week = "-" if indicator.state and line.day is not None else _told(indicator, line.week, now, language)
    cells = (_padded(_told(indicator, line.day, now, language), 22), _padded(week, 22), target + met)
    return (_padded(_named(line, language), columns) + "".join(cells)).rstrip()


def _told(indicator: Indicator, figure: Figure | None, now: datetime, language: str) -> str:
    if figure is None:
        return _said("no data", language)
    if figure.hidden:
        return f"<{indicators.SMALL_CELL_MIN}"
    age = "" if figure.open_since is None else f" {(now - figure.open_since) // timedelta(hours=1)}h"
    if not indicator.share:
        return f"{figure.hits:,}{age}"
    share = "-" if figure.share is None else f"{figure.share:.0%}"
    return f"{figure.hits:,}/{figure.of:,} {share}{age}"


def _padded(text: str, columns: int) -> str:
    """The text in so many columns; a Chinese character takes two."""
    return text + " " * max(1, columns - _width(text))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1 for character in text)
