"""What `tianfu synth` does for a province: writing it, the drill, the comparison. Imported when used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Final

import click
import msgspec

from tianfu.clock import monotonic_seconds
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.synth.province import compare as comparison
from tianfu.synth.province import drill as drills
from tianfu.synth.province import drill_report, folder, identities, scale, world
from tianfu.synth.province.model import Settings
from tianfu.synth.province.outbreak import Plan
from tianfu.tracing import rule_files, rules
from tianfu.tracing.screening import funnel_files

FUNNELS: Final = PROJECT_ROOT / "policies" / "tracing" / "funnels"
# The careful one is scored; the quick one beside it shows what it costs to be quick.
DRILL_FUNNELS: Final = ("nobody-by-silence", "wide-to-field")
DRILL_DAYS: Final = 26
# More than any county has: who asks for more means the whole province.
COUNTY_PEOPLE_MAX: Final = 2_000_000
DRILL_FIRST_DAY: Final = date(2021, 10, 11)
DRILL_PLAN: Final = Plan(imported=10, vigour=2.0)


def write(options: Mapping[str, object]) -> None:
    """Write a province as the options of `tianfu synth` say."""
    asked = msgspec.convert({name: _plain(value) for name, value in options.items()}, _Options)
    settings = Settings(
        people=asked.people,
        days=asked.days,
        seed=asked.seed,
        place=asked.place,
        first_day=asked.first_day,
        festival=asked.festival,
    )
    out = Path(asked.out)
    try:
        if asked.arrays_only or asked.people > identities.DOCUMENTS_MAX:
            if not asked.arrays_only:
                click.echo(f"more than {identities.DOCUMENTS_MAX:,} people have no documents: arrays only")
            scale.write(scale.make(_wide(settings)), out, scans=asked.scans_a_day, say=click.echo)
            return
        found = rule_files.in_force(settings.first_day)
        identities.check(settings)
        folder.write(
            world.make(settings),
            Plan(imported=asked.imported, vigour=asked.vigour),
            out,
            reach=rules.reach(found.rules, 1),
            with_faults=asked.faults,
            with_visits=asked.visits_csv,
            say=click.echo,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except FileExistsError as error:
        message = f"{out} is not empty"
        raise click.UsageError(message) from error
    except OSError as error:
        raise _unwritable(out, error) from error
    click.echo(f"{out}: done")


def drill(seeds: int, out: Path, *, people: int, place: str, funnels: tuple[str, ...], rules_name: str | None) -> int:
    """Run the drill; returns how many that could have been seen the first funnel lost."""
    found = rule_files.in_force(DRILL_FIRST_DAY, rules_name)
    chosen = tuple(funnel_files.find(FUNNELS, name).funnel for name in funnels or DRILL_FUNNELS)
    # Before the work of minutes, not after it.
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(out, error) from error
    done: list[drills.Drill] = []
    for seed in range(1, seeds + 1):
        settings = Settings(people=people, days=DRILL_DAYS, seed=seed, place=place, first_day=DRILL_FIRST_DAY)
        made = drills.run(
            settings,
            DRILL_PLAN,
            chosen,
            rules.reach(found.rules, 1),
            look_back_days=found.rules.look_back.days,
            seconds=monotonic_seconds,
        )
        done += made
        lists = ", ".join(f"{step.people:,}" for step in made[0].steps)
        click.echo(f"seed {seed}: {lists}; lost {made[0].lost_named} + {made[0].lost_telecom}")
    text = drill_report.text(done)
    (out / "drill.txt").write_text(text + "\n", encoding="utf-8")
    (out / "drill.html").write_text(drill_report.page(done), encoding="utf-8")
    (out / "drill.json").write_bytes(msgspec.json.format(msgspec.json.encode(done)) + b"\n")
    click.echo(text)
    return sum(one.lost_named + one.lost_telecom for one in done if one.funnel == chosen[0].name)


def compare(people: int, days: int, seed: int, *, index_people: int) -> None:
    """Print the comparison with published figures."""
    made = world.make(Settings(people=people, days=days, seed=seed))
    click.echo(comparison.report(comparison.compare(made, index_people=index_people)))


def _unwritable(out: Path, error: OSError) -> click.UsageError:
    return click.UsageError(f"{out} cannot be written: {os.strerror(error.errno or 0)}")


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `tianfu synth`."""

    people: int
    days: int
    seed: int
    out: str
    place: str
    first_day: date
    festival: date | None
    imported: int
    vigour: float
    faults: bool
    visits_csv: bool
    arrays_only: bool
    scans_a_day: int


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.date()
    return str(value) if isinstance(value, Path) else value


def _wide(settings: Settings) -> Settings:
    """The whole province where no place was named and a county has no room."""
    if settings.people > COUNTY_PEOPLE_MAX and settings.place == Settings(people=1, days=1, seed=1).place:
        return msgspec.structs.replace(settings, place="51")
    return settings
