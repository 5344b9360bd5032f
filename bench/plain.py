"""Budgets that are not about the gate's answers: each is one function that measures, and one line."""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """A figure, what it should be, and what was measured beside it in the same run. `note` is for a person."""

    name: str
    figure: int
    unit: str
    target: int
    is_met: bool
    baseline: str
    note: str

    def text(self) -> str:
        """For a terminal."""
        verdict = "met" if self.is_met else "below"
        figure = f"{self.name}: {self.figure:,} {self.unit}  target {self.target:,}  {verdict}"
        return f"{figure}  baseline {self.baseline}  ({self.note})"
