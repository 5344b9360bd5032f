"""A small HTTP server in a thread that answers as a test tells it to: late, with a refusal, not at all."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

_POLL_SECONDS = 0.02


class Reply(NamedTuple):
    """What to answer. `hold` is for so many seconds of not reading from the connection.

    `closes` closes it after the answer, a status of 0 without one.
    """

    status: int = 200
    retry_after: int | None = None
    hold: float = 0.0
    closes: bool = False

    def text(self) -> bytes:
        """On the wire."""
        more = "" if self.retry_after is None else f"retry-after: {self.retry_after}\r\n"
        return f"HTTP/1.1 {self.status} Said\r\ncontent-length: 2\r\n{more}\r\n{{}}".encode()


class Asked(NamedTuple):
    """A request: which connection (in the order in which they came), the how-manieth on it, and when."""

    connection: int
    number: int
    at: float


Script = Callable[[Asked], Reply | None]


class _Connection:
    def __init__(self, peer: socket.socket, which: int) -> None:
        self.peer = peer
        self.which = which
        self.asked = 0


class _Server:
    def __init__(self, answer: Script) -> None:
        self._answer = answer
        self._selector = selectors.DefaultSelector()
        self._door = socket.create_server(("127.0.0.1", 0))
        self._selector.register(self._door, selectors.EVENT_READ)
        self._connections: list[_Connection] = []
        self._held: list[tuple[float, _Connection]] = []
        self.port: int = self._door.getsockname()[1]
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            for held in [held for held in self._held if held[0] <= time.perf_counter()]:
                self._held.remove(held)
                self._selector.register(held[1].peer, selectors.EVENT_READ, held[1])
            for key, _ in self._selector.select(_POLL_SECONDS):
                if key.data is None:
                    self._accept()
                else:
                    self._receive(key.data)
        for connection in self._connections:
            connection.peer.close()
        self._selector.close()
        self._door.close()

    def _accept(self) -> None:
        peer, _ = self._door.accept()
        connection = _Connection(peer, len(self._connections))
        self._connections.append(connection)
        self._selector.register(peer, selectors.EVENT_READ, connection)

    def _receive(self, connection: _Connection) -> None:
        with contextlib.suppress(OSError):
            if connection.peer.recv(65_536):
                reply = self._answer(Asked(connection.which, connection.asked, time.perf_counter()))
                connection.asked += 1
                if reply is None:
                    return
                if reply.status:
                    connection.peer.sendall(reply.text())
                    if reply.hold:
                        self._selector.unregister(connection.peer)
                        self._held.append((time.perf_counter() + reply.hold, connection))
                    if not reply.closes:
                        return
        self._selector.unregister(connection.peer)
        connection.peer.close()


@contextlib.contextmanager
def serving(answer: Script) -> Iterator[int]:
    """Serve on the port given; `answer` runs in the server's thread, and None is no answer."""
    server = _Server(answer)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server.port
    finally:
        server.stopping.set()
        thread.join()
