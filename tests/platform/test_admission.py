from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tianfu.access.channel import SHARES, Channel
from tianfu.platform.admission import (
    ADD_ONS,
    RETRY_SECONDS_MAX,
    ROUND_SECONDS_MAX,
    UNUSUAL_AT_ONCE_MAX,
    UNUSUAL_PER_SECOND_MAX,
    Admission,
    retry_after,
)


def settled(cost_seconds: float = 50e-6) -> Admission:
    """An admission that has seen many rounds of that cost."""
    admission = Admission(SHARES)
    for _ in range(300):
        admission.ran(64, 64 * cost_seconds)
    return admission


def test_room_follows_what_a_request_costs() -> None:
    assert abs(settled(50e-6).room - ROUND_SECONDS_MAX / 50e-6) < 5
    assert abs(settled(100e-6).room - ROUND_SECONDS_MAX / 100e-6) < 5


def test_a_small_slow_round_changes_little() -> None:
    admission = settled()
    before = admission.room

    admission.ran(1, 0.5)

    assert admission.room > before * 0.9


def test_a_burst_is_handled_whole_and_a_rush_is_not() -> None:
    admission = settled()
    room = admission.room

    assert [admission.fits(requests) for requests in (room, 3 * room, 2 * room, room + 1, room, 3 * room)] == [
        *(True, True, False, False, True, True),
    ]
    assert not settled().fits(3 * room + 1)


def test_a_flooded_entry_takes_nothing_of_what_another_needs() -> None:
    admission = settled()
    flood = [Channel.WECHAT] * (20 * admission.room)
    others = [Channel.GUARD] * 20 + [Channel.ALIPAY] * 20 + [Channel.APP] * 20 + [Channel.WEB] * 20

    verdict = admission.admit([*flood, *others])

    assert verdict.admitted >= set(range(len(flood), len(flood) + len(others)))
    assert len(verdict.admitted) <= admission.room


def test_what_nobody_else_wants_goes_to_whoever_does() -> None:
    admission = settled()

    verdict = admission.admit([Channel.WEB] * (3 * admission.room))

    assert len(verdict.admitted) == admission.room
    assert admission.refused == 2 * admission.room


@given(st.lists(st.sampled_from(list(Channel)), min_size=1, max_size=3_000))
def test_never_more_than_room_is_admitted_and_every_share_is_kept(channels: list[Channel]) -> None:
    admission = settled()
    room = admission.room

    verdict = admission.admit(channels)

    assert len(verdict.admitted) == min(len(channels), len(verdict.admitted)) <= room
    for channel in Channel:
        wanted = channels.count(channel)
        got = sum(channels[position] is channel for position in verdict.admitted)
        assert got >= min(wanted, int(SHARES[channel] * room))
    assert 1 <= verdict.retry_seconds <= RETRY_SECONDS_MAX


def test_add_ons_are_left_out_one_by_one_under_pressure_and_come_back_one_by_one() -> None:
    admission = settled()
    seen = []

    for _ in range(6):
        admission.judge(1.0)
        seen.append(admission.left_out)
    assert seen == [ADD_ONS[:1], ADD_ONS[:2], ADD_ONS[:3], ADD_ONS, ADD_ONS, ADD_ONS]

    calm = 0
    while admission.level:
        admission.judge(0.1)
        calm += 1
    assert calm == 5 * len(ADD_ONS)


def test_neither_pressed_nor_calm_changes_nothing() -> None:
    admission = settled()
    admission.judge(1.0)

    for _ in range(20):
        admission.judge(0.9)

    assert admission.level == 1


def test_a_refusal_is_pressure_even_where_the_processor_is_not_busy() -> None:
    admission = settled()

    admission.admit([Channel.WEB] * (2 * admission.room))
    admission.judge(0.1)

    assert admission.left_out == ("vaccination",)


def test_those_refused_come_back_at_different_times() -> None:
    assert {retry_after(4) for _ in range(200)} == {1, 2, 3, 4}


def test_unusual_requests_have_a_room_of_their_own_that_fills_again() -> None:
    admission = Admission(SHARES)

    assert [admission.admit_unusual(100.0) for _ in range(UNUSUAL_AT_ONCE_MAX + 1)].count(True) == UNUSUAL_AT_ONCE_MAX
    assert admission.admit_unusual(100.0 + 2 / UNUSUAL_PER_SECOND_MAX)
    assert [admission.admit_unusual(200.0) for _ in range(UNUSUAL_AT_ONCE_MAX + 1)].count(False) == 1
    assert admission.refused == 2
