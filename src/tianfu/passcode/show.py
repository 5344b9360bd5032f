"""Showing a resident their code, and telling their phone when it has changed. Hot.

The path of one display: the session (`status.bearer`), the record (`status.read`), the signature
(`passcode.issue`), one JSON text from bytes. Nothing is written and nothing is waited for.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final

from tianfu.access.session import Audience
from tianfu.errors import Fault, InputInvalidError
from tianfu.passcode.issue import Issuer, withheld
from tianfu.platform.http import Answer, HotRequest
from tianfu.status.bearer import Bearers
from tianfu.status.read import Board
from tianfu.status.record import BLOCKS_CODE
from tianfu.status.watch import Watchers
from tianfu.status.words import status_words

# Shorter than the 30 s after which mobile networks and proxies begin to drop silent connections.
LONG_POLL_SECONDS: Final = 25.0
_AFTER: Final = re.compile(rb"after=([0-9]{1,10})")

# The code's alphabet (Base45) holds neither quote nor backslash, so it needs no escaping.
_SHOWN: Final = (
    b'{"code":"%b",%b,"issued_at":%d,"expires_at":%d,"refresh_at":%d,%b,'
    b'"board_age_seconds":%d,"sequence":%d,"server_time":%d}'
)
_CHANGED: Final = b'{"sequence":%d,"changed":%b}'


class CodeDesk:
    """The handlers for residents' phones."""

    __slots__ = ("_bearers", "_board", "_issuer", "_now_ms", "_watchers")

    def __init__(
        self, *, bearers: Bearers, board: Board, issuer: Issuer, watchers: Watchers, now_ms: Callable[[], int]
    ) -> None:
        """`now_ms` gives milliseconds since 1970; it is read once per request."""
        self._bearers = bearers
        self._board = board
        self._issuer = issuer
        self._watchers = watchers
        self._now_ms = now_ms

    def show(self, request: HotRequest) -> Answer:
        """`GET /gate/v1/code`: a fresh code and the status now. Each call makes another code.

        While a popup keeps the code from being seen, `code` is empty.
        """
        at_ms = self._now_ms()
        at_seconds = at_ms // 1000
        bearer = self._bearers.bearer(request.token, Audience.RESIDENT, at_seconds)
        session = bearer.session
        record = self._board.shown(session.subject, at_ms)
        if record.flags & BLOCKS_CODE:
            code = withheld(at_seconds)
        else:
            code = self._issuer.issue(session, record.colour, record.rule_set, at_seconds)
        return Answer(
            _SHOWN
            % (
                code.text.encode("ascii"),
                status_words(record, at_seconds),
                code.issued_at,
                code.expires_at,
                code.refresh_at,
                bearer.masks,
                self._board.age_seconds(at_ms),
                record.sequence,
                at_seconds,
            )
        )

    def changes(self, request: HotRequest) -> Awaitable[Answer]:
        """`GET /gate/v1/changes?after=N`: answers when the holder's sequence is no longer N, or after 25 s.

        A phone that asks again with the sequence answered misses no change: it is compared before waiting.
        """
        bearer = self._bearers.bearer(request.token, Audience.RESIDENT, self._now_ms() // 1000)
        after = _AFTER.fullmatch(request.query)
        if after is None:
            raise InputInvalidError(
                faults=(Fault("after", "number", zh="应为一个编号。", en="Must be one sequence number."),)
            )
        return self._wait(bearer.session.subject, int(after[1]))

    async def _wait(self, person: int, after: int) -> Answer:
        sequence = self._board.shown(person, self._now_ms()).sequence
        if sequence == after:
            await self._watchers.changed(person, timeout_seconds=LONG_POLL_SECONDS)
            sequence = self._board.shown(person, self._now_ms()).sequence
        return Answer(_CHANGED % (sequence, b"true" if sequence != after else b"false"))
