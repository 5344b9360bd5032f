"""How long an answer takes at 80 % of the rate that the gate is to reach: open loop, charged from the intended instant.

The baseline is the smallest JSON answer of the same server at the same rate.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from bench import check, open_loop, process, scan, show
from bench.budget import Budget
from bench.generator import Working
from bench.open_loop import Steady
from bench.plain import Line
from bench.process import Server
from bench.stage import Stage

P99_MS_MAX: Final = 10.0
SHARE: Final = 0.8
# A generator that sends this late by itself has made the latency that it measured.
LATE_MS_MAX: Final = 1.0


class Pace(NamedTuple):
    """One budget at a part of its target."""

    name: str
    budget: Budget

    @property
    def rate(self) -> int:
        """Requests a second."""
        return round(self.budget.target * SHARE)

    @property
    def sentence(self) -> str:
        """For a person who waits."""
        return f"{self.budget.sentence}, at {self.rate:,}/s"


PACES: Final = (
    Pace("show-p99", show.BUDGET),
    Pace("scan-p99", scan.BUDGET),
    Pace("check-p99", check.BUDGET),
)


def measure(pace: Pace, stage: Stage) -> Line:
    """The median round by its 99th percentile; a refusal or an answer that never came makes it `below`."""
    rounds: list[Steady] = []
    baselines: list[Steady] = []
    for _ in range(stage.rounds):
        requests = pace.budget.requests(stage.world)
        rounds.append(_round(stage.gate, requests, pace.rate, stage.seconds))
        baselines.append(_round(stage.hello, requests, pace.rate, stage.seconds))
    middle, baseline = _median(rounds), _median(baselines)
    refused = sum(steady.refused for steady in rounds)
    unanswered = sum(steady.unanswered for steady in rounds)
    notes = [f"p50 {middle.p50_ms:.2f} ms, worst {middle.worst_ms:.0f} ms"]
    notes += [f"{refused} refused"] * bool(refused) + [f"{unanswered} unanswered"] * bool(unanswered)
    if (late := max(steady.late_ms for steady in (*rounds, *baselines))) > LATE_MS_MAX:
        notes.append(f"the load generator was {late:.1f} ms late itself")
    return Line(
        name=pace.name,
        figure=round(middle.p99_ms, 2),
        unit=f"ms, 99th percentile at {pace.rate:,}/s",
        target=P99_MS_MAX,
        is_met=middle.p99_ms <= P99_MS_MAX and refused == 0 and unanswered == 0,
        baseline=f"hello at the same rate {baseline.p99_ms:.2f} ms",
        note=", ".join(notes),
    )


def _round(server: Server, requests: list[bytes], rate: float, seconds: float) -> Steady:
    result: Steady = Working(process.cores()[1], open_loop.run, server.port, requests, rate, seconds).result()
    return result


def _median(rounds: list[Steady]) -> Steady:
    return sorted(rounds, key=lambda steady: steady.p99_ms)[len(rounds) // 2]
