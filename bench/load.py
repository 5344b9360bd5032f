"""The closed loop: one process, one thread, epoll, raw sockets, keep-alive, one request at a time on each of them.

Reads a list of ready-made requests (bytes) and sends them round and round for some seconds, the next as soon as the
last is answered: this finds how much a server can do. What the generator costs itself is reported (`busy`, the share
of the time it had answers to handle), because a generator that always has measures itself.
"""

from __future__ import annotations

import select
import socket
import time
from array import array
from itertools import cycle
from typing import Final, NamedTuple

from bench.wire import RECEIVE_BYTES, is_whole, status

CONNECTIONS: Final = 64


class Load(NamedTuple):
    """What came of it; `refused` is not 200, `busy` is 0 to 1, `cpu_us` is what an answer cost the server.

    `seconds` is how long it took by the clock and `own_seconds` the processor time of the generator in it.
    """

    per_second: float
    answers: int
    refused: int
    p50_ms: float
    p99_ms: float
    busy: float
    seconds: float
    own_seconds: float
    cpu_us: float = 0.0


class ServerGoneError(ConnectionError):
    """The server closed a connection that nobody had asked it to close."""


def run(
    port: int,
    requests: list[bytes],
    seconds: float,
    *,
    connections: int = CONNECTIONS,
    sleeping: bool = False,
    begin_at: float = 0.0,
) -> Load:
    """Send for `seconds` from `begin_at` (`time.perf_counter`, the same in all processes) on, and count.

    `sleeping` is for a generator that shares its core with the server; otherwise it never sleeps, because to wake a
    sleeping peer on the other core costs a virtual machine's server 10 µs an answer.
    """
    poller = select.epoll()
    sockets = {connection.fileno(): connection for connection in (connect(port) for _ in range(connections))}
    for number in sockets:
        poller.register(number, select.EPOLLIN)
    patience = 0.1 if sleeping else 0
    upcoming = cycle(requests)
    latencies = array("d")
    sent_at: dict[int, float] = {}
    partial: dict[int, bytes] = {}
    refused = 0
    now = time.perf_counter
    working = 0.0
    time.sleep(max(0.0, begin_at - now()))
    own = time.process_time()
    start = now()
    for number, connection in sockets.items():
        sent_at[number] = now()
        connection.send(next(upcoming))
    end = start + seconds
    moment = start
    while moment < end:
        ready = poller.poll(patience)
        begun = now()
        for number, _ in ready:
            connection = sockets[number]
            data = connection.recv(RECEIVE_BYTES)
            if partial and number in partial:
                data = partial.pop(number) + data
            if not is_whole(data):
                if not data:
                    raise ServerGoneError
                partial[number] = data
                continue
            moment = now()
            latencies.append(moment - sent_at[number])
            if status(data) != b"200":
                refused += 1
            sent_at[number] = moment
            connection.send(next(upcoming))
        moment = now()
        working += moment - begun if ready else 0.0
    duration = moment - start
    own = time.process_time() - own
    for connection in sockets.values():
        connection.close()
    ordered = sorted(latencies)
    return Load(
        per_second=len(ordered) / duration,
        answers=len(ordered),
        refused=refused,
        p50_ms=share(ordered, 0.5) * 1000,
        p99_ms=share(ordered, 0.99) * 1000,
        busy=working / duration,
        seconds=duration,
        own_seconds=own,
    )


def connect(port: int) -> socket.socket:
    """A connection to the server on this machine, without delay for small packets."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def share(ordered: list[float], part: float) -> float:
    """The value below which `part` of the sorted values lie; 0 of nothing."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0
