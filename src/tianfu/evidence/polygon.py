"""Areas drawn on a map, as squares of 0.01 degrees (about 1 km, as fine as a carrier can place a phone). Pure.

A square belongs to an area when they share any point, so that nobody at its edge is left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

# A county is about 100 km across: 10,000 squares. More is a mistake in the drawing.
CELLS_MAX: Final = 20_000
CORNERS_MAX: Final = 1_000
_SQUARES_PER_DEGREE: Final = 100

Point = tuple[float, float]
"""Longitude and latitude in degrees, the order of GeoJSON."""


def cells_of(ring: Sequence[Point]) -> frozenset[str]:
    """The squares that a closed ring of at least three corners touches, as `latitude,longitude` of their south-west.

    Raises `ValueError` for fewer corners, for more than `CORNERS_MAX`, for a corner off the globe, or when more than
    `CELLS_MAX` squares lie around it.
    """
    if not 3 <= len(ring) <= CORNERS_MAX:  # noqa: PLR2004 - a triangle
        message = f"an area has 3 to {CORNERS_MAX} corners, not {len(ring)}"
        raise ValueError(message)
    if not all(abs(longitude) <= 180 and abs(latitude) <= 90 for longitude, latitude in ring):  # noqa: PLR2004 - degrees
        message = "a corner is no longitude and latitude in degrees"
        raise ValueError(message)
    corners = [(longitude * _SQUARES_PER_DEGREE, latitude * _SQUARES_PER_DEGREE) for longitude, latitude in ring]
    columns = range(math.floor(min(x for x, _ in corners)), math.floor(max(x for x, _ in corners)) + 1)
    rows = range(math.floor(min(y for _, y in corners)), math.floor(max(y for _, y in corners)) + 1)
    if len(columns) * len(rows) > CELLS_MAX:
        message = f"the area spans {len(columns) * len(rows)} squares, more than {CELLS_MAX}"
        raise ValueError(message)
    edges = list(pairwise([*corners, corners[0]]))
    return frozenset(
        _name(column, row)
        for column in columns
        for row in rows
        if _inside((column + 0.5, row + 0.5), edges) or any(_crosses(edge, column, row) for edge in edges)
    )


def cell_at(longitude: float, latitude: float) -> str:
    """The square that holds a point."""
    return _name(math.floor(longitude * _SQUARES_PER_DEGREE), math.floor(latitude * _SQUARES_PER_DEGREE))


def _name(column: int, row: int) -> str:
    return f"{row / _SQUARES_PER_DEGREE:.2f},{column / _SQUARES_PER_DEGREE:.2f}"


def _inside(point: Point, edges: Sequence[tuple[Point, Point]]) -> bool:
    """Whether a line from the point to the east crosses the ring an odd number of times."""
    x, y = point
    crossings = 0
    for (ax, ay), (bx, by) in edges:
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            crossings += 1
    return crossings % 2 == 1


def _crosses(edge: tuple[Point, Point], column: int, row: int) -> bool:
    """Whether the edge shares a point with the square: Liang and Barsky's clipping of a segment by a box (1984)."""
    (ax, ay), (bx, by) = edge
    dx, dy = bx - ax, by - ay
    first, last = 0.0, 1.0
    for step, room in ((-dx, ax - column), (dx, column + 1 - ax), (-dy, ay - row), (dy, row + 1 - ay)):
        if step == 0:
            if room < 0:
                return False
            continue
        at = room / step
        if step < 0:
            first = max(first, at)
        else:
            last = min(last, at)
    return first <= last
