"""The tracing definition written as pairs, in plain Python: slow, short and obviously right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tianfu.tracing.model import Announcement, Meeting

DAY_MINUTES = 1_440


class Visit(NamedTuple):
    """`part` tells the partitions of one day apart."""

    day: int
    part: int
    venue: int
    minute: int
    person: int

    @property
    def at(self) -> int:
        return self.day * DAY_MINUTES + self.minute


class Source(NamedTuple):
    person: int
    since: int
    until: int


class Rule(NamedTuple):
    before: int
    after: int
    crowd: int


class Pairs:
    """Everything that the kernel tells, from all pairs of these visits. `rules` are by venue, none means never."""

    def __init__(self, visits: Iterable[Visit], sources: Iterable[Source], rules: dict[int, Rule]) -> None:
        self.visits = list(visits)
        self.sources = list(sources)
        self.rules = rules
        of_sources = [visit for visit in self.visits if self._is_infectious(visit)]
        self.crowded = [visit for visit in of_sources if self._is_crowded(visit)]
        self.naming = [visit for visit in of_sources if not self._is_crowded(visit)]

    def meetings(self, person: int) -> list[Meeting]:
        met = {
            Meeting(source.person, mine.venue, source.at, mine.at, max(source.at, mine.at))
            for mine in self.visits
            for source in self.naming
            if mine.person == person != source.person and self._covers(source, mine)
        }
        return sorted(met, key=lambda one: (one.exposed_at, one.source, one.venue, one.source_at, one.person_at))

    def reached(self, excluded: Iterable[int] = ()) -> dict[int, int]:
        never = {source.person for source in self.sources} | set(excluded)
        people = sorted({visit.person for visit in self.visits} - never)
        first = {person: self.meetings(person)[:1] for person in people}
        return {person: met[0].exposed_at for person, met in first.items() if met}

    def parents(self, person: int) -> tuple[int, int]:
        met = self.meetings(person)
        return min((one.source, one.venue) for one in met if one.exposed_at == met[0].exposed_at)

    def scanned(self) -> int:
        return sum(any(self._covers(source, visit) for source in self.naming) for visit in self.visits)

    def announcements(self) -> tuple[Announcement, ...]:
        minutes = {
            (source.venue, minute)
            for source in self.crowded
            for minute in range(source.at - self.rules[source.venue].before + 1, self._end(source))
        }
        begins = sorted((venue, minute) for venue, minute in minutes if (venue, minute - 1) not in minutes)
        merged = []
        for venue, begin in begins:
            end = begin
            while (venue, end) in minutes:
                end += 1
            inside = [visit for visit in self.visits if visit.venue == venue and begin <= visit.at < end]
            merged.append(Announcement(venue, begin, end, len(inside)))
        return tuple(merged)

    def _end(self, source: Visit) -> int:
        return source.at + self.rules[source.venue].after

    def _covers(self, source: Visit, visit: Visit) -> bool:
        rule = self.rules.get(source.venue, Rule(0, 0, 0))
        return visit.venue == source.venue and source.at - rule.before < visit.at < source.at + rule.after

    def _is_infectious(self, visit: Visit) -> bool:
        return any(one.person == visit.person and one.since <= visit.at < one.until for one in self.sources)

    def _is_crowded(self, source: Visit) -> bool:
        inside = sum(self._covers(source, visit) for visit in self.visits)
        return 0 < self.rules.get(source.venue, Rule(0, 0, 0)).crowd < inside
