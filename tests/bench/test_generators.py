from __future__ import annotations

import os
import time

import pytest

from bench import crowd, load, open_loop, wire
from bench.crowd import Channel, Storm
from bench.generator import GeneratorFailedError, Working
from bench.load import Load
from bench.open_loop import Steady
from tests.support.scripted_http import Asked, Reply, serving

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
# What a busy machine may add to an interval.
SLACK_SECONDS = 0.2


def channel(connections: int, *, rate: float, polite: float = 0.0) -> Channel:
    return Channel("web", connections, [("show", REQUEST)], rate, polite)


def closed(port: int, seconds: float, *, connections: int, sleeping: bool = False) -> Load:
    work = Working(
        os.sched_getaffinity(0), load.run, port, [REQUEST], seconds, connections=connections, sleeping=sleeping
    )
    result: Load = work.result()
    return result


def steady_at(port: int, rate: float, seconds: float, *, connections: int = 64, warm_up: float = 0.0) -> Steady:
    work = Working(
        *(os.sched_getaffinity(0), open_loop.run, port, [REQUEST], rate, seconds),
        connections=connections,
        warm_up=warm_up,
    )
    result: Steady = work.result()
    return result


def storm_of(port: int, channels: list[Channel], *, seconds: float) -> Storm:
    work = Working(os.sched_getaffinity(0), crowd.run, port, channels, seconds=seconds)
    result: Storm = work.result()
    return result


class TestWire:
    def test_an_answer_is_whole_with_its_last_byte(self) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

        assert wire.is_whole(answer)
        assert not any(wire.is_whole(answer[:end]) for end in range(len(answer)))

    @pytest.mark.parametrize(
        ("header", "seconds"), [(b"retry-after: 7\r\n", 7), (b"Retry-After: 30\r\n", 30), (b"", 1)]
    )
    def test_a_refusal_says_how_long_to_stay_away(self, header: bytes, seconds: float) -> None:
        assert wire.retry_after(b"HTTP/1.1 503 Busy\r\n" + header + b"\r\nretry-after: 99\r\n") == seconds


class TestClosedLoop:
    @pytest.mark.parametrize("sleeping", [False, True])
    def test_each_answer_counts_once_and_a_refusal_as_refused(self, *, sleeping: bool) -> None:
        asked: list[Asked] = []

        def answer(request: Asked) -> Reply:
            asked.append(request)
            return Reply(200 if request.number else 503)

        with serving(answer) as port:
            done = closed(port, 0.2, connections=4, sleeping=sleeping)

        assert done.refused == 4
        assert len(asked) - 4 <= done.answers <= len(asked)
        assert 0 < done.own_seconds <= done.seconds + SLACK_SECONDS

    def test_a_server_that_goes_away_is_no_measurement(self, capfd: pytest.CaptureFixture[str]) -> None:
        with serving(lambda _: Reply(0)) as port, pytest.raises(GeneratorFailedError):
            closed(port, 0.5, connections=1)

        assert "ServerGoneError" in capfd.readouterr().err


class TestOpenLoop:
    def test_a_stall_is_charged_for_all_who_would_have_come_meanwhile(self) -> None:
        def answer(request: Asked) -> Reply:
            if request.connection == 0 and request.number == 20:
                time.sleep(0.4)
            return Reply()

        with serving(answer) as port:
            steady = steady_at(port, 300, 1.0, connections=2)

        # 0.4 s at 300 a second are 120 people, of whom three quarters waited longer than 0.1 s.
        assert sum(lag > 0.1 for _, lag in steady.lags) >= 60
        assert steady.p99_ms >= 300
        assert steady.unanswered == 0

    def test_the_rate_is_kept_whatever_the_answers_do(self) -> None:
        with serving(lambda _: Reply()) as port:
            steady = steady_at(port, 400, 0.5, warm_up=0.1)

        assert 140 <= steady.answers <= 260

    def test_what_is_never_answered_counts_with_the_time_it_waited(self) -> None:
        with serving(lambda request: None if request.number == 1 else Reply()) as port:
            steady = steady_at(port, 200, 0.3, connections=20)

        assert steady.unanswered > 0
        assert steady.worst_ms >= open_loop.DRAIN_SECONDS_MAX * 1000

    def test_a_refusal_is_counted_and_never_a_quick_answer(self) -> None:
        with serving(lambda request: Reply(503 if request.number % 2 else 200)) as port:
            steady = steady_at(port, 200, 0.5, connections=1)

        assert steady.refused > 0
        assert sum(lag == float("inf") for _, lag in steady.lags) == steady.refused


class TestCrowd:
    def test_a_polite_line_stays_away_as_long_as_it_is_told(self) -> None:
        asked: dict[int, list[float]] = {}

        def answer(request: Asked) -> Reply:
            asked.setdefault(request.connection, []).append(request.at)
            return Reply() if request.number else Reply(503, retry_after=1)

        with serving(answer) as port:
            storm = storm_of(port, [channel(10, rate=100, polite=1.0)], seconds=2.2)

        assert storm.refused == {"web": 10}
        assert not storm.held
        assert all(times[1] - times[0] >= 1 for times in asked.values() if len(times) > 1)
        assert storm.admitted["show"] == len(storm.latencies["web"]) > 0
        assert storm.wishes["web"] == pytest.approx(220, abs=60)

    @pytest.mark.parametrize("hold", [1.0, 0.9])  # a server's second may begin before its answer is seen
    def test_a_rude_line_asks_again_at_once_and_what_is_held_is_counted_apart(self, *, hold: float) -> None:
        with serving(lambda request: Reply() if request.number else Reply(429, retry_after=1, hold=hold)) as port:
            storm = storm_of(port, [channel(10, rate=200, polite=0.0)], seconds=1.5)

        assert storm.refused == {"web": 10}
        assert len(storm.held) == 10
        assert max(storm.held) < 0.5
        assert max(storm.latencies["web"]) < 0.5

    def test_a_rude_line_hammers_a_server_that_reads_on(self) -> None:
        with serving(lambda _: Reply(503, retry_after=1)) as port:
            storm = storm_of(port, [channel(4, rate=40, polite=0.5)], seconds=0.5)

        assert storm.refused["web"] > 50
        assert storm.sent >= storm.refused["web"]
        assert not storm.admitted

    def test_whose_connection_is_closed_comes_again(self) -> None:
        def answer(request: Asked) -> Reply:
            return Reply(0 if request.connection < 6 else 200)

        with serving(answer) as port:
            storm = storm_of(port, [channel(4, rate=400, polite=0.0)], seconds=0.5)

        assert storm.closed == 6
        assert storm.admitted["show"] > 0

    @pytest.mark.parametrize("polite", [0.0, 1.0])
    def test_a_refusal_may_close_the_connection(self, polite: float) -> None:
        def answer(request: Asked) -> Reply:
            return Reply(503, retry_after=1, closes=True) if request.connection < 4 else Reply()

        with serving(answer) as port:
            storm = storm_of(port, [channel(4, rate=40, polite=polite)], seconds=2.0)

        assert storm.refused == {"web": 4}
        assert storm.closed == 4
        assert storm.admitted["show"] > 0

    def test_other_answers_are_failures_and_operations_are_counted_apart(self) -> None:
        channels = [channel(2, rate=200), Channel("guard", 2, [("check", REQUEST)], 200, 0.5)]
        with serving(lambda request: Reply(200 if request.connection < 2 else 422)) as port:
            storm = storm_of(port, channels, seconds=0.4)

        assert set(storm.admitted) == {"show"}
        assert set(storm.served) == {"web"}
        assert set(storm.failed) == {"422"}
