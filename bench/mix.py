"""What people ask of a gate on a busy morning, through which channels, and what it costs the gate.

93 displays to 7 scans, as on Sichuan's day with 253 million displays and 19 million scans; guards check codes. What an
operation costs is measured: 1/C of a second on one core, where C is how many a second it can do of that alone.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from bench import check, process, scan, show
from bench.budget import Requests
from bench.load import Load
from bench.process import Server
from bench.world import World

# Enough that few come twice in two seconds of the closed loop or among the crowd's guards; signed in a second.
_CODES: Final = 20_000
OPERATIONS: Final[dict[str, Requests]] = {
    "show": show.requests,
    "scan": scan.requests,
    "check": partial(check.requests, count=_CODES),
}
# The part of each channel of the connections and of the wishes.
CHANNELS: Final = {"wechat": 0.45, "alipay": 0.25, "app": 0.15, "web": 0.1, "guard": 0.05}
GUARDS: Final = "guard"
_SCANS_IN_100: Final = 7
_ROUND_SECONDS_MAX: Final = 2.0

Tagged = Sequence[tuple[str, bytes]]


class Capacity:
    """How many answers a second the gate gives of each operation alone, in the closed loop."""

    def __init__(self) -> None:
        """Nothing is known before the first round."""
        self._rounds: dict[str, list[Load]] = {name: [] for name in OPERATIONS}

    def add_round(self, gate: Server, world: World, seconds: float) -> None:
        """Measure each operation once more, two seconds at most."""
        for name, loads in self._rounds.items():
            loads.append(process.load(gate, OPERATIONS[name](world), min(seconds, _ROUND_SECONDS_MAX)))

    @property
    def rates(self) -> dict[str, float]:
        """The median of the rounds; a refusal is no answer."""
        return {
            name: statistics.median((load.answers - load.refused) / load.seconds for load in loads)
            for name, loads in self._rounds.items()
        }

    @property
    def core_used(self) -> float:
        """The part of its core that the gate used on average, 0 to 1."""
        return statistics.mean(load.cpu_us * load.per_second / 1e6 for loads in self._rounds.values() for load in loads)

    def text(self) -> str:
        """For a person."""
        rates = ", ".join(f"{name} {rate:,.0f}/s" for name, rate in self.rates.items())
        return f"capacity alone: {rates}, with {self.core_used:.0%} of the core"


def requests(world: World) -> dict[str, Tagged]:
    """The requests of each channel, each with its operation, in the mix."""
    made = {name: make(world) for name, make in OPERATIONS.items()}
    return {name: _tagged(name, world, made) for name in CHANNELS}


def seconds_each(tagged: Tagged, rates: Mapping[str, float]) -> float:
    """What a request of `tagged` costs the gate on average."""
    return sum(1 / rates[name] for name, _ in tagged) / len(tagged)


def _tagged(channel: str, world: World, made: Mapping[str, list[bytes]]) -> Tagged:
    if channel == GUARDS:
        return [("check", request) for request in made["check"]]
    # The session says through which entry its holder came; there is one request of either kind for each session.
    of_channel = [number for number, name in enumerate(world.channels) if name == channel]
    shows, scans = ([made[kind][number] for number in of_channel] for kind in ("show", "scan"))
    count = len(scans) * _SCANS_IN_100 // 100
    tagged = [("show", request) for request in shows[count:]]
    # Scans at even distances among the displays.
    for place in range(count):
        tagged.insert(place * 100 // _SCANS_IN_100, ("scan", scans[place]))
    return tagged
