"""Visits that one person cannot have made: two venues too far apart for the time between. Pure.

A photographed poster can be scanned from anywhere, so such a pair says that one of the two visits is doubtful, and
nothing about the person's health: no colour follows from it. The gate knows venues by number only and has no time for
this; it is for whoever reads the events of a person later, with the places of the venues at hand.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from tianfu.scans.event import FLAG_OFFLINE, KIND_POSTER, ScanEvent

# An airliner cruises at 900 km/h; door to door nobody is nearly as fast.
SPEED_MAX_KM_PER_HOUR: Final = 900.0
# Below this the size of a venue, a wrong pin on the map or a train station's two sides explain the distance.
DISTANCE_MIN_KM: Final = 10.0
# Gates agree to seconds. A device that was offline went by its own clock, which may be this far off unnoticed.
CLOCK_MINUTES_LIVE: Final = 1.0
CLOCK_MINUTES_OFFLINE: Final = 5.0
EARTH_RADIUS_KM: Final = 6_371.0

_MS_PER_HOUR: Final = 3_600_000
_MINUTES_PER_HOUR: Final = 60


class Place(NamedTuple):
    """Where a venue is, in degrees, and how far from there it may really be.

    A pin has a radius near 0; where only the district is known, its centre stands for it with the district's radius.
    """

    longitude: float
    latitude: float
    radius_km: float = 0.0


class Leap(NamedTuple):
    """Two visits of one person, one after the other, of which at most one can be true.

    `least_km` is the least distance between the two, `most_hours` the most time there was. `weak` counts those of the
    two that are known from a poster only: with one, that one is the doubtful visit.
    """

    earlier: ScanEvent
    later: ScanEvent
    least_km: float
    most_hours: float
    weak: int


def leaps(events: Iterable[ScanEvent], place_of: Callable[[int], Place | None]) -> list[Leap]:
    """The implausible pairs among the visits of one person, in order of time; in any order of arrival the same.

    `place_of` gives the place of a venue by its number; visits to venues without one are passed over. Only visits that
    follow each other are compared: where any two are too far apart, two neighbours between them are.
    """
    placed = [(event, place) for event in events if (place := place_of(event.venue)) is not None]
    placed.sort(key=lambda visit: (visit[0].happened_at, visit[0].venue, visit[0].nonce))
    found = []
    for (earlier, start), (later, end) in itertools.pairwise(placed):
        least_km = distance_km(start, end) - start.radius_km - end.radius_km
        clocks = (_clock_minutes(earlier) + _clock_minutes(later)) / _MINUTES_PER_HOUR
        most_hours = (later.happened_at - earlier.happened_at) / _MS_PER_HOUR + clocks
        if least_km > max(DISTANCE_MIN_KM, SPEED_MAX_KM_PER_HOUR * most_hours):
            weak = sum(event.kind == KIND_POSTER for event in (earlier, later))
            found.append(Leap(earlier, later, least_km, most_hours, weak))
    return found


def distance_km(one: Place, other: Place) -> float:
    """The great-circle distance between two points (haversine), whatever their radii."""
    latitudes = math.radians(one.latitude), math.radians(other.latitude)
    across = math.radians(other.longitude - one.longitude) / 2
    up = (latitudes[1] - latitudes[0]) / 2
    chord = math.sin(up) ** 2 + math.cos(latitudes[0]) * math.cos(latitudes[1]) * math.sin(across) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


def _clock_minutes(event: ScanEvent) -> float:
    return CLOCK_MINUTES_OFFLINE if event.flags & FLAG_OFFLINE else CLOCK_MINUTES_LIVE
