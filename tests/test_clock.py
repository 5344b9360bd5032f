"""Time: aware instants in UTC, days of Asia/Shanghai."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import NOON, FixedClock
from tianfu import clock

# Shanghai kept its own local time before 1901 and summer time until 1991.
modern = st.datetimes(min_value=datetime(1992, 1, 1), max_value=datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive


def test_the_system_clock_is_aware_and_in_utc() -> None:
    now = clock.SystemClock().now()

    assert now.utcoffset() == timedelta(0)
    assert abs(now.timestamp() - time.time()) < 60
    assert abs(clock.now_milliseconds() / 1000 - time.time()) < 60


def test_the_monotonic_clock_does_not_go_back() -> None:
    first = clock.monotonic_seconds()

    assert clock.monotonic_seconds() >= first


def test_a_fixed_clock_stands_still_until_it_is_moved() -> None:
    fixed = FixedClock()

    assert fixed.now() == fixed.now() == NOON
    assert fixed.advance(timedelta(hours=1)) == fixed.now() == NOON + timedelta(hours=1)


def test_a_naive_instant_is_the_callers_bug() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        clock.require_aware(datetime(2022, 3, 1))  # noqa: DTZ001 - the point

    assert clock.require_aware(NOON) is NOON


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2022-03-01T12:00:00+08:00", NOON),
        ("2022-03-01T04:00:00Z", NOON),
        ("2022-03-01T04:00:00.000001+00:00", NOON + timedelta(microseconds=1)),
    ],
)
def test_an_instant_is_read_with_its_offset(text: str, instant: datetime) -> None:
    parsed = clock.parse_instant(text)

    assert parsed == instant
    assert parsed.utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["", "2022-03-01", "2022-03-01T12:00:00", "2022-02-30T12:00:00+08:00", "noon", "1"])
def test_a_text_that_is_no_instant_with_an_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        clock.parse_instant(text)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2022, 3, 1, 15, 59, 59, tzinfo=UTC), date(2022, 3, 1)),
        (datetime(2022, 3, 1, 16, 0, tzinfo=UTC), date(2022, 3, 2)),
        (datetime(2022, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-8))), date(2022, 3, 2)),
    ],
)
def test_a_day_begins_at_midnight_in_shanghai(instant: datetime, day: date) -> None:
    assert clock.shanghai_day(instant) == day


@given(instant=modern)
def test_every_instant_lies_in_exactly_one_day_of_24_hours(instant: datetime) -> None:
    day = clock.shanghai_day(instant)
    start, end = clock.day_start(day), clock.day_start(day + timedelta(days=1))

    assert start <= instant < end
    assert end - start == timedelta(hours=24)
    assert clock.shanghai_day(start) == day


@given(earlier=modern, minutes=st.integers(-10_000, 100_000))
def test_whole_hours_are_rounded_down_and_never_negative(earlier: datetime, minutes: int) -> None:
    hours = clock.whole_hours_between(earlier, earlier + timedelta(minutes=minutes))

    assert hours == max(0, minutes // 60)
