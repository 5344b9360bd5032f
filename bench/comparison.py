"""The door to `bench.usual`, whose packages only `make bench` installs."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from typing import Final

from bench.plain import Line
from bench.stage import Stage

NAME: Final = "usual"
_PACKAGES: Final = ("fastapi", "asyncpg", "jwt")


def measure(stage: Stage) -> Iterable[Line]:
    """See `bench.usual.compare`; without its packages nothing is measured, and standard error says why."""
    if any(importlib.util.find_spec(package) is None for package in _PACKAGES):
        sys.stderr.write("left out: `make bench` installs what the comparison with the usual stack needs\n")
        return []
    lines: Iterable[Line] = importlib.import_module("bench.usual.compare").measure(stage)
    return lines
