"""`tianfu bench`: the budgets, each measured against a baseline in the same run."""

from __future__ import annotations

import subprocess
import sys

import click

from tianfu.platform.settings import PROJECT_ROOT


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--quick", is_flag=True, help="One short round of each with 100,000 people: rough figures, in minutes.")
@click.option("--people", type=click.IntRange(1_000, 200_000_000), help="On the board measured; 1 million by default.")
@click.option("--seconds", type=click.FloatRange(0.1, 60), help="Of each of the three rounds; 5 by default.")
@click.option("--storm-seconds", type=click.FloatRange(0.5, 70), help="Of the crowd in overload; 60 by default.")
def command(
    names: tuple[str, ...],
    *,
    as_json: bool,
    quick: bool,
    people: int | None,
    seconds: float | None,
    storm_seconds: float | None,
) -> None:
    """Measure the budgets named, all by default.

    At the gate: show, show-valid, scan, check; usual (the stack that most teams would build, which needs `make
    bench`); show-p99, scan-p99, check-p99 (at 80 % of the target rates); two (gates on two cores); overload (ten times
    the capacity); flood (of one entry). Without a gate: decide, screen, roll, intake,
    feed-latency, lists. A whole system: positive-to-list (from a laboratory's file to the list of contacts).

    A line each: figure, unit, target, met or below, and the baseline of the same run, which for the gate is the
    smallest JSON answer of the same server. The gate has one core to itself and the load generator another; intake
    has all that the machine has. Anything else that runs lowers the figures. The exit code is 0 also when a figure is
    below its target. Measured when named alone: `board`, of which a whole province, 150 million people, takes 8 GB of
    the folder for temporary files; `city-codes`; `trace`, two weeks of a province against DuckDB, 6 GB, and
    `trace-billion`, 16 GB.
    """
    arguments = [*names, *(["--json"] if as_json else []), *(["--quick"] if quick else [])]
    for option, value in (("--people", people), ("--seconds", seconds), ("--storm-seconds", storm_seconds)):
        arguments += [] if value is None else [option, str(value)]
    finished = subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=PROJECT_ROOT, check=False)
    sys.exit(finished.returncode)
