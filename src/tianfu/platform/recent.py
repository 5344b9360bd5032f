"""A bounded memory of what was met lately: two dictionaries, the older dropped whole when the newer is full.

What is used again moves to the newer one, so it behaves like a cache of the most recently used at the price of two
look-ups, and forgetting costs nothing per entry. It holds at most twice the number given.
"""

from __future__ import annotations

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Remembers the last `entries_max` keys at least, and twice as many at most. For one thread."""

    __slots__ = ("_entries_max", "_newer", "_older")

    def __init__(self, entries_max: int) -> None:
        """Start with nothing."""
        self._entries_max = entries_max
        self._newer: dict[Key, Value] = {}
        self._older: dict[Key, Value] = {}

    def get(self, key: Key) -> Value | None:
        """What was put under `key`, unless it has been forgotten."""
        value = self._newer.get(key)
        if value is not None:
            return value
        value = self._older.get(key)
        if value is not None:
            self.put(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Remember `value`, which is not None, under `key`; what was there before is replaced."""
        if len(self._newer) >= self._entries_max:
            self.turn()
        self._newer[key] = value

    def forget(self, key: Key) -> None:
        """Know nothing of `key` any more."""
        self._newer.pop(key, None)
        self._older.pop(key, None)

    def turn(self) -> None:
        """Forget everything that was neither put nor got since the last turn."""
        self._older = self._newer
        self._newer = {}

    def clear(self) -> None:
        """Forget everything."""
        self._older = {}
        self._newer = {}

    def __len__(self) -> int:
        """Entries held, those in both halves counted twice."""
        return len(self._newer) + len(self._older)
