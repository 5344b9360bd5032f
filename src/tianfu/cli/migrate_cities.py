"""`tianfu cities`: take over the holders of the old city codes, so that nobody registers again."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import click
import msgspec

from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock, monotonic_seconds
from tianfu.evidence import changes
from tianfu.ids import format_person_ref
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import RecordKeys, records_path
from tianfu.platform.pseudonym import Pseudonym
from tianfu.platform.settings import DatabaseSettings
from tianfu.residents.city_codes import city_store
from tianfu.residents.city_codes import conflicts as kept
from tianfu.residents.city_codes.desk import Desk
from tianfu.residents.city_codes.load import Loaded, Progress, load
from tianfu.residents.city_codes.preview import preview
from tianfu.services.installation import installed_database, installed_url

PROGRESS_SECONDS: Final = 2.0
PROCESSES_MAX: Final = 16

_CHECK_EPILOG: Final = """\b
Examples:
  tianfu cities check mappings/chengdu.toml chengdu.csv

Nothing is written. Exit code 2: the mapping or the file cannot be used; every fault is named.
"""
_LOAD_EPILOG: Final = """\b
Examples:
  tianfu cities load mappings/chengdu.toml chengdu.csv
  tianfu cities load mappings/mianyang.toml part-1.txt part-2.txt --processes 4

A load that was interrupted, or killed, is gone on with by the same command. Exit code 0: loaded, also when rows were
set aside. 2: refused.
"""
_STATUS_EPILOG: Final = """\b
Examples:
  tianfu cities status
"""
_CONFLICTS_EPILOG: Final = """\b
Examples:
  tianfu cities conflicts
  tianfu cities conflicts --after 50

Names are masked, and everybody who is shown can see the look.
"""

_MAPPING = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def command() -> None:
    """Take over the holders of the old city codes. Layouts are described by mapping files: docs/city-codes.md."""


@command.command(epilog=_CHECK_EPILOG)
@click.argument("mapping", metavar="MAPPING", type=_MAPPING)
@click.argument("file", metavar="FILE", type=_MAPPING)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def check(mapping: Path, file: Path, *, as_json: bool) -> None:
    """Show the first rows of FILE as MAPPING reads them, masked, and what the first megabyte lacks."""
    found = preview(file, mapping, at=SystemClock().now())
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for row in found.shown:
        registered = datetime.fromtimestamp(row.registered, UTC).date()
        click.echo(
            f"row {row.row}: {row.name}  {row.document_type} {row.document}  {row.phone}  {row.district}  {registered}"
        )
    click.echo(f"{found.accepted:,} rows of the sample would be accepted")
    for field, reason, rows in found.refused:
        click.echo(f"{rows:,} would be set aside: {field or '(whole row)'} {reason}")


@command.command("load", epilog=_LOAD_EPILOG)
@click.argument("mapping", metavar="MAPPING", type=_MAPPING)
@click.argument("files", metavar="FILE...", type=_MAPPING, nargs=-1, required=True)
@click.option(
    "--processes", type=click.IntRange(1, PROCESSES_MAX), default=2, show_default=True, help="That read and settle."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each file.")
def load_files(mapping: Path, files: tuple[Path, ...], processes: int, *, as_json: bool) -> None:
    """Take over the holders in each FILE, laid out as MAPPING says. The same file again changes nothing."""
    loaded = settings.load()
    with installed_url(loaded) as url:
        for file in files:
            result = load(
                partial(open_desk, url, loaded.database, loaded.var),
                file,
                mapping,
                at=SystemClock().now(),
                loaded_by=terminal_actor(),
                processes=processes,
                progress=_progress(file.name),
            )
            click.echo(msgspec.json.encode(result).decode() if as_json else _said(result))


@command.command(epilog=_STATUS_EPILOG)
def status() -> None:
    """List the files that were begun: rows, how far they are, and what became of them."""
    with installed_database(settings.load()) as database, database.read(Purpose.OPERATOR) as read:
        found = [(row, city_store.counts(read, row.file_id)) for row in city_store.files(read)]
    if not found:
        click.echo("no city's file was ever loaded")
    for row, counts in found:
        state = "finished" if row.finished_at else f"read {counts.blocks_done}/{counts.blocks} blocks, settled "
        state += "" if row.finished_at else f"{counts.buckets_done}/{counts.buckets} buckets"
        click.echo(f"file {row.file_id} (city {row.city}): {row.rows:,} rows, {state}\n{_counted(counts)}")


@command.command(epilog=_CONFLICTS_EPILOG)
@click.option("--after", type=click.IntRange(min=0), default=0, help="Go on after this number.")
def conflicts(after: int) -> None:
    """List documents for which two registrations gave different names; the newest registration's name counts."""
    loaded = settings.load()
    pseudonym = Pseudonym(RecordKeys.load_or_create(records_path(loaded.var)))
    with installed_database(loaded) as database, database.write(Purpose.OPERATOR) as write:
        found = kept.page(write, pseudonym=pseudonym, actor=terminal_actor(), at=SystemClock().now(), after=after)
    if not found:
        click.echo("no conflict waits")
    for one in found:
        click.echo(
            f"{one.number:>8}  {format_person_ref(one.person)}  {one.name} ({one.provider}) "
            f"against {one.other_name} (city:{one.other_city})"
        )
    if len(found) == kept.PAGE_MAX:
        click.echo(f"more: --after {found[-1].number}", err=True)


def open_desk(url: str, limits: DatabaseSettings, var: Path) -> Desk:
    """A desk of this process; whoever is taken over is queued for a status."""
    pseudonym = Pseudonym(RecordKeys.load_or_create(records_path(var)))
    return Desk(Database.open(url, limits), pseudonym, changes.mark)


def _said(result: Loaded) -> str:
    if result.already_loaded:
        begin = "this file was loaded before; nothing was changed. Then:"
    else:
        begin = "loaded, from where it had been interrupted." if result.resumed else "loaded."
    return f"file {result.file_id} (city {result.city}), {result.rows:,} rows: {begin}\n{_counted(result.counts)}"


def _counted(counts: city_store.Counts) -> str:
    lines = (
        ("accepted", counts.accepted),
        ("  new people", counts.made),
        ("  people known to a department", counts.known),
        ("  newer than another city's", counts.updated),
        ("  said nothing newer", counts.duplicates),
        ("  hold a code already", counts.claimed),
        ("set aside", counts.set_aside),
        ("names to review", counts.conflicts),
    )
    return "\n".join(f"  {name:<32} {count:>12,}" for name, count in lines)


def _progress(name: str) -> Progress:
    """Says on standard error, every two seconds, how far a file is, how fast, and how long the step still takes."""
    began: dict[str, tuple[float, int]] = {}
    told_at = monotonic_seconds()

    def tell(step: str, done: int, total: int) -> None:
        nonlocal told_at
        now = monotonic_seconds()
        since, before = began.setdefault(step, (now, done))
        if now - told_at < PROGRESS_SECONDS or now == since:
            return
        told_at = now
        rate = (done - before) / (now - since)
        left = f", {(total - done) / rate:,.0f} s left" if rate else ""
        click.echo(f"{name}: {step} {done:,} of {total:,} rows, {rate:,.0f}/s{left} of step {step}", err=True)

    return tell
