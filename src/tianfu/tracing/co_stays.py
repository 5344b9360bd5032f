"""Who shared a household, a unit, a carriage or rows with given people, from the evidence ledger.

The ledger keeps a narrow table of the stays that standing statements give. Here the places where the sources were are
looked up, then everybody who was there, and `tianfu.tracing.stays` says who was near whom.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
import numpy as np

from tianfu.evidence.co_stays import StayKind
from tianfu.lake.layout import People, absolute_minute, instant_of
from tianfu.platform.database import Read
from tianfu.tracing import co_stay_store, rules, stays
from tianfu.tracing.co_stay_store import VisitedRow
from tianfu.tracing.model import Sources, Tier
from tianfu.tracing.rules import NOT_NEAR, STAY_CODE, TracingRules, near
from tianfu.tracing.stays import ENDLESS, Met, Stays, TooLarge
from tianfu.tracing.withheld import Withheld

# Periods of sources in one look-up, and places in one: some 100 bytes each.
_SOURCES_AT_ONCE: Final = 10_000
_PLACES_AT_ONCE: Final = 5_000
# The most stays of one place that are read at all; no carriage or class is near it, and beyond it nobody is named.
PLACE_STAYS_MAX: Final = 10_000
# Why two people met is answered with at most this many stays.
TOGETHER_MAX: Final = 100
# No journey lasts longer (the longest train takes 54 hours), so stays that began before cannot matter.
_JOURNEY_LONGEST: Final = timedelta(days=4)
_JOURNEYS: Final = frozenset(
    kind.value
    for kind in (
        StayKind.FLIGHT,
        StayKind.TRAIN,
        StayKind.TRAIN_OPEN,
        StayKind.COACH,
        StayKind.COACH_OPEN,
        StayKind.SHIP,
        StayKind.ABOARD,
    )
)
_BEGINNING: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9000, 1, 1, tzinfo=UTC)
# Minutes since 1970 UTC are 480 behind the lake's absolute minutes.
_LAKE_AHEAD: Final = absolute_minute(datetime(1970, 1, 1, tzinfo=UTC))
_CODES: Final = [kind.value for kind in StayKind]
_KIND_OF: Final = {code: kind for kind, code in STAY_CODE.items()}


class Gathered(NamedTuple):
    """The stays of everybody who was where the sources were; `too_large` are places beyond `PLACE_STAYS_MAX`.

    `places` are the digests of the places, by their numbers in the stays.
    """

    stays: Stays
    too_large: tuple[TooLarge, ...]
    places: tuple[UUID, ...]


class Found(NamedTuple):
    """Whom sources reach, by what they become, the main tier first; and the places of which nobody is named."""

    by_tier: dict[Tier, Met]
    withheld: tuple[Withheld, ...]


class Together(msgspec.Struct, frozen=True):
    """Why somebody is listed: source and person shared a stay of that kind; rows are 0 where they do not count.

    The statements that say so have the two numbers in the ledger.
    """

    kind: StayKind
    exposed_at: datetime
    ends_at: datetime | None
    source_row: int
    row: int
    source_evidence: int
    evidence: int


def reached(read: Read, sources: Sources, ruleset: TracingRules, hop: int, *, excluded: People | None = None) -> Found:
    """Who shared a stay with a source, by what they become at that hop (from 1).

    Who is reached in an earlier tier is not in a later one. Sources and `excluded` (sorted) are never reached.
    """
    gathered = gather(read, sources, ruleset, hop)
    found: dict[Tier, Met] = {}
    barred = np.zeros(0, dtype=np.uint32) if excluded is None else excluded
    for tier in rules.tiers(ruleset, hop):
        table = near(ruleset, hop, tier)
        met = stays.meet(gathered.stays, sources, table, excluded=barred)
        refused = tuple(place for place in gathered.too_large if table.rows[place.setting] != NOT_NEAR)
        found[tier] = met._replace(too_large=(*met.too_large, *refused))
        barred = np.union1d(barred, met.person)
    refused_by_any = [place for met in found.values() for place in met.too_large]
    return Found(found, tuple(_withheld(place, gathered.places) for place in refused_by_any))


def gather(read: Read, sources: Sources, ruleset: TracingRules, hop: int) -> Gathered:
    """The stays of the sources and of everybody where they were, for the kinds of stay that count at that hop."""
    counted = [kind for kind in StayKind if _counts(ruleset, hop, kind)]
    places: dict[UUID, VisitedRow] = {}
    for row in _visited(read, sources, counted):
        held = places.get(row.place, row)
        places[row.place] = row._replace(since=min(held.since, row.since), until=max(held.until, row.until))
    numbered = [
        (number, row, max(_BEGINNING, row.since - _JOURNEY_LONGEST) if row.kind in _JOURNEYS else _BEGINNING)
        # In the order of the index, so that a look-up reads its pages one after the other.
        for number, row in enumerate(sorted(places.values(), key=lambda row: row.place.int))
    ]
    parts: list[Stays] = []
    too_large: list[TooLarge] = []
    for start in range(0, len(numbered), _PLACES_AT_ONCE):
        part = numbered[start : start + _PLACES_AT_ONCE]
        kept, beyond = _unpacked(co_stay_store.at_places(read, part, _CODES, PLACE_STAYS_MAX + 1))
        parts.append(kept)
        too_large.extend(_refused(read, number, numbered[number][1]) for number in beyond)
    return Gathered(stays.joined(*parts), tuple(too_large), tuple(row.place for _, row, _ in numbered))


def why(
    read: Read, source: int, person: int, since: int, until: int, ruleset: TracingRules, hop: int
) -> list[Together]:
    """The stays that make `person` a contact of `source` at that hop, in the order of time; at most `TOGETHER_MAX`.

    [`since`, `until`) is the source's period in absolute minutes, as in `Sources`.
    """
    begins, ends = instant_of(since), _instant(until)
    rows = co_stay_store.together(read, source, person, begins, ends, TOGETHER_MAX)
    tables = [near(ruleset, hop, tier) for tier in rules.tiers(ruleset, hop)]
    return [
        Together(
            StayKind(row.kind),
            max(row.begins_at, row.other_begins_at, begins),
            row.ends_at,
            row.source_row,
            row.row,
            row.source_evidence,
            row.evidence,
        )
        for row in rows
        if any(stays.is_near(table, STAY_CODE[StayKind(row.kind)], row.source_row, row.row) for table in tables)
    ]


def _counts(ruleset: TracingRules, hop: int, kind: StayKind) -> bool:
    code = STAY_CODE[kind]
    return any(near(ruleset, hop, tier).rows[code] != NOT_NEAR for tier in rules.tiers(ruleset, hop))


def _visited(read: Read, sources: Sources, kinds: Sequence[StayKind]) -> Iterator[VisitedRow]:
    words = [kind.value for kind in kinds]
    for start in range(0, len(sources.person) if words else 0, _SOURCES_AT_ONCE):
        part = slice(start, start + _SOURCES_AT_ONCE)
        yield from co_stay_store.visited(
            read,
            sources.person[part].tolist(),
            [instant_of(minute) for minute in sources.since[part].tolist()],
            [_instant(minute) for minute in sources.until[part].tolist()],
            words,
        )


def _instant(minute: int) -> datetime:
    return _LAST if minute == ENDLESS else instant_of(minute)


def _unpacked(packed: bytes) -> tuple[Stays, list[int]]:
    """The stays in what `co_stay_store.at_places` packed, and the numbers of places that have too many."""
    row = np.frombuffer(packed, dtype=">i4").reshape(-1, co_stay_store.ROW_INTEGERS).astype(np.int64)
    number = row[:, 0]
    beyond = np.flatnonzero(np.bincount(number, minlength=1) > PLACE_STAYS_MAX)
    row = row[~np.isin(number, beyond)]
    begins = (row[:, 2] + _LAKE_AHEAD).astype(np.int32)
    ends = np.where(row[:, 3] == ENDLESS, ENDLESS, row[:, 3] + _LAKE_AHEAD).astype(np.int32)
    kept = Stays(
        row[:, 1].astype(np.uint32),
        stays.place_of(row[:, 0], row[:, 4] & 255),
        begins,
        # A stay of less than a minute is one of a minute.
        np.maximum(ends, begins + 1),
        (row[:, 4] >> 8 & 255).astype(np.uint8),
        row[:, 4] >= 1 << 16,
    )
    return kept, beyond.tolist()


def _withheld(place: TooLarge, places: Sequence[UUID]) -> Withheld:
    ends = None if place.ends == ENDLESS else place.ends
    return Withheld(places[place.place], _KIND_OF[place.setting], place.begins, ends, place.people)


def _refused(read: Read, number: int, row: VisitedRow) -> TooLarge:
    code = STAY_CODE[StayKind(row.kind)]
    until = ENDLESS if row.until == _LAST else absolute_minute(row.until)
    return TooLarge(number, code, absolute_minute(row.since), until, co_stay_store.heads(read, row))
