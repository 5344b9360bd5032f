from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tianfu.scans.foreign.breaker import FAILURES_MAX, OPEN_MS_FIRST, OPEN_MS_MAX, Breaker


def opened(at_ms: int = 0) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES_MAX):
        breaker = breaker.failed(at_ms, probe=False)
    return breaker


@given(failures=st.integers(0, FAILURES_MAX - 1))
def test_fewer_failures_in_a_row_than_the_limit_keep_nobody_out(failures: int) -> None:
    breaker = Breaker()
    for _ in range(failures):
        breaker = breaker.failed(0, probe=False)

    assert breaker.admit(0) == (breaker, True)


def test_a_success_between_makes_the_count_begin_anew() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_MAX * 3):
        breaker = breaker.failed(0, probe=False).succeeded()

    assert not breaker.is_open


@given(waited_ms=st.integers(0, OPEN_MS_FIRST - 1))
def test_once_open_nobody_asks_until_the_wait_is_over(waited_ms: int) -> None:
    _, admitted = opened(1_000).admit(1_000 + waited_ms)

    assert not admitted


def test_after_the_wait_one_may_probe_and_the_others_still_wait() -> None:
    breaker, first = opened().admit(OPEN_MS_FIRST)
    _, second = breaker.admit(OPEN_MS_FIRST)
    _, after_a_lost_probe = breaker.admit(2 * OPEN_MS_FIRST)

    assert (first, second, after_a_lost_probe) == (True, False, True)


def test_a_probe_that_is_answered_closes_it() -> None:
    breaker, _ = opened().admit(OPEN_MS_FIRST)

    assert breaker.succeeded().admit(OPEN_MS_FIRST) == (Breaker(), True)


@given(probes=st.integers(1, 30))
def test_each_failed_probe_doubles_the_wait_up_to_a_minute(probes: int) -> None:
    breaker, at_ms = opened(), OPEN_MS_FIRST
    for _ in range(probes):
        breaker, admitted = breaker.admit(at_ms)
        assert admitted
        breaker = breaker.failed(at_ms, probe=True)
        at_ms = breaker.next_probe_ms

    assert breaker.wait_ms == min(OPEN_MS_FIRST * 2**probes, OPEN_MS_MAX)


def test_failures_of_questions_already_under_way_do_not_lengthen_the_wait() -> None:
    breaker = opened()

    assert breaker.failed(1_000, probe=False) == breaker


def test_a_clock_set_back_keeps_nobody_out_for_ever() -> None:
    _, admitted = opened(10**12).admit(0)

    assert admitted


@given(
    steps=st.lists(st.tuples(st.sampled_from(["ask", "fail", "answer"]), st.integers(0, 5_000)), max_size=200),
)
def test_whatever_happens_it_never_asks_more_often_than_once_in_a_wait_while_open(steps: list[tuple[str, int]]) -> None:
    breaker, at_ms, probing = Breaker(), 0, False
    last_probe_ms = -OPEN_MS_MAX
    for step, pause_ms in steps:
        at_ms += pause_ms
        if step == "ask":
            was_open, wait_ms = breaker.is_open, breaker.wait_ms
            breaker, admitted = breaker.admit(at_ms)
            assert admitted or was_open
            if admitted and was_open:
                assert at_ms - last_probe_ms >= min(wait_ms, OPEN_MS_FIRST)
                last_probe_ms, probing = at_ms, True
        elif step == "fail":
            was_open = breaker.is_open
            breaker = breaker.failed(at_ms, probe=probing)
            probing = False
            if breaker.is_open and not was_open:
                last_probe_ms = at_ms
        else:
            breaker, probing = breaker.succeeded(), False
        assert 0 <= breaker.wait_ms <= OPEN_MS_MAX
        assert breaker.is_open == (breaker.failures >= FAILURES_MAX)
