"""Whom one case reaches by itself: hop after hop, by visits and by everything else that brings people together.

The case is expanded as if it were the only one, but people who are cases too are not gone on from: what they reach is
theirs. They do stand among the rows (the list leaves them out), so that the rows of a case say for whom it matters that
somebody becomes a case or is none any more. Deterministic: the same visits, statements, cases and terms give the same
rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.errors import TianfuError
from tianfu.lake.layout import Minutes, Partition, People
from tianfu.tracing import copresence, rules, withheld
from tianfu.tracing.aliases import NONE, Aliases
from tianfu.tracing.model import Announcement, PerVenue, Reach, Reached, Sources
from tianfu.tracing.rows import Rows, earliest, joined, nobody, picked, together
from tianfu.tracing.withheld import Withheld

# People one case may bring, and an incident may list: a county seat and its surroundings. Storing them takes tens of
# seconds and a gigabyte; nobody can quarantine more, so a rule that names more is too wide.
LIST_ROWS_MAX: Final = 2_000_000
# How many of those found are asked where, to say which rule is too wide.
_ASKED: Final = 2_000


class TraceTooWideError(TianfuError):
    """The rules name more people than a list holds. Nothing was stored; the sentence says which rule to narrow."""

    code = "trace_too_wide"
    status = 422
    zh = f"按现行规则会列出超过 {LIST_ROWS_MAX} 人，名单未改动；请收紧规则或减少层数。"
    en = (
        f"The rules name more than {LIST_ROWS_MAX:,} people; the list is unchanged. Narrow a rule or ask for less hops."
    )


class TierTerms(NamedTuple):
    """How visits make people contacts of one tier: how far they reach, and on what ground by type of venue.

    `tier` is a number from 1 as in `tianfu.tracing.rows.Rows`, `setting` a table of 256 such numbers, uint8.
    """

    tier: int
    reach: Reach
    setting: NDArray[np.uint8]


class HopTerms(NamedTuple):
    """What one hop goes by. `followed`, uint8, are the tiers of the hop before that are gone on from."""

    tiers: Sequence[TierTerms]
    followed: NDArray[np.uint8]


Others = Callable[[int, Sources], tuple[Rows, tuple[Withheld, ...]]]
"""Whom sources reach other than by visits: (hop from 1, sources) -> candidates, in any order, people repeated; and the
places of which nobody is named."""


Ends = Callable[[People, Minutes], Minutes]
"""Until when contacts infect others: (people, exposure of each) -> minutes of isolation, or the end of the run."""


class Expanded(NamedTuple):
    """What one case reaches: its rows, how many visits were looked at; crowds and other places that name nobody."""

    rows: Rows
    crowds: tuple[Announcement, ...]
    withheld: tuple[Withheld, ...]
    scanned: int


class Ground(NamedTuple):
    """On what a run stands.

    The visits, the type of each venue (uint8), the highest person number and one, and who has several numbers.
    """

    partitions: Sequence[Partition]
    venue_type: PerVenue
    people: int
    aliases: Aliases = NONE


def expand(
    ground: Ground,
    case: Sources,
    *,
    cases: People,
    hops: Sequence[HopTerms],
    others: Others,
    ends: Ends,
    until: int,
    kept: Rows | None = None,
) -> Expanded:
    """Whom `case` (one person, one or more periods) reaches before minute `until`, in at most `len(hops)` hops.

    `cases` are all cases of the incident, ascending, this one included. Contacts are gone on from between their
    exposure and what `ends` says of them. Who has several numbers counts under all of them and stands in the rows
    under the one that is kept. `kept` are rows of an earlier expansion whose visits are erased by now: they count as
    if they were found again, as far as their parents and the case's periods still stand. Raises `TraceTooWideError`.
    """
    aliases = ground.aliases
    kept = nobody() if kept is None else _under_kept(aliases, kept, case)
    parts: list[Rows] = []
    crowds: list[Announcement] = []
    refused: list[Withheld] = []
    cases, known = aliases.everybody(cases), aliases.everybody(case.person)
    sources, scanned, count = aliases.sources(case), 0, 0
    for number, terms in enumerate(hops, start=1):
        if number > 1:
            sources = aliases.sources(_onward(parts[-1], cases, terms.followed, ends))
        if not len(sources.person):
            break
        by_stays, too_large = others(number, sources)
        candidates = [by_stays, _still_held(kept, number, sources, terms)]
        refused += (place for place in too_large if place.begins < until)
        for way in terms.tiers:
            found = copresence.hop(
                ground.partitions,
                sources,
                reach=way.reach,
                venue_type=ground.venue_type,
                people=ground.people,
                excluded=known,
            )
            scanned += found.scanned
            crowds += found.announcements
            _require_room(ground, sources, way, found.reached, number, count)
            candidates.append(_by_visits(ground, sources, found.reached, way, number))
        found_rows = _under_kept(aliases, together(candidates), case)
        fresh = ~np.isin(found_rows.person, known) & (found_rows.exposed_at < until)
        rows = earliest(picked(found_rows, fresh))
        count += len(rows.person)
        if count > LIST_ROWS_MAX:
            raise TraceTooWideError
        parts.append(rows)
        known = np.union1d(known, aliases.everybody(rows.person))
    return Expanded(joined(parts), tuple(crowds), tuple(withheld.merged(refused)), scanned)


def _under_kept(aliases: Aliases, rows: Rows, case: Sources) -> Rows:
    """The same rows under the numbers that are kept; the case stays under the number it was reported by."""
    parent = np.where(
        np.isin(rows.parent, aliases.everybody(case.person)), case.person[0], aliases.kept_of(rows.parent)
    )
    return rows._replace(person=aliases.kept_of(rows.person), parent=parent.astype(np.uint32))


def _still_held(kept: Rows, number: int, sources: Sources, terms: HopTerms) -> Rows:
    """The rows of `kept` of this hop whose parent is among the sources and infectious at the time."""
    rows = picked(kept, (kept.hop == number) & np.isin(kept.parent, sources.person))
    if not len(rows.person):
        return rows
    # A source visit begins in the period; who comes after it is exposed up to so many minutes later.
    longest = max((int(way.reach.after.max()) for way in terms.tiers), default=0)
    people, places = np.unique(sources.person, return_inverse=True)
    since, until = np.full(len(people), np.iinfo(np.int32).max, np.int32), np.zeros(len(people), np.int32)
    np.minimum.at(since, places, sources.since)
    np.maximum.at(until, places, sources.until)
    at = np.searchsorted(people, rows.parent)
    return picked(rows, (since[at] <= rows.exposed_at) & (rows.exposed_at < until[at] + longest))


def _onward(rows: Rows, cases: People, followed: NDArray[np.uint8], ends: Ends) -> Sources:
    """The people of a hop from whom the next one goes on: from their exposure until isolation."""
    onward = picked(rows, ~np.isin(rows.person, cases) & np.isin(rows.tier, followed))
    return Sources(onward.person, onward.exposed_at, ends(onward.person, onward.exposed_at))


def _by_visits(ground: Ground, sources: Sources, reached: Reached, way: TierTerms, number: int) -> Rows:
    """Rows of those whom visits reached. A scan of a poster is weak: it says that a phone was there."""
    parent, venue = copresence.parents(
        ground.partitions, sources, reached, reach=way.reach, venue_type=ground.venue_type
    )
    count = len(reached.person)
    return Rows(
        reached.person,
        np.full(count, number, np.uint8),
        np.full(count, way.tier, np.uint8),
        way.setting[types_of(ground.venue_type, venue)],
        np.zeros(count, np.bool_),
        reached.exposed_at,
        parent,
        venue,
    )


def types_of(venue_type: PerVenue, venues: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The type of each of `venues`; 0 for one beyond the table."""
    kinds = np.zeros(len(venues), np.uint8)
    inside = venues < len(venue_type)
    kinds[inside] = venue_type[venues[inside]]
    return kinds


def _require_room(ground: Ground, sources: Sources, way: TierTerms, reached: Reached, number: int, before: int) -> None:
    """Raise `TraceTooWideError`, with the hop and the type of venue that most of those found come from."""
    total = before + len(reached.person)
    if total <= LIST_ROWS_MAX:
        return
    step = len(reached.person) // _ASKED + 1
    asked = Reached(reached.person[::step], reached.exposed_at[::step])
    _, venues = copresence.parents(ground.partitions, sources, asked, reach=way.reach, venue_type=ground.venue_type)
    kind, share = Counter(types_of(ground.venue_type, venues).tolist()).most_common(1)[0]
    percent, name = 100 * share // len(asked.person), venue_type_name(kind)
    raise TraceTooWideError(
        zh=f"按现行规则会列出 {total:,} 人，超过 {LIST_ROWS_MAX:,} 人，名单未改动。第 {number} 层有 {percent}% 来自"
        f"“{name}”类场所；请缩短该类场所的时间窗、设人数上限，或减少层数。",
        en=f"The rules name {total:,} people, more than {LIST_ROWS_MAX:,}; the list is unchanged. Of hop {number}, "
        f"{percent} % come from venues of type {name}: give it less minutes or a crowd limit, or ask for less hops.",
    )


def venue_type_name(kind: int) -> str:
    """How rule files call a type of venue; `unknown` for one without a category."""
    words = {code: category.value for category, code in rules.VENUE_TYPE.items()}
    words |= {code: vehicle.value for vehicle, code in rules.VEHICLE_TYPE.items()}
    return words.get(kind, "unknown")
