"""Measures the budgets named (all by default) and prints one line each: `python -m bench [NAME …] [--json]`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from bench import (
    board,
    check,
    city_codes,
    comparison,
    decide,
    flood,
    intake,
    latency,
    lists,
    overload,
    positive,
    roll,
    scan,
    screen,
    show,
    steady,
    trace,
    two,
)
from bench.budget import Budget, measure
from bench.plain import Line
from bench.stage import Measured, Stage, stage
from bench.steady import Pace

PEOPLE: Final = 1_000_000
SECONDS: Final = 5.0
ROUNDS: Final = 3
QUICK_PEOPLE: Final = 100_000
QUICK_SECONDS: Final = 1.0
QUICK_STORM_SECONDS: Final = 6.0


def _rate(budget: Budget, at: Stage) -> list[Measured]:
    return [measure(budget, at)]


def _pace(pace: Pace, at: Stage) -> list[Measured]:
    return [steady.measure(pace, at)]


def _storm(at: Stage) -> list[Measured]:
    return [overload.measure(at)]


def _flood(at: Stage) -> list[Measured]:
    return [flood.measure(at)]


# In the order in which they are measured: what leaves the machine as it was comes first, the crowd last.
AT_THE_GATE: Final[dict[str, Callable[[Stage], Iterable[Measured]]]] = {
    **{budget.name: partial(_rate, budget) for budget in (show.BUDGET, show.VALID, scan.BUDGET, check.BUDGET)},
    comparison.NAME: comparison.measure,
    **{pace.name: partial(_pace, pace) for pace in steady.PACES},
    "two": two.measure,
    overload.NAME: _storm,
    flood.NAME: _flood,
}
# What needs no gate: each measures itself, in a minute at most.
PLAIN: Final[dict[str, Callable[[], Line]]] = {
    "decide": decide.measure,
    "screen": screen.measure,
    "roll": roll.measure,
    "intake": intake.measure,
    "feed-latency": latency.measure,
    "lists": lists.measure,
    positive.NAME: positive.measure,
}
# A quick run is about the gate; these take as long as they take.
NOT_QUICK: Final = frozenset({"intake", "feed-latency", "roll", "screen", "lists", positive.NAME})
NAMES: Final = (*AT_THE_GATE, *PLAIN)


def main() -> int:
    """Run; the exit code is 0 even when a figure is below its target, which the line says."""
    if sys.argv[1:2] == [city_codes.NAME]:
        # A load into a server of its own, measured in rows and not in answers.
        return city_codes.main(sys.argv[2:])
    if sys.argv[1:2] == [board.NAME]:
        return board.main(sys.argv[2:])
    if sys.argv[1:2] and sys.argv[1] in trace.NAMES:
        return trace.main(sys.argv[1:])
    parser = argparse.ArgumentParser(prog="tianfu bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="one short round of each, fewer people: rough figures")
    parser.add_argument("--people", type=int, help=f"on the board, {PEOPLE:,} by default")
    parser.add_argument("--seconds", type=float, help=f"of each round, {SECONDS:.0f} by default")
    parser.add_argument("--storm-seconds", type=float, help=f"of the crowd, {overload.SECONDS:.0f} by default")
    arguments = parser.parse_args()
    names = arguments.names or [name for name in NAMES if not (arguments.quick and name in NOT_QUICK)]
    if unknown := [name for name in names if name not in NAMES]:
        parser.error(f"no such budget: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    quick: bool = arguments.quick
    if chosen := [name for name in AT_THE_GATE if name in names]:
        with stage(
            people=arguments.people or (QUICK_PEOPLE if quick else PEOPLE),
            seconds=arguments.seconds or (QUICK_SECONDS if quick else SECONDS),
            rounds=1 if quick else ROUNDS,
            storm_seconds=arguments.storm_seconds or (QUICK_STORM_SECONDS if quick else overload.SECONDS),
        ) as at:
            for name in chosen:
                _measure(name, partial(AT_THE_GATE[name], at), as_json=arguments.json)
    for name in names:
        if name in PLAIN:
            _measure(name, partial(_plain, name), as_json=arguments.json)
    return 0


def _plain(name: str) -> list[Measured]:
    return [PLAIN[name]()]


def _measure(name: str, work: Callable[[], Iterable[Measured]], *, as_json: bool) -> None:
    sys.stderr.write(f"measuring {name} …\n")
    for line in work():
        sys.stdout.write((json.dumps(line.fields(), ensure_ascii=False) if as_json else line.text()) + "\n")
        sys.stdout.flush()
    sys.stderr.write(f"load of the machine {os.getloadavg()[0]:.1f}\n")


if __name__ == "__main__":
    sys.exit(main())
