"""`tianfu synth`: a synthetic province or county, the same for the same seed; the drill; the comparison."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_OUT = click.Path(file_okay=False, path_type=Path)


@click.group(
    invoke_without_command=True,
    help="Write a synthetic province and its outbreak. Nobody in it exists.\n\n"
    "tianfu synth --people 20000 --days 14 --seed 1 --out var/synth",
)
@click.option("--people", type=click.IntRange(1, 2**28 - 2), help="How many people.")
@click.option("--days", default=14, show_default=True, type=click.IntRange(1, 60), help="How many days.")
@click.option("--seed", default=1, show_default=True, type=int, help="Same seed and options: same files.")
@click.option("--out", type=_OUT, help="Folder to write to; it must be empty.")
@click.option("--place", default="510117", show_default=True, help="Where they live: 51, a prefecture or a county.")
@click.option("--first-day", default="2022-03-01", show_default=True, type=_DAY, help="First of the days.")
@click.option("--festival", default=None, type=_DAY, help="First day of Spring Festival, for its travel.")
@click.option("--imported", default=3, show_default=True, type=click.IntRange(0, 1000), help="How many come infected.")
@click.option("--vigour", default=2.0, show_default=True, type=float, help="1 the first strain, 2 about Delta.")
@click.option(
    "--faults/--no-faults",
    default=True,
    show_default=True,
    help="Files late, doubled, mangled, cut and empty among the feeds.",
)
@click.option("--visits-csv", is_flag=True, help="Also visits.csv and cases.csv for tianfu trace files.")
@click.option("--arrays-only", is_flag=True, help="Scans only, as the lake's arrays: for a whole province.")
@click.option("--scans-a-day", default=19_040_000, show_default=True, type=int, help="With --arrays-only.")
@click.pass_context
def command(ctx: click.Context, /, **options: object) -> None:
    """Write a province when no command of the group is named."""
    if ctx.invoked_subcommand is not None:
        return
    if options["people"] is None or options["out"] is None:
        message = "--people and --out are needed; see tianfu synth --help"
        raise click.UsageError(message, ctx)
    from tianfu.cli import synth_province

    synth_province.write(options)


@command.command("county")
@click.option("--people", default=2_000, show_default=True, type=click.IntRange(1, 1_000_000), help="How many people.")
@click.option("--seed", default=1, show_default=True, type=int, help="Same seed, size and hour: same files.")
@click.option("--out", required=True, type=_OUT, help="Folder to write to.")
@click.option("--at", "at_text", default=None, help="Instant the files are made for, ISO 8601 with offset; now.")
def county(*, people: int, seed: int, out: Path, at_text: str | None) -> None:
    """Write people.csv, lab.csv, cases.csv and contacts.csv of a county."""
    from tianfu.clock import SystemClock, parse_instant, shanghai_day
    from tianfu.synth import county as synthetic
    from tianfu.synth import outbreak

    try:
        at = parse_instant(at_text) if at_text else SystemClock().now().replace(minute=0, second=0, microsecond=0)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--at") from error
    made = synthetic.make(people=people, seed=seed, today=shanghai_day(at))
    files = outbreak.make(made, seed=seed, at=at).files
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in {"people": outbreak.people_rows(made.people), **files}.items():
        path = out / f"{name}.csv"
        path.write_text(outbreak.csv_text(rows), encoding="utf-8")
        click.echo(f"{path}: {len(rows)} rows")


@command.command("drill")
@click.option("--seeds", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many outbreaks.")
@click.option("--out", required=True, type=_OUT, help="Folder for drill.txt, drill.html and drill.json.")
@click.option("--people", default=1_000_000, show_default=True, type=click.IntRange(1_000, 5_000_000))
@click.option("--place", default="510117", show_default=True, help="Where the outbreak is.")
@click.option("--funnel", "funnels", multiple=True, help="Funnel of policies/tracing/funnels; each of several.")
@click.option("--rules", default=None, help="Tracing rule set; that in force on the day.")
def drill(*, seeds: int, out: Path, people: int, place: str, funnels: tuple[str, ...], rules: str | None) -> None:
    """Screen simulated outbreaks and score the funnel against the truth.

    tianfu synth drill --seeds 20 --out var/drill
    """
    from tianfu.cli import synth_province

    lost = synth_province.drill(seeds, out, people=people, place=place, funnels=funnels, rules_name=rules)
    if lost:
        click.echo(f"{lost} later positives that a source could have seen were lost", err=True)
        sys.exit(1)


@command.command("compare")
@click.option("--people", default=20_000, show_default=True, type=click.IntRange(1_000, 500_000), help="How many.")
@click.option("--days", default=14, show_default=True, type=click.IntRange(1, 60), help="How many days.")
@click.option("--seed", default=1, show_default=True, type=int, help="Same seed: same figures.")
@click.option("--index-people", default=200, show_default=True, type=click.IntRange(1, 10_000), help="Whose contacts.")
def compare(*, people: int, days: int, seed: int, index_people: int) -> None:
    """Compare the synthetic visits with published figures.

    tianfu synth compare --people 20000
    """
    from tianfu.cli import synth_province

    synth_province.compare(people, days, seed, index_people=index_people)
