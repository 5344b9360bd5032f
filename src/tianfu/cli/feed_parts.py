"""What the commands of `tianfu feed` share: the records of this installation, progress, and how a batch is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from tianfu.clock import monotonic_seconds
from tianfu.feeds.intake import Loaded
from tianfu.feeds.parsing import Progress
from tianfu.feeds.store import BatchState
from tianfu.platform import settings
from tianfu.platform.database import Database
from tianfu.platform.keyring import RecordKeys, records_path
from tianfu.platform.pseudonym import Pseudonym
from tianfu.services.installation import installed_database

PROGRESS_SECONDS: Final = 1.0

_SAID: Final = {
    BatchState.LOADED: "loaded.",
    BatchState.HELD: "held: so many rows need a second person. Nothing counts yet.",
    BatchState.REJECTED: "rejected; nothing of it counts.",
    BatchState.WITHDRAWN: "withdrawn; it counts as never loaded.",
}


@contextmanager
def records() -> Iterator[tuple[Database, Pseudonym]]:
    """The database and the records' keys of this installation."""
    loaded = settings.load()
    pseudonym = Pseudonym(RecordKeys.load_or_create(records_path(loaded.var)))
    with installed_database(loaded) as database:
        yield database, pseudonym


def print_loaded(loaded: Loaded) -> None:
    """Tell a person what became of a file."""
    came = "this file was loaded before; nothing was changed. Then: " if loaded.already_loaded else ""
    encoding = f", {loaded.encoding}" if loaded.encoding else ""
    click.echo(f"batch {loaded.batch_id} ({loaded.feed} from {loaded.source}{encoding}): {came}{_SAID[loaded.state]}")
    click.echo(f"  rows        {loaded.rows:>9,}")
    click.echo(f"  accepted    {loaded.accepted:>9,}")
    click.echo(f"  duplicates  {loaded.duplicates:>9,}")
    click.echo(f"  set aside   {loaded.set_aside:>9,}")
    if loaded.reasons:
        click.echo()
        click.echo(f"  {'column':<18} {'reason':<22} {'rows':>7}  first in row")
        for line in loaded.reasons:
            click.echo(f"  {line.field or '(whole row)':<18} {line.reason:<22} {line.rows:>7,}  {line.first_row:,}")
    if loaded.state is BatchState.HELD:
        click.echo(f"\n  Somebody else decides: tianfu feed approve {loaded.batch_id} --by NAME, or reject")
    elif loaded.reasons:
        click.echo(f"\n  See them with: tianfu feed quarantine list --batch {loaded.batch_id}")


def progress() -> Progress:
    """Says on standard error, once a second, how far a large file is."""
    told_at = monotonic_seconds()
    storing = {"read": "reading", "store": "storing"}

    def tell(step: str, done: int, total: int) -> None:
        nonlocal told_at
        if step == "store" and total >= 10_000:  # noqa: PLR2004 - about a second's work
            click.echo(f"storing {total:,} rows …", err=True)
        elif monotonic_seconds() - told_at >= PROGRESS_SECONDS:
            told_at = monotonic_seconds()
            click.echo(f"{storing[step]}: {done:,} of {total:,} rows", err=True)

    return tell
