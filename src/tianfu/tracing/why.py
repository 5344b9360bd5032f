"""Why somebody is listed: which case, through whom, where, at which minutes. Worked out when somebody asks.

The stored row holds no meeting, only the parent pointer; the chain follows the pointers within the rows of one case,
and each step is asked of the visits and of the statements again. Each step says every meeting, not only the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np

from tianfu.clock import shanghai_day
from tianfu.errors import NotFoundError
from tianfu.ids import PersonRef
from tianfu.lake.layout import Partition, absolute_minute, instant_of
from tianfu.lake.permit import Permit
from tianfu.lake.read import open_days
from tianfu.platform.database import Database, Purpose, Read
from tianfu.residents import merge_store, merging
from tianfu.tracing import copresence, grounds, incident_store, list_store, page_store
from tianfu.tracing.aliases import Aliases
from tianfu.tracing.cases import Entered
from tianfu.tracing.incidents import Incident
from tianfu.tracing.model import PerVenue, Sources
from tianfu.tracing.terms import Terms, first_day, terms_of

# Cases that are named for one person, and meetings that are told of one step: a screen each.
CASES_MAX: Final = 50
MEETINGS_MAX: Final = 100
# Hops of a rule set.
_STEPS_MAX: Final = 16


class NotListedError(NotFoundError):
    """The person is not on the list of this incident."""

    code = "not_listed"
    zh = "此人不在该事件的名单上。"
    en = "This person is not on the list of this incident."


class Together(msgspec.Struct, frozen=True, kw_only=True):
    """One time that the two were near each other, from `exposed_at` on.

    At a venue (number, name, county) `source_at` and `person_at` are the minutes of their scans. Otherwise it was a
    stay that both shared until `ends_at` (None while it lasts): `detail` is its kind, and rows of seats where they
    count; `evidence` are the statements in the ledger that say so of the source and of the person.
    """

    setting: str
    exposed_at: datetime
    venue: int | None = None
    name: str = ""
    place: str = ""
    source_at: datetime | None = None
    person_at: datetime | None = None
    ends_at: datetime | None = None
    detail: str = ""
    evidence: tuple[int, int] | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One link of the chain: `source` infected, or may have, `person`; `meetings` are in order of exposure.

    `more`: there were more meetings than are told. A link can have none: its visits were erased meanwhile, and the row
    stands as it was found; or the statement behind it was withdrawn, and the next run will drop it.
    """

    hop: int
    source: PersonRef
    person: PersonRef
    tier: str
    exposed_at: datetime
    meetings: tuple[Together, ...]
    more: bool


class Supporting(msgspec.Struct, frozen=True, kw_only=True):
    """A case that supports the row by itself."""

    case: PersonRef
    hop: int
    tier: str
    exposed_at: datetime
    parent: PersonRef


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Why `person` is listed, by rule set `rules`.

    `chain` leads from `case`, which the list prefers, to the person; `cases` are all that support the row, at most
    `CASES_MAX`, the preferred one first.
    """

    person: PersonRef
    case: PersonRef
    rules: str
    as_of: datetime
    chain: tuple[Step, ...]
    cases: tuple[Supporting, ...]


class _Link(NamedTuple):
    row: page_store.Row
    source: PersonRef
    person: PersonRef


def explain(
    database: Database, lake: Path, incident: Incident, person: PersonRef, *, permit: Permit, at: datetime
) -> Why:
    """Why `person` is on the list of `incident`. `permit` is for this reading; nothing is written.

    Raises `NotListedError`, `LakeBrokenError`, `PermitRefusedError`.
    """
    as_of = incident.traced_at or at
    terms = terms_of(incident.rules, incident.hops, as_of)
    with database.read(Purpose.OPERATOR) as read:
        rows = page_store.support(read, incident.incident_ref, person, CASES_MAX)
        if page_store.listed(read, incident.incident_ref, person) is None or not rows:
            raise NotListedError
        case = PersonRef(rows[0]["case"])
        links = _links(read, incident.incident_ref, case, person, rows[0])
        found = incident_store.case(read, incident.incident_ref, case)
        entered = None if found is None else Entered(**found)
        types = grounds.venue_types(list_store.venue_categories(read))
        until = absolute_minute(as_of) + 1
        since = as_of if entered is None else entered.infectious_from
        with open_days(lake, permit, first_day(terms, since), shanghai_day(as_of)) as visits:
            chain = tuple(
                _step(read, visits.partitions, types, terms, number, link, _source(read, link, links, entered, until))
                for number, link in enumerate(links, start=1)
            )
    return Why(
        person=person,
        case=case,
        rules=terms.name,
        as_of=as_of,
        chain=chain,
        cases=tuple(
            Supporting(
                case=row["case"], hop=row["hop"], tier=row["tier"], exposed_at=row["exposed_at"], parent=row["parent"]
            )
            for row in rows
        ),
    )


def _links(read: Read, incident_ref: int, case: PersonRef, person: PersonRef, row: page_store.Row) -> list[_Link]:
    """The links from the case to the person, following parents within the case's own rows."""
    links: list[_Link] = []
    current, at = person, row
    while len(links) < _STEPS_MAX:
        parent = PersonRef(at["parent"])
        links.append(_Link(at, parent, current))
        if parent == case:
            break
        found = page_store.support_of(read, incident_ref, case, parent)
        if found is None:
            break
        current, at = parent, found
    return links[::-1]


def _source(read: Read, link: _Link, links: Sequence[_Link], case: Entered | None, until: int) -> Sources:
    """When the source of a link could infect, under each of their numbers.

    The case in its period, a contact from exposure until isolation.
    """
    aliases = Aliases.of(merge_store.standing(read))
    person = np.array([link.source], np.uint32)
    if case is not None and link.source == case.person:
        begins = np.array([absolute_minute(case.infectious_from)], np.int32)
        ends = until if case.infectious_to is None else min(until, absolute_minute(case.infectious_to))
        return aliases.sources(Sources(person, begins, np.array([ends], np.int32)))
    exposed = next((absolute_minute(one.row["exposed_at"]) for one in links if one.person == link.source), until)
    begins = np.array([exposed], np.int32)
    return aliases.sources(Sources(person, begins, grounds.ends(read, until=until)(person, begins)))


def _step(
    read: Read,
    partitions: Sequence[Partition],
    types: PerVenue,
    terms: Terms,
    number: int,
    link: _Link,
    source: Sources,
) -> Step:
    hop = terms.hops[number - 1] if number <= len(terms.hops) else None
    numbers = merging.together(read, [link.person])
    met = {
        meeting
        for way in (() if hop is None else hop.tiers)
        for one in numbers
        for meeting in copresence.why(partitions, source, one, reach=way.reach, venue_type=types)
    }
    names = page_store.venue_names(read, sorted({meeting.venue for meeting in met}))
    meetings = [
        Together(
            setting=grounds.venue_setting(terms, number, types, meeting.venue),
            exposed_at=instant_of(meeting.exposed_at),
            source_at=instant_of(meeting.source_at),
            person_at=instant_of(meeting.person_at),
            venue=meeting.venue,
            name=names.get(meeting.venue, ("", ""))[0],
            place=names.get(meeting.venue, ("", ""))[1],
        )
        for meeting in sorted(met, key=lambda one: (one.exposed_at, one.venue, one.source_at, one.person_at))
    ]
    if hop is not None:
        meetings += [
            Together(
                setting=shared.setting,
                exposed_at=instant_of(shared.exposed_at),
                ends_at=None if shared.ends_at is None else instant_of(shared.ends_at),
                detail=shared.detail,
                evidence=shared.evidence,
            )
            for one in numbers
            for shared in grounds.shared(read, terms, number, source, one)
        ]
    # Scans come in the order of time already, and stays too.
    meetings.sort(key=lambda one: one.exposed_at)
    return Step(
        hop=number,
        source=link.source,
        person=link.person,
        tier=link.row["tier"],
        exposed_at=link.row["exposed_at"],
        meetings=tuple(meetings[:MEETINGS_MAX]),
        more=len(meetings) > MEETINGS_MAX,
    )
