from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianfu.evidence.polygon import CELLS_MAX, Point, cell_at, cells_of

SQUARE: list[Point] = [(104.052, 30.621), (104.078, 30.621), (104.078, 30.648), (104.052, 30.648)]
# Off the lines between squares, where rounding decides.
DEGREES = (
    st.integers(0, 199).map(lambda steps: 104.0005 + steps / 1000),
    st.integers(0, 199).map(lambda steps: 30.5005 + steps / 1000),
)


def test_a_rectangle_covers_every_square_it_touches() -> None:
    cells = cells_of(SQUARE)

    assert cells == {
        f"{latitude / 100:.2f},{longitude / 100:.2f}"
        for latitude in range(3062, 3065)
        for longitude in range(10405, 10408)
    }


def test_a_sliver_inside_one_square_still_has_that_square() -> None:
    assert cells_of([(104.051, 30.621), (104.0511, 30.621), (104.0511, 30.6211)]) == {"30.62,104.05"}


def test_a_hollow_of_the_ring_is_left_out() -> None:
    horseshoe: list[Point] = [
        *((104.00, 30.50), (104.10, 30.50), (104.10, 30.60), (104.075, 30.60)),
        *((104.075, 30.525), (104.025, 30.525), (104.025, 30.60), (104.00, 30.60)),
    ]

    assert cell_at(104.055, 30.575) not in cells_of(horseshoe)
    assert cell_at(104.015, 30.575) in cells_of(horseshoe)


@given(ring=st.lists(st.tuples(*DEGREES), min_size=3, max_size=8, unique=True))
def test_the_square_of_every_corner_and_of_points_along_the_edges_belongs_to_the_area(ring: list[Point]) -> None:
    cells = cells_of(ring)

    for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
        for step in range(5):
            part = step / 5
            assert cell_at(ax + (bx - ax) * part, ay + (by - ay) * part) in cells


NOWHERE = [[*SQUARE[:2], (104.0, far)] for far in (float("inf"), float("nan"), 90.5)]


@pytest.mark.parametrize("ring", [SQUARE[:2], [(0.0, 0.0), (50.0, 0.0), (50.0, 50.0)], *NOWHERE])
def test_what_is_no_area_or_half_a_continent_is_refused(ring: list[Point]) -> None:
    with pytest.raises(ValueError, match=f"corner|{CELLS_MAX}"):
        cells_of(ring)
