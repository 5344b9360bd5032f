"""The colours a decision can have.

Stored and sent by name, never by position. `worst` is the only way two colours are combined.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Colour(enum.Enum):
    """What a code says of its holder: `GREEN` passes, `YELLOW` is limited, `RED` stays away."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"

    @property
    def severity(self) -> int:
        """0 for green, 1 for yellow, 2 for red."""
        return _SEVERITY[self]


_SEVERITY = {Colour.GREEN: 0, Colour.YELLOW: 1, Colour.RED: 2}


def worst(colours: Iterable[Colour]) -> Colour:
    """The most severe of `colours`; green when there is none."""
    return max(colours, key=lambda colour: colour.severity, default=Colour.GREEN)
