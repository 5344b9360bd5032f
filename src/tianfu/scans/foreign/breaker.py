"""When to stop asking somebody who does not answer: a circuit breaker. Pure: the clock is passed in. Hot.

Closed, everybody may ask. After `FAILURES_MAX` failures in a row it opens: nobody asks, so that a dead neighbour
costs nothing. After a while one may probe; that one's success closes it, its failure keeps it open twice as long.
"""

from __future__ import annotations

from typing import Final, NamedTuple

# At one question in 100 ms a dead neighbour is noticed within half a second and a time limit.
FAILURES_MAX: Final = 5
# A restart of the other side takes seconds; past a minute the wait itself would be the outage.
OPEN_MS_FIRST: Final = 2_000
OPEN_MS_MAX: Final = 60_000


class Breaker(NamedTuple):
    """The state: failures in a row, and while open the instant of the next probe and the present wait."""

    failures: int = 0
    next_probe_ms: int = 0
    wait_ms: int = 0

    @property
    def is_open(self) -> bool:
        """Whether only probes are let through."""
        return self.wait_ms > 0

    def admit(self, at_ms: int) -> tuple[Breaker, bool]:
        """Whether a question may be asked now, and the state after that answer.

        A probe that never reports (its asker was cancelled) is followed by another one a wait later.
        """
        if not self.is_open:
            return self, True
        # A wait longer than there are means that the clock was set back.
        if at_ms < self.next_probe_ms <= at_ms + OPEN_MS_MAX:
            return self, False
        return self._replace(next_probe_ms=at_ms + self.wait_ms), True

    def succeeded(self) -> Breaker:
        """The state after an answer: closed."""
        return Breaker()

    def failed(self, at_ms: int, *, probe: bool) -> Breaker:
        """The state after a question without a usable answer; `probe`, if it was asked while open.

        Failures of questions that were under way when it opened change nothing more.
        """
        if self.is_open:
            if not probe:
                return self
            wait_ms = min(self.wait_ms * 2, OPEN_MS_MAX)
        elif self.failures + 1 < FAILURES_MAX:
            return Breaker(failures=self.failures + 1)
        else:
            wait_ms = OPEN_MS_FIRST
        return Breaker(FAILURES_MAX, at_ms + wait_ms, wait_ms)
