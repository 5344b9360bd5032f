"""How much a gate takes on, and what it leaves out first.

A gate that is asked for more than it can do must go on doing what it can. So the requests of one round of the loop
are counted before any of them is handled: as many as fit into `ROUND_SECONDS_MAX` are admitted, each entry's own
share first, and everybody else is told at once to come back, after a time that differs from one to the next.

Before it comes to that, and while it lasts, add-ons of an answer are left out in a declared order. The colour is not
in that order.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tianfu.errors import TianfuError

# Whoever is admitted waits for the round before and the own one. Two of 10 ms, and as much again for a journal's commit
# and a slow moment of the machine, stay below the 50 ms that an answer may take.
ROUND_SECONDS_MAX: Final = 0.010
# What piled up while the machine looked elsewhere for a moment is no rush: one round may be so many times as large.
BURST_ROUNDS: Final = 3
# What a request is taken to cost until the first round has been measured, and at least and at most.
_COST_SECONDS: Final = 60e-6
_COST_SECONDS_MIN: Final = 10e-6
_COST_SECONDS_MAX: Final = 150e-6
# The weight of the latest round in the running mean: a change of cost is believed after some twenty rounds.
_COST_WEIGHT: Final = 0.05
_ROUND_LARGE: Final = 32

# A request that does not take the short way costs ten times as much (0.1 to 0.2 ms). So many a second are half a core
# at most, and so many at once hold everybody else up for 20 ms.
UNUSUAL_PER_SECOND_MAX: Final = 3_000
UNUSUAL_AT_ONCE_MAX: Final = 150

# Those refused come back spread over this many seconds, and over more the more of them there are.
RETRY_SECONDS_MIN: Final = 2
RETRY_SECONDS_MAX: Final = 30

# Left out in this order, one more for each second of pressure; brought back one by one after calm seconds.
ADD_ONS: Final = ("vaccination", "test", "travel", "notices")
_PRESSED_SHARE: Final = 0.95
_CALM_SHARE: Final = 0.80
_CALM_SECONDS: Final = 5


class EntryBusyError(TianfuError):
    """The entry has used up its share of a gate that is full. Nothing was done; come back after the seconds given."""

    code = "entry_busy"
    status = 429
    zh = "当前入口访问人数较多，请稍后再试，或改用其他入口。"
    en = "Too many people at this entry; please try again in a moment, or use another entry."

    def __init__(self, *, retry_after_seconds: int = 1) -> None:
        """Ask the caller to wait."""
        super().__init__(retry_after_seconds=retry_after_seconds)


class Verdict(NamedTuple):
    """Which of a round's requests are admitted, by their position; `retry_seconds` spreads the others."""

    admitted: frozenset[int]
    retry_seconds: int


class Admission:
    """The measure of one event loop. `shares` are by number of the entry, together one."""

    def __init__(self, shares: Mapping[int, float]) -> None:
        """Start calm, with nothing measured."""
        self._shares = dict(shares)
        self._cost_seconds = _COST_SECONDS
        self._was_full = False
        self._was_refused = False
        self._calm_seconds = 0
        self._unusual_room = float(UNUSUAL_AT_ONCE_MAX)
        self._unusual_at = 0.0
        self.level = 0
        self.refused = 0
        self.rounds_full = 0

    @property
    def room(self) -> int:
        """How many requests fit into one round."""
        return int(ROUND_SECONDS_MAX / self._cost_seconds)

    def fits(self, requests: int) -> bool:
        """Whether a round of so many may be handled whole: what has room, or a burst after a round that had."""
        room = self.room
        is_burst = not self._was_full and requests <= BURST_ROUNDS * room
        self._was_full = requests > room
        return is_burst or not self._was_full

    @property
    def left_out(self) -> tuple[str, ...]:
        """The add-ons that are left out now."""
        return ADD_ONS[: self.level]

    def admit(self, channels: Sequence[int]) -> Verdict:
        """Choose among more requests than there is room for, given the entry of each: first come within each share.

        What an entry does not use of its share is free for those that want more, in the order they came.
        """
        room = self.room
        admitted: set[int] = set()
        left = {channel: int(share * room) for channel, share in self._shares.items()}
        over: list[int] = []
        for position, channel in enumerate(channels):
            if left.get(channel, 0) > 0:
                left[channel] -= 1
                admitted.add(position)
            else:
                over.append(position)
        admitted.update(over[: room - len(admitted)])
        refused = len(channels) - len(admitted)
        self.refused += refused
        self.rounds_full += 1
        self._was_refused = True
        spread = RETRY_SECONDS_MIN * (1 + refused // max(1, room))
        return Verdict(frozenset(admitted), min(RETRY_SECONDS_MAX, spread))

    def admit_unusual(self, at_seconds: float) -> bool:
        """Whether a request that takes the long way, whatever it asks for, may be read now; of a monotonic clock.

        It is asked before anything of the request is known, so all of them share one room.
        """
        more = (at_seconds - self._unusual_at) * UNUSUAL_PER_SECOND_MAX
        self._unusual_room = min(float(UNUSUAL_AT_ONCE_MAX), self._unusual_room + more)
        self._unusual_at = at_seconds
        if self._unusual_room < 1:
            self.refused += 1
            return False
        self._unusual_room -= 1
        return True

    def ran(self, requests: int, seconds: float) -> None:
        """Note that a round of `requests`, at least one, took `seconds` of processor time.

        Not of the clock: a machine that gives the gate too little of its time would make it refuse more and more.
        """
        cost = min(_COST_SECONDS_MAX, max(_COST_SECONDS_MIN, seconds / requests))
        # A small round says little about the cost in a large one.
        weight = _COST_WEIGHT * min(1.0, requests / _ROUND_LARGE)
        self._cost_seconds += weight * (cost - self._cost_seconds)

    def judge(self, busy_share: float) -> None:
        """Judge the second that is over, in which the loop's thread was busy for this share of the time."""
        if self._was_refused or busy_share > _PRESSED_SHARE:
            self._calm_seconds = 0
            self.level = min(len(ADD_ONS), self.level + 1)
        elif busy_share < _CALM_SHARE:
            self._calm_seconds += 1
            if self._calm_seconds >= _CALM_SECONDS:
                self._calm_seconds = 0
                self.level = max(0, self.level - 1)
        self._was_refused = False


def retry_after(spread_seconds: int) -> int:
    """When one who was refused is to come back: from one second to the spread, each as likely."""
    return random.randint(1, max(1, spread_seconds))  # noqa: S311 (jitter, not a secret)
