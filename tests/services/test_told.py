"""A process works until it is told to stop, and whoever answered signals before does so again."""

from __future__ import annotations

import os
import signal

import pytest

from tianfu.services.told import until_told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_work_and_the_handlers_of_before_are_back(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]

    with until_told() as stopping:
        assert not stopping.is_set()
        os.kill(os.getpid(), number)
        assert stopping.wait(60)

    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == before
