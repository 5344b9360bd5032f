"""Periods: the start belongs to them, the end does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianfu.interval import Interval

ORIGIN = datetime(2022, 3, 1, tzinfo=UTC)


def at(minute: int) -> datetime:
    return ORIGIN + timedelta(minutes=minute)


def period(start: int, length: int | None) -> Interval:
    return Interval(at(start), None if length is None else at(start + length))


minutes = st.integers(0, 30)
periods = st.builds(period, minutes, st.none() | minutes)


def test_the_start_belongs_to_the_period_and_the_end_does_not() -> None:
    hour = period(0, 60)

    assert hour.contains(at(0))
    assert hour.contains(at(59))
    assert not hour.contains(at(60))
    assert not hour.contains(at(-1))


def test_a_period_that_has_not_ended_goes_on() -> None:
    assert period(0, None).contains(at(10**6))
    assert not period(0, None).contains(at(-1))


def test_periods_that_only_touch_do_not_overlap() -> None:
    assert not period(0, 10).overlaps(period(10, 10))
    assert period(0, 11).overlaps(period(10, 10))


def test_an_empty_period_contains_nothing_and_overlaps_nothing() -> None:
    empty = period(5, 0)

    assert not empty.contains(at(5))
    assert not empty.overlaps(period(0, None))
    assert not period(0, None).overlaps(empty)


@given(first=periods, second=periods)
def test_two_periods_overlap_exactly_when_some_minute_lies_in_both(first: Interval, second: Interval) -> None:
    # Every bound lies on a whole minute below 60, so a shared instant means a shared whole minute.
    shared = any(first.contains(at(minute)) and second.contains(at(minute)) for minute in range(62))

    assert first.overlaps(second) is shared
    assert second.overlaps(first) is shared


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(ValueError, match="before its start"):
        Interval(at(1), at(0))


@pytest.mark.parametrize(("start", "end"), [(datetime(2022, 3, 1), None), (ORIGIN, datetime(2022, 3, 2))])  # noqa: DTZ001 - the point
def test_an_instant_without_a_time_zone_is_refused(start: datetime, end: datetime | None) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Interval(start, end)
