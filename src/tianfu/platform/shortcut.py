"""The short way of a request: from the bytes of a connection to a hot handler, without a server framework between.

Nearly every request at a gate is one small, complete, ordinary message. `Shortcut.take` recognises those and nothing
else; whatever is longer, split, chunked, pipelined or merely unusual gives None and goes the long way through the
server's parser, which stays the one judge of what is HTTP. So the short way can refuse to understand, but never
understand differently: it takes no message whose length could be read in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
# Header lines as everybody reads them (RFC 9112, 5): a name without blanks, a colon, here always one space, and a value
# that neither begins nor ends with a blank and holds no control character; each ended by both line characters. A folded
# line is none. What proxies and servers have read in two ways is none of these.
_LINES: Final = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++: (?! )[ -~\x80-\xff]*+(?<! )\r\n)*+")
_PRINTABLE: Final = bytes(range(0x20, 0x7F))
_VERSION: Final = b" HTTP/1.1"
_QUERY: Final = re.compile(rb"\?([a-z0-9=&_-]{1,64}) HTTP/1\.1\Z")
_PERSISTENT: Final = (None, b"keep-alive", b"Keep-Alive")
# Fields by which a message changes its length, or the connection what it speaks.
_CHANGING: Final = (b"transfer-encoding", b"expect", b"upgrade", b"http2-settings", b"trailer", b"te")


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
            if cookies.translate(None, _PRINTABLE) or cookies.startswith(b" ") or cookies.endswith(b" "):
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
            if b";" in token or not 0 < len(token) <= _TOKEN_USUAL_BYTES_MAX:
                token = None
        if token is None:
            token = session_token(cookies, authorization, found.route.cookie)
        return found, HotRequest(data[end + 4 :], found.query, token, language)

    def _read(self, head: bytes) -> _Head | None:
        """What `head`, without its cookie, says; None when it is not usual in every way."""
        found = self._route(head)
        fields = None if found is None or len(head) > HEAD_BYTES_MAX else _fields(head)
        if found is None or fields is None or b"cookie" in fields:  # a cookie in another spelling was not taken out
            return None
        if fields.get(b"connection") not in _PERSISTENT or not fields.keys().isdisjoint(_CHANGING):
            return None
        length = fields.get(b"content-length")
        body_bytes = 0
        if found.has_body:
            if length is None or _LENGTH.fullmatch(length) is None or not self._is_from_us(fields):
                return None
            body_bytes = int(length)
            if body_bytes > found.route.body_bytes_max:
                return None
        elif length is not None:
            return None
        language = language_of(fields.get(b"accept-language", b""))
        known = _Head(found, body_bytes, language, fields.get(b"authorization"))
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

    def _is_from_us(self, fields: Mapping[bytes, bytes]) -> bool:
        """Whether the message says that it is JSON and does not say that it comes from a page of another site."""
        if fields.get(b"content-type") != b"application/json":
            return False
        origin = fields.get(b"origin")
        return origin is None or origin == self._public_origin


def _fields(head: bytes) -> dict[bytes, bytes] | None:
    """The fields by their names in lower case; None when one is not written in the usual way, or is there twice."""
    begin = head.find(_LINE) + len(_LINE)
    if _LINES.fullmatch(head, begin) is None:
        return None
    fields: dict[bytes, bytes] = {}
    lines = head[begin:].split(_LINE)
    for line in lines[:-1]:
        name, _, value = line.partition(b": ")
        fields[name.lower()] = value
    return fields if len(fields) == len(lines) - 1 else None
