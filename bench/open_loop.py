"""The open loop: requests at a rate, whether or not the last ones were answered, as people send them.

Each request has the instant at which it was meant to be sent, drawn beforehand (exponential gaps, as of many people
who know nothing of each other). Its latency counts from that instant, so a server that stalls is charged for all who
would have come meanwhile, and not only for those whose connection was free. What was never answered counts with the
time that it had waited when the measurement ended.
"""

from __future__ import annotations

import gc
import math
import random
import select
import socket
import time
from array import array
from collections import deque
from itertools import cycle
from typing import Final, NamedTuple

from bench.load import ServerGoneError, connect, share
from bench.wire import RECEIVE_BYTES, is_whole, status

# At 20,000 a second and 10 ms each, 200 requests are under way.
CONNECTIONS: Final = 256
# The first requests meet empty caches; they are sent and not counted.
WARM_UP_SECONDS: Final = 0.5
# What is under way at the end may still be answered for so long.
DRAIN_SECONDS_MAX: Final = 1.0
_SEED: Final = 20_261_124


class Steady(NamedTuple):
    """What came of it. `late_ms` is the 99th percentile of how late the generator itself was with a free connection.

    `lags` are pairs of the intended instant (`time.perf_counter`) and the latency in seconds, in the order sent; the
    latency of a refusal is infinite there and counts as it came in the percentiles.
    """

    rate: float
    answers: int
    refused: int
    unanswered: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
    late_ms: float
    lags: list[tuple[float, float]]


def run(
    port: int,
    requests: list[bytes],
    rate: float,
    seconds: float,
    *,
    connections: int = CONNECTIONS,
    warm_up: float = WARM_UP_SECONDS,
) -> Steady:
    """Send `rate` requests a second for `seconds` after the warm-up."""
    gc.disable()
    senders = _Senders(port, requests, connections)
    start = time.perf_counter()
    intended = _instants(rate, start, start + warm_up + seconds)
    end = senders.run(intended)
    senders.close()
    return _counted(senders, intended, rate, begun=start + warm_up, end=end)


def _instants(rate: float, start: float, end: float) -> list[float]:
    chance = random.Random(_SEED)
    moment, instants = start, []
    while (moment := moment + chance.expovariate(rate)) < end:
        instants.append(moment)
    return instants


class _Senders:
    """The connections, and which request each of them waits for."""

    def __init__(self, port: int, requests: list[bytes], connections: int) -> None:
        self._poller = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        for _ in range(connections):
            connection = connect(port)
            self._sockets[connection.fileno()] = connection
            self._poller.register(connection.fileno(), select.EPOLLIN)
        self._free = deque(self._sockets)
        self._upcoming = cycle(requests)
        self._under_way: dict[int, int] = {}
        self._partial: dict[int, bytes] = {}
        self.sent = 0
        self.refused: list[int] = []
        self.late = array("d")
        self.answered_at = array("d")

    def run(self, intended: list[float]) -> float:
        """Send everything when it is due, or as soon as a connection is free; gives the instant of the end."""
        now = time.perf_counter
        self.answered_at = array("d", bytes(8 * len(intended)))
        end = intended[-1] + DRAIN_SECONDS_MAX
        moment = now()
        was_free = True
        while moment < end and (self.sent < len(intended) or self._under_way):
            free = self._free
            while free and self.sent < len(intended) and intended[self.sent] <= moment:
                number = free.popleft()
                self._sockets[number].send(next(self._upcoming))
                self._under_way[number] = self.sent
                if was_free:
                    self.late.append(moment - intended[self.sent])
                self.sent += 1
            was_free = bool(free)
            ready = self._poller.poll(0)
            moment = now()
            for number, _ in ready:
                self._receive(number, moment)
        return moment

    def _receive(self, number: int, moment: float) -> None:
        data = self._sockets[number].recv(RECEIVE_BYTES)
        if self._partial and number in self._partial:
            data = self._partial.pop(number) + data
        if not is_whole(data):
            if not data:
                raise ServerGoneError
            self._partial[number] = data
            return
        which = self._under_way.pop(number)
        self.answered_at[which] = moment
        if status(data) != b"200":
            self.refused.append(which)
        self._free.append(number)

    def close(self) -> None:
        """Leave; what is under way stays unanswered."""
        for connection in self._sockets.values():
            connection.close()


def _counted(senders: _Senders, intended: list[float], rate: float, *, begun: float, end: float) -> Steady:
    first = next((which for which, moment in enumerate(intended) if moment >= begun), 0)
    lags = [
        (moment, (answered or end) - moment)
        for moment, answered in zip(intended[first:], senders.answered_at[first:], strict=True)
    ]
    ordered = sorted(lag for _, lag in lags)
    for which in senders.refused:
        if which >= first:
            lags[which - first] = (intended[which], math.inf)
    return Steady(
        rate=rate,
        answers=len(lags),
        refused=sum(which >= first for which in senders.refused),
        unanswered=sum(answered == 0 for answered in senders.answered_at[first:]),
        p50_ms=share(ordered, 0.5) * 1000,
        p99_ms=share(ordered, 0.99) * 1000,
        worst_ms=share(ordered, 1) * 1000,
        late_ms=share(sorted(senders.late), 0.99) * 1000,
        lags=lags,
    )
