"""What the commands about follow-up share: the incident, the database, and the trail's line of a look or a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from tianfu.access.roles import Purpose as Why
from tianfu.audit import trail
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SHANGHAI
from tianfu.ids import PersonRef
from tianfu.platform import settings
from tianfu.platform.database import Database, Write
from tianfu.platform.settings import Settings
from tianfu.services.installation import installed_database


@contextmanager
def opened() -> Iterator[tuple[Database, Settings]]:
    """The database of this installation and its settings."""
    loaded = settings.load()
    with installed_database(loaded) as database:
        yield database, loaded


def letters_folder(loaded: Settings) -> Path:
    """Where the letters to other provinces are written."""
    return loaded.var / "letters"


def outbox_folder(loaded: Settings) -> Path:
    """Where messages go, as there is no gateway."""
    return loaded.var / "outbox"


def note(
    write: Write,
    action: str,
    at: datetime,
    *,
    incident: str = "",
    person: PersonRef | None = None,
    detail: Mapping[str, str | int] | None = None,
) -> None:
    """Put what was done at this terminal into the trail; comes last in its transaction."""
    trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="operator",
            actor=terminal_actor(),
            action=action,
            purpose=Why.FOLLOW_UP.value,
            person=person,
            subject=f"incident:{incident}" if incident else "",
            detail={"channel": "terminal"} | dict(detail or {}),
        ),
    )


def local(at: datetime | None) -> str:
    """An instant as people here write it."""
    return "-" if at is None else f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def plural(count: int, word: str) -> str:
    """`1 task`, `2 tasks`."""
    many = "people" if word == "person" else f"{word}s"
    return f"{count:,} {word if count == 1 else many}"


person_argument = click.argument("persons", metavar="[PERSON-REF]...", nargs=-1)
"""People by reference, any number of them."""
