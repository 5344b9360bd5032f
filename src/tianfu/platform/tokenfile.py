"""The token with which we name ourselves to another system: one line in a file that only its owner may read."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Final

_TOKEN: Final = re.compile(r"[\x21-\x7e]{16,1024}", re.ASCII)


class TokenUnusableError(ValueError):
    """The file is missing, readable by others, or holds no token. Its content is never repeated."""


def read_token(path: Path) -> str:
    """The bearer token in `path`. Raises `TokenUnusableError`."""
    try:
        mode = path.stat().st_mode
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as cause:
        raise TokenUnusableError from cause
    if mode & (stat.S_IRWXG | stat.S_IRWXO) or _TOKEN.fullmatch(token) is None:
        raise TokenUnusableError
    return token
