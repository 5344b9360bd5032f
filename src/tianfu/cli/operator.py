"""Who sits at this terminal, for the trail."""

from __future__ import annotations

import getpass
import re
from typing import Final

# The trail keeps machine-made words of up to 64 characters.
_OTHER_CHARACTERS: Final = re.compile(r"[^A-Za-z0-9_.-]", re.ASCII)
_NAME_CHARACTERS_MAX: Final = 60


def terminal_actor() -> str:
    """`os:` and the name of the operating system's user, as one word of the trail."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return "os:" + (_OTHER_CHARACTERS.sub("_", name)[:_NAME_CHARACTERS_MAX] or "unknown")
