"""The load generator: one process, one thread, epoll, raw sockets, keep-alive, one request at a time on each of them.

Reads a list of ready-made requests (bytes) and sends them round and round for some seconds. What it costs itself is
reported (`busy`, the share of the time it had answers to handle), because a generator that always has measures itself.
"""

from __future__ import annotations

import json
import pickle
import select
import socket
import sys
import time
from array import array
from itertools import cycle
from pathlib import Path
from typing import Final, NamedTuple

CONNECTIONS: Final = 64
_RECEIVE_BYTES: Final = 65_536
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "


class Load(NamedTuple):
    """What came of it; `refused` is not 200, `busy` is 0 to 1, `cpu_us` is what an answer cost the server."""

    per_second: float
    answers: int
    refused: int
    p50_ms: float
    p99_ms: float
    busy: float
    cpu_us: float = 0.0


def run(port: int, requests: list[bytes], seconds: float, connections: int = CONNECTIONS) -> Load:
    """Send for `seconds` and count."""
    poller = select.epoll()
    sockets: dict[int, socket.socket] = {}
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets[connection.fileno()] = connection
        poller.register(connection.fileno(), select.EPOLLIN)
    upcoming = cycle(requests)
    latencies = array("d")
    sent_at: dict[int, float] = {}
    partial: dict[int, bytes] = {}
    refused = 0
    now = time.perf_counter
    working = 0.0
    start = now()
    for number, connection in sockets.items():
        sent_at[number] = now()
        connection.send(next(upcoming))
    end = start + seconds
    moment = start
    while moment < end:
        # Never sleeping: to wake a sleeping peer on the other core costs a virtual machine's server 10 µs an answer.
        ready = poller.poll(0)
        begun = now()
        for number, _ in ready:
            connection = sockets[number]
            data = connection.recv(_RECEIVE_BYTES)
            if partial and number in partial:
                data = partial.pop(number) + data
            if not _is_whole(data):
                if not data:
                    message = "the server closed the connection"
                    raise ConnectionError(message)
                partial[number] = data
                continue
            moment = now()
            latencies.append(moment - sent_at[number])
            if data[9:12] != b"200":
                refused += 1
            sent_at[number] = moment
            connection.send(next(upcoming))
        moment = now()
        working += moment - begun if ready else 0.0
    duration = moment - start
    busy = working / duration
    for connection in sockets.values():
        connection.close()
    ordered = sorted(latencies)
    return Load(
        len(ordered) / duration,
        len(ordered),
        refused,
        ordered[len(ordered) // 2] * 1000,
        ordered[len(ordered) * 99 // 100] * 1000,
        busy,
    )


def _is_whole(data: bytes) -> bool:
    head = data.find(_HEAD_END)
    if head < 0:
        return False
    at = data.find(_LENGTH, 0, head) + len(_LENGTH)
    return len(data) >= head + len(_HEAD_END) + int(data[at : data.find(b"\r", at)])


if __name__ == "__main__":
    _port, _file, _seconds = int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    sys.stdout.write(json.dumps(run(_port, pickle.loads(_file.read_bytes()), _seconds)._asdict()))  # noqa: S301 - our own file
