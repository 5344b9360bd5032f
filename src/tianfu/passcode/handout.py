"""Handing the signed lists to scanners, and the list keys that a scanner pins at its first start. Hot.

The worker signs the lists and puts them on the board, so that a gate without database hands them out. Nothing in them
is secret; no session is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from tianfu.errors import NotFoundError
from tianfu.passcode.lists import NOT_GREEN, TRUST, stated_number
from tianfu.platform import base64url
from tianfu.platform.admission import RETRY_SECONDS_MAX, retry_after
from tianfu.platform.hot import http_bytes
from tianfu.platform.http import Answer, BusyError, HotRequest
from tianfu.platform.keyring import GateKeys
from tianfu.platform.publickeys import PublicKey
from tianfu.platform.sign import KeyPurpose
from tianfu.status.read import Board

# The alphabet of base64url holds neither quote nor backslash, so a list needs no escaping.
_LIST: Final = b'{"list":"%b"}'
_SAME: Final = Answer(b'{"list":null}')
_KNOWN: Final = re.compile(rb"number=(0|[1-9][0-9]{0,9})")
# A list changes once a minute. The board is asked for it once a second, not by every stranger.
_LOOK_MS: Final = 1_000
# The longest list has 1.33 MB: 67 MB a second, half a gigabit. Lists of this many bytes are no matter.
LONG_PER_SECOND_MAX: Final = 50
_LONG_BYTES: Final = 65_536


class ListAbsentError(NotFoundError):
    """The board has no such list yet: the worker has not made one, or there are too many entries."""

    code = "list_absent"
    zh = "名单尚未生成，请稍后再试。"
    en = "There is no such list yet; please try again later."


class RootKey(msgspec.Struct, frozen=True):
    """One list key to pin: its kid in hex, its point x ‖ y in base64url."""

    kid: str
    point: str


class Root(msgspec.Struct, frozen=True):
    """The list keys that are trusted to begin with."""

    keys: tuple[RootKey, ...]


class _Ready(NamedTuple):
    """A list as it is handed out."""

    text: bytes
    number: int
    answer: Answer


class ListDesk:
    """The handlers for scanners that prepare for working without network.

    Whoever has the latest list says so with `?number=N`, and is told `null` instead of it.
    """

    __slots__ = ("_board", "_long_left", "_looked_at_ms", "_now_ms", "_ready", "_ring")

    def __init__(self, *, board: Board, ring: GateKeys, now_ms: Callable[[], int]) -> None:
        """`now_ms` gives milliseconds since 1970."""
        self._board = board
        self._ring = ring
        self._now_ms = now_ms
        self._ready: dict[str, _Ready] = {}
        self._looked_at_ms = 0
        self._long_left = LONG_PER_SECOND_MAX

    def trust(self, request: HotRequest) -> Answer:
        """`GET /gate/v1/lists/trust`: the signed list of keys. Raises `ListAbsentError`."""
        return self._signed(TRUST, request)

    def not_green(self, request: HotRequest) -> Answer:
        """`GET /gate/v1/lists/not-green`: the signed list of what is not green.

        Raises `ListAbsentError`, and `BusyError` when too many ask for a long one in the same second.
        """
        return self._signed(NOT_GREEN, request)

    def root(self, request: HotRequest) -> Answer:
        """`GET /gate/v1/lists/root`: the list keys of this gate's own ring, to be pinned once."""
        del request
        keys = self._ring.public(self._now_ms() // 1000, (KeyPurpose.LIST,))
        return Answer(msgspec.json.encode(root(keys)))

    def _signed(self, kind: str, request: HotRequest) -> Answer:
        at_ms = self._now_ms()
        if kind not in self._ready or not 0 <= at_ms - self._looked_at_ms < _LOOK_MS:
            if at_ms - self._looked_at_ms >= _LOOK_MS:
                self._long_left = LONG_PER_SECOND_MAX
            self._looked_at_ms = at_ms
            self._look()
        ready = self._ready.get(kind)
        if ready is None:
            raise ListAbsentError
        known = _KNOWN.fullmatch(request.query)
        if known is not None and int(known[1]) == ready.number:
            return _SAME
        if len(ready.text) > _LONG_BYTES:
            if self._long_left == 0:
                raise BusyError(retry_after_seconds=retry_after(RETRY_SECONDS_MAX))
            self._long_left -= 1
        return ready.answer

    def _look(self) -> None:
        """Take up the lists that are on the board now."""
        for kind in (TRUST, NOT_GREEN):
            text = self._board.signed_list(kind.encode())
            if text is None:
                self._ready.pop(kind, None)
            elif kind not in self._ready or self._ready[kind].text != text:
                answer = Answer(_LIST % text)
                whole = answer._replace(wire=http_bytes(answer))
                self._ready[kind] = _Ready(text, stated_number(text.decode()), whole)


def root(keys: tuple[PublicKey, ...]) -> Root:
    """`keys` as they are told to a scanner."""
    return Root(tuple(RootKey(key.kid.hex(), base64url.encode(key.point)) for key in keys))
