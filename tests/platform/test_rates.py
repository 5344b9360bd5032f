"""The bound on how often one address asks."""

from __future__ import annotations

import pytest

from tianfu.platform.rates import ADDRESSES_MAX, Rate, TooManyRequestsError


def test_an_address_has_its_burst_and_is_told_how_long_to_wait() -> None:
    rate = Rate(per_minute=1, burst=2)
    rate.spend("203.0.113.1")
    rate.spend("203.0.113.1")

    with pytest.raises(TooManyRequestsError) as refused:
        rate.spend("203.0.113.1")

    assert refused.value.retry_after_seconds is not None
    assert 1 <= refused.value.retry_after_seconds <= 61


def test_addresses_do_not_share() -> None:
    rate = Rate(per_minute=1, burst=1)

    for number in range(5):
        rate.spend(f"203.0.113.{number}")


def test_memory_is_bounded() -> None:
    rate = Rate(per_minute=1, burst=1)

    for number in range(ADDRESSES_MAX + 10):
        rate.spend(str(number))

    assert len(rate._buckets) == ADDRESSES_MAX
