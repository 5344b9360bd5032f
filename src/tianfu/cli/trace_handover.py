"""`tianfu trace handover`: people handed over to another county or province, and the answer within a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import click

from tianfu.cli.follow_parts import letters_folder, local, note, opened, person_argument, plural
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock, shanghai_day
from tianfu.ids import PersonRef, parse_person_ref
from tianfu.platform.database import Purpose
from tianfu.platform.keyring import RecordKeys, records_path
from tianfu.platform.pseudonym import Pseudonym
from tianfu.tracing import incidents, rule_files
from tianfu.tracing.followup import handover, handover_store
from tianfu.tracing.followup.handover_store import Handover
from tianfu.tracing.followup.letter import compose, write_letter

_EPILOG: Final = """\b
Examples:
  tianfu trace handover ask 2022-510112-003 --from 510112 --to 510107 P-000000012-62
  tianfu trace handover accept 7
  tianfu trace handover refuse 7 --reason lives_elsewhere P-000000012-62
  tianfu trace handover overdue
"""
_PAGE_MAX: Final = 500


@click.group(epilog=_EPILOG)
def command() -> None:
    """Hand people over; until the other side accepts you answer for them."""


@command.command()
@click.argument("incident")
@click.option("--from", "from_place", required=True, help="The county that follows them.")
@click.option("--to", "to_place", required=True, help="A county here, or a division of another province.")
@person_argument
def ask(incident: str, from_place: str, to_place: str, persons: tuple[str, ...]) -> None:
    """Offer people to another place; another province gets a letter."""
    now = SystemClock().now()
    named = _persons(persons)
    with opened() as (database, loaded), database.write(Purpose.OPERATOR) as write:
        found = incidents.find(write, incident)
        rules = rule_files.in_force(shanghai_day(now), found.rules).rules
        asked = handover.ask(
            write,
            found.incident_ref,
            named,
            from_place=from_place,
            to_place=to_place,
            by=terminal_actor(),
            at=now,
            answer_hours=rules.clocks.handover,
        )
        letter = None
        if not handover.in_province(to_place):
            pseudonym = Pseudonym(RecordKeys.load_or_create(records_path(loaded.var)))
            letter = compose(write, asked, sorted(set(named)), pseudonym=pseudonym, at=now)
            write_letter(letter, letters_folder(loaded))
            handover_store.set_file(write, asked.handover_ref, letter.file, letter.digest)
        for person in sorted(set(named)):
            note(write, "handover_ask", now, incident=incident, person=person, detail={"place": to_place})
    click.echo(f"hand-over {asked.handover_ref}: {plural(asked.asked, 'person')}, answer due {local(asked.due_at)}")
    if letter is not None:
        click.echo(f"letter {letters_folder(loaded) / letter.file}, {letter.named:,} of {letter.people:,} by name")
        click.echo(f"sha256 {letter.digest.hex()}")


@command.command()
@click.argument("number", type=int)
@person_argument
def accept(number: int, persons: tuple[str, ...]) -> None:
    """Take the people of hand-over NUMBER, or those named."""
    now = SystemClock().now()
    with opened() as (database, _), database.write(Purpose.OPERATOR) as write:
        answered = handover.accept(write, number, by=terminal_actor(), at=now, persons=_persons(persons) or None)
        note(write, "handover_accept", now, detail={"number": number, "people": answered.accepted})
    _print(answered)


@command.command()
@click.argument("number", type=int)
@click.option("--reason", required=True, help="One word: lives_elsewhere, unknown_here, already_left.")
@person_argument
def refuse(number: int, reason: str, persons: tuple[str, ...]) -> None:
    """Return the people of hand-over NUMBER, or those named."""
    now = SystemClock().now()
    with opened() as (database, _), database.write(Purpose.OPERATOR) as write:
        answered = handover.refuse(
            write, number, reason=reason, by=terminal_actor(), at=now, persons=_persons(persons) or None
        )
        note(write, "handover_refuse", now, detail={"number": number, "people": answered.refused})
    _print(answered)


@command.command(name="list")
@click.option("--place", default="", help="From or to a county, or the first digits of one.")
@click.option("--all", "every", is_flag=True, help="Those that were answered too.")
def list_handovers(place: str, *, every: bool) -> None:
    """List hand-overs by the hour their answer is due."""
    with opened() as (database, _), database.read(Purpose.OPERATOR) as read:
        found = handover_store.page(read, place, after=None, limit=_PAGE_MAX, open_only=not every, overdue_at=None)
    _print(*found)


@command.command()
@click.option("--place", default="", help="From or to a county, or the first digits of one.")
def overdue(place: str) -> None:
    """List hand-overs that nobody answered in time."""
    now = SystemClock().now()
    with opened() as (database, _), database.read(Purpose.OPERATOR) as read:
        found = handover_store.page(read, place, after=None, limit=_PAGE_MAX, open_only=True, overdue_at=now)
    _print(*found)


@command.command()
def remind() -> None:
    """List those to remind of now: due in four hours, or overdue."""
    soon = SystemClock().now() + timedelta(hours=handover.REMIND_HOURS)
    with opened() as (database, _), database.read(Purpose.OPERATOR) as read:
        found = handover_store.page(read, "", after=None, limit=_PAGE_MAX, open_only=True, overdue_at=soon)
    _print(*found)


def _persons(texts: tuple[str, ...]) -> list[PersonRef]:
    return [parse_person_ref(text) for text in texts]


def _print(*found: Handover) -> None:
    if not found:
        click.echo("there is no such hand-over")
    for one in found:
        click.echo(
            f"{one.handover_ref:>6}  {one.from_place} -> {one.to_place}  due {local(one.due_at)}"
            f"  {one.asked:,} open, {one.accepted:,} accepted, {one.refused:,} refused"
        )
