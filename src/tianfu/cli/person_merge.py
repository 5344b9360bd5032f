"""`tianfu person merge`, `unmerge`, `merges`, `doubles`: one human being under two numbers."""

from __future__ import annotations

from typing import Final

import click

from tianfu.access import roles
from tianfu.audit import trail
from tianfu.cli.instant import local_text
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock
from tianfu.evidence import merges
from tianfu.ids import PersonRef, format_person_ref, parse_person_ref
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import RecordKeys, records_path
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import doubles, merge_store, merging
from tianfu.services.installation import installed_database

_PAGE: Final = 200
# Each pair opens two sealed names: a minute and a half.
_PAIRS_MAX: Final = 1_000_000

_MERGE_EPILOG: Final = """\b
Example:
  tianfu person merge P-000000012-62 P-000000034-93 --reason card-and-passport --by li.na --approved-by wang.wei

Nothing is moved. While the merge stands, what is known of either number counts for both: both codes show one colour.
"""


@click.command(epilog=_MERGE_EPILOG)
@click.argument("kept")
@click.argument("merged")
@click.option("--reason", required=True, help="Why they are one, in one word.")
@click.option("--by", required=True, help="Who asks.")
@click.option("--approved-by", required=True, help="Who approves; another person.")
def merge(kept: str, merged: str, reason: str, by: str, approved_by: str) -> None:
    """Say that MERGED is the same human being as KEPT."""
    at = SystemClock().now()
    first, second = parse_person_ref(kept), parse_person_ref(merged)
    with installed_database(settings.load()) as database, database.write(Purpose.OPERATOR) as write:
        number = merging.ask(write, kept=first, merged=second, reason=reason, by=by, at=at)
        merges.approve(write, number, by=approved_by, at=at)
        for person in (first, second):
            trail.record(write, _entry("merge_people", person, number, approved_by))
    click.echo(f"merge {number}: {format_person_ref(second)} is {format_person_ref(first)}")


@click.command(epilog="\b\nExample:\n  tianfu person unmerge 7 --by li.na --approved-by wang.wei\n")
@click.argument("number", type=click.IntRange(1))
@click.option("--by", required=True, help="Who asks.")
@click.option("--approved-by", required=True, help="Who approves; another person.")
def unmerge(number: int, by: str, approved_by: str) -> None:
    """Undo merge NUMBER: each is by themselves again, with what came in under their own documents."""
    at = SystemClock().now()
    with installed_database(settings.load()) as database, database.write(Purpose.OPERATOR) as write:
        merging.ask_undo(write, number, by=by, at=at)
        kept, merged = merges.approve_undo(write, number, by=approved_by, at=at)
        for person in (kept, merged):
            trail.record(write, _entry("unmerge_people", person, number, approved_by))
    click.echo(f"merge {number} undone: {format_person_ref(merged)} and {format_person_ref(kept)} are two people")


@click.command("merges", epilog="\b\nExample:\n  tianfu person merges --person P-000000012-62\n")
@click.option("--person", default=None, help="Of one person; everybody's by default.")
def list_merges(person: str | None) -> None:
    """List merges, undone ones too."""
    asked = None if person is None else parse_person_ref(person)
    after, any_found = 0, False
    with installed_database(settings.load()) as database:
        _looked(database, "list_merges", asked)
        with database.read(Purpose.OPERATOR) as read:
            while page := merge_store.history(read, person=asked, after=after, limit=_PAGE):
                any_found, after = True, page[-1].merge_ref
                for row in page:
                    click.echo(
                        f"{row.merge_ref:>6}  {format_person_ref(row.merged)} → {format_person_ref(row.kept)}  "
                        f"{row.reason}  {_state(row)}"
                    )
    if not any_found:
        click.echo("nobody has been merged")


@click.command("doubles", epilog="\b\nExample:\n  tianfu person doubles --limit 1000\n")
@click.option("--limit", default=100_000, show_default=True, type=click.IntRange(1, _PAIRS_MAX), help="Pairs to open.")
def list_doubles(limit: int) -> None:
    """List holders with one phone and one name under different documents. A question, not an answer."""
    loaded = settings.load()
    pseudonym = Pseudonym(RecordKeys.load_or_create(records_path(loaded.var)))
    nobody = (PersonRef(0), PersonRef(0))
    with installed_database(loaded) as database:
        _looked(database, "find_doubles", None)
        with database.read(Purpose.BATCH) as read:
            pairs = list(doubles.find(read, pseudonym=pseudonym, after=nobody, pairs_max=limit))
    for first, second in pairs:
        click.echo(f"{format_person_ref(first)}  {format_person_ref(second)}")
    click.echo(f"{len(pairs):,} pairs")


def _looked(database: Database, action: str, person: PersonRef | None) -> None:
    """Put a look into the trail, before it and in a transaction of its own: printing may take as long as it likes."""
    with database.write(Purpose.OPERATOR) as write:
        trail.record(
            write,
            trail.Entry(
                at=SystemClock().now(),
                actor_kind="operator",
                actor=terminal_actor(),
                action=action,
                purpose=roles.Purpose.INVESTIGATION.value,
                person=person,
                detail={"channel": "terminal"},
            ),
        )


def _state(row: merge_store.MergeRow) -> str:
    if row.undone_at is not None:
        return f"undone {local_text(row.undone_at)}"
    if row.merged_at is None:
        return f"asked by {row.asked_by}, not approved"
    waiting = f", undoing asked by {row.undo_asked_by}" if row.undo_asked_by else ""
    return f"since {local_text(row.merged_at)}, {row.asked_by} and {row.approved_by}{waiting}"


def _entry(action: str, person: PersonRef, number: int, approved_by: str) -> trail.Entry:
    return trail.Entry(
        at=SystemClock().now(),
        actor_kind="operator",
        actor=terminal_actor(),
        action=action,
        purpose=roles.Purpose.INVESTIGATION.value,
        person=person,
        detail={"channel": "terminal", "number": number, "approved_by": approved_by},
    )
