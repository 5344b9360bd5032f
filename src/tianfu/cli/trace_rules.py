"""`tianfu trace rules`: the dated tracing rules, as files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Final

import click
import msgspec

from tianfu.clock import SystemClock
from tianfu.platform import settings
from tianfu.tracing import rule_files, rules
from tianfu.tracing.rule_files import LoadedRules, TracingRulesNotFoundError
from tianfu.tracing.rules import Dwell, HopRule, TracingRules, VenueGround

_SHANGHAI: Final = timezone(timedelta(hours=8))
_SHOWN_HASH: Final = 12
_LIST_EPILOG: Final = """\b
Examples:
  tianfu trace rules list
  tianfu trace rules list --on 2022-07-01
"""
_SHOW_EPILOG: Final = """\b
Examples:
  tianfu trace rules show
  tianfu trace rules show ninth-protocol
  tianfu trace rules show plain-scan:45 --json

NAME:MINUTES asks for the set with stays of so many minutes at any venue. Without a name: the set in force today.
"""
_CHECK_EPILOG: Final = """\b
Example:
  tianfu trace rules check policies/tracing/ninth-protocol.toml

Exit code 2: there is a fault, told with file, line and key, and the file cannot be used.
"""


@click.group()
def command() -> None:
    """List, show and check the tracing rules: who is a contact, how near, and what is asked of them."""


@command.command("list", epilog=_LIST_EPILOG)
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="As of that day; today if not given.")
def list_rules(day: datetime | None) -> None:
    """Every rule set, by the day it came into force; the one in force is marked."""
    on = _day(day)
    try:
        current = rule_files.in_force(on, folder=_folder()).asked
    except TracingRulesNotFoundError:
        current = ""
    for loaded in rule_files.every(_folder()):
        found = loaded.rules
        mark = "*" if found.name == current else " "
        since = "where named" if found.local else f"from {found.effective_from}"
        click.echo(
            f"{mark} {found.name:<18} {since:<16} {found.look_back.days} days back, hops on {on}: "
            f"{rules.hops(found, on)}  {loaded.digest.hex()[:_SHOWN_HASH]}  {found.title.en}"
        )


@command.command(epilog=_SHOW_EPILOG)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(name: str | None, *, as_json: bool) -> None:
    """What a rule set says, with the source of each number."""
    loaded = rule_files.in_force(_day(None), name, folder=_folder())
    if as_json:
        told = {"asked": loaded.asked, "sha256": loaded.digest.hex(), "rules": msgspec.to_builtins(loaded.rules)}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for line in _lines(loaded):
        click.echo(line)


@command.command(epilog=_CHECK_EPILOG)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def check(file: Path) -> None:
    """Say whether a file can be used as tracing rules, or everything that is wrong with it."""
    loaded = rule_files.load(file)
    click.echo(f"{loaded.rules.name}: can be used, sha256 {loaded.digest.hex()}")


def _lines(loaded: LoadedRules) -> Iterator[str]:
    found = loaded.rules
    yield f"{loaded.asked}  {found.title.zh}  {found.title.en}"
    yield f"sha256 {loaded.digest.hex()}"
    yield f"from {found.effective_from}{', only where an incident names it' if found.local else ''}"
    yield f"infectious from {found.look_back.days} days before onset, or sampling  [{found.look_back.source}]"
    clocks = found.clocks
    yield (
        f"hours: core facts {clocks.core_facts}, report {clocks.report}, contact list {clocks.contact_list}, "
        f"tell contacts {clocks.tell_contacts}, quarantine {clocks.quarantine}, move contacts {clocks.move_contacts}, "
        f"test symptomatic {clocks.test_symptomatic}, hand-over {clocks.handover}  [{clocks.source}]"
    )
    if found.telecom is not None:
        rule = found.telecom
        yield (
            f"telecom: {rule.metres} m, over {rule.minutes} min {rule.joined.value} over {rule.hours} h "
            f"in {rule.days} days  [{rule.source}]"
        )
    yield "scans, minutes (before, stay, after), head count:"
    for dwell in found.dwell:
        words = _words(dwell)
        yield f"  {words}: {dwell.before}, {dwell.stay}, {dwell.after}; {dwell.crowd or 'no limit'}  [{dwell.source}]"
    for number, hop in enumerate(found.hop, start=1):
        yield from _hop_lines(number, hop)
    yield from _schedule_lines(found)


def _hop_lines(number: int, hop: HopRule) -> Iterator[str]:
    ends = "" if hop.until is None else f", until {hop.until}"
    yield f"hop {number}: {hop.tier.value}{ends}  [{hop.source}]"
    for venue in hop.venue:
        yield f"  scans at {_words(venue)}: {venue.tier.value}, {venue.setting.value}  [{venue.source}]"
    for ground in hop.ground:
        rows = "everybody" if ground.rows is None else f"{ground.rows} rows either side"
        if ground.rows is not None and ground.bay > 1:
            rows = f"{ground.rows} bays of {ground.bay} rows either side"
        crowd = f", at most {ground.crowd}" if ground.crowd else ""
        yield f"  {ground.kind.value}: {ground.tier.value}, {rows}{crowd}  [{ground.source}]"


def _words(found: Dwell | VenueGround) -> str:
    words = [category.value for category in found.categories] + [kind.value for kind in found.vehicles]
    return ", ".join([*words, "unknown"] if found.unknown else words)


def _schedule_lines(found: TracingRules) -> Iterator[str]:
    for asked in found.schedule:
        stays = "; ".join(
            f"{stay.days} days {stay.stage.value}, tests on {', '.join(map(str, stay.tests)) or 'no day'}"
            for stay in asked.stay
        )
        yield f"{asked.tier.value}: {stays}  [{asked.source}]"


def _folder() -> Path:
    return settings.load().policies / rule_files.FOLDER.name


def _day(given: datetime | None) -> date:
    return SystemClock().now().astimezone(_SHANGHAI).date() if given is None else given.date()
