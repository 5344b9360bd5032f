from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tianfu.cli.stopping import SIGNALS, stoppable


@pytest.fixture(autouse=True)
def _nothing_is_ignored() -> Iterator[None]:
    """A shell that starts pytest beside something else has it ignore interruptions, and what is ignored stays so."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_block_after_its_clean_up(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    put_away = []

    def work() -> None:
        try:
            signal.raise_signal(number)
        finally:
            # The impatient press twice.
            signal.raise_signal(number)
            put_away.append("all of it")

    with pytest.raises(SystemExit) as ended, stoppable():
        work()

    assert ended.value.code == 128 + number
    assert put_away == ["all of it"]
    assert signal.getsignal(number) is before


def test_an_error_made_of_the_interruption_is_not_told() -> None:
    def work() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt as error:
            message = "Query interrupted"
            raise RuntimeError(message) from error

    with pytest.raises(SystemExit) as ended, stoppable():
        work()

    assert ended.value.code == 143


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_error_without_a_signal_is_told() -> None:
    with pytest.raises(ZeroDivisionError), stoppable():
        1 / 0  # noqa: B018 - the error is what is asked for
