"""`tianfu trace why` and `list`: an incident's list, page by page, and the chain behind one row."""

from __future__ import annotations

from typing import Final

import click

from tianfu.access import roles
from tianfu.cli.instant import local_text
from tianfu.cli.trace_parts import HEADING, PersonParameter, actor, installed, line
from tianfu.clock import SystemClock
from tianfu.ids import PersonRef, format_person_ref
from tianfu.lake import permit
from tianfu.platform.database import Purpose
from tianfu.tracing import acting, incidents, pages, why
from tianfu.tracing.page_store import Filters
from tianfu.tracing.rows import TIERS
from tianfu.tracing.why import Step, Together

_WHY_EPILOG: Final = """\b
Example:
  tianfu trace why 2022-510112-003 P-000000012-62

The visits are asked again; the look goes into the trail, where the person can see it.
"""
_LIST_EPILOG: Final = """\b
Examples:
  tianfu trace list 2022-510112-003
  tianfu trace list 2022-510112-003 --tier close --county 510112 --limit 50
"""


@click.command(name="why", epilog=_WHY_EPILOG)
@click.argument("number", metavar="INCIDENT")
@click.argument("person", metavar="PERSON-REF", type=PersonParameter())
def command(number: str, person: PersonRef) -> None:
    """Say why PERSON-REF is listed in INCIDENT: the chain from the case, with places and minutes."""
    at = SystemClock().now()
    who = actor()
    with installed() as (database, lake):
        with database.write(Purpose.OPERATOR) as write:
            incident = incidents.find(write, number)
            allowed = permit.for_terminal(
                write, username=who.name, incident=number, purpose=roles.Purpose.INVESTIGATION, at=at
            )
            acting.record(write, who, "incident_why", number, at=at, person=person)
        told = why.explain(database, lake, incident, person, permit=allowed, at=at)
    click.echo(f"{format_person_ref(person)}  in {number}, rules {told.rules}, as of {local_text(told.as_of)}")
    for step in told.chain:
        _print_step(step)
    others = [format_person_ref(one.case) for one in told.cases if one.case != told.case]
    if others:
        click.echo(f"\n  also by: {', '.join(others)}")


@click.command(name="list", epilog=_LIST_EPILOG)
@click.argument("number", metavar="INCIDENT")
@click.option("--tier", type=click.Choice(TIERS), help="Only of this tier.")
@click.option("--hop", type=click.IntRange(1, 16), help="Only of this hop.")
@click.option("--county", help="Only who lives in this county (six digits).")
@click.option("--state", type=click.Choice(["proposed", "confirmed", "dropped"]), help="Only in this state.")
@click.option("--after", help="Where the page before ended.")
@click.option("--limit", type=click.IntRange(1, pages.PAGE_ROWS_MAX), default=50, show_default=True, help="Rows.")
def list_command(
    number: str,
    tier: str | None,
    hop: int | None,
    county: str | None,
    state: str | None,
    after: str | None,
    limit: int,
) -> None:
    """Print a page of INCIDENT's list, as the last run left it."""
    with installed() as (database, _), database.write(Purpose.OPERATOR) as write:
        incident = incidents.find(write, number)
        wanted = Filters(tier=tier, hop=hop, state=state, place=county)
        page = pages.page(write, incident.incident_ref, wanted, after=after, limit=limit)
        acting.record(write, actor(), "incident_people", number, at=SystemClock().now(), rows=len(page.rows))
    if not page.rows:
        click.echo("nobody is listed here")
        return
    click.echo(HEADING)
    for row in page.rows:
        click.echo(line(row))
    if page.after is not None:
        given = {"tier": tier, "hop": hop, "county": county, "state": state}
        again = "".join(f" --{name} {value}" for name, value in given.items() if value is not None)
        click.echo(f"… tianfu trace list {number}{again} --limit {limit} --after {page.after}")


def _print_step(step: Step) -> None:
    click.echo(f"\n  hop {step.hop}: {format_person_ref(step.source)} -> {format_person_ref(step.person)}, {step.tier}")
    for one in step.meetings:
        click.echo(f"    {local_text(one.exposed_at)}  {_where(one)}")
    if step.more:
        click.echo("    … and more")
    if not step.meetings:
        click.echo("    nothing is left of what this rested on; the next run drops it")


def _where(one: Together) -> str:
    if one.source_at is None or one.person_at is None:
        until = "" if one.ends_at is None else f" until {local_text(one.ends_at)}"
        return f"{one.setting}: {one.detail}{until}, by statements {one.evidence}"
    where = f"{one.name} (venue {one.venue}, {one.place})" if one.name else f"venue {one.venue}"
    return f"{one.setting}: {where}, scans at {local_text(one.source_at)} and {local_text(one.person_at)}"
