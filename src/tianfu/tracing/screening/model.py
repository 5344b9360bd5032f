"""What a funnel works on: what each source says of people, as arrays, and what is said of them. Pure.

A source is a few arrays of equal length, one row a statement about a person; the same person may stand there several
times unless it says otherwise, in any order. People are the lake's integers (uint32), instants absolute minutes
(`tianfu.lake.layout`, int32), durations minutes. -1 stands for "the source does not say". `covered` is whom the
source knows about at all, sorted or not: somebody who is not in it is unknown to the source, which proves nothing.
"""

from __future__ import annotations

import enum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.lake.layout import Minutes, People

Bits = NDArray[np.uint16]
Codes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Small = NDArray[np.int8]
Rows = NDArray[np.int16]

UNSAID: Final = -1


class Ground(enum.IntFlag):
    """Which sources place a person with a case: the bits of `evidence`. Stored; a bit is never given a new meaning."""

    ROAMING = 1
    TELECOM = 2
    SCAN = 4
    SEAT = 8
    HOUSEHOLD = 16
    SCHOOL = 32
    WORK = 64
    TEST = 128
    FIELD = 256


class Said(enum.IntEnum):
    """The reason codes: what a step says of a person. Stored as numbers; a number is never given a new meaning.

    1-31 put or keep the person on the list on a ground; 32-63 are passing remarks about somebody on the list, which
    leave the reason as it was; 64-95 take the person off; 96 hands the person over to another place.
    """

    NOTHING = 0
    ROAMED = 1
    TOGETHER = 2
    SCANNED_NEAR = 3
    SEATED_NEAR = 4
    HOUSEHOLD = 5
    SCHOOL = 6
    WORK = 7
    TESTED_POSITIVE = 8
    JUDGED_CLOSE = 16
    JUDGED_SECONDARY = 17
    JUDGED_COPRESENT = 18
    JUDGED_GENERAL = 19
    # Passing remarks.
    TELECOM_SILENT = 32
    NO_SCANS = 33
    KEPT_DESPITE = 34
    NOT_CLEARED = 35
    HERE = 36
    WHEREABOUTS_UNKNOWN = 37
    NOT_JUDGED = 38
    SPARED = 39
    # Off the list.
    SHORT_STAY = 64
    NOT_TOGETHER = 65
    SHORT_TOGETHER = 66
    TELECOM_SILENT_OUT = 67
    SCANS_APART = 68
    NO_SCANS_OUT = 69
    SEATED_APART = 70
    CLEARED = 71
    VACCINATED = 72
    JUDGED_NO_CONTACT = 73
    # Over to another place.
    HANDED_OVER = 96


GROUNDS_END: Final = 32
PASSING_END: Final = 64


class Mode(enum.IntEnum):
    """Means of transport of a seat."""

    AIR = 1
    RAIL = 2
    COACH = 3
    SHIP = 4


class JudgedTier(enum.IntEnum):
    """What the field check found: a tier, or no contact."""

    NO_CONTACT = 0
    CLOSE = 1
    SECONDARY = 2
    COPRESENT = 3
    GENERAL = 4


class Roaming(NamedTuple):
    """Who was in the place, by the carriers' list: `minutes` int32 there in all (-1 unsaid)."""

    person: People
    minutes: Minutes


class Companions(NamedTuple):
    """Who was in one cell with a case.

    `together` minutes int32, `stay` the longer total stay of the two, minutes int32, both -1 where the carriers only
    send the list by their own rule. `covered`: whose phones they see at all.
    """

    person: People
    together: Minutes
    stay: Minutes
    covered: People


class Scans(NamedTuple):
    """Who scanned at a venue near a case.

    `apart` int32, minutes between the two scans (0 where the rule set's own window already chose). `covered`: who has
    scans that show where they were at the time.
    """

    person: People
    apart: Minutes
    covered: People


class Seats(NamedTuple):
    """Who travelled on a service with a case.

    `mode` uint8 of `Mode`; `same_unit` int8, 1 in the case's carriage, coach, cabin or aircraft, 0 in another, -1
    unsaid; `rows` int16 between the two, -1 unsaid; `sealed` int8, 1 sealed, 0 open, -1 unsaid; `crew` bool.
    """

    person: People
    mode: Codes
    same_unit: Small
    rows: Rows
    sealed: Small
    crew: Flags


class Groups(NamedTuple):
    """Who belongs to a group with a case.

    `ground` uint16, one of `Ground.HOUSEHOLD`, `SCHOOL`, `WORK`; `hop` uint8, 1 with a case, 2 with a contact of one.
    """

    person: People
    ground: Bits
    hop: Codes


class Tests(NamedTuple):
    """Results of tests: `sampled` int32 minute, `positive` bool."""

    person: People
    sampled: Minutes
    positive: Flags


class Exposures(NamedTuple):
    """When people were last exposed: `last` int32 minute; of several the latest counts."""

    person: People
    last: Minutes


class Vaccinated(NamedTuple):
    """`doses` uint8 received; of several rows the highest counts."""

    person: People
    doses: Codes


class Whereabouts(NamedTuple):
    """Where people are now.

    `place` int32, a division code of six digits; `at` int32 minute: the latest row counts, of one minute the highest
    code.
    """

    person: People
    place: NDArray[np.int32]
    at: Minutes


class Judged(NamedTuple):
    """What the field check decided, each person once: `tier` uint8 of `JudgedTier`."""

    person: People
    tier: Codes


class Facts(NamedTuple):
    """Everything the sources say.

    `cases` are never screened; `since` is the minute from which the incident counts, the exposure of whoever has none
    of their own.
    """

    cases: People
    since: int
    roaming: Roaming
    companions: Companions
    scans: Scans
    seats: Seats
    groups: Groups
    tests: Tests
    exposures: Exposures
    vaccinated: Vaccinated
    whereabouts: Whereabouts
    judged: Judged


def nobody() -> People:
    """No people."""
    return np.empty(0, np.uint32)


def no_facts(*, cases: People | None = None, since: int = 0) -> Facts:
    """Facts in which no source says anything; fill in what there is with `_replace`."""
    minutes = np.empty(0, np.int32)
    codes, small = np.empty(0, np.uint8), np.empty(0, np.int8)
    bits, flags = np.empty(0, np.uint16), np.empty(0, np.bool_)
    return Facts(
        cases=nobody() if cases is None else cases,
        since=since,
        roaming=Roaming(nobody(), minutes),
        companions=Companions(nobody(), minutes, minutes, nobody()),
        scans=Scans(nobody(), minutes, nobody()),
        seats=Seats(nobody(), codes, small, np.empty(0, np.int16), small, flags),
        groups=Groups(nobody(), bits, codes),
        tests=Tests(nobody(), minutes, flags),
        exposures=Exposures(nobody(), minutes),
        vaccinated=Vaccinated(nobody(), codes),
        whereabouts=Whereabouts(nobody(), minutes, minutes),
        judged=Judged(nobody(), codes),
    )
