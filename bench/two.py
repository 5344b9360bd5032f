"""Two gates on two cores against one gate on one.

Each gate has its own number and journal and reads the same board. With two cores each gate shares its core with the
load generator that asks it, and the one gate that they are compared with does so too. The generator sleeps while it
waits, and what it used itself is taken off the time:

    rate of a gate = answers / (seconds by the clock - processor seconds of its generator)

This is what the core would have given with nobody else on it; time in which a gate waited for the disk or for the
other gate still counts against it. The figure is the sum of both rates over the rate of one gate alone, in percent.
Beside it stand two simpler comparisons: by the clock alone (the generators' cost is the same for each answer, so it
weighs on both sides), and by the gates' processor time alone (answers for each second of it, so without all waiting).
"""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from typing import Final, NamedTuple

from bench import check, load, scan, show
from bench.budget import Budget
from bench.generator import Working
from bench.load import CONNECTIONS, Load
from bench.plain import Line
from bench.process import Server
from bench.stage import Stage

BUDGETS: Final = (show.BUDGET, scan.BUDGET, check.BUDGET)
TARGET: Final = 180
_FIRST_NUMBER: Final = 31
# Two interpreters start and read 50 MB of requests before.
_START_SECONDS: Final = 3.0


class Sum(NamedTuple):
    """What the gates of one round did together."""

    per_second: float
    without_generator: float
    per_processor_second: float
    refused: int


def measure(stage: Stage) -> list[Line]:
    """A line for each operation; none on a machine with one core, where two gates have nothing to run on."""
    usable = sorted(os.sched_getaffinity(0))[:2]
    if len(usable) == 1:
        return []
    with contextlib.ExitStack() as stack:
        gates = [
            (stack.enter_context(stage.another_gate(_FIRST_NUMBER + place, on={core})), core)
            for place, core in enumerate(usable)
        ]
        return [_compare(budget, stage, gates) for budget in BUDGETS]


def _compare(budget: Budget, stage: Stage, gates: list[tuple[Server, int]]) -> Line:
    ones: list[Sum] = []
    twos: list[Sum] = []
    for number in range(stage.rounds):
        # One gate alone on either core in turn, in case one of them is the worse.
        ones.append(_round(budget, stage, [gates[number % len(gates)]]))
        twos.append(_round(budget, stage, gates))
    ratios = [
        statistics.median(two[place] for two in twos) / statistics.median(one[place] for one in ones)
        for place in range(3)
    ]
    by_clock, figure, by_processor = (round(ratio * 100) for ratio in ratios)
    refused = sum(done.refused for done in (*ones, *twos))
    one, two = (statistics.median(done.without_generator for done in rounds) for rounds in (ones, twos))
    return Line(
        name=f"two-{budget.name}",
        figure=figure,
        unit="% of one gate, without the generators' cost",
        target=TARGET,
        is_met=figure >= TARGET and refused == 0,
        baseline=f"one gate {one:,.0f}/s, two {two:,.0f}/s",
        note=f"by the clock {by_clock} %, by the gates' processor time {by_processor} %"
        + (f", {refused} refused" if refused else ""),
    )


def _round(budget: Budget, stage: Stage, gates: list[tuple[Server, int]]) -> Sum:
    requests = [budget.requests(stage.world) for _ in gates]
    begin_at = time.perf_counter() + _START_SECONDS
    before = [gate.cpu_seconds() for gate, _ in gates]
    working = [
        Working(
            {core},
            load.run,
            gate.port,
            requests[place],
            stage.seconds,
            connections=CONNECTIONS,
            sleeping=True,
            begin_at=begin_at,
        )
        for place, (gate, core) in enumerate(gates)
    ]
    loads: list[Load] = [each.result() for each in working]
    used = [gate.cpu_seconds() - start for (gate, _), start in zip(gates, before, strict=True)]
    return Sum(
        per_second=sum(done.per_second for done in loads),
        without_generator=sum(done.answers / (done.seconds - done.own_seconds) for done in loads),
        per_processor_second=sum(done.answers / seconds for done, seconds in zip(loads, used, strict=True)),
        refused=sum(done.refused for done in loads),
    )
