"""`tianfu trace notify`: what contacts and visitors of a place are told."""

from __future__ import annotations

from typing import Final

import click

from tianfu.cli.follow_parts import note, opened, outbox_folder, person_argument, plural
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock, shanghai_day
from tianfu.errors import NotFoundError
from tianfu.ids import format_person_ref, parse_person_ref
from tianfu.platform.database import Purpose
from tianfu.platform.keyring import RecordKeys, records_path
from tianfu.platform.pseudonym import Pseudonym
from tianfu.tracing import incidents
from tianfu.tracing.followup.rule_schedule import schedules_of
from tianfu.tracing.notices import send as sending
from tianfu.tracing.notices import store, texts
from tianfu.tracing.notices.texts import LANGUAGES, Audience, Form

_EPILOG: Final = """\b
Examples:
  tianfu trace notify text 2022-510112-003 P-000000012-62 --language en --form long
  tianfu trace notify place 2022-510112-003
  tianfu trace notify queue 2022-510112-003
  tianfu trace notify send
  tianfu trace notify status 2022-510112-003

There is no SMS gateway in this installation: `send` writes one file a message into the outbox.
"""
_UNREACHABLE_MAX: Final = 500

_form = click.option("--form", type=click.Choice([form.value for form in Form]), default=Form.SHORT.value)
_audience = click.option(
    "--audience",
    type=click.Choice([audience.value for audience in Audience]),
    default=Audience.SELF.value,
    help="`child` and `elder` speak to the one who cares for them.",
)
_language = click.option("--language", type=click.Choice(LANGUAGES), default="zh", show_default=True)


@click.group(epilog=_EPILOG)
def command() -> None:
    """Texts for contacts and places: print, queue, send."""


@command.command()
@click.argument("incident")
@click.argument("person")
@_language
@_form
@_audience
def text(incident: str, person: str, language: str, form: str, audience: str) -> None:
    """Print what PERSON is told; nothing is queued."""
    now = SystemClock().now()
    wanted = parse_person_ref(person)
    with opened() as (database, _), database.write(Purpose.OPERATOR) as write:
        found = incidents.find(write, incident)
        followed = store.followed(write, found.incident_ref, after=0, limit=1, persons=[wanted])
        note(write, "notice_read", now, incident=incident, person=wanted)
    if not followed:
        raise NotFoundError(zh="此人不在随访中。", en="This person is not followed.")
    told = sending.told_of(followed[0], schedules_of(found.rules, shanghai_day(now)), Audience(audience))
    click.echo(texts.contact_text(texts.load(texts.FILE), told, form=Form(form), language=language))


@command.command()
@click.argument("incident")
@_language
@_form
def place(incident: str, language: str, form: str) -> None:
    """Print the announcements of places; nothing is queued."""
    loaded_texts = texts.load(texts.FILE)
    with opened() as (database, _), database.read(Purpose.OPERATOR) as read:
        found = store.announcements(read, incidents.find(read, incident).incident_ref)
    if not found:
        click.echo("there is no place to announce")
    for _, name, begins, ends in found:
        words = texts.place_text(loaded_texts, place=name, begins=begins, ends=ends, form=Form(form), language=language)
        click.echo(words + "\n")


@command.command()
@click.argument("incident")
@click.option("--places", is_flag=True, help="The announcements of places instead of messages to contacts.")
@_form
@_audience
@person_argument
def queue(incident: str, form: str, audience: str, persons: tuple[str, ...], *, places: bool) -> None:
    """Put messages in line: to everybody followed, or those named."""
    now = SystemClock().now()
    loaded_texts = texts.load(texts.FILE)
    by = terminal_actor()
    with opened() as (database, _):
        with database.read(Purpose.OPERATOR) as read:
            found = incidents.find(read, incident)
        if places:
            with database.write(Purpose.OPERATOR) as write:
                queued = sending.queue_places(write, found, loaded_texts, by=by, at=now)
        else:
            schedules = schedules_of(found.rules, shanghai_day(now))
            message = sending.Message(loaded_texts, schedules, by, now, Form(form), Audience(audience))
            named = [parse_person_ref(person) for person in persons] or None
            queued = sending.queue_contacts(database, found, message, persons=named)
        with database.write(Purpose.OPERATOR) as write:
            note(write, "notice_queue", now, incident=incident, detail={"count": queued})
    click.echo(f"{plural(queued, 'message')} in line")


@command.command()
def send() -> None:
    """Send what is in line: one file a message in the outbox."""
    now = SystemClock().now()
    with opened() as (database, loaded):
        pseudonym = Pseudonym(RecordKeys.load_or_create(records_path(loaded.var)))
        outbox = sending.Outbox(outbox_folder(loaded))
        sent = sending.send_waiting(database, outbox, pseudonym=pseudonym, at=now)
        with database.write(Purpose.OPERATOR) as write:
            note(write, "notice_send", now, detail={"count": sent.sent})
    click.echo(
        f"{sent.sent:,} into {outbox_folder(loaded)}, {sent.unreachable:,} without a phone, {sent.failed:,} failed"
    )


@command.command()
@click.argument("incident")
def status(incident: str) -> None:
    """Show what was sent, and who must be called on instead."""
    now = SystemClock().now()
    with opened() as (database, _), database.write(Purpose.OPERATOR) as write:
        found = incidents.find(write, incident)
        counts = store.counts(write, found.incident_ref)
        nobody = store.unreachable(write, found.incident_ref, 0, _UNREACHABLE_MAX)
        note(write, "notice_status", now, incident=incident, detail={"count": len(nobody)})
    for one in counts:
        click.echo(f"{one.state:<12} {one.count:,}")
    for person in nobody:
        click.echo(f"to be called on: {format_person_ref(person)}")
