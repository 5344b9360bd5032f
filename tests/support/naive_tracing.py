"""Tracing from two plain files as the definition says it, pair by pair: what the engines must equal."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HEADER = ["person", "hop", "first_exposed_at", "source_person", "venue"]


class Visit(NamedTuple):
    person: str
    venue: str
    at: int


class Case(NamedTuple):
    person: str
    since: int
    until: int


def traced(visits: Sequence[Visit], cases: Sequence[Case], dwell: int, hops: int) -> list[list[str]]:
    """The rows of the result, header first. Instants are minutes."""
    named = {case.person for case in cases}
    latest = max((case.until for case in cases), default=0)
    known = set(named)
    starts = {
        visit
        for visit in visits
        if any(case.person == visit.person and case.since <= visit.at < case.until for case in cases)
    }
    rows = []
    for hop in range(1, hops + 1):
        first: dict[str, tuple[int, str, str]] = {}
        for source in starts:
            for other in visits:
                if other.venue != source.venue or other.person in known or abs(other.at - source.at) >= dwell:
                    continue
                exposure = (max(other.at, source.at), source.person, source.venue)
                first[other.person] = min(first.get(other.person, exposure), exposure)
        rows += [(hop, at, person, source, venue) for person, (at, source, venue) in first.items()]
        known |= set(first)
        starts = {visit for visit in visits if visit.person in first and first[visit.person][0] <= visit.at < latest}
    return [HEADER] + [
        [person, str(hop), written(at), source, venue] for hop, at, person, source, venue in sorted(rows)
    ]


def written(minute: int) -> str:
    """The instant of a minute as ISO 8601, UTC, to the second."""
    return (EPOCH + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


def csv_text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows as CSV."""
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue()
