"""`tianfu trace export`: a list of an incident as a file for an office."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

import click

from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock

_DISTRICT: Final = re.compile(r"[0-9]{1,6}", re.ASCII)

_EPILOG: Final = """\b
Examples:
  tianfu trace export 2022-510112-003 --out contacts.xlsx
  tianfu trace export 2022-510112-003 --list line-list --language en --out cases.csv
  tianfu trace export 2022-510112-003 --tier close --county 510112 --identities --out visit.csv

Without --identities people are references. With it each person named sees in their own record that they were read, and
a file names at most 20,000 people. Nothing in a file can become a formula.
"""


@click.command(epilog=_EPILOG)
@click.argument("incident")
@click.option(
    "--list",
    "kind",
    type=click.Choice(["contacts", "line-list", "places"]),
    default="contacts",
    show_default=True,
    help="People traced, cases, or announced places.",
)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File, .csv or .xlsx.")
@click.option(
    "--tier", "tiers", multiple=True, type=click.Choice(["close", "secondary", "copresent", "general"]), help="Only it."
)
@click.option("--county", "counties", multiple=True, help="Only people there: digits a division code begins with.")
@click.option("--identities", is_flag=True, help="Names, documents and phones too.")
@click.option(
    "--purpose", type=click.Choice(["investigation", "follow_up"]), default="investigation", show_default=True
)
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Of the headings.")
def command(
    incident: str,
    kind: str,
    out: Path,
    tiers: tuple[str, ...],
    counties: tuple[str, ...],
    purpose: str,
    language: str,
    *,
    identities: bool,
) -> None:
    """Write a list of INCIDENT to a file, CSV or XLSX by its ending."""
    from tianfu.access import roles
    from tianfu.platform import settings
    from tianfu.platform.database import Purpose
    from tianfu.platform.keyring import RecordKeys, records_path
    from tianfu.platform.pseudonym import Pseudonym
    from tianfu.services.installation import installed_database
    from tianfu.tracing import incidents
    from tianfu.tracing.acting import Actor
    from tianfu.tracing.exports import export
    from tianfu.tracing.exports.columns import Kind
    from tianfu.tracing.exports.sheets import FORMATS

    if out.suffix.removeprefix(".") not in FORMATS:
        message = "the name must end in .csv or .xlsx"
        raise click.BadParameter(message, param_hint="--out")
    if any(_DISTRICT.fullmatch(county) is None for county in counties):
        message = "up to six digits of a division code"
        raise click.BadParameter(message, param_hint="--county")
    loaded = settings.load()
    pseudonym = Pseudonym(RecordKeys.load_or_create(records_path(loaded.var)))
    scope = export.PROVINCE
    if counties:
        scope = export.Scope(scope.role, tuple(counties), tuple(counties))
    with installed_database(loaded) as database:
        with database.read(Purpose.OPERATOR) as read:
            found = incidents.find(read, incident)
        count = export.export(
            database,
            pseudonym,
            out,
            incident=found,
            wanted=export.Wanted(kind=Kind(kind), language=language, identities=identities, tiers=tiers or None),
            taking=export.Taking(
                actor=Actor.terminal(terminal_actor()),
                purpose=roles.Purpose(purpose),
                at=SystemClock().now(),
                scope=scope,
            ),
            progress=_progress if sys.stderr.isatty() else None,
        )
    click.echo(f"{out}: {count:,} rows")


def _progress(rows: int) -> None:
    click.echo(f"\r{rows:,} rows", nl=False, err=True)
