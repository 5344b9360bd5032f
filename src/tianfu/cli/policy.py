"""`tianfu policy`: check, compare, publish, list and show rule sets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from tianfu.cli import policy_compare, policy_files
from tianfu.cli.instant import InstantParameter
from tianfu.cli.policy_files import print_diff, scope_text
from tianfu.cli.policy_named import published
from tianfu.clock import SystemClock
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose, Read
from tianfu.policy import publish as publishing
from tianfu.policy import store
from tianfu.policy.affected import affected
from tianfu.policy.compile import Policy
from tianfu.policy.load import load
from tianfu.services.installation import installed_database
from tianfu.status import store as statuses
from tianfu.status import takeover_store

_PUBLISH_EPILOG: Final = """\b
Example:
  tianfu policy publish policies/sichuan-core.toml --by li.na --approved-by wang.wei \\
      --effective 2026-12-01T00:00:00+08:00

To roll back, publish the earlier file again. With --dry-run nothing is written.
"""
_PROGRESS_EPILOG: Final = """\b
Examples:
  tianfu policy progress
  tianfu policy progress --json
"""
_SHOW_EPILOG: Final = """\b
Examples:
  tianfu policy show
  tianfu policy show --at 2026-12-01T00:00:00+08:00
  tianfu policy show 3f0c9a1b > earlier.toml
"""


@click.group()
def command() -> None:
    """Check, compare, publish, list and show rule sets."""


for _command in (
    policy_files.check,
    policy_files.diff,
    policy_files.combine,
    policy_files.schema,
    policy_compare.compare,
):
    command.add_command(_command)


@command.command(epilog=_PUBLISH_EPILOG)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--by", "published_by", required=True, help="Who publishes.")
@click.option("--approved-by", required=True, help="Who approves; another person.")
@click.option("--effective", "effective_from", type=InstantParameter(), help="With offset; now when left out.")
@click.option("--dry-run", is_flag=True, help="Say what would change and for how many people; publish nothing.")
def publish(file: Path, published_by: str, approved_by: str, effective_from: datetime | None, *, dry_run: bool) -> None:
    """Put a rule set in force from an instant on. Everybody whom it changes is recomputed in the background."""
    policy = load(file)
    at = SystemClock().now()
    with _database() as database:
        if dry_run:
            publishing.require_two(published_by, approved_by)
            with database.read(Purpose.BATCH) as read:
                _rehearse(read, policy, effective_from or at, at)
            return
        with database.write(Purpose.OPERATOR) as write:
            done = publishing.publish(
                write,
                body=policy.body,
                published_by=published_by,
                approved_by=approved_by,
                effective_from=effective_from or at,
                at=at,
            )
    click.echo(f"publication {done.publication_id}: {done.name} {done.number} from {done.effective_from.isoformat()}")
    click.echo(f"sha256 {done.policy_hash}")


@command.command(epilog=_PROGRESS_EPILOG)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def progress(*, as_json: bool) -> None:
    """How far the policy in force has reached the people whom it can change."""
    with _database() as database, database.read(Purpose.OPERATOR) as read:
        current = store.in_force(read, SystemClock().now())
        if current is None:
            raise publishing.NoPolicyInForceError
        stretches = takeover_store.stretches(read, current.policy_hash, current.publication_id)
    if as_json:
        click.echo(json.dumps([_told(stretch) for stretch in stretches]))
        return
    click.echo(f"{current.name} {current.number} ({current.policy_hash[:12]}), publication {current.publication_id}")
    if not stretches:
        click.echo("nobody is left under an earlier policy, or the worker has not looked yet")
    for stretch in stretches:
        told = _told(stretch)
        state = "done" if told["finished"] else f"{told['people_per_second']:,} people/s"
        click.echo(f"  from {stretch.old_hash[:12]}: {stretch.done:,} of {stretch.total:,} looked at, {state}")
        click.echo(f"    {scope_text(stretch.scope)}")


def _told(stretch: takeover_store.Stretch) -> dict[str, Any]:
    seconds = (stretch.updated_at - stretch.started_at).total_seconds()
    return {
        "old": stretch.old_hash,
        "new": stretch.new_hash,
        "publication": stretch.publication_id,
        "everybody": stretch.scope.everybody,
        "kinds": list(stretch.scope.kinds),
        "done": stretch.done,
        "total": stretch.total,
        "people_per_second": round(stretch.done / seconds) if seconds > 0 else 0,
        "finished": stretch.finished_at is not None,
    }


def _rehearse(read: Read, policy: Policy, effective_from: datetime, at: datetime) -> None:
    """Raise what would keep the policy from being published, else say what it changes and for how many."""
    publishing.require_publishable(read, policy, effective_from=effective_from, at=at)
    current = store.in_force(read, effective_from)
    if current is None:
        click.echo("nothing is in force: everybody would be decided for the first time")
        return
    before = publishing.Policies().by_hash(read, current.policy_hash)
    print_diff(before, policy, as_json=False)
    scope = affected(before.rule_set, policy.rule_set)
    people = statuses.count(read) if scope.everybody else takeover_store.count_people_with(read, scope.kinds)
    click.echo(f"{people:,} people would be decided again; nothing was published")


@command.command(name="list")
def list_publications() -> None:
    """The publications, the last to take effect first; `*` marks the one in force."""
    with _database() as database, database.read(Purpose.OPERATOR) as read:
        current = store.in_force(read, SystemClock().now())
        publications = store.page(read)
    if not publications:
        click.echo("nothing has been published")
    for item in publications:
        mark = "*" if current is not None and item.publication_id == current.publication_id else " "
        click.echo(
            f"{mark} {item.publication_id:>4}  {item.effective_from.isoformat()}  {item.name} {item.number}  "
            f"{item.policy_hash[:12]}  by {item.published_by}, approved by {item.approved_by}"
        )


@command.command(epilog=_SHOW_EPILOG)
@click.argument("policy_hash", metavar="[HASH]", required=False)
@click.option("--at", type=InstantParameter(), help="The policy in force at this instant (now when left out).")
def show(policy_hash: str | None, at: datetime | None) -> None:
    """Print the published file itself, byte for byte: the one in force, or the one whose hash begins so."""
    with _database() as database, database.read(Purpose.OPERATOR) as read:
        if policy_hash is None:
            policy = publishing.in_force(read, at or SystemClock().now())
        else:
            policy = published(read, policy_hash)
    click.echo(policy.body, nl=False)


@contextmanager
def _database() -> Iterator[Database]:
    """The database of this installation, open."""
    with installed_database(settings.load()) as database:
        yield database
