"""One HTTP connection: the short way for the gate's ordinary requests, uvicorn for everything else.

uvicorn's protocol is given a bounded head, our problem+json where no application can answer yet, and an end for
connections that say nothing. In front of it stands the short way (`tianfu.platform.shortcut`): a request that comes
whole, alone and in the usual form is handled with the others of its round and answered in one write.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tianfu.errors import TianfuError
from tianfu.platform.admission import RETRY_SECONDS_MIN, retry_after
from tianfu.platform.http import BusyError, problem, problem_headers
from tianfu.platform.rounds import Due, Rounds
from tianfu.platform.shortcut import Shortcut
from tianfu.status.watch import WATCHERS_MAX

# Request line and headers of a phone or a browser are about 1 kB, with the longest session token 2 kB. What is read
# at once may be up to 256 kB and is not cut; a head that needs more reads than that is refused here.
HEAD_BYTES_MAX: Final = 32 * 1024
# What a connection may send while it is owed an answer; one that sends more is not read until it got it.
_HELD_BYTES_MAX: Final = 64 * 1024
# Requests that a client may send before it was answered. Each that waits takes 5 kB here and may be 18 bytes there; no
# browser sends a second one, and who sends more than this at once is no client of ours.
WAITING_REQUESTS_MAX: Final = 16
# Longer than mobile networks keep a silent connection (75 s); a message of our sizes takes seconds, 30 at most.
SWEEP_SECONDS: Final = 15.0
SILENT_SWEEPS_MAX: Final = 5
HALF_SWEEPS_MAX: Final = 2
# Every watcher holds a connection; half as many again for those who show, scan and check.
CONNECTIONS_MAX: Final = WATCHERS_MAX * 3 // 2
CONNECTION_RETRY_SECONDS: Final = 5
# From here on whoever is silent gives way after half a minute: places are for those who ask for something.
CONNECTIONS_CROWDED: Final = CONNECTIONS_MAX * 3 // 4
SILENT_SWEEPS_CROWDED_MAX: Final = 1
_LANGUAGE: Final = "zh"  # whoever sends no readable head has not said which language they read


class RequestUnreadableError(TianfuError):
    """What came is no HTTP request."""

    code = "request_unreadable"
    status = 400
    zh = "请求无法识别。"
    en = "This is not a request that can be read."


class HeadTooLargeError(TianfuError):
    """The request line and headers are over the limit."""

    code = "head_too_large"
    status = 431
    zh = "请求头过大。"
    en = "The headers of the request are too large."


_REASONS: Final = {
    400: b"Bad Request",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection. A head over `HEAD_BYTES_MAX` or no HTTP at all is refused and the connection closed.

    `sweep` is called every `SWEEP_SECONDS` for every connection: it ends those that are silent, those that trickle, and
    those whose client has gone without saying so.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own parameters
        super().__init__(*arguments, **options)
        self._head_bytes = 0
        # Whether the parser stands between two messages, so that the next byte begins one.
        self._between = True
        self._silent_sweeps = 0
        self._half_sweeps = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Take a connection, or refuse it when there are too many."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            self._refuse(BusyError(retry_after_seconds=CONNECTION_RETRY_SECONDS))

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head that is not complete yet."""
        self._silent_sweeps = 0
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle  # None until the first head is complete
        if cycle is not None and not cycle.response_complete:
            self._head_bytes = 0  # the head was complete; its body is the application's to bound
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self._refuse(HeadTooLargeError())

    def on_headers_complete(self) -> None:
        """The parser has read a head. Too many that wait for their answers end the connection."""
        if len(self.pipeline) >= WAITING_REQUESTS_MAX:
            self.transport.abort()
        else:
            super().on_headers_complete()

    def on_message_begin(self) -> None:
        """The parser has begun to read a message."""
        self._between = False
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """The parser has read a message to its end."""
        self._between = True
        self._half_sweeps = 0
        super().on_message_complete()

    @property
    def is_answering(self) -> bool:
        """Whether the client waits for us and not we for the client."""
        cycle: RequestResponseCycle | None = self.cycle
        return self._between and cycle is not None and not cycle.response_complete

    def sweep(self) -> None:
        """End the connection if it has been silent, or in the middle of one message, for too long.

        One whose client does not read what it was sent is as good as silent, however many answers it still wants.
        """
        silent_max = SILENT_SWEEPS_MAX if len(self.connections) < CONNECTIONS_CROWDED else SILENT_SWEEPS_CROWDED_MAX
        if self.is_answering and not self.flow.write_paused:
            return
        self._silent_sweeps += 1
        self._half_sweeps += not self._between
        if self._silent_sweeps > silent_max or self._half_sweeps > HALF_SWEEPS_MAX:
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Say in our own form that this was no HTTP; `msg` is uvicorn's word for it."""
        del msg
        self._refuse(RequestUnreadableError())

    def _refuse(self, error: TianfuError) -> None:
        status, body = problem(error, _LANGUAGE)
        headers = (
            *problem_headers(error, _LANGUAGE),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        )
        head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, _REASONS[status], head, body))
        self.transport.close()


class ShortcutProtocol(BoundedHttpProtocol):
    """One connection of a process that has a gate."""

    def __init__(self, *arguments: Any, rounds: Rounds, shortcut: Shortcut, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **options)
        self._rounds = rounds
        self._shortcut = shortcut
        self._is_owed = False
        self._held = b""
        self._ending = False
        self._is_too_much = False

    def data_received(self, data: bytes) -> None:
        """Take the short way when nothing is half-read and nobody waits for an answer on this connection."""
        if self._is_owed or self._held:
            self._hold(data)
            return
        cycle: RequestResponseCycle | None = self.cycle
        if self._between and (cycle is None or cycle.response_complete):
            taken = self._shortcut.take(data)
            if taken is not None:
                self._silent_sweeps = 0
                self._unset_keepalive_if_required()
                self._is_owed = True
                self._rounds.add(Due(self, *taken))
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """The parser has begun to read a message: it may go on if there is room, however many came in one piece."""
        super().on_message_begin()
        if not self._rounds.admit_unusual():
            self._is_too_much = True
            raise BusyError

    def send_400_response(self, msg: str) -> None:
        """Say why the parser stopped."""
        if self._is_too_much:
            self._refuse(BusyError(retry_after_seconds=retry_after(RETRY_SECONDS_MIN)))
        else:
            super().send_400_response(msg)

    @property
    def is_answering(self) -> bool:
        """Whether the client waits for us and not we for the client."""
        return self._is_owed or super().is_answering

    def pay(self, answer: bytes) -> None:
        """Send the answer that was owed, then read what came meanwhile."""
        self._is_owed = False
        if self.transport.is_closing():
            return
        self.transport.write(answer)
        if self._ending:
            self.transport.close()
        elif self._held:
            held, self._held = self._held, b""
            if len(held) > _HELD_BYTES_MAX and not self.flow.write_paused:
                self.flow.resume_reading()
            self.data_received(held)

    def refuse(self, answer: bytes, seconds: int) -> None:
        """Send the refusal that was owed, and do not listen to who was told to come back later until then.

        A client that asks again at once all the same waits where it costs nothing: in its own socket.
        """
        self._is_owed = False
        if self.transport.is_closing():
            return
        self.transport.write(answer)
        if self._ending:
            self.transport.close()
        else:
            self.flow.pause_reading()
            self.loop.call_later(seconds, self._listen_again)

    def _listen_again(self) -> None:
        if self.transport.is_closing():
            return
        self._silent_sweeps = 0
        held, self._held = self._held, b""
        self.flow.resume_reading()
        if held:
            self.data_received(held)

    def _hold(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > _HELD_BYTES_MAX:
            self.flow.pause_reading()

    def shutdown(self) -> None:
        """End after the answer that is owed, if one is."""
        if not self._is_owed:
            super().shutdown()
        self._ending = True

    def pause_writing(self) -> None:
        """Read no more from a client that does not read."""
        super().pause_writing()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        """Go on reading."""
        super().resume_writing()
        self.flow.resume_reading()
