"""What one case reaches, as arrays, and how they are handed to the database. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.lake.layout import Minutes, People, absolute_minute
from tianfu.tracing.model import Tier

# Numbers of tiers and settings in arrays and packed rows count from 1 in these; the first tier is the strictest.
TIERS: Final = tuple(tier.value for tier in Tier)

# A packed row is 80 bytes; those of one piece are handed over together.
_PIECE_ROWS: Final = 64
# The lake's minute 0 is 1970-01-01 in Shanghai, PostgreSQL's microsecond 0 is 2000-01-01 in UTC.
_MINUTE_MICROSECONDS: Final = 60_000_000
_ZERO_MICROSECONDS: Final = (8 * 3_600 + 946_684_800) * 1_000_000

_FIELDS: Final = {
    "case": (">i4", 4),
    "person": (">i4", 4),
    "hop": (">i2", 2),
    "tier": (">i2", 2),
    "setting": (">i2", 2),
    "strong": ("i1", 1),
    "exposed_at": (">i8", 8),
    "parent": (">i4", 4),
    "venue": (">i4", 4),
}
# Each value with its length before it, as COPY reads it.
_PACKED: Final = np.dtype(
    [
        ("columns", ">i2"),
        *(part for name, (kind, _) in _FIELDS.items() for part in ((f"{name}_bytes", ">i4"), (name, kind))),
    ]
)


class Rows(NamedTuple):
    """The people one case reaches, each once, ascending by person; arrays of equal length.

    `person`, `parent` uint32; `hop` uint8 from 1; `tier` uint8 and `setting` uint8, numbers from 1 (`TIERS`,
    `tianfu.tracing.grounds.SETTINGS`); `strong` bool; `exposed_at` int32 absolute minutes; `venue` uint32, 0 for none.
    """

    person: People
    hop: NDArray[np.uint8]
    tier: NDArray[np.uint8]
    setting: NDArray[np.uint8]
    strong: NDArray[np.bool_]
    exposed_at: Minutes
    parent: People
    venue: NDArray[np.uint32]


def picked(rows: Rows, which: NDArray[np.bool_] | NDArray[np.intp]) -> Rows:
    """The rows that `which` (a mask, or places) picks, in its order."""
    return Rows(
        rows.person[which],
        rows.hop[which],
        rows.tier[which],
        rows.setting[which],
        rows.strong[which],
        rows.exposed_at[which],
        rows.parent[which],
        rows.venue[which],
    )


def together(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts, one after the other."""
    parts = [nobody(), *parts]
    return Rows(
        np.concatenate([part.person for part in parts]),
        np.concatenate([part.hop for part in parts]),
        np.concatenate([part.tier for part in parts]),
        np.concatenate([part.setting for part in parts]),
        np.concatenate([part.strong for part in parts]),
        np.concatenate([part.exposed_at for part in parts]),
        np.concatenate([part.parent for part in parts]),
        np.concatenate([part.venue for part in parts]),
    )


def joined(parts: Sequence[Rows]) -> Rows:
    """The rows of several hops, none of which has a person of another, ascending by person."""
    rows = together(parts)
    return picked(rows, np.argsort(rows.person, kind="stable"))


def nobody() -> Rows:
    """No rows."""
    empty8 = np.empty(0, np.uint8)
    empty32 = np.empty(0, np.uint32)
    return Rows(empty32, empty8, empty8, empty8, np.empty(0, np.bool_), np.empty(0, np.int32), empty32, empty32)


def earliest(candidates: Rows) -> Rows:
    """One row a person of `candidates`, which are of one hop: the earliest exposure.

    Between equals the smallest parent, then the strictest tier, then the smallest setting and venue. Its tier is the
    strictest of that person's, and it is strong when any of them is.
    """
    if not len(candidates.person):
        return candidates
    order = np.lexsort(
        (
            candidates.venue,
            candidates.setting,
            candidates.tier,
            candidates.parent,
            candidates.exposed_at,
            candidates.person,
        )
    )
    sorted_rows = picked(candidates, order)
    first = np.flatnonzero(np.concatenate(([True], np.diff(sorted_rows.person) != 0)))
    chosen = picked(sorted_rows, first)
    return chosen._replace(
        tier=np.minimum.reduceat(sorted_rows.tier, first), strong=np.logical_or.reduceat(sorted_rows.strong, first)
    )


def held(stored: Sequence[tuple[Any, ...]], settings: Sequence[str]) -> Rows:
    """Stored rows as arrays: (person, hop, tier, setting, strong, instant of exposure, parent, venue) by person.

    The inverse of `pack`; numbers of settings count from 1 in `settings`.
    """
    if not stored:
        return nobody()
    person, hop, tier, setting, strong, exposed_at, parent, venue = zip(*stored, strict=True)
    tiers, grounds = ({word: at for at, word in enumerate(words, 1)} for words in (TIERS, settings))
    return Rows(
        np.array(person, np.uint32),
        np.array(hop, np.uint8),
        np.array([tiers[word] for word in tier], np.uint8),
        np.array([grounds[word] for word in setting], np.uint8),
        np.array(strong, np.bool_),
        np.array([absolute_minute(at) for at in exposed_at], np.int32),
        np.array(parent, np.uint32),
        np.array(venue, np.uint32),
    )


def pack(case: int, rows: Rows) -> list[bytes]:
    """The rows of `case` in PostgreSQL's binary format, in pieces (`tianfu.platform.binary`)."""
    packed = np.empty(len(rows.person), _PACKED)
    packed["columns"] = len(_FIELDS)
    for name, (_, size) in _FIELDS.items():
        packed[f"{name}_bytes"] = size
    packed["case"] = case
    packed["exposed_at"] = rows.exposed_at.astype(np.int64) * _MINUTE_MICROSECONDS - _ZERO_MICROSECONDS
    for name in ("person", "hop", "tier", "setting", "strong", "parent", "venue"):
        packed[name] = getattr(rows, name)
    content = packed.tobytes()
    step = _PIECE_ROWS * _PACKED.itemsize
    return [content[start : start + step] for start in range(0, len(content), step)]
