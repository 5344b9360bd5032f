"""Telling a waiting phone that its holder's status has changed: one follower of the board's change ring per process.

Ten times a second the follower reads which persons changed and wakes only those who wait for one of them; nobody
else costs anything. It also takes up a board that has appeared or been built anew. Hot.
"""

from __future__ import annotations

import asyncio
from typing import Final

from tianfu.errors import TianfuError
from tianfu.platform.http import BusyError
from tianfu.platform.observe import Log
from tianfu.status.layout import BoardUnreadableError
from tianfu.status.read import Board

FOLLOW_SECONDS: Final = 0.1
# A waiting phone holds a connection, a task and a future, about 12 kB: 250 MB for all. Beyond it a phone is told to
# come back in a minute, which is when it fetches a new code anyway.
WATCHERS_MAX: Final = 20_000
WATCH_RETRY_SECONDS: Final = 60
# A person's phone, tablet and browsers, and those of who looks after them; nobody takes the places of all others.
WATCHERS_OF_ONE_MAX: Final = 20
_CHANGES_PER_LOOK_MAX: Final = 10_000


class Watchers:
    """Everybody who waits for a change. Used on one event loop."""

    def __init__(self, board: Board, log: Log) -> None:
        """Wait for nobody yet; `follow` must run for anybody to be woken."""
        self._board = board
        self._log = log
        self._waiting: dict[int, set[asyncio.Future[None]]] = {}
        self._count = 0
        self._next = 0
        self._trouble: TianfuError | None = None

    def __len__(self) -> int:
        """How many wait."""
        return self._count

    async def changed(self, person: int, *, timeout_seconds: float) -> bool:
        """Wait until `person` may have changed; False after the timeout. Raises `BusyError` when too many wait.

        A true answer is a hint: the caller looks at the record again.
        """
        of_one = len(self._waiting.get(person, ()))
        if self._count >= WATCHERS_MAX or of_one >= WATCHERS_OF_ONE_MAX:
            raise BusyError(retry_after_seconds=WATCH_RETRY_SECONDS)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(person, set()).add(future)
        self._count += 1
        try:
            async with asyncio.timeout(timeout_seconds):
                await future
        except TimeoutError:
            return False
        finally:
            self._count -= 1
            waiting = self._waiting.get(person)
            if waiting is not None:
                waiting.discard(future)
                if not waiting:
                    del self._waiting[person]
        return True

    async def follow(self) -> None:
        """Look at the board ten times a second until cancelled."""
        self._next = self._board.changes_end()
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            self.look()

    def look(self) -> None:
        """Look at the board once. What cannot be read is logged once, not ten times a second, and tried again."""
        try:
            self._look()
        except BoardUnreadableError as trouble:
            if self._trouble is None:
                self._log.error("the board cannot be read", code=trouble.code)
                self.release()  # somebody may have changed, and cannot be told apart
            self._trouble = trouble
        else:
            self._trouble = None

    def _look(self) -> None:
        if self._board.refresh():
            self._next = self._board.changes_end()
            self.release()
            return
        while changes := self._board.changes_since(self._next, _CHANGES_PER_LOOK_MAX):
            if changes[0].first > self._next:
                self.release()  # the ring was trimmed past us: somebody changed, we cannot know who
            for batch in changes:
                for person in batch.persons():
                    for future in self._waiting.get(person, ()):
                        _wake(future)
            self._next = changes[-1].end

    def release(self) -> None:
        """Wake everybody who waits."""
        for futures in self._waiting.values():
            for future in futures:
                _wake(future)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
