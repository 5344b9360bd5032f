"""`tianfu evidence`: what the ledger holds about a person, on both axes of time."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import click
import msgspec

from tianfu.access import roles
from tianfu.audit import trail
from tianfu.cli.instant import InstantParameter
from tianfu.cli.main import terminal_language
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock
from tianfu.errors import NotFoundError
from tianfu.evidence import ledger
from tianfu.evidence.model import Evidence, Grade
from tianfu.evidence.sources import SOURCES
from tianfu.ids import format_person_ref, parse_person_ref
from tianfu.platform import settings
from tianfu.platform.database import Purpose
from tianfu.services.installation import installed_database

_LIST_EPILOG: Final = """\b
Examples:
  tianfu evidence list P-000000012-62
  tianfu evidence list P-000000012-62 --as-of 2022-03-05T09:00:00+08:00 --purpose appeal
  tianfu evidence list P-000000012-62 --as-of 2022-03-05T09:00:00+08:00 --known-at 2022-03-04T18:00:00+08:00

--as-of asks what counts at an instant, by what is known now; --known-at asks what the ledger had received by then.
Together they give what a decision about the one instant could know at the other. The look goes into the trail, where
the person can see it.
"""
_WORDS: Final = {
    "en": {"weak": "weak", "until": "until", "received": "received", "none": "no statement stands", "trail": "trail"},
    "zh": {"weak": "弱证据", "until": "至", "received": "收到", "none": "没有有效的依据", "trail": "查询记录"},
}


@click.group()
def command() -> None:
    """Read the ledger of evidence."""


@command.command(name="list", epilog=_LIST_EPILOG)
@click.argument("person_ref", metavar="PERSON-REF")
@click.option("--as-of", type=InstantParameter(), help="Only what counts at this instant.")
@click.option("--known-at", type=InstantParameter(), help="Only what the ledger had received by this instant.")
@click.option(
    "--purpose",
    type=click.Choice([purpose.value for purpose in roles.Purpose]),
    default=roles.Purpose.CONSULTATION.value,
    show_default=True,
    help="Why the record is read; the person sees it.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_statements(
    person_ref: str, as_of: datetime | None, known_at: datetime | None, purpose: str, *, as_json: bool
) -> None:
    """Print the statements about PERSON-REF that stand: kind, source, instants and what they say."""
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
                    action="evidence.list",
                    purpose=purpose,
                    person=person,
                    detail={"channel": "terminal"},
                ),
            )
        with database.read(Purpose.OPERATOR) as read:
            statements = ledger.about(read, person, known_at=known_at)
            if not statements and not ledger.about(read, person):
                raise NotFoundError(zh="没有此人的记录。", en="Nothing is known about this person.")
    if as_of is not None:
        statements = [item for item in statements if item.grade is not Grade.WEAK and item.valid.contains(as_of)]
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(item) for item in statements], ensure_ascii=False))
        return
    language = terminal_language(os.environ)
    click.echo(format_person_ref(person))
    _print(statements, language)
    click.echo(f"\n  {_WORDS[language]['trail']}: {number}, {purpose}")


def _print(statements: Sequence[Evidence], language: str) -> None:
    words = _WORDS[language]
    if not statements:
        click.echo(f"  {words['none']}")
    for item in statements:
        source = SOURCES.get(item.source)
        department = item.source if source is None else source.en if language == "en" else source.zh
        place = f", {item.place}" if item.place else ""
        weak = f", {words['weak']}" if item.grade is Grade.WEAK else ""
        click.echo(f"\n  {item.evidence_id}  {item.kind}, {department}{place}{weak}")
        end = "" if item.valid.end is None else f" {words['until']} {item.valid.end.isoformat()}"
        click.echo(f"    {item.valid.start.isoformat()}{end}; {words['received']} {item.received_at.isoformat()}")
        said = msgspec.to_builtins(item.attributes)
        told = ", ".join(
            f"{name}={value}" for name, value in said.items() if name != "type" and value not in (None, [], ())
        )
        click.echo(f"    {told}")
