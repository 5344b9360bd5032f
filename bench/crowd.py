"""More people than can be served: some thousand connections on which far more requests wait than are answered.

A connection stands for a share of the population; its people come at an even rate and wait in line for it, one request
at a time. On a *polite* connection a refusal is honoured: the same person asks again after `Retry-After` and up to
half of it more. On a *rude* one the person asks again at once. A server may answer that by not reading from
the connection until `Retry-After` is over; what is sent meanwhile waits in the kernel. Such requests are *held*: they
count among the answers, but their latency counts from the end of the hold and in a line of its own, because
it is the sender who chose to wait that long.
"""

from __future__ import annotations

import gc
import heapq
import random
import resource
import select
import socket
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from itertools import count, cycle
from typing import Final, NamedTuple

from bench.load import ServerGoneError, connect
from bench.wire import RECEIVE_BYTES, RETRY_SECONDS, is_whole, retry_after, status

_JITTER: Final = 0.5
_REFUSALS: Final = (b"429", b"503")
_SPARE_DESCRIPTORS: Final = 100
_SEED: Final = 20_261_125


class Channel(NamedTuple):
    """An entry: its connections, its requests with the operation that each of them is, how many wishes a second.

    The part `polite` of its connections is polite, 0 to 1.
    """

    name: str
    connections: int
    requests: Sequence[tuple[str, bytes]]
    rate: float
    polite: float


class Storm(NamedTuple):
    """What came of it. `wishes` are requests that people wanted to make, `sent` counts those asked again too.

    `admitted` is by operation; `wishes`, `served`, `refused` and `latencies` are by channel, `failed` by status.
    Latencies are of admitted requests, in seconds. `busy` is the share of the time in which the generator had
    something to do, 0 to 1; `own_seconds` is its processor time, `ended_at` is on `time.perf_counter`.
    """

    wishes: Counter[str]
    sent: int
    admitted: Counter[str]
    served: Counter[str]
    refused: Counter[str]
    failed: Counter[str]
    closed: int
    latencies: dict[str, array[float]]
    held: array[float]
    seconds: float
    busy: float
    own_seconds: float
    ended_at: float


class _Line:
    """One connection and those who wait for it. `hold_until` is when the server will listen again, as it said."""

    __slots__ = (
        "answered",
        "channel",
        "hold_until",
        "interval",
        "is_held",
        "is_polite",
        "is_waiting",
        "operation",
        "partial",
        "sent_at",
        "socket",
    )

    def __init__(self, connection: socket.socket, channel: int, interval: float, *, is_polite: bool) -> None:
        self.socket = connection
        self.channel = channel
        # Seconds between two people who come to this line.
        self.interval = interval
        self.is_polite = is_polite
        self.answered = 0
        self.sent_at = 0.0
        self.hold_until = 0.0
        self.is_held = False
        # For an answer; otherwise it is known when the line sends next.
        self.is_waiting = False
        self.operation = ""
        self.partial = b""


def run(port: int, channels: Sequence[Channel], *, seconds: float, begin_at: float = 0.0) -> Storm:
    """Offer what `channels` say for `seconds`, from `begin_at` (`time.perf_counter`) on."""
    total = sum(channel.connections for channel in channels)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, total + _SPARE_DESCRIPTORS)), hard))
    gc.disable()
    crowd = _Crowd(port, channels)
    time.sleep(max(0.0, begin_at - time.perf_counter()))
    own = time.process_time()
    start = time.perf_counter()
    end = crowd.press(start, start + seconds)
    own = time.process_time() - own
    crowd.leave()
    return Storm(
        wishes=Counter({channel.name: round(channel.rate * (end - start)) for channel in channels}),
        sent=crowd.sent,
        admitted=crowd.admitted,
        served=crowd.served,
        refused=crowd.refused,
        failed=crowd.failed,
        closed=crowd.closed,
        latencies=crowd.latencies,
        held=crowd.held,
        seconds=end - start,
        busy=crowd.working / (end - start),
        own_seconds=own,
        ended_at=end,
    )


class _Crowd:
    """All lines, and when the next person comes to those that are empty or stay away."""

    def __init__(self, port: int, channels: Sequence[Channel]) -> None:
        self._port = port
        self._names = [channel.name for channel in channels]
        self._upcoming = [cycle(channel.requests) for channel in channels]
        self._chance = random.Random(_SEED)
        self._poller = select.epoll()
        self._lines: dict[int, _Line] = {}
        # When which line sends next by itself, with a number that tells two of the same instant apart. Every line that
        # does not wait for an answer is in it once.
        self._later: list[tuple[float, int, _Line]] = []
        self._numbers = count()
        self._start = 0.0
        for which, channel in enumerate(channels):
            for number in range(channel.connections):
                # Evenly through each channel, so that a small one has both kinds too.
                is_polite = int((number + 1) * channel.polite) > int(number * channel.polite)
                interval = channel.connections / channel.rate
                self._take_up(_Line(connect(port), which, interval, is_polite=is_polite))
        self.sent = self.closed = 0
        self.working = 0.0
        self.admitted: Counter[str] = Counter()
        self.served: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.latencies = {name: array("d") for name in self._names}
        self.held = array("d")

    def press(self, start: float, end: float) -> float:
        """Go on from `start` to `end`; gives the instant of the end."""
        self._start = start
        for line in self._lines.values():
            # The first person of each line comes within the time that lies between two of them.
            self._send_at(start + self._chance.random() * line.interval, line)
        now = time.perf_counter
        moment = now()
        while moment < end:
            while self._later and self._later[0][0] <= moment:
                self._send(heapq.heappop(self._later)[2], moment)
            ready = self._poller.poll(0)
            moment = begun = now()
            for number, _ in ready:
                self._receive(self._lines[number], moment)
            moment = now()
            self.working += moment - begun if ready else 0.0
        return moment

    def leave(self) -> None:
        """Close every connection, answered or not."""
        for line in self._lines.values():
            line.socket.close()

    def _take_up(self, line: _Line) -> None:
        number = line.socket.fileno()
        self._lines[number] = line
        self._poller.register(number, select.EPOLLIN)

    def _send_at(self, instant: float, line: _Line) -> None:
        heapq.heappush(self._later, (instant, next(self._numbers), line))

    def _send(self, line: _Line, moment: float) -> None:
        line.operation, request = next(self._upcoming[line.channel])
        # Read anew: when many answers came at once, this one leaves later than they were seen.
        line.sent_at = time.perf_counter()
        line.is_held = line.sent_at < line.hold_until
        line.is_waiting = True
        self.sent += 1
        try:
            line.socket.send(request)
        except OSError:
            self._again(line, moment)

    def _receive(self, line: _Line, moment: float) -> None:
        try:
            data = line.socket.recv(RECEIVE_BYTES)
        except OSError:
            data = b""
        if not data:
            self._again(line, moment)
            return
        if line.partial:
            data, line.partial = line.partial + data, b""
        if not is_whole(data):
            line.partial = data
            return
        line.is_waiting = False
        if (said := status(data)) in _REFUSALS:
            self._refused(line, retry_after(data), moment)
            return
        if said == b"200":
            self._admitted(line, moment)
        else:
            self.failed[said.decode("ascii", "replace")] += 1
        line.answered += 1
        coming = self._start + line.answered * line.interval
        if coming <= moment:
            self._send(line, moment)
        else:
            self._send_at(coming, line)

    def _admitted(self, line: _Line, moment: float) -> None:
        channel = self._names[line.channel]
        self.admitted[line.operation] += 1
        self.served[channel] += 1
        if line.is_held:
            self.held.append(max(0.0, moment - max(line.sent_at, line.hold_until)))
            # It is listened to again, perhaps before the time that was said has passed since the refusal was seen here.
            line.hold_until = moment
        else:
            self.latencies[channel].append(moment - line.sent_at)

    def _refused(self, line: _Line, seconds: float, moment: float) -> None:
        self.refused[self._names[line.channel]] += 1
        line.hold_until = moment + seconds
        if line.is_polite:
            self._send_at(moment + seconds * (1 + _JITTER * self._chance.random()), line)
        else:
            self._send(line, moment)

    def _again(self, line: _Line, moment: float) -> None:
        """The server closed the connection: connect anew, and whoever waited for an answer asks again."""
        self.closed += 1
        number = line.socket.fileno()
        self._poller.unregister(number)
        line.socket.close()
        del self._lines[number]
        try:
            line.socket = connect(self._port)
        except OSError as cause:
            raise ServerGoneError from cause
        line.partial = b""
        self._take_up(line)
        if line.is_waiting:
            line.is_waiting = False
            pause = RETRY_SECONDS * (1 + _JITTER * self._chance.random()) if line.is_polite else 0.0
            self._send_at(moment + pause, line)
