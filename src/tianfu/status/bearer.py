"""Who a request at the gate comes from: the session of its token, opened once and remembered for a while. Hot."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from tianfu.access.session import Audience, Session, SessionExpiredError, SessionInvalidError, SessionKeys
from tianfu.errors import TianfuError
from tianfu.platform.keyring import GateKeys, GateKeySet
from tianfu.platform.recent import Recent
from tianfu.status.read import Board

# Each remembered session takes about 1 kB, so at most 130 MB; opening one costs 3 µs, so a miss is no harm.
SESSIONS_REMEMBERED: Final = 65_536


class AudienceRefusedError(TianfuError):
    """The session is good, but not for this: a resident's at the guards' address, or the other way round."""

    code = "audience_refused"
    status = 403
    zh = "当前登录身份不能使用此功能。"
    en = "This log-in cannot be used here."


class Bearer(NamedTuple):
    """A session, and its masks as a piece of JSON: `"masked_name":"张*","masked_document":"5101**********1234"`."""

    session: Session
    masks: bytes


class Bearers:
    """Opens session tokens; refuses expired ones, those of another audience and those revoked on the board."""

    __slots__ = ("_board", "_keys", "_opened", "_opened_with", "_ring")

    def __init__(self, ring: GateKeys, board: Board) -> None:
        """Follow `ring` through rotations and `board` for revocations."""
        self._ring = ring
        self._keys = SessionKeys(ring)
        self._board = board
        self._opened: Recent[str, Bearer] = Recent(SESSIONS_REMEMBERED)
        self._opened_with: GateKeySet | None = None

    def bearer(self, token: str | None, audience: Audience, at_seconds: int) -> Bearer:
        """Whose `token` it is. Raises `SessionInvalidError`, `SessionExpiredError`, `AudienceRefusedError`."""
        if token is None:
            raise SessionInvalidError
        keys = self._ring.at(at_seconds)
        if keys is not self._opened_with:
            # Keys were looked at again: a token of a retired key must not live on in memory.
            self._opened.clear()
            self._opened_with = keys
        found = self._opened.get(token)
        if found is None:
            session = self._keys.open(token, at_seconds)
            masks = {"masked_name": session.masked_name, "masked_document": session.masked_document}
            found = Bearer(session, msgspec.json.encode(masks)[1:-1])
            self._opened.put(token, found)
        session = found.session
        if at_seconds >= session.expires_at:
            raise SessionExpiredError
        if session.audience is not audience:
            raise AudienceRefusedError
        if self._board.is_revoked(session.session_id):
            raise SessionInvalidError
        return found
