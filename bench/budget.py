"""One budget: what is measured, what it should reach, and what came out beside the baseline of the same run."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Final, NamedTuple

from bench import process
from bench.load import Load
from bench.process import Server
from bench.world import World

ROUNDS: Final = 3
# A generator this busy may itself be the limit; the line says so.
BUSY_MAX: Final = 0.95
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


def measure(budget: Budget, world: World, *, gate: Server, hello: Server, seconds: float) -> Figure:
    """Alternate rounds on the gate and on the baseline, so that both see the same neighbours; take the medians."""
    rounds: list[Load] = []
    baselines: list[Load] = []
    for _ in range(ROUNDS):
        requests = budget.requests(world)
        rounds.append(process.load(gate, requests, seconds))
        baselines.append(process.load(hello, requests, seconds))
    middle = sorted(rounds)[ROUNDS // 2]
    baseline = statistics.median(load.per_second for load in baselines)
    ratio = middle.per_second / baseline
    refused = sum(load.refused for load in rounds)
    is_met = middle.per_second >= budget.target and ratio >= budget.ratio_target and refused == 0
    busiest = max(load.busy for load in (*rounds, *baselines))
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
        note=f"the load generator was {busiest:.0%} busy" if busiest > BUSY_MAX else "",
    )


def get(path: str, cookie: str) -> bytes:
    """A GET request with a session."""
    return b"GET %b HTTP/1.1\r\n%bCookie: %b\r\n\r\n" % (path.encode(), HEADERS, cookie.encode())


def post(path: str, cookie: str, body: bytes) -> bytes:
    """A POST request of JSON with a session."""
    return (
        b"POST %b HTTP/1.1\r\n%bOrigin: http://localhost:8000\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\nCookie: %b\r\n\r\n%b"
    ) % (path.encode(), HEADERS, len(body), cookie.encode(), body)
