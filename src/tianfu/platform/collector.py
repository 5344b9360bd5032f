"""When Python looks for cyclic garbage."""

from __future__ import annotations

import gc
from typing import Final

# Objects made before the youngest are looked through; a batch of 4,000 people makes about as many. At Python's own
# 700 a process that holds 200,000 rows spends a quarter of its time looking through them, in vain: they have no cycles.
_YOUNG_OBJECTS: Final = 100_000
_OLDER_ROUNDS: Final = 20


def collect_rarely() -> None:
    """For a process that handles rows or requests by the thousand: called once, when it has loaded what it needs."""
    gc.set_threshold(_YOUNG_OBJECTS, _OLDER_ROUNDS, _OLDER_ROUNDS)


def keep_what_is_loaded() -> None:
    """For a process that serves until it ends: what it has loaded is not looked through again. Called once."""
    gc.collect()
    gc.freeze()
    collect_rarely()
