"""Handing the signed lists to scanners, and the list keys that a scanner pins at its first start. Hot.

The worker signs the lists and puts them on the board, so that a gate without database hands them out. Nothing in them
is secret; no session is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from tianfu.errors import NotFoundError
from tianfu.passcode.lists import NOT_GREEN, TRUST
from tianfu.platform import base64url
from tianfu.platform.http import Answer, HotRequest
from tianfu.platform.keyring import GateKeys
from tianfu.platform.publickeys import PublicKey
from tianfu.platform.sign import KeyPurpose
from tianfu.status.read import Board

# The alphabet of base64url holds neither quote nor backslash, so a list needs no escaping.
_LIST: Final = b'{"list":"%b"}'


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


class ListDesk:
    """The handlers for scanners that prepare for working without network."""

    __slots__ = ("_board", "_now_ms", "_ring")

    def __init__(self, *, board: Board, ring: GateKeys, now_ms: Callable[[], int]) -> None:
        """`now_ms` gives milliseconds since 1970."""
        self._board = board
        self._ring = ring
        self._now_ms = now_ms

    def trust(self, request: HotRequest) -> Answer:
        """`GET /gate/v1/lists/trust`: the signed list of keys. Raises `ListAbsentError`."""
        del request
        return self._signed(TRUST)

    def not_green(self, request: HotRequest) -> Answer:
        """`GET /gate/v1/lists/not-green`: the signed list of what is not green. Raises `ListAbsentError`."""
        del request
        return self._signed(NOT_GREEN)

    def root(self, request: HotRequest) -> Answer:
        """`GET /gate/v1/lists/root`: the list keys of this gate's own ring, to be pinned once."""
        del request
        keys = self._ring.public(self._now_ms() // 1000, (KeyPurpose.LIST,))
        return Answer(msgspec.json.encode(root(keys)))

    def _signed(self, kind: str) -> Answer:
        text = self._board.signed_list(kind.encode())
        if text is None:
            raise ListAbsentError
        return Answer(_LIST % text)


def root(keys: tuple[PublicKey, ...]) -> Root:
    """`keys` as they are told to a scanner."""
    return Root(tuple(RootKey(key.kid.hex(), base64url.encode(key.point)) for key in keys))
