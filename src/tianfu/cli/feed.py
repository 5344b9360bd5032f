"""`tianfu feed`: load departments' files, decide about what was held or set aside, and watch what comes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click
import msgspec

from tianfu.access.two_people import require_word
from tianfu.cli.feed_batch import approve, held, reject, withdraw
from tianfu.cli.feed_parts import print_loaded, progress, records
from tianfu.cli.feed_push import key, push
from tianfu.cli.feed_quarantine import command as quarantine
from tianfu.cli.feed_watch import delays, status, watch
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock
from tianfu.feeds import intake, table
from tianfu.feeds.contracts import CONTRACTS
from tianfu.platform.collector import collect_rarely

_LOAD_EPILOG: Final = """\b
Examples:
  tianfu feed load lab results.csv
  tianfu feed load cases cases.csv --source health
  tianfu feed load contacts contacts.csv --json

The columns of each file are in docs/feeds.md. Exit code 0: loaded, also when rows were set aside, or held for a second
person. 2: refused.
"""


@click.group()
def command() -> None:
    """Load departments' files, decide about what was held or set aside, and watch what comes."""


@command.command(epilog=_LOAD_EPILOG)
@click.argument("kind", metavar="KIND", type=click.Choice(tuple(CONTRACTS)))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--source", help="Code of the department that sends the file, unless it is the usual one.")
@click.option("--by", help="Who loads; the user of this terminal when left out.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def load(kind: str, file: Path, source: str | None, by: str | None, *, as_json: bool) -> None:
    """Load FILE of KIND: lab, cases, contacts and so on. The same file again changes nothing."""
    contract = CONTRACTS[kind]
    if by is not None:
        require_word("by", by)
    if file.stat().st_size > table.FILE_BYTES_MAX:
        raise table.FeedTooLargeError
    collect_rarely()
    data = file.read_bytes()
    with records() as (database, pseudonym):
        loaded = intake.load(
            database,
            data,
            contract=contract,
            source=source or contract.source,
            pseudonym=pseudonym,
            at=SystemClock().now(),
            loaded_by=by or terminal_actor(),
            progress=progress(),
        )
    if as_json:
        click.echo(msgspec.json.encode(loaded).decode())
    else:
        print_loaded(loaded)


for _part in (quarantine, held, approve, reject, withdraw, watch, status, delays, key, push):
    command.add_command(_part)
