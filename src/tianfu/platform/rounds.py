"""The requests of one round of the event loop, handled together.

Whatever the connections brought in one look of the loop is handled in one go: first every handler, then every
signature, then one hand-over to the journal, then every answer. It is the same work as one request after the other,
but each kind of work finds its code and its tables still in the nearest cache; measured, a third of the time. It also
is the only place that knows how much is waiting.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, NamedTuple, Protocol

from tianfu.clock import monotonic_seconds, thread_seconds
from tianfu.errors import TianfuError
from tianfu.platform.admission import RETRY_SECONDS_MAX, Admission, EntryBusyError, retry_after
from tianfu.platform.hot import HotDesk, http_bytes, refusal
from tianfu.platform.http import Answer, HotRequest, Language, Unsigned
from tianfu.platform.shortcut import ShortRoute

JUDGE_SECONDS: Final = 1.0
_TASKS_NAMED: Final = "gate answer"


class Connection(Protocol):
    """Whoever is owed an answer."""

    def pay(self, answer: bytes) -> None:
        """Send the answer, whole. For each request added, this or `refuse` is called once."""
        ...

    def refuse(self, answer: bytes, seconds: int) -> None:
        """Send the answer, whole, and listen to the client no more for so many seconds."""
        ...


class Due(NamedTuple):
    """A request, and to whom its answer is owed."""

    connection: Connection
    found: ShortRoute
    request: HotRequest


class Rounds:
    """Collects requests and handles them at the end of the round. Used on one event loop."""

    def __init__(
        self,
        desk: HotDesk,
        admission: Admission,
        channel: Callable[[HotRequest], int],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Answer from the routes of `desk`. `channel` tells the entry of a request; it is asked only when full."""
        self._admission = admission
        self._channel = channel
        self._desk = desk
        self._loop = loop
        self._due: list[Due] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, due: Due) -> None:
        """Take a request; its answer is paid in this round or, where it must wait, in a later one."""
        if not self._due:
            self._loop.call_soon(self._run)
        self._due.append(due)

    def admit_unusual(self) -> bool:
        """Whether there is room for a request that takes the long way."""
        return self._admission.admit_unusual(monotonic_seconds())

    async def judge(self) -> None:
        """Let the admission judge every second, until cancelled."""
        while True:
            at, worked = monotonic_seconds(), thread_seconds()
            await asyncio.sleep(JUDGE_SECONDS)
            self._admission.judge((thread_seconds() - worked) / (monotonic_seconds() - at))

    def _run(self) -> None:
        everything, self._due = self._due, []
        begun = thread_seconds()
        if not self._admission.fits(len(everything)):
            everything = self._admitted(everything)
        self._handle(everything)
        self._admission.ran(len(everything), thread_seconds() - begun)

    def _admitted(self, everything: list[Due]) -> list[Due]:
        """Those of `everything` that there is room for; the others have had their refusal."""
        verdict = self._admission.admit([self._channel(due.request) for due in everything])
        for position, due in enumerate(everything):
            if position not in verdict.admitted:
                seconds = retry_after(verdict.retry_seconds)
                self._desk.count(due.found.path, EntryBusyError.status)
                due.connection.refuse(_come_back(seconds, due.request.language), seconds)
        return [due for position, due in enumerate(everything) if position in verdict.admitted]

    def _handle(self, everything: list[Due]) -> None:
        handle = self._desk.handle
        to_sign: list[tuple[Due, Unsigned]] = []
        durable: list[tuple[Due, Answer]] = []
        settled: list[tuple[Due, Answer]] = []
        for due in everything:
            _, found, request = due
            answer = handle(found.route, found.path, request)
            if type(answer) is Unsigned:
                to_sign.append((due, answer))
            elif type(answer) is not Answer:
                self._wait(due, answer)  # type: ignore[arg-type]  # neither of the tuples, so an awaitable
            elif answer.settled:
                settled.append((due, answer))
            elif answer.records:
                durable.append((due, answer))
            else:
                self._pay(due, answer)
        if to_sign:
            self._sign(to_sign)
        if durable:
            self._make_durable(durable)
        if settled:  # what they wait for may be among the records of this very round
            self._make_durable(settled)

    def _sign(self, to_sign: list[tuple[Due, Unsigned]]) -> None:
        """Sign one after the other, then finish together what is finished alike."""
        groups: dict[object, list[tuple[Due, Unsigned]]] = {}
        for due, unsigned in to_sign:
            groups.setdefault(unsigned.finish, []).append((due, unsigned))
        for group in groups.values():
            parts = [part for _, part in group]
            try:
                signatures = [part.signer.sign(part.data) for part in parts]
                answers = parts[0].finish(parts, signatures)
            except Exception:  # noqa: BLE001 (whose it was is found out one by one)
                answers = [self._desk.sign(part, due.found.path, due.request.language) for due, part in group]
            for (due, _), answer in zip(group, answers, strict=True):
                self._pay(due, answer)

    def _make_durable(self, group: list[tuple[Due, Answer]]) -> None:
        """Pay `group` once the journal has what its answers say."""
        self._desk.make_durable([(due.found.route, answer) for due, answer in group], partial(self._told, group))

    def _told(self, group: list[tuple[Due, Answer]], failure: TianfuError | None) -> None:
        """Hear from the journal."""
        for due, answer in group:
            self._pay(due, answer if failure is None else refusal(failure, due.request.language))

    def _pay(self, due: Due, answer: Answer) -> None:
        self._desk.count(due.found.path, answer.status)
        due.connection.pay(http_bytes(answer))

    def _wait(self, due: Due, answering: Awaitable[Answer]) -> None:
        task = self._loop.create_task(self._later(due, answering), name=_TASKS_NAMED)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _later(self, due: Due, answering: Awaitable[Answer]) -> None:
        answer = await self._desk.wait(answering, due.found.path, due.request.language)
        if not answer.records and not answer.settled:
            self._pay(due, answer)
        else:
            self._make_durable([(due, answer)])


@functools.lru_cache(maxsize=2 * RETRY_SECONDS_MAX)
def _come_back(seconds: int, language: Language) -> bytes:
    """The refusal as it goes over the connection: made once, because it is needed when there is no time."""
    return http_bytes(refusal(EntryBusyError(retry_after_seconds=seconds), language))
