"""One budget: what is measured, what it should reach, and what came out beside the baseline of the same run."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Final, NamedTuple

from bench import process
from bench.load import Load
from bench.stage import Stage
from bench.world import World

# A generator this busy may itself be the limit; the line says so.
BUSY_MAX: Final = 0.95
# A server that used less of its core than this waited for something, or had to share the core.
CORE_USED_MIN: Final = 0.8
Requests = Callable[[World], list[bytes]]
HEADERS: Final = (
    b"Host: localhost:8000\r\nUser-Agent: bench\r\nAccept: application/json\r\n"
    b"Accept-Language: zh-CN,zh;q=0.9,en;q=0.8\r\n"
)


class Budget(NamedTuple):
    """What to reach, `ratio_target` of the baseline included (0 for none). `requests` is called before each round."""

    name: str
    sentence: str
    target: int
    ratio_target: float
    requests: Requests


class Figure(NamedTuple):
    """The median round of one budget, in answers a second on one core."""

    name: str
    figure: int
    unit: str
    target: int
    verdict: str
    baseline: int
    ratio: float
    ratio_target: float
    cpu_us: float
    baseline_cpu_us: float
    p50_ms: float
    p99_ms: float
    refused: int
    note: str

    def fields(self) -> dict[str, object]:
        """For machines."""
        return self._asdict()

    def text(self) -> str:
        """For a terminal."""
        target = f"target {self.target:,}" + (f" and ratio {self.ratio_target}" if self.ratio_target else "")
        refused = f"  {self.refused} REFUSED" if self.refused else ""
        note = f"  ({self.note})" if self.note else ""
        return (
            f"{self.name:<10} {self.figure:>8,} {self.unit}  {target}  {self.verdict}  "
            f"baseline {self.baseline:,}  ratio {self.ratio:.2f}  "
            f"cpu {self.cpu_us:.1f} µs (baseline {self.baseline_cpu_us:.1f})  "
            f"p50 {self.p50_ms} ms  p99 {self.p99_ms} ms{refused}{note}"
        )


def measure(budget: Budget, stage: Stage) -> Figure:
    """Alternate rounds on the gate and on the baseline, so that both see the same neighbours; take the medians."""
    rounds: list[Load] = []
    baselines: list[Load] = []
    for _ in range(stage.rounds):
        requests = budget.requests(stage.world)
        rounds.append(process.load(stage.gate, requests, stage.seconds))
        baselines.append(process.load(stage.hello, requests, stage.seconds))
    middle = median(rounds)
    baseline = statistics.median(load.per_second for load in baselines)
    ratio = middle.per_second / baseline if baseline else 0.0
    refused = sum(load.refused for load in rounds)
    is_met = middle.per_second >= budget.target and ratio >= budget.ratio_target and refused == 0
    return Figure(
        name=budget.name,
        figure=round(middle.per_second),
        unit="answers/s/core",
        target=budget.target,
        verdict="met" if is_met else "below",
        baseline=round(baseline),
        ratio=round(ratio, 2),
        ratio_target=budget.ratio_target,
        cpu_us=round(middle.cpu_us, 1),
        baseline_cpu_us=round(statistics.median(load.cpu_us for load in baselines), 1),
        p50_ms=round(middle.p50_ms, 2),
        p99_ms=round(middle.p99_ms, 2),
        refused=refused,
        note=limits(middle, [*rounds, *baselines]),
    )


def median(rounds: list[Load]) -> Load:
    """The round with the middle rate."""
    return sorted(rounds)[len(rounds) // 2]


def limits(middle: Load, rounds: list[Load]) -> str:
    """What a reader must know of a figure: a generator that was busy itself, a server that had not its whole core."""
    notes = []
    if (busiest := max(load.busy for load in rounds)) > BUSY_MAX:
        notes.append(f"the load generator was {busiest:.0%} busy")
    if (used := middle.cpu_us * middle.per_second / 1e6) < CORE_USED_MIN:
        notes.append(f"the server used {used:.0%} of its core")
    return ", ".join(notes)


def get(path: str, cookie: str, more: bytes = b"") -> bytes:
    """A GET request with a session; `more` are further header lines."""
    return b"GET %b HTTP/1.1\r\n%b%bCookie: %b\r\n\r\n" % (path.encode(), HEADERS, more, cookie.encode())


def post(path: str, cookie: str, body: bytes, more: bytes = b"") -> bytes:
    """A POST request of JSON with a session; `more` are further header lines."""
    return (
        b"POST %b HTTP/1.1\r\n%b%bOrigin: http://localhost:8000\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\nCookie: %b\r\n\r\n%b"
    ) % (path.encode(), HEADERS, more, len(body), cookie.encode(), body)
