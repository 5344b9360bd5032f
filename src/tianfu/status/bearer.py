"""Who a request at the gate comes from: the session in its token. Hot.

A token is opened anew for every request. Remembering opened ones would save two microseconds of arithmetic and cost
more than that in memory that lies far from the processor, because a busy gate sees a million different holders.
"""

from __future__ import annotations

from tianfu.access.channel import Channel
from tianfu.access.session import Audience, Session, SessionInvalidError, SessionKeys
from tianfu.errors import TianfuError
from tianfu.platform.keyring import GateKeys
from tianfu.status.read import Board


class AudienceRefusedError(TianfuError):
    """The session is good, but not for this: a resident's at the guards' address, or the other way round."""

    code = "audience_refused"
    status = 403
    zh = "当前登录身份不能使用此功能。"
    en = "This log-in cannot be used here."


class Bearers:
    """Opens session tokens; refuses expired ones, those of another audience and those revoked on the board."""

    __slots__ = ("_board", "_keys")

    def __init__(self, ring: GateKeys, board: Board) -> None:
        """Follow `ring` through rotations and `board` for revocations."""
        self._keys = SessionKeys(ring)
        self._board = board

    def bearer(self, token: bytes | None, audience: Audience, at_seconds: int) -> Session:
        """Whose `token` it is. Raises `SessionInvalidError`, `SessionExpiredError`, `AudienceRefusedError`."""
        if token is None:
            raise SessionInvalidError
        session = self._keys.open(token, at_seconds)
        if session.audience is not audience:
            raise AudienceRefusedError
        if self._board.is_revoked(session.session_id):
            raise SessionInvalidError
        return session

    def channel(self, token: bytes | None, at_seconds: int) -> Channel:
        """The entry that the session of `token` belongs to; the web for a token that is none."""
        try:
            return Channel.WEB if token is None else self._keys.open(token, at_seconds).channel
        except TianfuError:
            return Channel.WEB
