"""`tianfu synth county`: the files of a synthetic county, the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import click


@click.group(help="Write synthetic people and their departments' files. Nobody in them exists.")
def command() -> None:
    """Group of the generators."""


@command.command("county")
@click.option("--people", default=2_000, show_default=True, type=click.IntRange(1, 1_000_000), help="How many people.")
@click.option("--seed", default=1, show_default=True, type=int, help="Same seed, size and hour: same files.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write to.")
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
