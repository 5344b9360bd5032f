"""`tianfu feed`: load a department's file, and look at the rows that were set aside."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
import msgspec

from tianfu.audit import trail
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock, monotonic_seconds
from tianfu.feeds import intake, table
from tianfu.feeds import quarantine as kept
from tianfu.feeds.contracts import CONTRACTS
from tianfu.feeds.intake import Loaded, Progress
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import RecordKeys, records_path
from tianfu.platform.pseudonym import Pseudonym
from tianfu.services.installation import installed_database

PROGRESS_SECONDS: Final = 1.0

_LOAD_EPILOG: Final = """\b
Examples:
  tianfu feed load lab results.csv
  tianfu feed load cases cases.csv --source health
  tianfu feed load contacts contacts.csv --json

The columns of each file are in docs/feeds.md. Exit code 0: loaded, also when rows were set aside. 2: refused.
"""


@click.group()
def command() -> None:
    """Load departments' files, and see what was set aside."""


@command.command(epilog=_LOAD_EPILOG)
@click.argument("kind", metavar="KIND", type=click.Choice(tuple(CONTRACTS)))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--source", help="Code of the department that sends the file, unless it is the usual one.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def load(kind: str, file: Path, source: str | None, *, as_json: bool) -> None:
    """Load FILE (CSV) of KIND: lab, cases or contacts. The same file again changes nothing."""
    contract = CONTRACTS[kind]
    if file.stat().st_size > table.FILE_BYTES_MAX:
        raise table.FeedTooLargeError
    data = file.read_bytes()
    with _records() as (database, pseudonym):
        loaded = intake.load(
            database,
            data,
            contract=contract,
            source=source or contract.source,
            pseudonym=pseudonym,
            at=SystemClock().now(),
            loaded_by=terminal_actor(),
            progress=_progress(),
        )
    if as_json:
        click.echo(msgspec.json.encode(loaded).decode())
    else:
        _print_loaded(loaded)


def _print_loaded(loaded: Loaded) -> None:
    said = "this file was loaded before; nothing was changed. Then:" if loaded.already_loaded else "loaded."
    click.echo(f"batch {loaded.batch_id} ({loaded.feed} from {loaded.source}, {loaded.encoding}): {said}")
    click.echo(f"  rows        {loaded.rows:>9,}")
    click.echo(f"  accepted    {loaded.accepted:>9,}")
    click.echo(f"  duplicates  {loaded.duplicates:>9,}")
    click.echo(f"  set aside   {loaded.set_aside:>9,}")
    if loaded.reasons:
        click.echo()
        click.echo(f"  {'column':<18} {'reason':<22} {'rows':>7}  first in row")
        for line in loaded.reasons:
            click.echo(f"  {line.field or '(whole row)':<18} {line.reason:<22} {line.rows:>7,}  {line.first_row:,}")
        click.echo(f"\n  See them with: tianfu feed quarantine list --batch {loaded.batch_id}")


def _progress() -> Progress:
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


@command.group()
def quarantine() -> None:
    """Rows that could not be accepted, kept sealed."""


@quarantine.command("list")
@click.option("--batch", type=click.IntRange(min=1), help="Only rows of this batch.")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Go on after this number.")
def list_rows(batch: int | None, after: int) -> None:
    """List the rows that wait, without what they say: number, batch, row, column and reason."""
    with _records() as (database, _), database.read(Purpose.OPERATOR) as read:
        rows = kept.waiting(read, batch_id=batch, after=after)
    if not rows:
        click.echo("nothing is set aside")
    for row in rows:
        click.echo(
            f"{row.quarantine_id:>8}  batch {row.batch_id} ({row.feed} from {row.source})  row {row.row_number}  "
            f"{row.field or '(whole row)'}: {row.reason}"
        )
    if len(rows) == kept.PAGE_ROWS_MAX:
        click.echo(f"more: --after {rows[-1].quarantine_id}", err=True)


@quarantine.command("show")
@click.argument("quarantine_id", metavar="NUMBER", type=click.IntRange(min=1))
def show_row(quarantine_id: int) -> None:
    """Print one row as the department wrote it. That is personal data: the look goes into the trail."""
    with _records() as (database, pseudonym), database.write(Purpose.OPERATOR) as write:
        cells = kept.show(write, quarantine_id, pseudonym=pseudonym)
        trail.record(
            write,
            trail.Entry(
                at=SystemClock().now(),
                actor_kind="operator",
                actor=terminal_actor(),
                action="quarantine.show",
                purpose="feed",
                subject=f"quarantine:{quarantine_id}",
            ),
        )
    for position, cell in enumerate(cells, start=1):
        click.echo(f"{position:>3}  {cell}")
    sys.stdout.flush()


@contextmanager
def _records() -> Iterator[tuple[Database, Pseudonym]]:

    loaded = settings.load()
    pseudonym = Pseudonym(RecordKeys.load_or_create(records_path(loaded.var)))
    with installed_database(loaded) as database:
        yield database, pseudonym
