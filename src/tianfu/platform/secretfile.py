"""A secret that two of our machines share, in a file that only its owner may read."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

from tianfu.errors import TianfuError

_SECRET: Final = re.compile(r"[\x21-\x7e]{32,1024}", re.ASCII)
_SECRET_BYTES: Final = 32


class SharedSecretError(TianfuError):
    """The file with the shared secret is missing, readable by others, or holds none."""

    code = "shared_secret"
    status = 500
    zh = "共享密钥文件缺失、权限过宽或内容有误。"
    en = "The file with the shared secret is missing, readable by others, or malformed."


def read(path: Path) -> str:
    """The secret in `path`. Raises `SharedSecretError`."""
    try:
        mode = path.stat().st_mode
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SharedSecretError from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO) or _SECRET.fullmatch(secret) is None:
        raise SharedSecretError
    return secret


def read_or_create(path: Path) -> str:
    """The secret in `path`, a new one when there is no such file. Raises `SharedSecretError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return read(path)
    except OSError as error:
        raise SharedSecretError from error
    with os.fdopen(descriptor, "w", encoding="ascii") as handle:
        handle.write(secrets.token_urlsafe(_SECRET_BYTES) + "\n")
    return read(path)


def same(one: str | bytes, other: str) -> bool:
    """Whether the two are equal, in a time that says nothing of where they differ."""
    first = one.encode("latin-1", "replace") if isinstance(one, str) else one
    return hmac.compare_digest(hashlib.sha256(first).digest(), hashlib.sha256(other.encode()).digest())
