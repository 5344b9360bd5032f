"""`tianfu policy`: check, publish, list and show rule sets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from tianfu.cli.instant import InstantParameter
from tianfu.clock import SystemClock
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose
from tianfu.policy import publish as publishing
from tianfu.policy import store
from tianfu.policy.load import load, path_of
from tianfu.services.installation import installed_database

_CHECK_EPILOG: Final = """\b
Examples:
  tianfu policy check policies/sichuan-core.toml
  tianfu policy check sichuan-core
"""
_PUBLISH_EPILOG: Final = """\b
Example:
  tianfu policy publish policies/sichuan-core.toml --by li.na --approved-by wang.wei \\
      --effective 2026-12-01T00:00:00+08:00

To roll back, publish the earlier file again.
"""
_SHOW_EPILOG: Final = """\b
Examples:
  tianfu policy show
  tianfu policy show --at 2026-12-01T00:00:00+08:00
  tianfu policy show 3f0c9a… > earlier.toml
"""


@click.group()
def command() -> None:
    """Check, publish, list and show rule sets."""


@command.command(epilog=_CHECK_EPILOG)
@click.argument("policy", metavar="NAME|FILE")
def check(policy: str) -> None:
    """Say whether a rule set can be used; every fault is listed, and the exit code is 2 when there is one."""
    loaded = load(path_of(policy, settings.load().policies))
    click.echo(f"{loaded.name} {loaded.number}: {len(loaded.rule_set.rule)} rules, no fault")
    click.echo(f"sha256 {loaded.hash}")


@command.command(epilog=_PUBLISH_EPILOG)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--by", "published_by", required=True, help="Who publishes.")
@click.option("--approved-by", required=True, help="Who approves; another person.")
@click.option("--effective", "effective_from", type=InstantParameter(), help="With offset; now when left out.")
def publish(file: Path, published_by: str, approved_by: str, effective_from: datetime | None) -> None:
    """Put a rule set in force from an instant on. Everybody whom it changes is recomputed in the background."""
    body = load(file).body
    at = SystemClock().now()
    with _database() as database, database.write(Purpose.OPERATOR) as write:
        done = publishing.publish(
            write,
            body=body,
            published_by=published_by,
            approved_by=approved_by,
            effective_from=effective_from or at,
            at=at,
        )
    click.echo(f"publication {done.publication_id}: {done.name} {done.number} from {done.effective_from.isoformat()}")
    click.echo(f"sha256 {done.policy_hash}")


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
    """Print the published file itself, byte for byte: the one in force, or the one with this hash."""
    with _database() as database, database.read(Purpose.OPERATOR) as read:
        policies = publishing.Policies()
        if policy_hash is None:
            policy = policies.in_force(read, at or SystemClock().now())
        else:
            policy = policies.by_hash(read, policy_hash)
    click.echo(policy.body, nl=False)


@contextmanager
def _database() -> Iterator[Database]:
    """The database of this installation, open."""
    with installed_database(settings.load()) as database:
        yield database
