"""Colours: the worst wins, whatever the order."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianfu.colour import Colour, worst

colours = st.lists(st.sampled_from(Colour))


@pytest.mark.parametrize(
    ("given_colours", "expected"),
    [
        ([], Colour.GREEN),
        ([Colour.GREEN], Colour.GREEN),
        ([Colour.GREEN, Colour.YELLOW], Colour.YELLOW),
        ([Colour.RED, Colour.GREEN, Colour.YELLOW], Colour.RED),
    ],
)
def test_the_worst_colour_wins(given_colours: list[Colour], expected: Colour) -> None:
    assert worst(given_colours) is expected


@given(several=colours, seed=st.integers())
def test_the_order_does_not_matter(several: list[Colour], seed: int) -> None:
    shuffled = random.Random(seed).sample(several, len(several))

    assert worst(shuffled) is worst(several)


@given(several=colours, more=colours)
def test_more_evidence_never_makes_the_colour_better(several: list[Colour], more: list[Colour]) -> None:
    assert worst(several + more).severity >= worst(several).severity
    assert worst(several + more) is worst([worst(several), worst(more)])


def test_colours_are_stored_by_name() -> None:
    assert [Colour(name) for name in ("green", "yellow", "red")] == list(Colour)
    assert [colour.severity for colour in Colour] == [0, 1, 2]
