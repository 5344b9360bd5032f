"""`tianfu emergency`: register an emergency order, and list those there are."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import click

from tianfu.cli.instant import InstantParameter
from tianfu.clock import SystemClock
from tianfu.evidence import orders
from tianfu.evidence.circumstance_kinds import EmergencyLevel
from tianfu.platform import settings
from tianfu.platform.database import Purpose
from tianfu.services.installation import installed_database

_ORDER_EPILOG: Final = """\b
Example:
  tianfu emergency order CD-2022-14 yellow --scope "visitors of the market on 30 August" \\
      --reason "two cases, contacts not yet known" --ends 2022-09-13T00:00:00+08:00 \\
      --by li.na --approved-by wang.wei

The people it covers are then sent as a file: tianfu feed load emergency FILE.
"""


@click.group()
def command() -> None:
    """Emergency orders (应急红码, 应急黄码)."""


@command.command(epilog=_ORDER_EPILOG)
@click.argument("key")
@click.argument("level", type=click.Choice([level.value for level in EmergencyLevel]))
@click.option("--scope", required=True, help="Whom it covers, in words.")
@click.option("--reason", required=True, help="Why.")
@click.option("--from", "ordered_at", type=InstantParameter(), help="With offset; now when left out.")
@click.option("--ends", "ends_at", type=InstantParameter(), required=True, help="With offset; at most 28 days on.")
@click.option("--by", "stated_by", required=True, help="Who orders it.")
@click.option("--approved-by", required=True, help="Who approves; another person.")
def order(
    key: str,
    level: str,
    scope: str,
    reason: str,
    ordered_at: datetime | None,
    ends_at: datetime,
    stated_by: str,
    approved_by: str,
) -> None:
    """Register the order KEY. By itself it changes nobody: people are named by a file."""
    at = SystemClock().now()
    made = orders.Order(
        key=key,
        level=EmergencyLevel(level),
        scope=scope,
        reason=reason,
        ordered_at=ordered_at or at,
        ends_at=ends_at,
    )
    with installed_database(settings.load()) as database, database.write(Purpose.OPERATOR) as write:
        orders.register(write, made, stated_by=stated_by, approved_by=approved_by, at=at)
    click.echo(f"{key}: {level} until {ends_at.isoformat()}")


@command.command(name="list")
def list_orders() -> None:
    """List the orders, the newest first."""
    with installed_database(settings.load()) as database, database.read(Purpose.OPERATOR) as read:
        found = orders.registered(read)
    if not found:
        click.echo("no order is registered")
    for item in found:
        click.echo(
            f"{item.key:<20} {item.level.value:<6} {item.ordered_at.isoformat()} to {item.ends_at.isoformat()}  "
            f"{item.scope}: {item.reason}"
        )
