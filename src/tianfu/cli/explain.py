"""`tianfu explain`: why a person has the colour they have."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Final

import click

from tianfu.access import roles
from tianfu.audit import trail
from tianfu.cli.instant import InstantParameter
from tianfu.cli.main import terminal_language
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock
from tianfu.errors import NotFoundError
from tianfu.evidence import ledger
from tianfu.evidence.sources import SOURCES
from tianfu.ids import PersonRef, format_person_ref, parse_person_ref
from tianfu.platform import settings
from tianfu.platform.database import Purpose, Read
from tianfu.policy.compile import Policy
from tianfu.policy.decide import decide
from tianfu.policy.explain import Explanation, ReasonText, explain, instant_text
from tianfu.policy.model import Decision
from tianfu.policy.publish import in_force
from tianfu.services.installation import installed_database
from tianfu.status import store

_EPILOG: Final = """\b
Examples:
  tianfu explain P-000000012-62
  tianfu explain P-000000012-62 --purpose appeal --language en
  tianfu explain P-000000012-62 --at 2022-03-05T09:00:00+08:00

The look goes into the trail, where the person can see it.
"""


@click.command(epilog=_EPILOG)
@click.argument("person_ref", metavar="PERSON-REF")
@click.option(
    "--purpose",
    type=click.Choice([purpose.value for purpose in roles.Purpose]),
    default=roles.Purpose.CONSULTATION.value,
    show_default=True,
    help="Why the record is read; the person sees it.",
)
@click.option("--at", type=InstantParameter(), help="As it was, as then known, at this instant (now when left out).")
@click.option("--language", type=click.Choice(["zh", "en"]), help="The terminal's when left out.")
def command(person_ref: str, purpose: str, at: datetime | None, language: str | None) -> None:
    """Print the decision about PERSON-REF: policy, reasons, evidence, and what ends each of them."""
    person = parse_person_ref(person_ref)
    now = SystemClock().now()
    with installed_database(settings.load()) as database:
        with database.write(Purpose.OPERATOR) as write:
            # The look counts whether or not there is such a person.
            number = trail.record(
                write,
                trail.Entry(
                    at=now,
                    actor_kind="operator",
                    actor=terminal_actor(),
                    action="explain",
                    purpose=purpose,
                    person=person,
                    detail={"channel": "terminal"},
                ),
            )
        with database.read(Purpose.OPERATOR) as read:
            policy, decision = _decide(read, person, at or now, now)
    _print(policy, decision, person, language or terminal_language(os.environ))
    click.echo(f"\ntrail    entry {number}, purpose {purpose}")


def _decide(read: Read, person: PersonRef, at: datetime, now: datetime) -> tuple[Policy, Decision]:
    """The decision at `at`, from what the ledger knew then. Raises `NotFoundError` for a person never heard of."""
    policy = in_force(read, at)
    evidence = ledger.about(read, person, known_at=at if at < now else None)
    if not evidence and not store.read_many(read, [person]):
        raise NotFoundError(zh="没有此人的记录。", en="Nothing is known about this person.")
    return policy, decide(policy, evidence, at)


def _print(policy: Policy, decision: Decision, person: PersonRef, language: str) -> None:

    told = explain(policy, decision, language)
    click.echo(f"{format_person_ref(person)}  {told.colour.upper()}  {told.colour_title}")
    click.echo(f"         {told.colour_text}")
    click.echo(f"policy   {told.policy.name} {told.policy.number}  {told.policy.title}")
    click.echo(f"         sha256 {told.policy.hash}")
    click.echo(f"at       {told.at_text}")
    if told.popup is not None:
        click.echo(f"popup    {told.popup.id}: {told.popup.title} - {told.popup.text}")
    if decision.test is not None:
        test = decision.test
        click.echo(f"test     {test.result.value} ({test.method.value}), {instant_text(test.sampled_at, language)}")
    click.echo(f"changes  {told.next_change_text or _never(language)}")
    if not told.reasons:
        click.echo("reasons  none" if language == "en" else "reasons  无")
    for number, reason in enumerate(told.reasons, start=1):
        _print_reason(number, reason, told)


def _print_reason(number: int, reason: ReasonText, told: Explanation) -> None:

    english = told.language == "en"
    known = SOURCES.get(reason.source)
    office = "" if known is None else f" ({known.en if english else known.zh})"
    place = f", {reason.place}" if reason.place else ""
    click.echo(f"\nreason {number} {reason.title}")
    click.echo(f"  rule      {reason.rule} -> {reason.colour}")
    click.echo(f"  meaning   {reason.text}")
    click.echo(f"  evidence  {reason.evidence} ({reason.kind}) from {reason.source}{office}{place}")
    click.echo(f"  since     {reason.since_text}")
    click.echo(f"  until     {reason.until_text or ('no end is known yet' if english else '尚无确定的结束时间')}")
    click.echo(f"  ends      {reason.how_it_ends}")
    click.echo(f"  office    {reason.office}")
    click.echo(f"  source    {reason.cites}")


def _never(language: str) -> str:
    return "not by itself" if language == "en" else "不会自动变化"
