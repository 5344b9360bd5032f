from __future__ import annotations

import math

import pytest

from bench.open_loop import Steady
from bench.overload import recovery

ENDED_AT = 1_000.0
USUAL = 0.001
SLOW = 0.5


def after(lag_at: list[tuple[float, float]]) -> Steady:
    """Hundred requests a second for five seconds; `lag_at` are (from when on, latency)."""
    lags = []
    for number in range(500):
        at = number / 100
        lags.append((ENDED_AT + at, [lag for since, lag in lag_at if at >= since][-1]))
    return Steady(100, 500, 0, 0, 0, 0, 0, 0, lags)


@pytest.mark.parametrize(
    ("lag_at", "seconds"),
    [
        ([(0, USUAL)], 0.0),
        ([(0, SLOW), (0.8, USUAL)], 0.8),
        ([(0, USUAL), (0.5, SLOW), (1.4, USUAL)], 1.4),
        ([(0, math.inf), (2.5, USUAL)], 2.5),
        ([(0, SLOW)], 5.0),
    ],
)
def test_recovery_lasts_until_the_first_second_that_is_usual(lag_at: list[tuple[float, float]], seconds: float) -> None:
    assert recovery(after(lag_at), ENDED_AT, 0.01) == pytest.approx(seconds, abs=0.11)
