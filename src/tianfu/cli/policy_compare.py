"""`tianfu policy compare`: what another rule set would change for everybody. Writes nothing."""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import Final

import click
import msgspec

from tianfu.cli.instant import InstantParameter
from tianfu.cli.main import terminal_language
from tianfu.cli.policy_named import METAVAR, policy_named
from tianfu.clock import SystemClock, monotonic_seconds
from tianfu.platform import settings
from tianfu.platform.database import Purpose
from tianfu.policy.compare import Move, Report, Tally
from tianfu.services.installation import installed_database
from tianfu.status import compare_store
from tianfu.status.compare import compare as compared

PROGRESS_SECONDS: Final = 1.0
LINES_SHOWN_MAX: Final = 20

_EPILOG: Final = """\b
Examples:
  tianfu policy compare 3f0c9a1b policies/new.toml
  tianfu policy compare sichuan-core policies/new.toml --at 2026-12-01T00:00:00+08:00 --json

The report counts people and names nobody. Small counts are exact: it is for those who decide about the rules.
"""


@click.command(epilog=_EPILOG)
@click.argument("old", metavar=METAVAR)
@click.argument("new", metavar=METAVAR)
@click.option("--at", type=InstantParameter(), help="Decide as of this instant (now when left out).")
@click.option("--json", "as_json", is_flag=True, help="For programs; every rule and district.")
def compare(old: str, new: str, at: datetime | None, *, as_json: bool) -> None:
    """Decide everybody by OLD and by NEW, and count what would change: by colour, rule and district."""
    loaded = settings.load()
    before, after = policy_named(old, loaded), policy_named(new, loaded)
    at = at or SystemClock().now()
    tally = Tally()
    with installed_database(loaded) as database:
        with database.read(Purpose.BATCH) as read:
            last = compare_store.last_person(read)
        told_at = monotonic_seconds()
        for person in compared(database, before, after, at, tally):
            if monotonic_seconds() - told_at >= PROGRESS_SECONDS:
                told_at = monotonic_seconds()
                click.echo(f"{person:,} of {last:,} people", err=True)
    report = tally.report()
    if as_json:
        told = {"at": at.isoformat(), "old": before.hash, "new": after.hash, **msgspec.to_builtins(report)}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    language = terminal_language(os.environ)
    click.echo(f"{before.name} {before.number} -> {after.name} {after.number} at {at.isoformat()}")
    for line in summary(report, language):
        click.echo(line)


def summary(report: Report, language: str) -> list[str]:
    """The report in a few lines: the sum, then colours, rules, popups and districts that change."""
    better = report.colour_changed - report.worse
    if language == "zh":
        total = (
            f"共 {report.people:,} 人有依据；{report.changed:,} 人的结论会变，其中 {report.colour_changed:,} 人变色"
            f"（变严 {report.worse:,}，变宽 {better:,}）"
        )
        words = {"colour": "颜色", "rules": "条款", "popups": "弹窗", "districts": "地区", "failed": "无法判定"}
        ways = ("新增", "不再")
    else:
        total = (
            f"{report.people:,} people with evidence; {report.changed:,} come out differently, "
            f"{report.colour_changed:,} of them in another colour ({report.worse:,} worse, {better:,} better)"
        )
        words = {name: name for name in ("colour", "rules", "popups", "districts", "failed")}
        ways = ("gained", "lost")
    moves = [move for move in report.colours if move.old is not move.new]
    lines = [total]
    lines += [f"  {words['colour']}  {move.old.value} -> {move.new.value}: {move.people:,}" for move in moves]
    lines += _moves(words["rules"], report.rules, ways) + _moves(words["popups"], report.popups, ways)
    changed = [each for each in report.districts if each.changed]
    lines += [
        f"  {words['districts']}  {each.district}: {each.changed:,} / {each.people:,}"
        for each in changed[:LINES_SHOWN_MAX]
    ]
    if len(changed) > LINES_SHOWN_MAX:
        lines.append(f"  {words['districts']}  … {len(changed) - LINES_SHOWN_MAX} (--json)")
    if report.failed:
        lines.append(f"  {words['failed']}  {report.failed:,}")
    return lines


def _moves(label: str, moves: tuple[Move, ...], ways: tuple[str, str]) -> list[str]:
    lines = [f"  {label}  {each.id}: +{each.gained:,} {ways[0]}, -{each.lost:,} {ways[1]}" for each in moves]
    return lines[:LINES_SHOWN_MAX]
