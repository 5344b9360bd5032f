"""`tianfu bench`: the budgets, each measured against a baseline in the same run."""

from __future__ import annotations

import subprocess
import sys

import click

from tianfu.platform.settings import PROJECT_ROOT


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--people", type=click.IntRange(1_000, 200_000_000), default=1_000_000, help="On the board measured.")
@click.option("--seconds", type=click.FloatRange(0.1, 60), default=5.0, help="Of each of the three rounds.")
def command(names: tuple[str, ...], *, as_json: bool, people: int, seconds: float) -> None:
    """Measure the budgets named, all by default: show, scan, check, decide, intake, feed-latency.

    A line each: figure, unit, target, met or below, and the baseline of the same run, which for the gate is the
    smallest JSON answer of the same server. The gate has one core to itself and the load generator another; intake
    has all that the machine has. Anything else that runs lowers the figures. The exit code is 0 also when a figure is
    below its target. `board` and `city-codes` are measured when named alone; the board of a whole province, 150 million
    people, takes 8 GB of the folder for temporary files.
    """
    arguments = [*names, "--people", str(people), "--seconds", str(seconds), *(["--json"] if as_json else [])]
    finished = subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=PROJECT_ROOT, check=False)
    sys.exit(finished.returncode)
