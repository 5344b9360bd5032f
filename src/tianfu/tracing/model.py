"""What tracing speaks of: who was infectious when, how far a visit reaches, who was reached. Pure.

Everything is arrays of equal length, one entry a person or visit. People and venues are the lake's integers, instants
absolute minutes (`tianfu.lake.layout`), periods half-open.
"""

from __future__ import annotations

import enum
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from tianfu.lake.layout import Minutes, People

# A code for each type of venue, so that a rule is a table look-up: uint8.
VENUE_TYPES_MAX: Final = 256

PerVenue = NDArray[np.uint8]
PerType = NDArray[np.int32]


class Tier(enum.Enum):
    """密接, 次密接, 时空伴随 and 一般接触者; the words of `tianfu.evidence.kinds.ContactTier`."""

    CLOSE = "close"
    SECONDARY = "secondary"
    COPRESENT = "copresent"
    GENERAL = "general"


class Sources(NamedTuple):
    """Who could infect others when: `person` uint32, [`since`, `until`) int32 absolute minutes.

    A person may stand here several times with different periods. What counts is the visit that *begins* in a period.
    """

    person: People
    since: Minutes
    until: Minutes


class Reach(NamedTuple):
    """How far in time a visit reaches, by type of venue: tables of `VENUE_TYPES_MAX` int32.

    A visit of a source that begins at minute t meets each visit that begins after `t - before` and before
    `t + after`, both ends excluded: with a stay of W minutes and nothing else, `before = after = W`. A type that never
    makes contacts has `before = after = 0`. The exposure begins at the later of the two. When more than `crowd` scans
    lie in that window nobody is named by it: it becomes an announcement. `crowd` 0 is no limit.
    """

    before: PerType
    after: PerType
    crowd: PerType


class Reached(NamedTuple):
    """Who was reached, each once, ascending: `person` uint32, `exposed_at` int32 the earliest exposure."""

    person: People
    exposed_at: Minutes


class Announcement(msgspec.Struct, frozen=True):
    """A crowd: everybody at `venue` in [`begins`, `ends`) is told together; `scans` were withheld."""

    venue: int
    begins: int
    ends: int
    scans: int


class Hop(NamedTuple):
    """What one hop found. `scanned` is how many visits were looked at, the measure of its cost."""

    reached: Reached
    announcements: tuple[Announcement, ...]
    scanned: int


class Meeting(msgspec.Struct, frozen=True):
    """Why somebody is listed: `source` was at `venue` from `source_at`, the person from `person_at`, all minutes.

    `exposed_at` is the later of the two, or where the source's infectious time begins.
    """

    source: int
    venue: int
    source_at: int
    person_at: int
    exposed_at: int
