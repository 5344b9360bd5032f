"""The short way of a request: from the bytes of a connection to a hot handler, without a server framework between.

Nearly every request at a gate is one small, complete, ordinary message. `Shortcut.take` recognises those and nothing
else; whatever is longer, split, chunked, pipelined or merely unusual gives None and goes the long way through the
server's parser, which stays the one judge of what is HTTP. So the short way can refuse to understand, but never
understand differently: it takes no message whose length could be read in two ways.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tianfu.platform.hot import HotDesk, Route
from tianfu.platform.http import HotRequest, language_of, session_token

# A phone's request is under 1 kB, a scan under 2 kB. Longer ones are no hurry.
SHORT_BYTES_MAX: Final = 4_096
_END: Final = b"\r\n\r\n"
_LINE: Final = b"\r\n"
_TOKEN_USUAL_BYTES_MAX: Final = 400
_NO_BODY: Final = b""
_VERSION: Final = b" HTTP/1.1"
_QUERY: Final = re.compile(rb"\?([a-z0-9=&_-]{1,64}) HTTP/1\.1\Z")


class ShortRoute(NamedTuple):
    """A route under one exact request line."""

    route: Route
    path: str
    query: bytes
    has_body: bool
    cookie_start: bytes = b"="


class Shortcut:
    """The request lines of a desk's routes."""

    __slots__ = ("_public_origin", "_routes")

    def __init__(self, desk: HotDesk) -> None:
        """Know these lines and no other."""
        self._public_origin = desk.public_origin
        self._routes = {
            b"%b %b%b" % (method.encode("ascii"), path.encode("ascii"), _VERSION): ShortRoute(
                route, path, b"", method == "POST", route.cookie + b"="
            )
            for (method, path), route in desk.routes.items()
        }

    def route(self, data: bytes) -> ShortRoute | None:
        """Whose request begins with the first line of `data`; None for the long way."""
        line = data[: data.find(_LINE)]
        found = self._routes.get(line)
        if found is not None:
            return found
        asked = _QUERY.search(line)
        if asked is None:
            return None
        found = self._routes.get(line[: asked.start()] + _VERSION)
        return None if found is None else found._replace(query=asked[1])

    def request(self, found: ShortRoute, data: bytes) -> HotRequest | None:
        """The request that `data` is, whole and nothing more; None for the long way."""
        size = len(data)
        if size > SHORT_BYTES_MAX:
            return None
        end = data.find(_END)
        # Names of headers are compared in lower case; the line feed before a name is the end of the line before it.
        head = data[: end + 2].lower()
        # The length of a message is told by these two and by nothing else. Anywhere in the head counts, so that no
        # spelling of them (a space before the colon, a bare line feed) passes unseen.
        if b"transfer-encoding" in head or b"\r\nconnection: close" in head:
            return None
        body = _NO_BODY
        if found.has_body:
            body = data[end + 4 :]
            if (
                _value(head, data, b"\r\ncontent-length: ") != b"%d" % len(body)
                or head.count(b"content-length") != 1
                or len(body) > found.route.body_bytes_max
                or not self._is_from_us(head, data)
            ):
                return None
        elif end + 4 != size or b"content-length" in head:
            return None
        language = language_of(_value(head, data, b"\r\naccept-language: ") or b"")
        cookies = _value(head, data, b"\r\ncookie: ")
        if cookies is not None and cookies.startswith(found.cookie_start) and b";" not in cookies:
            token = cookies[len(found.cookie_start) :]
            if len(token) < _TOKEN_USUAL_BYTES_MAX and token.isascii():
                return HotRequest(body, found.query, token, language)
        token_found = session_token(cookies, _value(head, data, b"\r\nauthorization: "), found.route.cookie)
        return HotRequest(body, found.query, token_found, language)

    def _is_from_us(self, head: bytes, data: bytes) -> bool:
        """Whether the message says that it is JSON and does not say that it comes from a page of another site."""
        if _value(head, data, b"\r\ncontent-type: ") != b"application/json" or b"\r\nexpect" in head:
            return False
        origin = _value(head, data, b"\r\norigin: ")
        return origin is None or origin == self._public_origin


def _value(head: bytes, data: bytes, name: bytes) -> bytes | None:
    """The value of the first header whose line begins with `name` (lower case, from the line feed to the space)."""
    at = head.find(name)
    if at < 0:
        return None
    begin = at + len(name)
    return data[begin : head.find(_LINE, begin)]
