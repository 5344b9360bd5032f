"""`tianfu feed held`, `approve`, `reject` and `withdraw`: deciding about whole batches."""

from __future__ import annotations

from typing import Final

import click
import msgspec

from tianfu.cli.feed_parts import print_loaded, progress, records
from tianfu.clock import SystemClock
from tianfu.feeds import held as batches
from tianfu.feeds import store
from tianfu.platform.database import Purpose

_LISTED_MAX: Final = 1_000
_APPROVE_EPILOG: Final = """\b
Example:
  tianfu feed approve 12 --by wang.wei
"""
_REJECT_EPILOG: Final = """\b
Example:
  tianfu feed reject 12 --by wang.wei --reason wrong_list
"""
_WITHDRAW_EPILOG: Final = """\b
Example:
  tianfu feed withdraw 12 --by li.na --approved-by wang.wei --reason wrong_file

From then on the batch counts as never loaded; the people concerned are decided anew.
"""


@click.command("held")
def held() -> None:
    """List the batches that wait for a second person."""
    with records() as (database, _), database.read(Purpose.OPERATOR) as read:
        found = store.held_batches(read, _LISTED_MAX)
    if not found:
        click.echo("nothing waits for a second person")
    for batch in found:
        click.echo(
            f"{batch.batch_id:>8}  {batch.feed} from {batch.source}  {batch.rows:,} rows, {batch.set_aside:,} of them "
            f"faulty  {batch.received_at:%Y-%m-%d %H:%M} UTC  by {batch.loaded_by}"
        )


@click.command("approve", epilog=_APPROVE_EPILOG)
@click.argument("batch", type=click.IntRange(min=1))
@click.option("--by", required=True, help="Who approves; not the one who loaded it.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def approve(batch: int, by: str, *, as_json: bool) -> None:
    """Load a held batch as its second person."""
    with records() as (database, pseudonym):
        loaded = batches.approve(
            database, batch, by=by, pseudonym=pseudonym, at=SystemClock().now(), progress=progress()
        )
    if as_json:
        click.echo(msgspec.json.encode(loaded).decode())
    else:
        print_loaded(loaded)


@click.command("reject", epilog=_REJECT_EPILOG)
@click.argument("batch", type=click.IntRange(min=1))
@click.option("--by", required=True, help="Who rejects.")
@click.option("--reason", required=True, help="Why, in one word for the trail.")
def reject(batch: int, by: str, reason: str) -> None:
    """Refuse a held batch: its file is forgotten."""
    with records() as (database, _):
        done = batches.reject(database, batch, by=by, reason=reason, at=SystemClock().now())
    click.echo(f"batch {done.batch_id} ({done.feed} from {done.source}): rejected; nothing of it counts.")


@click.command("withdraw", epilog=_WITHDRAW_EPILOG)
@click.argument("batch", type=click.IntRange(min=1))
@click.option("--by", required=True, help="Who withdraws.")
@click.option("--approved-by", help="The second person, for more rows than one may load.")
@click.option("--reason", required=True, help="Why, in one word for the trail.")
def withdraw(batch: int, by: str, approved_by: str | None, reason: str) -> None:
    """Take a loaded batch back as one."""
    with records() as (database, _):
        done = batches.withdraw(database, batch, by=by, approved_by=approved_by, reason=reason, at=SystemClock().now())
    if done.already_withdrawn:
        click.echo(f"batch {batch}: withdrawn before; nothing was changed.")
        return
    click.echo(f"batch {batch}: {done.withdrawn:,} statements withdrawn, {done.discarded:,} waiting rows discarded.")
