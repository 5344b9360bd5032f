"""Where the people of a synthetic county were in the last days: scans of posters, as the gates would have kept them.

Who works or learns somewhere scans in there on most weekdays; a shop, a meal, a bus on some evenings. Pure but for
`ship`, which puts the scans where a gate's shipper would.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final

from tianfu.clock import SHANGHAI, shanghai_day
from tianfu.ids import PersonRef, VenueRef
from tianfu.lake import incoming, segment
from tianfu.scans.event import KIND_POSTER, ScanEvent, pack
from tianfu.status.record import COLOURS
from tianfu.synth.county import SyntheticPerson, SyntheticVenue

# No gate of anybody's: the last number there is.
DEMO_GATE: Final = 65_535
# Besides today. The tracing rules in force look back two days before onset or sampling, others five.
DAYS: Final = 7
WEEKDAYS: Final = 5
PRESENT_SHARE: Final = 0.8
# Of an evening; a visit each.
OUT_SHARE: Final = 0.35
_WORK_BEGINS: Final = time(8, 30)
_WORK_SPREAD_MINUTES: Final = 40
_EVENING_BEGINS: Final = time(17, 30)
_EVENING_SPREAD_MINUTES: Final = 180
_OUT: Final = frozenset({"catering", "market", "retail", "vehicle", "sport", "park", "medical"})
_NONCE_BYTES: Final = 8
_GREEN: Final = COLOURS.index("green")


def make(
    people: Mapping[PersonRef, SyntheticPerson],
    venues: Sequence[tuple[VenueRef, SyntheticVenue]],
    *,
    seed: int,
    at: datetime,
) -> list[ScanEvent]:
    """The scans of `DAYS` days and of today until `at`, oldest first; the same for the same seed and hour.

    `venues` are in the county's order, as a person's `place` is a position in it.
    """
    dice = random.Random(seed)
    evening = [reference for reference, venue in venues if venue.category in _OUT]
    today = shanghai_day(at)
    found: list[ScanEvent] = []
    for back in range(DAYS, -1, -1):
        day = today - timedelta(days=back)
        works = datetime.combine(day, _WORK_BEGINS, SHANGHAI)
        leaves = datetime.combine(day, _EVENING_BEGINS, SHANGHAI)
        for person, made in people.items():
            if made.place is not None and day.weekday() < WEEKDAYS and dice.random() < PRESENT_SHARE:
                found.append(_scan(dice, person, venues[made.place][0], works, _WORK_SPREAD_MINUTES))
            if dice.random() < OUT_SHARE:
                found.append(_scan(dice, person, dice.choice(evening), leaves, _EVENING_SPREAD_MINUTES))
    until = int(at.timestamp() * 1000)
    return sorted((scan for scan in found if scan.happened_at < until), key=lambda scan: scan.happened_at)


def ship(lake: Path, scans: Sequence[ScanEvent]) -> None:
    """Leave `scans` for the roller as segments of a gate of their own; again with the same is as once.

    Raises `LakeFullError`.
    """
    folder = incoming.gate_folder(lake, DEMO_GATE)
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, len(scans), segment.SEGMENT_RECORDS_MAX):
        part = scans[first : first + segment.SEGMENT_RECORDS_MAX]
        segment.write(folder, DEMO_GATE, first, [pack(scan) for scan in part])


def _scan(dice: random.Random, person: PersonRef, venue: VenueRef, begins: datetime, spread_minutes: int) -> ScanEvent:
    happened = int((begins + timedelta(seconds=dice.randrange(spread_minutes * 60))).timestamp() * 1000)
    return ScanEvent(
        kind=KIND_POSTER,
        colour=_GREEN,
        flags=0,
        person=person,
        venue=venue,
        checker=0,
        gate=DEMO_GATE,
        checkpoint=0,
        happened_at=happened,
        received_at=happened,
        nonce=dice.randbytes(_NONCE_BYTES),
    )
