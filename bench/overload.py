"""Ten times what the gate can do, for a minute: how much of it is done, how fast, in how much memory, how soon over.

Of each operation the capacity is measured first, alone and in a closed loop. Then a crowd (`bench.crowd`) on some
thousand connections wishes for ten times that, in the mix of a busy morning and through all channels; a part of the
connections is rude. What must hold:

- goodput: each answer counts by what it costs, an answer of an operation with capacity C as 1/C of a second; their
  sum over the time is at least 90 % (so serving only what is cheap brings nothing);
- the 99th percentile of admitted requests, from the instant they were sent, is at most 50 ms. Requests that a rude
  client sent while it had been told to stay away are counted apart, from the end of that time;
- memory that is not a mapped file grows by at most 10 % from a sixth of the time on (before, it takes in
  the crowd's connections) to its highest;
- recovery: at most 2 s after the crowd has gone begins the first second in which new clients, at half the capacity of
  `show`, see the usual 99th percentile again: at most twice what it was before, or 10 ms, and a refusal is neither.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from bench import crowd, mix, open_loop, process, show
from bench.crowd import Channel, Storm
from bench.generator import Working
from bench.load import share
from bench.mix import Capacity, Tagged
from bench.open_loop import Steady
from bench.plain import Line
from bench.process import Memory, Server
from bench.stage import Stage

NAME: Final = "overload"
SECONDS: Final = 60.0
TIMES: Final = 10
CONNECTIONS: Final = 2_000
POLITE: Final = 0.5
GOODPUT_MIN: Final = 0.9
P99_MS_MAX: Final = 50.0
GROWTH_MAX: Final = 0.1
RECOVERY_SECONDS_MAX: Final = 2.0

_GATE_NUMBER: Final = 21
_PROBE_SECONDS: Final = 2.0
_WATCHED_SECONDS: Final = 5.0
_WINDOW_SECONDS: Final = 0.1
_WINDOWS_OF_A_SECOND: Final = 10
_USUAL_TIMES: Final = 2
_USUAL_MS_MIN: Final = 10.0
# More than this of the capacity says that capacity was measured too low, beside other work.
_BELIEVED_MAX: Final = 1.25
_SETTLED: Final = 1 / 6
_LOOK_SECONDS: Final = 0.25
_START_SECONDS: Final = 3.0
_MIB: Final = 2**20


class Look(NamedTuple):
    """The gate at an instant (`time.perf_counter`)."""

    at: float
    memory: Memory
    cpu_seconds: float


class Outcome(NamedTuple):
    """Everything that was measured."""

    capacity: Capacity
    storm: Storm
    goodput: float
    p99_ms: float
    growth: float
    recovery_seconds: float
    normal_p99_ms: float
    memory: tuple[Memory, Memory, Memory]
    core_used: float

    @property
    def is_met(self) -> bool:
        """Whether all four hold, and nothing failed otherwise."""
        return (
            GOODPUT_MIN <= self.goodput <= _BELIEVED_MAX
            and self.p99_ms <= P99_MS_MAX
            and self.growth <= GROWTH_MAX
            and self.recovery_seconds <= RECOVERY_SECONDS_MAX
            and not self.storm.failed
        )


def measure(stage: Stage) -> Line:
    """On a gate of its own, whose memory nobody has used before."""
    with stage.another_gate(_GATE_NUMBER) as gate:
        return _line(_outcome(gate, stage))


def _outcome(gate: Server, stage: Stage) -> Outcome:
    capacity = Capacity()
    for _ in range(2):
        capacity.add_round(gate, stage.world, stage.seconds)
    displays, usual = show.requests(stage.world), capacity.rates["show"] / 2
    core = process.cores()[1]
    normal: Steady = Working(core, open_loop.run, gate.port, displays, usual, _PROBE_SECONDS).result()
    before = gate.memory()
    working = Working(
        core,
        storm_and_after,
        gate.port,
        _channels(mix.requests(stage.world), capacity.rates),
        seconds=stage.storm_seconds,
        begin_at=time.perf_counter() + _START_SECONDS,
        after=(displays, usual),
    )
    looks = [Look(at, gate.memory(), gate.cpu_seconds()) for at in working.looks(_LOOK_SECONDS)]
    storm, after = working.result()
    capacity.add_round(gate, stage.world, stage.seconds)
    rates = capacity.rates
    settled_at = storm.ended_at - storm.seconds * (1 - _SETTLED)
    during = [look for look in looks if settled_at <= look.at <= storm.ended_at]
    first, last = during[0], during[-1]
    settled, most = first.memory, max((look.memory for look in during), key=lambda memory: memory.own)
    return Outcome(
        capacity=capacity,
        storm=storm,
        goodput=sum(count / rates[name] for name, count in storm.admitted.items()) / storm.seconds,
        p99_ms=share(all_latencies(storm), 0.99) * 1000,
        growth=most.own / settled.own - 1,
        recovery_seconds=recovery(after, storm.ended_at, max(_USUAL_TIMES * normal.p99_ms, _USUAL_MS_MIN) / 1000),
        normal_p99_ms=normal.p99_ms,
        memory=(before, settled, most),
        core_used=(last.cpu_seconds - first.cpu_seconds) / max(_LOOK_SECONDS, last.at - first.at),
    )


def storm_and_after(
    port: int,
    channels: Sequence[Channel],
    *,
    seconds: float,
    begin_at: float,
    after: tuple[list[bytes], float],
) -> tuple[Storm, Steady]:
    """The crowd, and at once after it a usual load of `after`: requests and how many of them a second."""
    storm = crowd.run(port, channels, seconds=seconds, begin_at=begin_at)
    return storm, open_loop.run(port, *after, _WATCHED_SECONDS, warm_up=0)


def recovery(after: Steady, ended_at: float, limit_seconds: float) -> float:
    """Seconds from the end of the crowd to the first whole second whose 99th percentile is usual.

    A refusal is unusual. `_WATCHED_SECONDS` when there was no such second.
    """
    windows: dict[int, list[float]] = {}
    for sent_at, lag in after.lags:
        windows.setdefault(int((sent_at - ended_at) / _WINDOW_SECONDS), []).append(lag)
    for first in range(max(windows) + 2 - _WINDOWS_OF_A_SECOND):
        second = [lag for window in range(first, first + _WINDOWS_OF_A_SECOND) for lag in windows.get(window, [])]
        if share(sorted(second), 0.99) <= limit_seconds:
            return first * _WINDOW_SECONDS
    return _WATCHED_SECONDS


def all_latencies(storm: Storm) -> list[float]:
    """Of every channel, sorted."""
    return sorted(chain.from_iterable(storm.latencies.values()))


def _channels(requests: Mapping[str, Tagged], rates: Mapping[str, float]) -> list[Channel]:
    cost = sum(part * mix.seconds_each(requests[name], rates) for name, part in mix.CHANNELS.items())
    return [
        Channel(name, round(CONNECTIONS * part), requests[name], TIMES / cost * part, POLITE)
        for name, part in mix.CHANNELS.items()
    ]


def _line(outcome: Outcome) -> Line:
    storm = outcome.storm
    answers = sum(storm.admitted.values())
    refused = sum(storm.refused.values())
    mib = [f"{memory.own / _MIB:.0f} ({memory.resident / _MIB:.0f} resident)" for memory in outcome.memory]
    p50_ms, held_ms = share(all_latencies(storm), 0.5) * 1000, share(sorted(storm.held), 0.99) * 1000
    notes = [
        f"{sum(storm.wishes.values()) / storm.seconds:,.0f} wishes/s, {storm.sent / storm.seconds:,.0f} sent/s",
        f"{answers / storm.seconds:,.0f} answered/s ({_counts(storm.admitted)}; {_counts(storm.served)})",
        f"{refused / storm.seconds:,.0f} refused/s ({_counts(storm.refused)})",
        f"{storm.closed} closed",
        *(["MEASURED BESIDE OTHER WORK, capacity too low"] if outcome.goodput > _BELIEVED_MAX else []),
        *([f"FAILED {_counts(storm.failed)}"] if storm.failed else []),
        f"admitted p50 {p50_ms:.1f} ms, p99 {outcome.p99_ms:.1f} ms of at most {P99_MS_MAX:.0f}",
        f"{len(storm.held):,} held, p99 after the hold {held_ms:.1f} ms",
        f"own memory in MiB {mib[0]} before, {mib[1]} with the crowd, {mib[2]} at most",
        f"growth {outcome.growth:.1%} of at most {GROWTH_MAX:.0%}",
        f"recovery {outcome.recovery_seconds:.1f} s of at most {RECOVERY_SECONDS_MAX:.0f}",
        f"the gate used {outcome.core_used:.0%} of its core",
        f"the load generator was {storm.busy:.0%} busy and had {storm.own_seconds / storm.seconds:.0%} of its core",
    ]
    return Line(
        name=NAME,
        figure=round(outcome.goodput * 100, 1),
        unit=f"% of capacity at {TIMES} times of it for {storm.seconds:.0f} s",
        target=GOODPUT_MIN * 100,
        is_met=outcome.is_met,
        baseline=f"{outcome.capacity.text()}; usual p99 {outcome.normal_p99_ms:.1f} ms",
        note="; ".join(notes),
    )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
