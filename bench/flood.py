"""Whether one entry that is flooded starves the others.

The web is flooded with ten times what the gate can do, by rude clients alone. The other channels ask for half of what
it can do, politely. Of what they wish at least 90 % must be answered in the same seconds, and their 99th percentile
must be at most 50 ms from the instant of sending, as in `bench.overload`.
"""

from __future__ import annotations

import time
from typing import Final

from bench import crowd, mix, process
from bench.crowd import Channel, Storm
from bench.generator import Working
from bench.load import share
from bench.mix import Capacity
from bench.overload import P99_MS_MAX, TIMES
from bench.plain import Line
from bench.stage import Stage

NAME: Final = "flood"
ANSWERED_MIN: Final = 90.0
FLOODED: Final = "web"
_USUAL: Final = 0.5
_FLOOD_CONNECTIONS: Final = 1_000
_OTHER_CONNECTIONS: Final = 1_000
_SECONDS_MAX: Final = 20.0
_GATE_NUMBER: Final = 22
_START_SECONDS: Final = 3.0


def measure(stage: Stage) -> Line:
    """On a gate of its own, a third of a minute at most."""
    with stage.another_gate(_GATE_NUMBER) as gate:
        capacity = Capacity()
        capacity.add_round(gate, stage.world, stage.seconds)
        storm: Storm = Working(
            process.cores()[1],
            crowd.run,
            gate.port,
            _channels(stage, capacity),
            seconds=min(stage.storm_seconds, _SECONDS_MAX),
            begin_at=time.perf_counter() + _START_SECONDS,
        ).result()
        return _line(storm, capacity)


def _channels(stage: Stage, capacity: Capacity) -> list[Channel]:
    requests, rates = mix.requests(stage.world), capacity.rates
    others = {name: part for name, part in mix.CHANNELS.items() if name != FLOODED}
    whole = sum(others.values())
    cost = sum(part / whole * mix.seconds_each(requests[name], rates) for name, part in others.items())
    flood = TIMES / mix.seconds_each(requests[FLOODED], rates)
    return [
        Channel(FLOODED, _FLOOD_CONNECTIONS, requests[FLOODED], flood, 0.0),
        *(
            Channel(name, round(_OTHER_CONNECTIONS * part / whole), requests[name], _USUAL / cost * part / whole, 1.0)
            for name, part in others.items()
        ),
    ]


def _line(storm: Storm, capacity: Capacity) -> Line:
    names = [name for name in mix.CHANNELS if name != FLOODED]
    answered = {name: storm.served[name] / max(1, storm.wishes[name]) * 100 for name in names}
    p99_ms = {name: share(sorted(storm.latencies[name]), 0.99) * 1000 for name in names}
    least, slowest = min(answered.values()), max(p99_ms.values())
    each = ", ".join(f"{name} {answered[name]:.0f} % p99 {p99_ms[name]:.1f} ms" for name in names)
    flood, seconds = storm.wishes[FLOODED], storm.seconds
    refused = sum(storm.refused[name] for name in names)
    notes = [
        f"{each}, of at most {P99_MS_MAX:.0f} ms; {refused / seconds:,.0f} refused/s",
        f"{FLOODED} {flood / seconds:,.0f} wishes/s, {storm.served[FLOODED] / seconds:,.0f} answered/s",
        f"{FLOODED} {storm.refused[FLOODED] / seconds:,.0f} refused/s",
        *([f"FAILED {dict(storm.failed)}"] if storm.failed else []),
    ]
    return Line(
        name=NAME,
        figure=round(least, 1),
        unit=f"% of the wishes of the least served other channel while {FLOODED} is flooded",
        target=ANSWERED_MIN,
        is_met=least >= ANSWERED_MIN and slowest <= P99_MS_MAX and not storm.failed,
        baseline=capacity.text(),
        note="; ".join(notes),
    )
