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
from tianfu.platform.http import HotRequest, Language, language_of, session_token
from tianfu.platform.recent import Recent

# A phone's head is under 1 kB. Longer ones are no hurry.
HEAD_BYTES_MAX: Final = 2_048
# Browsers and apps of one month differ in some hundred ways; bodies of a scan have some hundred lengths. 2 MB at most.
HEADS_REMEMBERED: Final = 1_024
_END: Final = b"\r\n\r\n"
_LINE: Final = b"\r\n"
_TOKEN_USUAL_BYTES_MAX: Final = 400
_COOKIE: Final = b"\r\nCookie: "
_LENGTH: Final = re.compile(rb"0|[1-9][0-9]{0,6}")
_VERSION: Final = b" HTTP/1.1"
_QUERY: Final = re.compile(rb"\?([a-z0-9=&_-]{1,64}) HTTP/1\.1\Z")


class ShortRoute(NamedTuple):
    """A route under one exact request line."""

    route: Route
    path: str
    query: bytes
    has_body: bool
    cookie_start: bytes = b"="


class _Head(NamedTuple):
    """A head that was read: all that it says, but for the cookie that was taken out of it."""

    found: ShortRoute
    body_bytes: int
    language: Language
    authorization: bytes | None


class Shortcut:
    """The request lines of a desk's routes.

    But for the cookie, the heads of thousands of requests are the same bytes: each is read once and remembered.
    """

    __slots__ = ("_heads", "_public_origin", "_routes")

    def __init__(self, desk: HotDesk) -> None:
        """Know these lines and no other."""
        self._public_origin = desk.public_origin
        self._routes = {
            b"%b %b%b" % (method.encode("ascii"), path.encode("ascii"), _VERSION): ShortRoute(
                route, path, b"", method == "POST", route.cookie + b"="
            )
            for (method, path), route in desk.routes.items()
        }
        self._heads: Recent[bytes, _Head] = Recent(HEADS_REMEMBERED)

    def take(self, data: bytes) -> tuple[ShortRoute, HotRequest] | None:
        """The request that `data` is, whole and nothing more; None for the long way."""
        end = data.find(_END)
        cookies = None
        head = data[: end + 2]
        at = head.find(_COOKIE)
        if at >= 0:
            begin = at + len(_COOKIE)
            cookies_end = head.find(_LINE, begin)
            cookies = head[begin:cookies_end]
            if b"\n" in cookies:
                return None
            head = head[:at] + head[cookies_end:]
        known = self._heads.get(head) or self._read(head)
        if known is None:
            return None
        found, body_bytes, language, authorization = known
        if len(data) != end + 4 + body_bytes:
            return None
        token = None
        if cookies is not None and cookies.startswith(found.cookie_start):
            token = cookies[len(found.cookie_start) :]
            if b";" in token or len(token) > _TOKEN_USUAL_BYTES_MAX or not token.isascii():
                token = None
        if token is None:
            token = session_token(cookies, authorization, found.route.cookie)
        return found, HotRequest(data[end + 4 :], found.query, token, language)

    def _read(self, head: bytes) -> _Head | None:
        """What `head`, without its cookie, says; None when it is not usual in every way."""
        found = self._route(head)
        if found is None or len(head) > HEAD_BYTES_MAX or not head.endswith(_LINE):
            return None
        # Names of headers are compared in lower case; the line feed before a name is the end of the line before it.
        lower = head.lower()
        # The length of a message is told by these two and by nothing else. Anywhere in the head counts, so that no
        # spelling of them (a space before the colon, a bare line feed) passes unseen.
        if b"transfer-encoding" in lower or b"\r\nconnection: close" in lower or b"\r\nexpect" in lower:
            return None
        body_bytes = 0
        if found.has_body:
            length = _value(lower, head, b"\r\ncontent-length: ") or b""
            if _LENGTH.fullmatch(length) is None or lower.count(b"content-length") != 1:
                return None
            body_bytes = int(length)
            if body_bytes > found.route.body_bytes_max or not self._is_from_us(lower, head):
                return None
        elif b"content-length" in lower:
            return None
        if b"\r\ncookie:" in lower:
            return None  # a second one, or one in another spelling: the long way knows what to do
        language = language_of(_value(lower, head, b"\r\naccept-language: ") or b"")
        known = _Head(found, body_bytes, language, _value(lower, head, b"\r\nauthorization: "))
        if known.authorization is None:
            self._heads.put(head, known)
        return known

    def _route(self, head: bytes) -> ShortRoute | None:
        line = head[: head.find(_LINE)]
        found = self._routes.get(line)
        if found is not None:
            return found
        asked = _QUERY.search(line)
        if asked is None:
            return None
        found = self._routes.get(line[: asked.start()] + _VERSION)
        return None if found is None else found._replace(query=asked[1])

    def _is_from_us(self, head: bytes, data: bytes) -> bool:
        """Whether the message says that it is JSON and does not say that it comes from a page of another site."""
        if _value(head, data, b"\r\ncontent-type: ") != b"application/json":
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
