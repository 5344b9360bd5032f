"""Passwords of operators: scrypt, with its cost stored beside the digest so that it can be raised later."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import unicodedata
from typing import Final

from tianfu.errors import Fault, InputInvalidError

PASSWORD_LENGTH_MIN: Final = 12
PASSWORD_LENGTH_MAX: Final = 128

# 2**15 blocks of 8 × 128 bytes are 32 MiB, three times over: some hundred milliseconds on one core. OWASP's floor is
# 2**17 with p = 1; p = 3 at 2**15 costs an attacker the same work with a memory that two sign-ins at once can afford.
_LOG_N: Final = 15
_R: Final = 8
_P: Final = 3
_SALT_BYTES: Final = 16
_DIGEST_BYTES: Final = 32
_MEMORY_BYTES_MAX: Final = 256 * 1024 * 1024

# Two at a time: 64 MiB and two cores at most, however many try to sign in.
_turns = threading.BoundedSemaphore(2)


def check_new(password: str, *, field: str = "password") -> None:
    """Raise `InputInvalidError` unless `password` is long enough and no single character repeated."""
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX or len(set(password)) < PASSWORD_LENGTH_MIN // 2:
        fault = Fault(
            field=field,
            code="password",
            zh=f"口令须为 {PASSWORD_LENGTH_MIN} 至 {PASSWORD_LENGTH_MAX} 个字符，且不能大量重复。",
            en=f"A password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters, not a few repeated.",
        )
        raise InputInvalidError(faults=(fault,))


def digest(password: str) -> str:
    """`scrypt$15$8$3$<salt>$<digest>` with a fresh salt; takes a few tenths of a second on purpose."""
    salt = secrets.token_bytes(_SALT_BYTES)
    made = _scrypt(password, salt, log_n=_LOG_N, r=_R, p=_P)
    return "$".join(("scrypt", str(_LOG_N), str(_R), str(_P), _text(salt), _text(made)))


def fits(password: str, stored: str | None) -> bool:
    """Whether `password` made `stored`. Without one to compare with, the same work is done and the answer is no."""
    _, log_n, r, p, salt, expected = (stored or _NOBODYS).split("$")
    made = _scrypt(password, base64.b64decode(salt), log_n=int(log_n), r=int(r), p=int(p))
    equal = hmac.compare_digest(made, base64.b64decode(expected))
    return equal and stored is not None


def _scrypt(password: str, salt: bytes, *, log_n: int, r: int, p: int) -> bytes:
    # Cut, not refused: a sign-in with an overlong password fails like any wrong one, at the same cost.
    text = unicodedata.normalize("NFKC", password[: PASSWORD_LENGTH_MAX + 1])
    with _turns:
        return hashlib.scrypt(
            text.encode("utf-8", "surrogatepass"),
            salt=salt,
            n=2**log_n,
            r=r,
            p=p,
            maxmem=_MEMORY_BYTES_MAX,
            dklen=_DIGEST_BYTES,
        )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


_NOBODYS: Final = "$".join(
    ("scrypt", str(_LOG_N), str(_R), str(_P), _text(bytes(_SALT_BYTES)), _text(bytes(_DIGEST_BYTES)))
)
