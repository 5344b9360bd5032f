"""Sessions and codes of the comparison as JSON Web Tokens: what the tutorials of its framework teach."""

from __future__ import annotations

import os
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

CODE_LIFE_SECONDS: Final = 90
REFRESH_AFTER_SECONDS: Final = 60
_SESSION_SECONDS: Final = 86_400


class Keys:
    """One secret for sessions, one P-256 key for codes, derived from one seed that both processes are given."""

    def __init__(self, seed: bytes) -> None:
        """Take 32 bytes."""
        self.seed = seed
        self._private = ec.derive_private_key(int.from_bytes(seed, "big"), ec.SECP256R1())
        self._public = self._private.public_key()

    def session(self, subject: int, venue: int, at_seconds: int) -> str:
        """A session: signed, not looked up, so it costs no statement and cannot be revoked."""
        claims = {"sub": str(subject), "venue": venue, "name": "测*", "document": "5101**********123X"}
        return jwt.encode({**claims, "exp": at_seconds + _SESSION_SECONDS}, self.seed, "HS256")

    def opened(self, session: str) -> dict[str, Any]:
        """The claims of a session. Raises `jwt.InvalidTokenError`."""
        return jwt.decode(session, self.seed, ["HS256"])

    def code(self, subject: str, name: str, at_seconds: int) -> str:
        """A fresh code, signed with ES256."""
        claims = {"sub": subject, "name": name, "jti": os.urandom(8).hex()}
        times = {"iat": at_seconds, "exp": at_seconds + CODE_LIFE_SECONDS}
        return jwt.encode({**claims, **times}, self._private, "ES256")

    def verified(self, code: str) -> dict[str, Any]:
        """The claims of a code. Raises `jwt.InvalidTokenError`."""
        return jwt.decode(code, self._public, ["ES256"])
