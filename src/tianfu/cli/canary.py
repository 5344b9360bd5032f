"""`tianfu canary`: documents that nobody has. Whoever looks one up goes through numbers, and an alarm says so."""

from __future__ import annotations

import click

from tianfu.audit import trail
from tianfu.cli.document import type_option, typed_number
from tianfu.cli.feed_parts import records
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock
from tianfu.errors import TianfuError
from tianfu.platform.database import Purpose
from tianfu.residents import canaries, canary_store, documents, people

_EPILOG = """\b
Examples:
  tianfu canary add < number.txt
  tianfu canary count

Choose numbers of right form that were never given out, spread over the counties that a list would be copied from. Keep
them on paper in a safe: only their keyed digests are stored. docs/operate/canary-read.md says what an alarm asks for.
"""


class CanaryTakenError(TianfuError):
    """Somebody is known under this document: every look at them would be a false alarm."""

    code = "canary_taken"
    status = 409
    zh = "该证件已有登记，不能用作预警证件。"
    en = "Somebody is known under this document; it cannot be a canary."


@click.group(epilog=_EPILOG)
def command() -> None:
    """Documents that nobody has, whose look-up raises an alarm."""


@command.command()
@type_option
def add(kind: str) -> None:
    """Make the document typed or on standard input a canary."""
    at = SystemClock().now()
    document = documents.parse(kind, typed_number(), at=at)
    with records() as (database, pseudonym), database.write(Purpose.OPERATOR) as write:
        if people.find(write, document, pseudonym=pseudonym) is not None:
            raise CanaryTakenError
        added = canaries.add(write, document, pseudonym=pseudonym, at=at)
        trail.record(
            write,
            trail.Entry(
                at=at, actor_kind="operator", actor=terminal_actor(), action="canary_add", purpose="protection"
            ),
        )
    click.echo("added" if added else "this document was one already")


@command.command()
@type_option
def remove(kind: str) -> None:
    """Make the document typed or on standard input a canary no longer."""
    at = SystemClock().now()
    document = documents.parse(kind, typed_number(), at=at)
    with records() as (database, pseudonym), database.write(Purpose.OPERATOR) as write:
        removed = canaries.remove(write, document, pseudonym=pseudonym)
        trail.record(
            write,
            trail.Entry(
                at=at, actor_kind="operator", actor=terminal_actor(), action="canary_remove", purpose="protection"
            ),
        )
    click.echo("removed" if removed else "this document is none")


@command.command()
def count() -> None:
    """Say how many there are."""
    with records() as (database, _), database.read(Purpose.OPERATOR) as read:
        click.echo(canary_store.count(read))
