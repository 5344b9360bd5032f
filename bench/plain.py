"""Lines that are not the gate's answers a second: one figure each, with what it should be."""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """A figure, what it should be, and what was measured beside it in the same run. `note` is for a person."""

    name: str
    figure: float
    unit: str
    target: float
    is_met: bool
    baseline: str
    note: str

    @property
    def verdict(self) -> str:
        """`met` or `below`."""
        return "met" if self.is_met else "below"

    def fields(self) -> dict[str, object]:
        """For machines: the words of the gate's figures, as far as they apply."""
        return {**self._asdict(), "verdict": self.verdict}

    def text(self) -> str:
        """For a terminal."""
        figure = f"{self.name}: {self.figure:,} {self.unit}  target {self.target:,}  {self.verdict}"
        return f"{figure}  baseline {self.baseline}  ({self.note})"
