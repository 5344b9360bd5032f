"""Which codes were checked already at this gate: every code is good for one scan. Hot.

A code lives for 95 s at most (its life and the clocks' skew), so what was checked is remembered for at least that
long and at most twice. The memory is this process's own: the same code at two gates shows later, in the lake, where
both events carry its number.
"""

from __future__ import annotations

import enum
from typing import Final

from tianfu.passcode.token import CODE_LIFE_SECONDS
from tianfu.passcode.verify import SKEW_SECONDS
from tianfu.platform.recent import Recent

# 9,000 checks a second for the 95 s of a code's life are 855,000 codes of about 190 bytes; twice that is 330 MB, in the
# worst case. Past it the oldest are forgotten early, and a replay of one shows in the lake only.
USED_CODES_MAX: Final = 900_000
# A guard's camera reads the same code again while it is still in the picture.
SAME_SCAN_MS: Final = 3_000
_LIFE_MS: Final = (CODE_LIFE_SECONDS + 2 * SKEW_SECONDS) * 1000


class Use(enum.Enum):
    """How a code comes before a guard: for the first time, still in the same scan, or again."""

    FIRST = 1
    SAME_SCAN = 2
    AGAIN = 3


class UsedCodes:
    """Remembers the codes checked, by `cti`. For one thread."""

    __slots__ = ("_codes", "_turns_at_ms")

    def __init__(self) -> None:
        """Start with none: what was checked before a restart is not known."""
        self._codes: Recent[bytes, tuple[int, int]] = Recent(USED_CODES_MAX)
        self._turns_at_ms = 0

    def use(self, cti: bytes, *, checker: int, happened_ms: int, at_ms: int) -> Use:
        """Note that `checker` (an account, bound to one venue) met the code at `happened_ms`, and say which use it is.

        `at_ms` is now; the two differ for a scan that is sent later, and what is sent twice has the same
        `happened_ms`.
        """
        if at_ms >= self._turns_at_ms:
            self._codes.turn()
            self._turns_at_ms = at_ms + _LIFE_MS
        first = self._codes.get(cti)
        if first is None:
            self._codes.put(cti, (checker, happened_ms))
            return Use.FIRST
        first_checker, first_ms = first
        if first_checker == checker and abs(happened_ms - first_ms) <= SAME_SCAN_MS:
            return Use.SAME_SCAN
        return Use.AGAIN

    def forget(self, cti: bytes) -> None:
        """Take a use back whose event could not be recorded, so that trying again is the first use."""
        self._codes.forget(cti)
