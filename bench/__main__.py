"""Measures the budgets named (all by default) and prints one line each: `python -m bench [NAME …] [--json]`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench import board, check, city_codes, decide, intake, latency, process, scan, show
from bench.budget import Budget, Figure, measure
from bench.plain import Line
from bench.world import build

BUDGETS: Final = {budget.name: budget for budget in (show.BUDGET, scan.BUDGET, check.BUDGET)}
PEOPLE: Final = 1_000_000
SECONDS: Final = 5.0
# What needs no gate: each measures itself, in a minute at most.
PLAIN: Final[dict[str, Callable[[], Line]]] = {
    "decide": decide.measure,
    "intake": intake.measure,
    "feed-latency": latency.measure,
}


def main() -> int:
    """Run; the exit code is 0 even when a figure is below its target, which the line says."""
    if sys.argv[1:2] == [city_codes.NAME]:
        # A load into a server of its own, measured in rows and not in answers.
        return city_codes.main(sys.argv[2:])
    if sys.argv[1:2] == [board.NAME]:
        return board.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="tianfu bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join([*BUDGETS, *PLAIN]))
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--people", type=int, default=PEOPLE, help="on the board")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each round")
    arguments = parser.parse_args()
    names = arguments.names or [*BUDGETS, *PLAIN]
    if unknown := [name for name in names if name not in BUDGETS and name not in PLAIN]:
        parser.error(f"no such budget: {', '.join(unknown)}; there are {', '.join([*BUDGETS, *PLAIN])}")
    if chosen := [BUDGETS[name] for name in names if name in BUDGETS]:
        for figure in _figures(chosen, people=arguments.people, seconds=arguments.seconds):
            _say(json.dumps(figure._asdict()) if arguments.json else _line(figure))
    for name in names:
        if name in PLAIN:
            sys.stderr.write(f"measuring {name} …\n")
            line = PLAIN[name]()
            _say(json.dumps(line.fields()) if arguments.json else line.text())
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _figures(budgets: list[Budget], *, people: int, seconds: float) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="tianfu-bench-") as folder:
        sys.stderr.write(f"building a board of {people:,} people …\n")
        world = build(Path(folder), people=people)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TIANFU_")}
        environment |= {"TIANFU_VAR": folder}
        figures = []
        with (
            process.server("bench.hello", environment=environment) as hello,
            process.server("tianfu.services.gate", "--port", environment=environment) as gate,
        ):
            for budget in budgets:
                sys.stderr.write(f"measuring {budget.name}: {budget.sentence} …\n")
                figures.append(measure(budget, world, gate=gate, hello=hello, seconds=seconds))
        return figures


def _line(figure: Figure) -> str:
    target = f"target {figure.target:,}" + (f" and ratio {figure.ratio_target}" if figure.ratio_target else "")
    refused = f"  {figure.refused} REFUSED" if figure.refused else ""
    note = f"  ({figure.note})" if figure.note else ""
    return (
        f"{figure.name:<6} {figure.figure:>8,} {figure.unit}  {target}  {figure.verdict}  "
        f"baseline {figure.baseline:,}  ratio {figure.ratio:.2f}  "
        f"cpu {figure.cpu_us:.1f} µs (baseline {figure.baseline_cpu_us:.1f})  "
        f"p50 {figure.p50_ms} ms  p99 {figure.p99_ms} ms{refused}{note}"
    )


if __name__ == "__main__":
    sys.exit(main())
