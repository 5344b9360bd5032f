"""Scan events as numpy rows: the 44 bytes of `tianfu.scans.event` as they lie, decoded by nobody one by one. Pure.

What is a repeat, what belongs to which day and minute, and what belongs to no day at all is decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.lake import layout
from tianfu.lake.layout import DAY_MINUTES, PERSON_MASK, VENUE_MASK, Words
from tianfu.scans.event import EVENT_BYTES, EVENT_VERSION, KIND_GUARD, KIND_POSTER

# A structured array of `EVENT`; each of its fields is named as in `ScanEvent`.
Rows = NDArray[np.void]

# The nonce is eight bytes that mean nothing; as a little-endian number it can be compared and kept in a column.
EVENT: Final = np.dtype(
    [
        ("version", "u1"),
        ("kind", "u1"),
        ("colour", "u1"),
        ("flags", "u1"),
        ("person", "<u4"),
        ("venue", "<u4"),
        ("checker", "<u4"),
        ("gate", "<u2"),
        ("checkpoint", "<u2"),
        ("happened_at", "<i8"),
        ("received_at", "<i8"),
        ("nonce", "<u8"),
    ]
)
if EVENT.itemsize != EVENT_BYTES:
    message = "the scan event has changed its layout"
    raise AssertionError(message)

# Gates accept a device's clock five minutes ahead (`tianfu.scans.offline`); the clocks of two machines of ours may
# differ by as much again.
AHEAD_MS_MAX: Final = 10 * 60 * 1000

REASON_FUTURE: Final = "future"
REASON_OLD: Final = "old"
REASON_UNREADABLE: Final = "unreadable"

_BLOCK_ROWS: Final = 1_000_000
_MINUTE_MS: Final = 60_000
_SHANGHAI_MINUTES: Final = 8 * 60
# Odd 64-bit constants of splitmix64: a multiplication spreads every bit of a key over the upper half.
_SPREAD: Final = tuple(np.uint64(value) for value in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
# In this order the first of several repeats is the earliest, and the same one whatever arrived first.
_TIES: Final = ("checker", "checkpoint", "gate", "flags", "colour", "received_at", "happened_at")
_KEY: Final = ("nonce", "venue", "person", "kind")


class Sorted(NamedTuple):
    """Rows told apart: those of each day (number of the Shanghai day), and those set aside by reason."""

    days: dict[int, Rows]
    aside: dict[str, Rows]


def decode(body: bytes) -> Rows:
    """The events in `body`, a whole number of 44 bytes, without copying. Raises `ValueError` for another length."""
    return np.frombuffer(body, EVENT)


def minutes(rows: Rows) -> NDArray[np.int64]:
    """The absolute minute of each row, of Asia/Shanghai, rounded down."""
    absolute: NDArray[np.int64] = rows["happened_at"] // _MINUTE_MS + _SHANGHAI_MINUTES
    return absolute


def by_day(rows: Rows, *, first_day: int, at_ms: int) -> Sorted:
    """Each row to its day; aside go those before `first_day`, after `at_ms` by more than a clock may err, or odd ones.

    Odd is what the arrays cannot hold or no version of ours has written: `unreadable`.
    """
    odd = (rows["version"] != EVENT_VERSION) | (rows["venue"] > VENUE_MASK) | (rows["person"] > PERSON_MASK)
    odd |= (rows["kind"] != KIND_POSTER) & (rows["kind"] != KIND_GUARD)
    number = minutes(rows) // DAY_MINUTES
    future = ~odd & (rows["happened_at"] > at_ms + AHEAD_MS_MAX)
    old = ~odd & ~future & (number < first_day)
    reasons = ((REASON_UNREADABLE, odd), (REASON_FUTURE, future), (REASON_OLD, old))
    aside = {reason: rows[chosen] for reason, chosen in reasons if chosen.any()}
    good = rows
    if aside:
        kept = ~(odd | future | old)
        good, number = rows[kept], number[kept]
    # Nearly always today alone.
    found = np.unique(number)
    days = {int(found[0]): good} if len(found) == 1 else {int(day): good[number == day] for day in found}
    return Sorted(days, aside)


def unique(rows: Rows) -> Rows:
    """The rows without repeats, in their order.

    A poster scan sent again has the same person, venue and nonce (the client's), whatever its instant: the earliest is
    kept. A guard's check must agree in `happened_at` as well: a printed card has one nonce for all its showings, and
    a code shown twice is two events.
    """
    suspects = _suspects(rows)
    if len(suspects) == 0:
        return rows
    some = rows[suspects]
    order = np.lexsort(tuple(some[field] for field in (*_TIES, *_KEY)))
    some = some[order]
    same = np.ones(len(some) - 1, np.bool_)
    for field in _KEY:
        same &= some[field][1:] == some[field][:-1]
    same &= (some["kind"][1:] == KIND_POSTER) | (some["happened_at"][1:] == some["happened_at"][:-1])
    kept = np.ones(len(rows), np.bool_)
    kept[suspects[order[1:][same]]] = False
    return rows[kept]


def venue_order(rows: Rows) -> NDArray[np.intp]:
    """Where the rows lie by venue, minute, person."""
    order: NDArray[np.intp] = np.argsort(_venue_words(rows), kind="stable")
    return order


def words(rows: Rows) -> Words:
    """The visits of rows of one day in venue order, ascending: one for each minute, person and venue."""
    found = _venue_words(rows)
    found.sort()
    return distinct(found)


def distinct(ascending: Words) -> Words:
    """Ascending words, each once."""
    if len(ascending) == 0:
        return ascending
    kept = np.empty(len(ascending), np.bool_)
    kept[0] = True
    np.not_equal(ascending[1:], ascending[:-1], out=kept[1:])
    return ascending if kept.all() else ascending[kept]


def _in_blocks(rows: Rows, word: Callable[[Rows], Words]) -> Words:
    """`word` of every row; what it needs in between is needed for a block at a time."""
    found = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), _BLOCK_ROWS):
        found[start : start + _BLOCK_ROWS] = word(rows[start : start + _BLOCK_ROWS])
    return found


def _venue_words(rows: Rows) -> Words:
    return _in_blocks(rows, lambda some: layout.venue_words(some["venue"], minutes(some) % DAY_MINUTES, some["person"]))


def _hash(rows: Rows) -> Words:
    """A number of 64 bits that repeats share."""
    key: Words = rows["nonce"] * _SPREAD[0]
    key ^= (rows["person"].astype(np.uint64) << np.uint64(32) | rows["venue"]) * _SPREAD[1]
    key ^= np.where(rows["kind"] == KIND_GUARD, rows["happened_at"].astype(np.uint64) * _SPREAD[2], np.uint64(0))
    return key


def _suspects(rows: Rows) -> NDArray[np.intp]:
    """Where rows lie whose key may be another row's too: equal in a hash of 64 bits, to be compared field by field."""
    key = _in_blocks(rows, _hash)
    order = np.argsort(key)
    key = key[order]
    equal = key[1:] == key[:-1]
    if not equal.any():
        return np.empty(0, np.intp)
    either = np.zeros(len(rows), np.bool_)
    either[1:] |= equal
    either[:-1] |= equal
    found: NDArray[np.intp] = np.sort(order[either])
    return found
