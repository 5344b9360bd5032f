"""`tianfu replay`: decide every stored status again from the ledger and report any difference."""

from __future__ import annotations

import sys
from typing import Final

import click

from tianfu.clock import SystemClock, monotonic_seconds
from tianfu.ids import format_person_ref
from tianfu.platform import settings
from tianfu.platform.database import Purpose
from tianfu.policy.publish import in_force
from tianfu.services.installation import installed_database
from tianfu.status import store
from tianfu.status.replay import replay

DIFFERENCES_SHOWN_MAX: Final = 100
PROGRESS_SECONDS: Final = 1.0


@click.command(epilog="Exit code 0: every status follows from the ledger. 1: at least one does not.")
def command() -> None:
    """Recompute every status from the ledger by the policy in force and report differences. Changes nothing."""
    at = SystemClock().now()
    with installed_database(settings.load()) as database:
        with database.read(Purpose.BATCH) as read:
            policy, total = in_force(read, at), store.count(read)
        click.echo(f"policy {policy.name} {policy.number}, sha256 {policy.hash}")
        compared = behind = differences = earlier = 0
        told_at = monotonic_seconds()
        for chunk in replay(database, policy, at):
            for difference in chunk.differences[: max(0, DIFFERENCES_SHOWN_MAX - differences)]:
                click.echo(
                    f"{format_person_ref(difference.person)}: stored {difference.stored.colour.value}, "
                    f"decided {difference.decided.colour.value}; differs in {', '.join(difference.fields)}"
                )
            compared, behind = compared + chunk.compared, behind + chunk.behind
            differences, earlier = differences + len(chunk.differences), earlier + chunk.under_earlier
            if monotonic_seconds() - told_at >= PROGRESS_SECONDS:
                told_at = monotonic_seconds()
                click.echo(f"{compared + behind:,} of {total:,}", err=True)
    click.echo(f"{compared:,} statuses compared, {behind:,} about to be recomputed, {differences:,} differences")
    if earlier:
        click.echo(f"{earlier:,} of the compared name an earlier policy, which the one in force cannot change for them")
    sys.exit(1 if differences else 0)
