"""`tianfu trace report`: an incident as one page that opens without network."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock
from tianfu.errors import NotFoundError

_EPILOG: Final = """\b
Examples:
  tianfu trace report 2022-510112-003
  tianfu trace report 2022-510112-003 --language en --out incident.html

The page holds references of cases and counts, no names. It loads nothing from anywhere and can be sent as one file.
"""


class ChartsMissingError(NotFoundError):
    """The script of the charts has not been built."""

    code = "charts_missing"
    zh = "图表脚本尚未生成，请先运行 make setup。"
    en = "The charts have not been built yet; run make setup first."


@click.command(epilog=_EPILOG)
@click.argument("incident")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File; incident-NUMBER.html by default.")
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Of the page.")
def command(incident: str, out: Path | None, language: str) -> None:
    """Write the report of INCIDENT: chain, time line, counties, funnel and counts."""
    from tianfu.platform import settings
    from tianfu.platform.database import Purpose
    from tianfu.services.installation import installed_database
    from tianfu.tracing import acting, incidents
    from tianfu.tracing.acting import Actor
    from tianfu.tracing.exports.sheets import ExportUnwritableError
    from tianfu.tracing.report.data import collect
    from tianfu.tracing.report.page import page

    at = SystemClock().now()
    loaded = settings.load()
    built = loaded.web.parent / "dist-report" / "report.js"
    try:
        script = built.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ChartsMissingError from error
    with installed_database(loaded) as database, database.write(Purpose.OPERATOR) as write:
        found = incidents.find(write, incident)
        report = collect(write, found, language=language, at=at)
        acting.record(write, Actor.terminal(terminal_actor()), "report", incident, at=at)
    path = out or Path(f"incident-{incident}.html")
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(page(report, script), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise ExportUnwritableError from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    click.echo(f"{path}: {report.totals.cases:,} cases, {report.totals.listed:,} people listed")
