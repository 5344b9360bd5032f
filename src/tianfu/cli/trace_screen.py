"""`tianfu trace screen INCIDENT`: the funnel, step by step, and what it leads to."""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import Any, Final

import click
import msgspec

from tianfu.access import roles
from tianfu.cli.instant import local_text
from tianfu.cli.main import terminal_language
from tianfu.cli.operator import terminal_actor
from tianfu.cli.screen_confirm import confirm_contacts, confirmations, judge_person, withdraw
from tianfu.cli.screen_parts import CHANNEL, installed, writing
from tianfu.cli.screen_text import funnel_lines, person_lines
from tianfu.ids import PersonRef, format_person_ref, parse_person_ref
from tianfu.lake.permit import for_terminal
from tianfu.platform import settings
from tianfu.platform.database import Purpose, Write
from tianfu.tracing import incidents
from tianfu.tracing.incidents import Incident
from tianfu.tracing.screening import funnel_files, judge, noted, screenings, store
from tianfu.tracing.screening.lake_scans import from_lake
from tianfu.tracing.screening.screenings import Run
from tianfu.tracing.screening.store import Wanted

_EPILOG: Final = """\b
Examples:
  tianfu trace screen 2022-510112-003 run --funnel wide-to-field
  tianfu trace screen 2022-510112-003 show
  tianfu trace screen 2022-510112-003 undo telecom
  tianfu trace screen 2022-510112-003 rerun scans --set apart_minutes=60 --set unknown=keep
  tianfu trace screen 2022-510112-003 why P-000000012-62
  tianfu trace screen 2022-510112-003 judge P-000000012-62 --no-contact --reason camera --by li.na
  tianfu trace screen 2022-510112-003 confirm --tier close --by li.na --approved-by wang.wei

Every look at people and every change goes into the trail.
"""


@click.group(epilog=_EPILOG)
@click.argument("incident")
@click.pass_context
def command(ctx: click.Context, incident: str) -> None:
    """Screen an incident: run the funnel, undo, ask why, confirm."""
    ctx.obj = incident


for _confirming in (judge_person, confirm_contacts, withdraw, confirmations):
    command.add_command(_confirming)


@command.command()
@click.option("--funnel", default=funnel_files.DEFAULT, show_default=True, help="Which funnel of policies/tracing.")
@click.pass_obj
def run(number: str, funnel: str) -> None:
    """Gather what the sources say now and run a funnel on it."""
    loaded = settings.load()
    found = funnel_files.find(funnel_files.folder(loaded.policies), funnel)
    with writing(number) as (write, incident, at):
        # Recorded before the visits are opened, whatever becomes of the screening.
        permit = for_terminal(
            write, username=terminal_actor(), incident=incident.number, purpose=roles.Purpose.INVESTIGATION, at=at
        )
    scanned = from_lake(loaded.var / "lake", permit)
    with writing(number) as (write, incident, at):
        made = screenings.begin(write, incident, found, by=terminal_actor(), at=at, scanned=scanned)
        _note_run(write, incident, made, at)
    _print_run(made)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def show(number: str, *, as_json: bool) -> None:
    """Print the newest run of the funnel."""
    with installed() as database, database.read(Purpose.OPERATOR) as read:
        made = screenings.current(read, incidents.find(read, number))
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(made), ensure_ascii=False))
        return
    _print_run(made)


@command.command()
@click.pass_obj
def runs(number: str) -> None:
    """List who ran, undid or changed what."""
    with installed() as database, database.read(Purpose.OPERATOR) as read:
        for made in screenings.history(read, incidents.find(read, number)):
            step = f" {made.step}" if made.step else ""
            what = f"{made.action}{step}: {made.listed:,}"
            click.echo(f"{made.run_ref:>6}  {local_text(made.at)}  {made.made_by:<16} {what}")


@command.command()
@click.argument("step")
@click.pass_obj
def undo(number: str, step: str) -> None:
    """Run again without STEP; later steps are applied anew."""
    with writing(number) as (write, incident, at):
        made = screenings.undo(write, incident, step, by=terminal_actor(), at=at)
        _note_run(write, incident, made, at)
    _print_run(made)


@command.command()
@click.argument("step")
@click.pass_obj
def redo(number: str, step: str) -> None:
    """Run again with STEP, which was undone."""
    with writing(number) as (write, incident, at):
        made = screenings.redo(write, incident, step, by=terminal_actor(), at=at)
        _note_run(write, incident, made, at)
    _print_run(made)


@command.command()
@click.argument("step")
@click.option("--set", "values", multiple=True, metavar="THRESHOLD=VALUE", help="A threshold of the step.")
@click.pass_obj
def rerun(number: str, step: str, values: tuple[str, ...]) -> None:
    """Run again with other thresholds at STEP."""
    with writing(number) as (write, incident, at):
        made = screenings.rerun(write, incident, step, _thresholds(values), by=terminal_actor(), at=at)
        _note_run(write, incident, made, at)
    _print_run(made)


@command.command(name="list")
@click.option("--step", help="Only whose reason this step gave.")
@click.option("--reason", help="Only with this reason, such as scanned_near.")
@click.option("--off", is_flag=True, help="Who was taken off, instead of who is on the list.")
@click.option("--county", help="Only now in this county, or prefix of one.")
@click.option("--after", help="Begin after this person.")
@click.option("--limit", type=click.IntRange(1, store.PAGE_MAX), default=50, show_default=True, help="How many.")
@click.pass_obj
def list_people(number: str, /, limit: int, *, off: bool, **asked: str | None) -> None:
    """List people by step, reason and county, page by page."""
    language = terminal_language(os.environ)
    with writing(number) as (write, incident, at):
        made = screenings.current(write, incident)
        county = asked["county"]
        wanted = Wanted(
            listed=not off,
            reason=screenings.reason_code(asked["reason"]),
            step=screenings.step_position(made.definition, asked["step"]),
            county=screenings.county_range(county or ""),
            unknown_county=county is None,
        )
        after = asked["after"]
        rows = store.page(
            write, made.run_ref, wanted, after=0 if after is None else parse_person_ref(after), limit=limit
        )
        detail: dict[str, str | int] = {"count": len(rows), "channel": CHANNEL}
        noted.note(write, incident, noted.READ, actor=terminal_actor(), at=at, detail=detail)
    for row in rows:
        told = screenings.standing(made.definition, row)
        words = told.en if language == "en" else told.zh
        click.echo(f"{format_person_ref(PersonRef(told.person))}  {told.county or '------'}  {told.step:<12} {words}")


@command.command()
@click.argument("person_ref", metavar="PERSON-REF")
@click.pass_obj
def why(number: str, person_ref: str) -> None:
    """Print what each step said of PERSON-REF."""
    person = parse_person_ref(person_ref)
    with writing(number) as (write, incident, at):
        # The look counts whether or not the screening knows the person.
        noted.note(
            write,
            incident,
            noted.READ,
            actor=terminal_actor(),
            at=at,
            person=person,
            detail={"channel": CHANNEL},
        )
    with installed() as database, database.read(Purpose.OPERATOR) as read:
        told = screenings.person(read, incident, person)
        judgement = judge.latest(read, incident, person)
    for line in person_lines(told, judgement, terminal_language(os.environ)):
        click.echo(line)


def _note_run(write: Write, incident: Incident, made: Run, at: datetime) -> None:
    noted.run(write, incident, made, actor=terminal_actor(), at=at, channel=CHANNEL)


def _print_run(made: Run) -> None:
    for line in funnel_lines(made, terminal_language(os.environ)):
        click.echo(line)


def _thresholds(values: tuple[str, ...]) -> dict[str, Any]:
    """`name=value` as TOML reads it; a bare word is a text, `a,b` a list of them."""
    told: dict[str, Any] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not name or not equals:
            message = f"{text!r} is not THRESHOLD=VALUE"
            raise click.UsageError(message)
        told[name.strip()] = _value(value.strip())
    return told


def _value(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    if text.removeprefix("-").isdecimal():
        return int(text)
    if text.startswith("["):
        return [part.strip().strip("\"'") for part in text.strip("[]").split(",") if part.strip()]
    return text.strip("\"'")
