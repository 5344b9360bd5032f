"""`tianfu zone`: declare risk areas, change their level, and see which may be lowered."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import click
import msgspec

from tianfu.cli.instant import InstantParameter
from tianfu.clock import Instant, SystemClock
from tianfu.errors import Fault, InputInvalidError
from tianfu.evidence import polygon, zones
from tianfu.evidence.travel_kinds import ZoneLevel
from tianfu.evidence.zones import NewZone, Zone
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose
from tianfu.policy import publish as publishing
from tianfu.services.installation import installed_database

_DECLARE_EPILOG: Final = """\b
FILE is TOML:
  zone = "CD-2022-0831-01"
  name = { zh = "锦江区某街道", en = "a subdistrict of Jinjiang" }
  level = "high"
  since = 2022-08-31T18:00:00+08:00
  last_infection_at = 2022-08-31T09:00:00+08:00
  divisions = ["510104"]
  polygon = [[104.05, 30.62], [104.09, 30.62], [104.09, 30.66], [104.05, 30.66]]   # longitude, latitude

\b
Example:
  tianfu zone declare area.toml --by li.na --approved-by wang.wei
"""
_LEVEL_EPILOG: Final = """\b
Examples:
  tianfu zone level CD-2022-0831-01 medium --by li.na --approved-by wang.wei
  tianfu zone level CD-2022-0831-01 lifted --by li.na --approved-by wang.wei
"""


class _Name(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zh: str
    en: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An area as it is written down."""

    zone: str
    name: _Name
    level: ZoneLevel
    since: Instant
    divisions: tuple[str, ...] = ()
    polygon: tuple[tuple[float, float], ...] = ()
    last_infection_at: Instant | None = None


@click.group()
def command() -> None:
    """Risk areas: declare, lower, lift, list."""


@command.command(epilog=_DECLARE_EPILOG)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--by", "stated_by", required=True, help="Who states it.")
@click.option("--approved-by", required=True, help="Who approves; another person.")
def declare(file: Path, stated_by: str, approved_by: str) -> None:
    """Declare the area in FILE. Everybody with a stay in it is decided anew within seconds."""
    new = _read(file)
    at = SystemClock().now()
    with _database() as database, database.write(Purpose.BATCH) as write:
        people = zones.declare(write, new, stated_by=stated_by, approved_by=approved_by, at=at)
    click.echo(f"{new.zone}: {new.level.value} since {new.since.isoformat()}; {people:,} people with a stay there")


@command.command(epilog=_LEVEL_EPILOG)
@click.argument("zone")
@click.argument("level", type=click.Choice([level.value for level in ZoneLevel]))
@click.option("--since", type=InstantParameter(), help="With offset; now when left out.")
@click.option("--last-infection", type=InstantParameter(), help="The last infection found there, if there is news.")
@click.option("--by", "stated_by", required=True, help="Who states it.")
@click.option("--approved-by", required=True, help="Who approves; another person.")
def level(
    zone: str, level: str, since: datetime | None, last_infection: datetime | None, stated_by: str, approved_by: str
) -> None:
    """Give ZONE a new LEVEL; `lifted` frees its people the same day."""
    at = SystemClock().now()
    with _database() as database, database.write(Purpose.BATCH) as write:
        people = zones.change_level(
            write,
            zone,
            ZoneLevel(level),
            since=since or at,
            stated_by=stated_by,
            approved_by=approved_by,
            at=at,
            last_infection_at=last_infection,
        )
    click.echo(f"{zone}: {level}; {people:,} people with a stay there are decided anew")


@command.command(name="list")
@click.option("--at", type=InstantParameter(), help="As of this instant; now when left out.")
@click.option("--all", "with_lifted", is_flag=True, help="Lifted ones too.")
def list_zones(at: datetime | None, *, with_lifted: bool) -> None:
    """List the areas and their levels."""
    with _database() as database, database.read(Purpose.OPERATOR) as read:
        found = [
            item
            for item in zones.in_force(read, at or SystemClock().now())
            if with_lifted or item.level is not ZoneLevel.LIFTED
        ]
    if not found:
        click.echo("there is no risk area")
    for item in found:
        click.echo(f"{item.zone:<24} {item.level.value:<10} since {item.since.isoformat()}  {item.name_zh}")


@command.command()
@click.option("--at", type=InstantParameter(), help="As of this instant; now when left out.")
def due(at: datetime | None) -> None:
    """List the areas that the rule set in force would lower by now; nothing is changed."""
    now = at or SystemClock().now()
    with _database() as database, database.read(Purpose.OPERATOR) as read:
        steps = {step.level: step for step in publishing.in_force(read, now).rule_set.zone}
        found = zones.in_force(read, now)
    lines = 0
    for item in found:
        step = steps.get(item.level)
        if step is not None and _clean_since(item) + timedelta(days=step.clean_days) <= now:
            lines += 1
            clean_days = (now - _clean_since(item)).days
            click.echo(f"{item.zone:<24} {item.level.value} -> {step.becomes.value}  {clean_days} days clean")
    if not lines:
        click.echo("no area is due")


def _clean_since(item: Zone) -> datetime:
    """From when on the days without an infection count: the last infection, and not before the present level."""
    return item.since if item.last_infection_at is None else max(item.since, item.last_infection_at)


def _read(file: Path) -> NewZone:
    try:
        told = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), _File)
        drawn = polygon.cells_of(told.polygon) if told.polygon else frozenset()
    except (OSError, ValueError, RecursionError, msgspec.ValidationError) as error:
        fault = Fault(str(file), "file", f"文件有误：{error}", f"cannot be used: {error}")
        raise InputInvalidError(faults=(fault,)) from error
    return NewZone(
        zone=told.zone,
        name_zh=told.name.zh,
        name_en=told.name.en,
        level=told.level,
        since=told.since,
        divisions=told.divisions,
        cells=drawn,
        polygon=msgspec.json.encode(told.polygon).decode() if told.polygon else None,
        last_infection_at=told.last_infection_at,
    )


@contextmanager
def _database() -> Iterator[Database]:
    with installed_database(settings.load()) as database:
        yield database
