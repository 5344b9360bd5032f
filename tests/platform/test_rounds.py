from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Sequence

from tests.platform.test_asgi import ORIGIN, MemoryJournal
from tianfu.access.channel import SHARES, Channel
from tianfu.errors import NotFoundError
from tianfu.platform.admission import Admission
from tianfu.platform.hot import HotDesk, Route
from tianfu.platform.http import Answer, HotRequest, Unsigned
from tianfu.platform.journalfile import JournalFullError
from tianfu.platform.observe import Log
from tianfu.platform.rounds import Due, Rounds
from tianfu.platform.shortcut import ShortRoute


class Client:
    """A connection that keeps what it got."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.refused_for: int | None = None

    def pay(self, answer: bytes) -> None:
        self.answers.append(answer)

    def refuse(self, answer: bytes, seconds: int) -> None:
        self.answers.append(answer)
        self.refused_for = seconds

    @property
    def status(self) -> int:
        (answer,) = self.answers
        return int(answer.split(b" ")[1])


class Signer:
    """Signs with the message itself, and keeps count of how many it had signed when asked."""

    kid = b"kid1"

    def __init__(self) -> None:
        self.signed: list[bytes] = []

    def sign(self, data: bytes) -> bytes:
        self.signed.append(data)
        return b"signed " + data


def plain(unsigned: Sequence[Unsigned], signatures: Sequence[bytes]) -> list[Answer]:
    """The signature is the answer."""
    assert len(unsigned) == len(signatures)
    return [Answer(signature) for signature in signatures]


Handler = Callable[[HotRequest], Answer | Unsigned | Awaitable[Answer]]


class Room:
    """Rounds over one handler."""

    def __init__(self, handler: Handler) -> None:
        self.journal = MemoryJournal()
        self.lost: list[bytes] = []
        self.route = Route(handler, lost=self.lost.append)
        self.desk = HotDesk(
            {("POST", "/x"): self.route}, journal=self.journal, public_origin=ORIGIN, log=Log("t", stream=io.StringIO())
        )
        self.admission = Admission(SHARES)

    def run(self, *bodies: bytes) -> list[Client]:
        """Everybody at once."""
        clients = [Client() for _ in bodies]

        async def go() -> None:
            rounds = Rounds(self.desk, self.admission, lambda _: Channel.WEB, asyncio.get_running_loop())
            for client, body in zip(clients, bodies, strict=True):
                rounds.add(
                    Due(client, ShortRoute(self.route, "/x", b"", has_body=True), HotRequest(body, b"", None, "zh"))
                )
            for _ in range(5):
                await asyncio.sleep(0)

        asyncio.run(go())
        return clients


def test_every_request_gets_its_own_answer_whatever_its_kind() -> None:
    signer = Signer()

    async def later(body: bytes) -> Answer:
        await asyncio.sleep(0)
        return Answer(b"later " + body)

    def handler(request: HotRequest) -> Answer | Unsigned | Awaitable[Answer]:
        kind = request.body[:1]
        if kind == b"s":
            return Unsigned(signer, request.body, plain, None)
        if kind == b"j":
            return Answer(b"kept " + request.body, records=(request.body,))
        if kind == b"l":
            return later(request.body)
        if kind == b"e":
            raise NotFoundError
        if kind == b"b":
            raise KeyError
        return Answer(b"plain " + request.body)

    room = Room(handler)
    clients = room.run(b"s1", b"j1", b"p1", b"e1", b"l1", b"b1", b"s2", b"j2")

    assert [client.status for client in clients] == [200, 200, 200, 404, 200, 500, 200, 200]
    bodies = [client.answers[0].rpartition(b"\r\n\r\n")[2] for client in clients]
    assert [bodies[at] for at in (0, 1, 2, 4, 6, 7)] == [
        b"signed s1",
        b"kept j1",
        b"plain p1",
        b"later l1",
        b"signed s2",
        b"kept j2",
    ]
    assert room.journal.records == [b"j1", b"j2"]
    assert room.desk.answers == {("/x", 200): 6, ("/x", 404): 1, ("/x", 500): 1}


def test_signatures_are_made_after_all_handlers_and_before_all_answers() -> None:
    signer = Signer()
    seen: list[int] = []

    def handler(request: HotRequest) -> Unsigned:
        seen.append(len(signer.signed))
        return Unsigned(signer, request.body, finish, None)

    def finish(unsigned: Sequence[Unsigned], signatures: Sequence[bytes]) -> list[Answer]:
        seen.append(len(signer.signed))
        return plain(unsigned, signatures)

    Room(handler).run(b"1", b"2", b"3")

    assert seen == [0, 0, 0, 3]


def test_a_failing_finish_is_that_requests_failure_alone() -> None:
    def finish(unsigned: Sequence[Unsigned], signatures: Sequence[bytes]) -> list[Answer]:
        if b"signed 2" in signatures:
            raise ValueError
        return plain(unsigned, signatures)

    clients = Room(lambda request: Unsigned(Signer(), request.body, finish, None)).run(b"1", b"2", b"3")

    assert [client.status for client in clients] == [200, 500, 200]


def test_a_signer_that_fails_for_one_fails_for_that_one_alone() -> None:
    class Failing(Signer):
        def sign(self, data: bytes) -> bytes:
            if data == b"2":
                raise OSError
            return super().sign(data)

    signer = Failing()

    clients = Room(lambda request: Unsigned(signer, request.body, plain, None)).run(b"1", b"2", b"3")

    assert [client.status for client in clients] == [200, 500, 200]


def test_a_journal_that_fails_is_told_to_everybody_it_concerns_and_every_record_is_lost() -> None:
    room = Room(lambda request: Answer(b"kept", records=(request.body,)))
    room.journal.failure = JournalFullError()

    clients = room.run(b"1", b"2")

    assert [client.status for client in clients] == [503, 503]
    assert room.lost == [b"1", b"2"]


def test_more_than_fits_is_refused_at_once_with_a_time_to_come_back() -> None:
    handled: list[bytes] = []

    def handler(request: HotRequest) -> Answer:
        handled.append(request.body)
        return Answer(b"done")

    room = Room(handler)
    fits = room.admission.room

    clients = room.run(*[b"%d" % number for number in range(4 * fits)])

    served = [client for client in clients if client.status == 200]
    refused = [client for client in clients if client.status == 429]
    assert (len(served), len(refused), len(handled)) == (fits, 3 * fits, fits)
    assert all(client.refused_for for client in refused)
    assert all(b"retry-after: %d\r\n" % (client.refused_for or 0) in client.answers[0] for client in refused)
