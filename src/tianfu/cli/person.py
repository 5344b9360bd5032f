"""`tianfu person`: the reference of a person whose document is at hand, and people who are known twice."""

from __future__ import annotations

from typing import Final

import click

from tianfu.access import roles
from tianfu.audit import trail
from tianfu.cli import person_merge
from tianfu.cli.document import type_option, typed_number
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock
from tianfu.errors import NotFoundError
from tianfu.ids import format_person_ref
from tianfu.platform import settings
from tianfu.platform.database import Purpose
from tianfu.platform.keyring import RecordKeys, records_path
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import documents, people
from tianfu.services.installation import installed_database

_EPILOG: Final = """\b
Examples:
  tianfu person find
  tianfu person find --type passport --purpose appeal < number.txt

The number is asked for, or read from standard input: an argument would stay in the shell's history and be seen in the
list of processes. The look goes into the trail, found or not, and a person who is found can see it.
"""


@click.group()
def command() -> None:
    """Find a person's reference, by which every other command names people; merge doubled people."""


@command.command(epilog=_EPILOG)
@type_option
@click.option(
    "--purpose",
    type=click.Choice([purpose.value for purpose in roles.Purpose]),
    default=roles.Purpose.CONSULTATION.value,
    show_default=True,
    help="Why the person is looked for; the person sees it.",
)
def find(kind: str, purpose: str) -> None:
    """Print the reference of the person with this document, and nothing else about them."""
    at = SystemClock().now()
    document = documents.parse(kind, typed_number(), at=at)
    loaded = settings.load()
    pseudonym = Pseudonym(RecordKeys.load_or_create(records_path(loaded.var)))
    with installed_database(loaded) as database, database.write(Purpose.OPERATOR) as write:
        person = people.find(write, document, pseudonym=pseudonym)
        trail.record(
            write,
            trail.Entry(
                at=at,
                actor_kind="operator",
                actor=terminal_actor(),
                action="find_person",
                purpose=purpose,
                person=person,
                detail={"channel": "terminal", "kind": kind, "outcome": "none" if person is None else "found"},
            ),
        )
    if person is None:
        raise NotFoundError(zh="没有以此证件登记的人。", en="No record is kept under this document.")
    click.echo(format_person_ref(person))


for _command in (person_merge.merge, person_merge.unmerge, person_merge.list_merges, person_merge.list_doubles):
    command.add_command(_command)
