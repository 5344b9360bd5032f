"""Session tokens: opaque to whoever carries them, checked without a database.

A token is `key id (1 B) ‖ nonce (12 B) ‖ AES-256-GCM(content)`, in base64url without padding. The content is a fixed
layout (docs/formats.md): who, for which audience, at which venue, until when, and the masks a screen shows. Nothing
in it can be read or changed without the key, and there is exactly one text for each token. A session ended before
its time is refused by its id elsewhere (the board's list of revoked sessions).
"""

from __future__ import annotations

import binascii
import enum
import os
import struct
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag

from tianfu.access.channel import Channel
from tianfu.errors import TianfuError
from tianfu.platform.keyring import GateKeys

SESSION_ID_BYTES: Final = 8
# An outrun session key is accepted one day longer than this (keychange.OVERLAP_SECONDS).
SESSION_LIFE_SECONDS_MAX: Final = 90 * 86_400
# A masked name is two Chinese characters and stars, or initials and stars: 6 to 30 bytes. 64 leaves room.
MASK_BYTES_MAX: Final = 64

_NONCE_END: Final = 13
_TAG_BYTES: Final = 16
# Version, audience, session id, subject, venue, expiry, lengths of the two masks.
_LAYOUT: Final = struct.Struct("<BB8sQIQBB")
_VERSION: Final = 1
# Audience and entry share a byte: the audience is in its lower half.
_CHANNEL_SHIFT: Final = 4
_GROUP: Final = 3  # bytes that four characters of base64 hold without padding

# 13 + (32 + 2 × 64 + 2 padding) + 16 = 191 bytes at most, so 252 characters; 400 refuses nothing of ours.
TOKEN_CHARACTERS_MAX: Final = 400
TOKEN_CHARACTERS_MIN: Final = (_NONCE_END + _LAYOUT.size + _TAG_BYTES) * 4 // 3

# "!" is what the strict decoder refuses; padding is refused too, because it would be another way to write a token.
_FROM_URL: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_ASSOCIATED: Final = b"tianfu session 1"


class Audience(enum.Enum):
    """Whom a session was opened for; one kind is never taken for another."""

    RESIDENT = 1
    GUARD = 2
    OPERATOR = 3


class SessionInvalidError(TianfuError):
    """The token is not one of ours, was changed, or was made for another audience."""

    code = "session_invalid"
    status = 401
    zh = "请先登录。"
    en = "Please log in."


class SessionExpiredError(TianfuError):
    """The session has ended."""

    code = "session_expired"
    status = 401
    zh = "登录已过期，请重新登录。"
    en = "Your session has ended; please log in again."


class Session(NamedTuple):
    """Who a request comes from.

    `subject` is a person for residents and an account otherwise; `venue` is the venue a guard is bound to, 0 for
    everybody else. `expires_at` is in seconds since 1970, the first instant at which it no longer holds. `channel` is
    the entry at which the session was opened.
    """

    audience: Audience
    session_id: bytes
    subject: int
    venue: int
    masked_name: str
    masked_document: str
    expires_at: int
    channel: Channel = Channel.WEB

    def __repr__(self) -> str:
        """Without the masks, so that a traceback shows nothing of the person."""
        return f"Session({self.audience.name}, {self.session_id.hex()})"


class SessionKeys:
    """Seals and opens sessions with the session keys of the gate's ring."""

    __slots__ = ("_keys",)

    def __init__(self, keys: GateKeys) -> None:
        """Follow `keys` through rotations."""
        self._keys = keys

    def issue(self, session: Session, at_seconds: int) -> str:
        """The token of `session`. Raises `ValueError` for a mask, id or life outside its limits: the caller's bug."""
        name = session.masked_name.encode()
        document = session.masked_document.encode()
        if len(name) > MASK_BYTES_MAX or len(document) > MASK_BYTES_MAX:
            message = f"a mask has at most {MASK_BYTES_MAX} bytes"
            raise ValueError(message)
        if len(session.session_id) != SESSION_ID_BYTES or session.expires_at > at_seconds + SESSION_LIFE_SECONDS_MAX:
            message = f"a session has an id of {SESSION_ID_BYTES} bytes and lasts {SESSION_LIFE_SECONDS_MAX} s at most"
            raise ValueError(message)
        head = _LAYOUT.pack(
            _VERSION,
            session.audience.value | session.channel << _CHANNEL_SHIFT,
            session.session_id,
            session.subject,
            session.venue,
            session.expires_at,
            len(name),
            len(document),
        )
        content = head + name + document
        # Zeros up to a multiple of three bytes: base64 then has no spare bits that could be written in two ways.
        content += bytes(-(_NONCE_END + len(content) + _TAG_BYTES) % _GROUP)
        ring = self._keys.at(at_seconds).sessions
        nonce = os.urandom(12)
        sealed = ring.aeads[ring.sealing_id].encrypt(nonce, content, _ASSOCIATED)
        token = bytes((ring.sealing_id,)) + nonce + sealed
        return binascii.b2a_base64(token, newline=False).translate(_TO_URL).decode()

    def open(self, token: str | bytes, at_seconds: int, *, audience: Audience | None = None) -> Session:
        """The session that `token` carries, while it lasts; with `audience`, only a session for that one.

        Raises `SessionInvalidError` or `SessionExpiredError` and nothing else, whatever `token` holds.
        """
        if not TOKEN_CHARACTERS_MIN <= len(token) <= TOKEN_CHARACTERS_MAX:
            raise SessionInvalidError
        try:
            text = token if isinstance(token, bytes) else token.encode("ascii")
            raw = binascii.a2b_base64(text.translate(_FROM_URL), strict_mode=True)
            aead = self._keys.at(at_seconds).sessions.aeads[raw[0]]
            content = aead.decrypt(raw[1:_NONCE_END], raw[_NONCE_END:], _ASSOCIATED)
        except (UnicodeEncodeError, binascii.Error, KeyError, IndexError, ValueError, InvalidTag):
            raise SessionInvalidError from None
        version, kind, session_id, subject, venue, expires_at, name_bytes, document_bytes = _LAYOUT.unpack_from(content)
        found = _KINDS.get(kind)
        if version != _VERSION or found is None or (audience is not None and found[0] is not audience):
            raise SessionInvalidError
        if at_seconds >= expires_at:
            raise SessionExpiredError
        name_end = _LAYOUT.size + name_bytes
        return Session(
            found[0],
            session_id,
            subject,
            venue,
            content[_LAYOUT.size : name_end].decode(),
            content[name_end : name_end + document_bytes].decode(),
            expires_at,
            found[1],
        )


def new_session_id() -> bytes:
    """Eight random bytes; two of 150 million live sessions share one with a chance below one in a thousand."""
    return os.urandom(SESSION_ID_BYTES)


_KINDS: Final = {
    audience.value | channel << _CHANNEL_SHIFT: (audience, channel) for audience in Audience for channel in Channel
}
