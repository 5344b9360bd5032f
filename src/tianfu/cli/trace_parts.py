"""What the commands of `tianfu trace` share: where they work, who works, and how people and rows are written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from tianfu.cli.operator import terminal_actor
from tianfu.clock import SHANGHAI
from tianfu.ids import PersonRef, format_person_ref, parse_person_ref
from tianfu.platform import settings
from tianfu.platform.database import Database
from tianfu.services.installation import installed_database
from tianfu.tracing.acting import Actor
from tianfu.tracing.pages import Listed

HEADING: Final = (
    f"{'person':<14} {'hop':>3} {'tier':<10} {'by':<10} {'sure':<5} {'first exposure':<16} {'through':<14}"
    f" {'cases':>5} county"
)


class PersonParameter(click.ParamType[PersonRef]):
    """A person as `P-000000012-62`; a slip of the finger raises `PersonRefInvalidError`."""

    name = "person-ref"

    def convert(self, value: str | PersonRef, param: click.Parameter | None, ctx: click.Context | None) -> PersonRef:
        """The person that `value` writes."""
        del param, ctx
        return parse_person_ref(value) if isinstance(value, str) else value


@contextmanager
def installed() -> Iterator[tuple[Database, Path]]:
    """The installation's database and lake."""
    loaded = settings.load()
    with installed_database(loaded) as database:
        yield database, loaded.var / "lake"


def actor() -> Actor:
    """The operating system's user."""
    return Actor.terminal(terminal_actor())


def line(row: Listed) -> str:
    """One row of a list, under `HEADING`."""
    return (
        f"{row.reference:<14} {row.hop:>3} {row.tier:<10} {row.setting:<10} {'yes' if row.strong else 'weak':<5}"
        f" {row.exposed_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} {format_person_ref(row.parent):<14}"
        f" {row.cases:>5} {row.place or '-'}"
    )
