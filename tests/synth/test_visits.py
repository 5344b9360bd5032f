from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.support.clock import NOON
from tianfu.clock import shanghai_day
from tianfu.ids import PersonRef, VenueRef
from tianfu.lake import incoming, roll, segment
from tianfu.scans.event import ScanEvent, pack
from tianfu.synth import county, visits

MADE = county.make(people=120, seed=3, today=shanghai_day(NOON))
PEOPLE = {PersonRef(number): person for number, person in enumerate(MADE.people, 1)}
VENUES = [(VenueRef(number), venue) for number, venue in enumerate(MADE.venues, 100)]


def scans(seed: int = 1) -> list[ScanEvent]:
    return visits.make(PEOPLE, VENUES, seed=seed, at=NOON)


def test_the_same_seed_makes_the_same_visits_and_none_of_them_is_still_to_come() -> None:
    made = scans()

    assert made == scans()
    assert made != scans(seed=2)
    ends = NOON.timestamp() * 1000
    begins = (NOON - timedelta(days=visits.DAYS + 1)).timestamp() * 1000
    assert all(begins < scan.happened_at < ends for scan in made)


def test_who_works_is_mostly_there_on_weekdays() -> None:
    worker = next(person for person, made in PEOPLE.items() if made.place is not None)
    place = VENUES[PEOPLE[worker].place or 0][0]

    there = [scan for scan in scans() if scan.person == worker and scan.venue == place]

    assert 2 <= len(there) <= visits.DAYS


def test_what_is_shipped_twice_is_rolled_once(tmp_path: Path) -> None:
    made = scans()
    visits.ship(tmp_path, made)
    [held] = incoming.segments(tmp_path, visits.DEMO_GATE)
    assert segment.read(held, visits.DEMO_GATE) == [pack(scan) for scan in made]
    first = roll.roll(tmp_path, at=NOON, days_kept=visits.DAYS)

    visits.ship(tmp_path, made)
    second = roll.roll(tmp_path, at=NOON, days_kept=visits.DAYS)

    assert (first.records, second.records) == (len(made), 0)
    assert first.aside == {}
    assert incoming.segments(tmp_path, visits.DEMO_GATE) == []
