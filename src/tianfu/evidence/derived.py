"""Statements that follow from other people's, or from a risk area: derived, appended like any other, never sent.

- A test of a close contact is stated of everybody who is a contact through them (`parent_test`).
- A stay in a risk area is stated with the level the area has now (`zone_stay`).

Derived statements have the source `derived` and a record made from what they follow from, so deriving twice changes
nothing, a change of the area or the test revises them, and what no longer follows is withdrawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from tianfu.evidence import ledger, store, zone_store, zones
from tianfu.evidence.kinds import Contact, ParentTest, Test
from tianfu.evidence.model import Evidence, NewEvidence
from tianfu.evidence.travel_kinds import Stay, ZoneRelation, ZoneStay
from tianfu.evidence.zones import Zone
from tianfu.ids import PersonRef
from tianfu.interval import Interval
from tianfu.platform.database import Read, Write

SOURCE: Final = "derived"
_COUNTY_DIGITS: Final = 6

_Statements = Mapping[PersonRef, Sequence[Evidence]]


def derive(write: Write, evidence: _Statements, at: datetime) -> set[PersonRef]:
    """Bring up to date what follows from `evidence`, the standing statements of some people by person.

    Returns the people whose statements changed by it; they are queued. Costs nothing for people without contacts,
    stays or derived statements. Part of the caller's transaction.
    """
    # What follows from a statement is stated of the number the statement is about, not of the person's other ones.
    reaching = {person for person, items in evidence.items() if any(_reaches(item) for item in _own(person, items))}
    if not reaching:
        return set()
    known = {
        person: _own(person, items)
        for person, items in _with_children(write, {person: evidence[person] for person in reaching}).items()
    }
    parents = _parents(write, known)
    areas = zones.in_force(write, at) if any(_has_stay(items) for items in known.values()) else []
    wanted: list[NewEvidence] = []
    gone: list[Evidence] = []
    changed: set[PersonRef] = set()
    for person, items in known.items():
        new, obsolete = _difference(items, [*_of_parents(person, items, parents), *_of_areas(person, items, areas)])
        if new or obsolete:
            changed.add(person)
            wanted += new
            gone += obsolete
    for statement in gone:
        ledger.withdraw(write, statement.evidence_id, received_at=at)
    if wanted:
        ledger.append(write, wanted, received_at=at)
    return changed


def _own(person: PersonRef, items: Iterable[Evidence]) -> list[Evidence]:
    return [item for item in items if item.person == person]


def _reaches(item: Evidence) -> bool:
    return isinstance(item.attributes, Contact | Stay) or item.source == SOURCE


def _has_stay(items: Iterable[Evidence]) -> bool:
    return any(isinstance(item.attributes, Stay) for item in items)


def _with_children(write: Write, evidence: _Statements) -> dict[PersonRef, Sequence[Evidence]]:
    """The same people and everybody who is a contact through one of them."""
    records = [
        (item.source, item.source_record)
        for items in evidence.values()
        for item in items
        if isinstance(item.attributes, Contact)
    ]
    found = zone_store.children(write, [source for source, _ in records], [record for _, record in records])
    others = sorted({PersonRef(link.person) for link in found} - set(evidence))
    return {**evidence, **(ledger.about_many(write, others) if others else {})}


def _parents(read: Read, evidence: _Statements) -> dict[tuple[str, str], tuple[Evidence, Sequence[Evidence]]]:
    """The contact statement under each record that somebody names as a parent, and that person's statements."""
    named = sorted(
        {
            (item.source, item.attributes.parent)
            for items in evidence.values()
            for item in items
            if isinstance(item.attributes, Contact) and item.attributes.parent is not None
        }
    )
    if not named:
        return {}
    held = store.held(read, [source for source, _ in named], [record for _, record in named])
    about = ledger.about_many(read, sorted({PersonRef(item.person) for item in held}))
    wanted = set(named)
    return {
        (item.source, item.source_record): (item, items)
        for items in about.values()
        for item in items
        if isinstance(item.attributes, Contact) and (item.source, item.source_record) in wanted
    }


def _of_parents(
    person: PersonRef,
    items: Sequence[Evidence],
    parents: Mapping[tuple[str, str], tuple[Evidence, Sequence[Evidence]]],
) -> list[NewEvidence]:
    """The tests of each close contact through whom the person is one, taken since that contact's own exposure."""
    found = []
    for item in items:
        said = item.attributes
        if not isinstance(said, Contact) or said.parent is None or (item.source, said.parent) not in parents:
            continue
        parent, statements = parents[item.source, said.parent]
        exposed_at = parent.attributes.last_exposure_at if isinstance(parent.attributes, Contact) else item.occurred_at
        for other in statements:
            test = other.attributes
            if isinstance(test, Test) and test.sampled_at >= exposed_at:
                found.append(_parent_test(person, item, said, other, test))
    return found


def _parent_test(person: PersonRef, item: Evidence, said: Contact, other: Evidence, test: Test) -> NewEvidence:
    return NewEvidence(
        person=person,
        source=SOURCE,
        source_record=_record("parent", item.source, item.source_record, other.source, other.source_record),
        attributes=ParentTest(
            contact=item.source_record,
            result=test.result,
            method=test.method,
            sampled_at=test.sampled_at,
            last_exposure_at=said.last_exposure_at,
            laboratory=test.laboratory,
            pooled=test.pooled,
        ),
        occurred_at=other.occurred_at,
        valid=Interval(max(other.valid.start, item.valid.start)),
        place=item.place,
    )


def _of_areas(person: PersonRef, items: Sequence[Evidence], areas: Sequence[Zone]) -> list[NewEvidence]:
    """Every stay in every area that it concerns."""
    return [
        _zone_stay(person, item, item.attributes, area)
        for item in items
        if isinstance(item.attributes, Stay)
        for area in areas
        if area.holds(item.attributes.division, item.attributes.cell)
        and area.concerns(item.attributes.began_at, item.attributes.ended_at)
    ]


def _zone_stay(person: PersonRef, item: Evidence, stay: Stay, area: Zone) -> NewEvidence:
    return NewEvidence(
        person=person,
        source=SOURCE,
        source_record=_record("zone", area.zone, item.source, item.source_record),
        attributes=ZoneStay(
            zone=area.zone,
            level=area.level,
            relation=ZoneRelation.INSIDE,
            designated_at=area.declared_at,
            level_since=area.since,
            left_at=stay.ended_at,
            last_infection_at=area.last_infection_at,
        ),
        occurred_at=max(area.since, item.occurred_at),
        valid=Interval(max(area.declared_at, stay.began_at)),
        place=stay.division[:_COUNTY_DIGITS],
    )


def _difference(items: Sequence[Evidence], wanted: Sequence[NewEvidence]) -> tuple[list[NewEvidence], list[Evidence]]:
    """What is not stated yet, and what is stated and no longer follows."""
    standing = {item.source_record: item for item in items if item.source == SOURCE}
    new = [item for item in wanted if not _says(standing.get(item.source_record), item)]
    kept = {item.source_record for item in wanted}
    return new, [item for record, item in standing.items() if record not in kept]


def _says(held: Evidence | None, item: NewEvidence) -> bool:
    return held is not None and (held.attributes, held.valid, held.place) == (item.attributes, item.valid, item.place)


def _record(*parts: str) -> str:
    """A key of fixed length for what a derived statement follows from."""
    return f"{parts[0]}/" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]
