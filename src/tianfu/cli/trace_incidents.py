"""`tianfu trace open`, `close`, `incidents` and `cases`: incidents and whom they begin with."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import click

from tianfu.access import places
from tianfu.cli.instant import InstantParameter, local_text
from tianfu.cli.trace_parts import PersonParameter, actor, installed
from tianfu.clock import SystemClock
from tianfu.errors import Fault, InputInvalidError
from tianfu.ids import PersonRef, format_person_ref
from tianfu.platform.database import Purpose
from tianfu.tracing import acting, automatic, cases, incidents, rule_files
from tianfu.tracing.infectious import Period

_OPEN_EPILOG: Final = """\b
Example:
  tianfu trace open 510112
  tianfu trace open 510112 --rules zhengzhou-2021
"""
_CLOSE_EPILOG: Final = """\b
Example:
  tianfu trace close 2022-510112-003
"""
_REOPEN_EPILOG: Final = """\b
Example:
  tianfu trace reopen 2022-510112-003
"""
_LIST_EPILOG: Final = """\b
Examples:
  tianfu trace incidents
  tianfu trace incidents --district 5101 --all
"""
_CASES_EPILOG: Final = """\b
Examples:
  tianfu trace cases 2022-510112-003 list
  tianfu trace cases 2022-510112-003 add P-000000012-62
  tianfu trace cases 2022-510112-003 add P-000000012-62 --from 2022-03-01T00:00:00+08:00
  tianfu trace cases 2022-510112-003 isolate P-000000012-62 --at 2022-03-04T09:30:00+08:00
  tianfu trace cases 2022-510112-003 withdraw P-000000012-62

Without --from the period follows from what the ledger holds: the look-back of the rules before onset, or before the
sampling, until isolation. The tracer makes the list anew within seconds; what is done goes into the trail.
"""


@click.command(name="open", epilog=_OPEN_EPILOG)
@click.argument("county")
@click.option("--rules", help="A tracing rule set; without one that in force.")
def open_command(county: str, rules: str | None) -> None:
    """Open an incident in COUNTY (six digits) and print its number."""
    if county not in places.divisions() or not places.is_county(county):
        message = f"no county has the code {county}; 510112 is one"
        raise click.BadParameter(message, param_hint="COUNTY")
    if rules is not None:
        rule_files.find(rules)
    with installed() as (database, _), database.write(Purpose.OPERATOR) as write:
        opened = incidents.open_incident(write, actor(), place=county, rules=rules, at=SystemClock().now())
    click.echo(opened.number)


@click.command(name="close", epilog=_CLOSE_EPILOG)
@click.argument("number", metavar="INCIDENT")
def close_command(number: str) -> None:
    """Close INCIDENT; its list stays, and nothing is traced any more."""
    with installed() as (database, _), database.write(Purpose.OPERATOR) as write:
        incidents.close(write, actor(), number, at=SystemClock().now())
    click.echo(f"{number} is closed; back: tianfu trace reopen {number}")


@click.command(name="reopen", epilog=_REOPEN_EPILOG)
@click.argument("number", metavar="INCIDENT")
def reopen_command(number: str) -> None:
    """Open INCIDENT again; the tracer brings its list to the present."""
    with installed() as (database, _), database.write(Purpose.OPERATOR) as write:
        incidents.reopen(write, actor(), number, at=SystemClock().now())
    click.echo(f"{number} is open")


@click.command(name="incidents", epilog=_LIST_EPILOG)
@click.option("--district", default="", help="Only in this district (the first digits of its code).")
@click.option("--all", "with_closed", is_flag=True, help="Closed ones too.")
def list_command(district: str, *, with_closed: bool) -> None:
    """List incidents, newest first."""
    with installed() as (database, _), database.read(Purpose.OPERATOR) as read:
        found = incidents.listed(read, [district], with_closed=with_closed)
    if not found:
        click.echo("there is no incident" if with_closed else "there is no open incident; --all lists closed ones")
    for one in found:
        state = "closed" if one.closed_at else "waits" if one.touches > one.traced_touches else "traced"
        by = "by itself" if one.automatic else f"by {one.opened_by}"
        click.echo(f"{one.number}  {state:<7} {local_text(one.opened_at)} {by}, rules {one.rules or 'in force'}")


@click.group(name="cases", epilog=_CASES_EPILOG)
@click.argument("number", metavar="INCIDENT")
@click.pass_context
def cases_command(ctx: click.Context, number: str) -> None:
    """Cases of INCIDENT: add, isolate, withdraw, list."""
    ctx.obj = number


@cases_command.command()
@click.argument("person", metavar="PERSON-REF", type=PersonParameter())
@click.option("--from", "since", type=InstantParameter(), help="Infectious from; without it by the rules.")
@click.option("--to", "until", type=InstantParameter(), help="Isolated at.")
@click.pass_obj
def add(number: str, person: PersonRef, since: datetime | None, until: datetime | None) -> None:
    """Make PERSON-REF a case."""
    at = SystemClock().now()
    with installed() as (database, _), database.write(Purpose.OPERATOR) as write:
        known = automatic.positive_of(write, person, incidents.find(write, number).rules, at=at)
        if since is None and known is None:
            fault = Fault(
                "--from",
                "missing",
                "台账中没有此人的阳性记录，请填写感染期。",
                "the ledger knows no positive of this person; state the period",
            )
            raise InputInvalidError(faults=(fault,))
        period = known.period if since is None and known is not None else Period(since or at, until)
        period = period if until is None else Period(period.since, until)
        cases.add(
            write,
            actor(),
            number,
            person,
            period,
            at=at,
            stated=since is not None or until is not None,
            evidence_id=None if known is None else known.evidence_id,
        )
    click.echo(f"{format_person_ref(person)}: infectious from {local_text(period.since)} {_until(period.until)}")


@cases_command.command()
@click.argument("person", metavar="PERSON-REF", type=PersonParameter())
@click.option("--at", "until", type=InstantParameter(), required=True, help="When isolation began.")
@click.pass_obj
def isolate(number: str, person: PersonRef, until: datetime) -> None:
    """Say when PERSON-REF was isolated."""
    with installed() as (database, _), database.write(Purpose.OPERATOR) as write:
        period = Period(cases.find(write, number, person).infectious_from, until)
        cases.change_period(write, actor(), number, person, period, stated=True, at=SystemClock().now())
    click.echo(f"{format_person_ref(person)}: infectious from {local_text(period.since)} {_until(period.until)}")


@cases_command.command()
@click.argument("person", metavar="PERSON-REF", type=PersonParameter())
@click.pass_obj
def withdraw(number: str, person: PersonRef) -> None:
    """Take PERSON-REF out: what only this case supported leaves the list."""
    with installed() as (database, _), database.write(Purpose.OPERATOR) as write:
        changed = cases.withdraw(write, actor(), number, person, at=SystemClock().now())
    click.echo(f"{format_person_ref(person)} is withdrawn" if changed else "withdrawn already")


@cases_command.command(name="list")
@click.pass_obj
def list_cases(number: str) -> None:
    """List the cases, withdrawn ones too."""
    at = SystemClock().now()
    with installed() as (database, _), database.write(Purpose.OPERATOR) as write:
        incident_ref = incidents.find(write, number).incident_ref
        found = cases.listed(write, incident_ref, with_withdrawn=True)
        acting.record(write, actor(), "incident_cases", number, at=at, rows=len(found))
    if not found:
        click.echo(f"no case yet: tianfu trace cases {number} add PERSON-REF")
    for one in found:
        withdrawn = "" if one.withdrawn_at is None else f"  withdrawn {local_text(one.withdrawn_at)}"
        click.echo(
            f"{format_person_ref(one.person)}  {local_text(one.infectious_from)} {_until(one.infectious_to)}"
            f"  by {one.added_by}{withdrawn}"
        )


def _until(at: datetime | None) -> str:
    return "until isolated" if at is None else f"until {local_text(at)}"
