"""A guard's check where codes of other issuers are known too: theirs are asked for, ours go the short way. Hot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from tianfu.platform.http import Answer, HotRequest, Language, parse_json
from tianfu.scans.foreign.abroad import Abroad, words
from tianfu.scans.guard import CheckBody, GuardDesk


class ForeignDesk:
    """Stands before the guard's desk. Our own codes take no part in any waiting."""

    __slots__ = ("_abroad", "_decoder", "_desk", "_now_ms")

    def __init__(self, desk: GuardDesk, abroad: Abroad, *, now_ms: Callable[[], int]) -> None:
        """Hand what `abroad` does not know to `desk`."""
        self._desk = desk
        self._abroad = abroad
        self._now_ms = now_ms
        self._decoder = msgspec.json.Decoder(CheckBody)

    def check(self, request: HotRequest) -> Answer | Awaitable[Answer]:
        """`POST /gate/v1/check`: as `GuardDesk.check`; a foreign code is answered with its issuer's word and its age.

        Raises `ForeignUnavailableError` when the issuer cannot be asked. A foreign holder has no number here, so
        nothing is recorded.
        """
        self._desk.guard(request, self._now_ms())
        text = parse_json(self._decoder, request.body).code
        if not self._abroad.knows(text):
            return self._desk.check(request)
        return self._ask(text, request.language)

    async def _ask(self, text: str, language: Language) -> Answer:
        found = await self._abroad.resolve(text)
        return Answer(b"{%b}" % words(found, language, self._now_ms() // 1000))
