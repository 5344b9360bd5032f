"""Passes `/feeds/` on to the departments' door, without keeping a body: it goes through as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Final

import httpx

from tianfu.platform.asgi import Receive, Scope
from tianfu.platform.http import Header
from tianfu.services.control_proxy import ClientGoneError, ControlProxy

# A batch may wait a minute for the one before it and take ten seconds itself; the door bounds the rest.
_TIMEOUT: Final = httpx.Timeout(connect=1.0, read=180.0, write=30.0, pool=1.0)


class FeedsProxy(ControlProxy):
    """A `ControlProxy` for large bodies; the door behind it bounds their size and time."""

    timeout = _TIMEOUT

    async def content(self, receive: Receive) -> AsyncIterator[bytes]:
        """The body, piece by piece."""
        return _pieces(receive)

    def forwarded(self, scope: Scope) -> Iterable[Header]:
        """The client's headers, its content length among them."""
        yield from super().forwarded(scope)
        length = dict(scope["headers"]).get(b"content-length")
        if length is not None:
            yield b"content-length", length


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        more = message.get("more_body", False)
        yield message.get("body", b"")
