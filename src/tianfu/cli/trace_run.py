"""`tianfu trace INCIDENT`: bring an incident's list up to its cases and the visits known now."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import click

from tianfu.access import roles
from tianfu.cli.instant import InstantParameter, local_text
from tianfu.cli.trace_parts import HEADING, actor, installed, line
from tianfu.clock import SystemClock
from tianfu.lake import permit
from tianfu.lake.permit import Permit
from tianfu.platform.database import Purpose, Write
from tianfu.tracing import acting, incidents, pages, rule_files, run
from tianfu.tracing.page_store import Filters
from tianfu.tracing.pages import Counts, Page
from tianfu.tracing.run import Report

_EPILOG: Final = """\b
Examples:
  tianfu trace 2022-510112-003
  tianfu trace 2022-510112-003 --everything --rows 50
  tianfu trace 2022-510112-003 --rules plain-scan:30 --hops 2

Only cases that came, went or changed are expanded again; --everything expands each of them, for visits that came late.
--rules and --hops are kept for later runs of the incident. --as-of lists what could be known then by the visits of
today; the tracer brings an open incident back to the present in its next turn. The run goes into the trail.
"""


@click.command(name="run", epilog=_EPILOG)
@click.argument("number", metavar="INCIDENT")
@click.option("--as-of", type=InstantParameter(), help="As of this instant; now when left out.")
@click.option("--hops", type=click.IntRange(1, 16), help="At most so many hops.")
@click.option("--rules", help="The rule set; without one that in force.")
@click.option("--everything", is_flag=True, help="Expand every case again.")
@click.option("--rows", type=click.IntRange(0, pages.PAGE_ROWS_MAX), default=10, show_default=True, help="Rows shown.")
def command(
    number: str, as_of: datetime | None, hops: int | None, rules: str | None, rows: int, *, everything: bool
) -> None:
    """Trace INCIDENT: who is listed, by tier and hop, and which places are announced."""
    at = SystemClock().now()
    who = actor()
    if rules is not None:
        rule_files.find(rules)

    def allowed(write: Write) -> Permit:
        return permit.for_terminal(
            write, username=who.name, incident=number, purpose=roles.Purpose.INVESTIGATION, at=at
        )

    with installed() as (database, lake):
        with database.write(Purpose.OPERATOR) as write:
            incidents.set_terms(write, who, number, rules=rules, hops=hops, at=at)
        report = run.trace(
            database, lake, number, actor=who, permit_for=allowed, as_of=as_of or at, at=at, everything=everything
        )
        with database.write(Purpose.OPERATOR) as write:
            incident_ref = incidents.find(write, number).incident_ref
            counts = pages.counts(write, incident_ref)
            page = pages.page(write, incident_ref, Filters(), limit=rows) if rows else Page((), None)
            acting.record(write, who, "incident_people", number, at=at, rows=len(page.rows))
    _print(report, counts, page)


def _print(report: Report, counts: Counts, page: Page) -> None:
    click.echo(f"{report.number}  as of {local_text(report.as_of)}, rules {report.rules}, {report.hops} hops")
    click.echo(
        f"  {report.cases:,} cases, {report.expanded:,} expanded, {report.scanned:,} visits looked at,"
        f" {report.concerned:,} people concerned, {report.milliseconds:,} ms"
    )
    click.echo(f"  {counts.people:,} people listed")
    for title, by in (("tier", counts.by_tier), ("hop", counts.by_hop), ("state", counts.by_state)):
        if by:
            click.echo(f"    by {title}: " + ", ".join(f"{word} {count:,}" for word, count in by.items()))
    click.echo(f"  {counts.announced:,} places announced, {counts.withheld:,} scans there name nobody")
    if counts.too_large:
        told = (f"{kind} {one.places:,} with {one.people:,} people" for kind, one in counts.too_large.items())
        click.echo(f"  too large to name anybody: {', '.join(told)}")
    if page.rows:
        click.echo(f"\n{HEADING}")
    for row in page.rows:
        click.echo(line(row))
    if page.after is not None:
        click.echo(f"… tianfu trace list {report.number} --after {page.after}")
