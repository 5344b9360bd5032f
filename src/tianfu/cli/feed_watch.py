"""`tianfu feed watch`, `status` and `delays`: what comes, whether it comes, and how old it is."""

from __future__ import annotations

from datetime import timedelta, timezone
from pathlib import Path
from typing import Final

import click
import msgspec

from tianfu.cli.feed_parts import records
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock
from tianfu.evidence import delays as measured
from tianfu.feeds import freshness
from tianfu.feeds.watch import FolderWatch, Report
from tianfu.platform.collector import collect_rarely
from tianfu.platform.database import DatabaseBusyError, DatabaseUnavailableError, Purpose
from tianfu.services.told import until_told

_SHANGHAI: Final = timezone(timedelta(hours=8))
# Ten years, longer than delays are kept.
_DAYS_MAX: Final = 3650
_WATCH_EPILOG: Final = """\b
Examples:
  tianfu feed watch incoming             incoming/lab/*.csv, incoming/cases/*.csv and so on
  tianfu feed watch incoming --once      load what is complete and end

Loaded files go to done, others to refused, each with a report beside it.
"""


@click.command("watch", epilog=_WATCH_EPILOG)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--once", is_flag=True, help="Look twice, load what is complete, and end.")
@click.option("--seconds", type=click.FloatRange(0.1, 86400), default=5.0, show_default=True, help="Between two looks.")
def watch(folder: Path, seconds: float, *, once: bool) -> None:
    """Load complete files that departments put into FOLDER, one subfolder for each feed."""
    collect_rarely()
    with until_told() as stopping, records() as (database, pseudonym):
        watching = FolderWatch(folder, database, pseudonym, loaded_by=terminal_actor())
        looks, told = 0, frozenset[str]()
        while not stopping.is_set() and not (once and looks > 1):
            try:
                for report in watching.step(SystemClock().now()):
                    _tell(report)
                for name in watching.passed_over() - told:
                    click.echo(f"passed over, in no feed's subfolder: {name!r}", err=True)
                told = watching.passed_over()
            except (DatabaseUnavailableError, DatabaseBusyError) as error:
                if once:
                    raise
                click.echo(f"waiting: {error.en}", err=True)
            looks += 1
            if not (once and looks > 1):
                stopping.wait(seconds)


def _tell(report: Report) -> None:
    if report.loaded is None:
        click.echo(f"{report.feed}/{report.file}: refused: {report.en}")
        return
    loaded = report.loaded
    again = "loaded before, " if loaded.already_loaded else ""
    click.echo(
        f"{report.feed}/{report.file}: batch {loaded.batch_id} {again}{loaded.state.value}: {loaded.rows:,} rows, "
        f"{loaded.accepted:,} accepted, {loaded.duplicates:,} duplicates, {loaded.set_aside:,} set aside"
    )


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def status(*, as_json: bool) -> None:
    """Say of each feed and source when it last came, how many rows against the usual, and what is wrong."""
    with records() as (database, _), database.read(Purpose.OPERATOR) as read:
        found = freshness.status(read, SystemClock().now())
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    if not found:
        click.echo("no feed has delivered yet")
    for item in found:
        usual = "-" if item.usual_rows is None else f"{item.usual_rows:,.0f}"
        due = "-" if item.every_hours is None else f"{item.every_hours} h"
        click.echo(
            f"{item.feed:<20} {item.source:<14} {item.age_seconds / 3600:>8.1f} h old, due every {due:>6}  "
            f"{item.rows:>9,} rows, usually {usual:>9}  {' '.join(item.alerts)}"
        )


@click.command("delays")
@click.option(
    "--days", type=click.IntRange(1, _DAYS_MAX), default=7, show_default=True, help="Today and the days before."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def delays(days: int, *, as_json: bool) -> None:
    """Say for each department how long its records took from event to receipt, and from receipt to status."""
    first = (SystemClock().now().astimezone(_SHANGHAI) - timedelta(days=days - 1)).date()
    with records() as (database, _), database.read(Purpose.OPERATOR) as read:
        found = measured.report(read, first)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    if not found:
        click.echo("nothing was received in these days")
    for item in found:
        click.echo(
            f"{item.source:<14} {item.stage:<18} {item.count:>12,}  median {item.median_seconds:>12,.1f} s  "
            f"p99 {item.p99_seconds:>14,.1f} s"
        )
