"""`tianfu trace screen INCIDENT judge, confirm, withdraw, confirmations`: from results to evidence and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import click

from tianfu.cli.instant import InstantParameter
from tianfu.cli.operator import terminal_actor
from tianfu.cli.screen_parts import CHANNEL, installed, writing
from tianfu.evidence.kinds import ContactSetting, ContactTier
from tianfu.ids import parse_person_ref
from tianfu.platform.database import Purpose, Write
from tianfu.tracing import incidents
from tianfu.tracing.incidents import Incident
from tianfu.tracing.screening import confirm, judge, noted, screenings
from tianfu.tracing.screening.confirm import Choice, Confirmation
from tianfu.tracing.screening.judge import Finding, JudgedBy

_TIERS: Final = [tier.value for tier in ContactTier]


@click.command(name="judge")
@click.argument("person_ref", metavar="PERSON-REF")
@click.option("--tier", type=click.Choice(_TIERS), help="What the field found.")
@click.option("--no-contact", is_flag=True, help="The field found no contact.")
@click.option("--reason", type=click.Choice([each.value for each in JudgedBy]), required=True, help="What it rests on.")
@click.option("--setting", type=click.Choice([each.value for each in ContactSetting]), help="On what ground.")
@click.option("--exposed-at", type=InstantParameter(), help="The last exposure, where the traces do not know it.")
@click.option("--by", required=True, help="Who judges.")
@click.pass_obj
def judge_person(
    number: str,
    /,
    person_ref: str,
    by: str,
    reason: str,
    *,
    no_contact: bool,
    **found: Any,  # noqa: ANN401 - texts and an instant
) -> None:
    """Judge PERSON-REF a contact of a tier, or no contact."""
    tier, setting = found["tier"], found["setting"]
    if (tier is None) is not no_contact:
        message = "give either --tier or --no-contact"
        raise click.UsageError(message)
    person = parse_person_ref(person_ref)
    finding = Finding(
        tier=None if tier is None else ContactTier(tier),
        reason=JudgedBy(reason),
        setting=None if setting is None else ContactSetting(setting),
        exposed_at=found["exposed_at"],
    )
    with writing(number) as (write, incident, at):
        kept = judge.judge(write, incident, person, finding, by=by, at=at)
        detail: dict[str, str | int] = {
            "outcome": tier or "no_contact",
            "reason": reason,
            "name": by,
            "channel": CHANNEL,
        }
        noted.note(write, incident, noted.JUDGE, actor=terminal_actor(), at=at, person=person, detail=detail)
    click.echo(f"judgement {kept}: {tier or 'no contact'}; it counts at the next run of the funnel")


@click.command(name="confirm")
@click.option(
    "--tier",
    "tiers",
    multiple=True,
    required=True,
    type=click.Choice(_TIERS),
    help="Which.",
)
@click.option("--screened", is_flag=True, help="Only who is on the list of the newest run.")
@click.option("--person", "person_ref", help="Only this person.")
@click.option("--by", required=True, help="Who confirms.")
@click.option("--approved-by", help=f"The second person, for more than {confirm.BULK_MAX} people.")
@click.pass_obj
def confirm_contacts(
    number: str, tiers: tuple[str, ...], person_ref: str | None, by: str, approved_by: str | None, *, screened: bool
) -> None:
    """Make results evidence; colours follow."""
    with writing(number) as (write, incident, at):
        choice = Choice(
            tiers=tuple(ContactTier(tier) for tier in tiers),
            run_ref=screenings.current(write, incident).run_ref if screened else None,
            person=None if person_ref is None else parse_person_ref(person_ref),
        )
        done = confirm.confirm(write, incident, choice, by=by, approved_by=approved_by, at=at)
        _note_confirmation(write, incident, noted.CONFIRM, done, at)
    if not done.people:
        click.echo(f"confirmation {done.confirmation_ref}: nobody new; all of them are contacts by evidence already")
        return
    click.echo(f"confirmation {done.confirmation_ref}: {done.people:,} people are contacts by evidence now")
    click.echo(f"  back: tianfu trace screen {number} withdraw {done.confirmation_ref} --by {by} --reason WORD")


@click.command()
@click.argument("confirmation", type=click.IntRange(min=1))
@click.option("--by", required=True, help="Who withdraws.")
@click.option("--approved-by", help=f"The second person, for more than {confirm.BULK_MAX} people.")
@click.option("--reason", required=True, help="Why, in one word for the trail.")
@click.pass_obj
def withdraw(number: str, confirmation: int, by: str, approved_by: str | None, reason: str) -> None:
    """Take CONFIRMATION back; colours follow."""
    with writing(number) as (write, incident, at):
        done = confirm.withdraw(write, incident, confirmation, by=by, approved_by=approved_by, reason=reason, at=at)
        _note_confirmation(write, incident, noted.WITHDRAW, done, at)
    click.echo(f"confirmation {done.confirmation_ref}: withdrawn, {done.people:,} people")


@click.command()
@click.pass_obj
def confirmations(number: str) -> None:
    """List the confirmations of the incident."""
    with installed() as database, database.read(Purpose.OPERATOR) as read:
        for each in confirm.shown(read, incidents.find(read, number)):
            second = f" and {each.approved_by}" if each.approved_by else ""
            tiers = ", ".join(each.tiers)
            click.echo(
                f"{each.confirmation_ref:>6}  {each.state:<10} {each.people:>9,}  {tiers}  by {each.stated_by}{second}"
            )


def _note_confirmation(write: Write, incident: Incident, action: str, done: Confirmation, at: datetime) -> None:
    noted.confirmation(write, incident, action, done, actor=terminal_actor(), at=at, channel=CHANNEL)
