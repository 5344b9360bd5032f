"""What new statements mean for others, noted in the transaction that appends them.

A contact of a contact names the close contact's record; a stay names a place. Both are looked up the other way round
when the close contact is tested or the place becomes a risk area. Households, units, seats and companions are looked
up when somebody there becomes a case; unlike the others, only what stands is kept of them, and that they changed is
queued for whoever traced by them before (`company_changes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from tianfu.evidence import co_stay_store, co_stays, company_changes, records, store, zone_store
from tianfu.evidence.care_kinds import Isolation
from tianfu.evidence.co_stay_store import StatedStay
from tianfu.evidence.co_stays import CoStay
from tianfu.evidence.kinds import Contact
from tianfu.evidence.model import Evidence, Grade, NewEvidence
from tianfu.evidence.store import Held
from tianfu.evidence.travel_kinds import Stay
from tianfu.evidence.zone_store import LinkRow, StayRow
from tianfu.ids import PersonRef
from tianfu.platform.database import Write

_Records = Mapping[tuple[str, str], Sequence[Held]]


def note(write: Write, appended: Sequence[tuple[int, NewEvidence]], several: _Records, at: datetime) -> set[PersonRef]:
    """Write down where the numbered statements say people were and with whom, and whose contacts they are.

    `several` are the records that have more than one statement by now, each with all of them.
    Returns the people whose own contact statements name a record that is stated, revised or withdrawn here: what is
    derived for them may change.
    """
    stays: list[StayRow] = []
    links: list[LinkRow] = []
    named: set[tuple[str, str]] = set()
    company_changes.note_people(write, _isolated(appended, several), at)
    together: list[tuple[int, NewEvidence]] = []
    for evidence_id, item in appended:
        said = item.attributes
        if type(said) in co_stays.SPEAKING:
            together.append((evidence_id, item))
        if isinstance(said, Contact):
            named.add((item.source, item.source_record))
            if said.parent is not None and item.withdraws is None:
                links.append(LinkRow(item.source, said.parent, evidence_id, item.person))
        elif isinstance(said, Stay) and item.withdraws is None:
            stays.append(StayRow(evidence_id, item.person, said.division, said.cell, said.began_at, said.ended_at))
    if stays:
        zone_store.insert_stays(write, stays)
    if together:
        _note_together(write, together, several, at)
    if links:
        zone_store.insert_links(write, links)
    if not named:
        return set()
    records = sorted(named)
    reached = zone_store.children(write, [source for source, _ in records], [record for _, record in records])
    return {PersonRef(link.person) for link in reached}


def _isolated(appended: Iterable[tuple[int, NewEvidence]], several: _Records) -> Iterator[PersonRef]:
    """Of whose isolation something is stated, revised or withdrawn."""
    for _, item in appended:
        if type(item.attributes) is Isolation:
            yield item.person
            yield from (PersonRef(held.person) for held in several.get((item.source, item.source_record), ()))


def _note_together(write: Write, spoken: Sequence[tuple[int, NewEvidence]], several: _Records, at: datetime) -> None:
    """Keep of each record the stays that its standing statement gives, and queue what changed."""
    stated: dict[int, NewEvidence | Evidence] = {}
    revised: dict[tuple[str, str], Sequence[Held]] = {}
    gone: list[tuple[int, CoStay]] = []
    for evidence_id, item in spoken:
        key = (item.source, item.source_record)
        if key in several:
            revised[key] = several[key]
        else:
            stated[evidence_id] = item
    if revised:
        given_before = [(held.person, held.evidence_id) for record in revised.values() for held in record]
        gone = co_stay_store.delete(write, given_before)
        standing = [held.evidence_id for held in map(records.standing, revised.values()) if held is not None]
        given = dict(spoken)
        stated |= {evidence_id: given[evidence_id] for evidence_id in standing if evidence_id in given}
        # What stands again because something later was withdrawn.
        before = [evidence_id for evidence_id in standing if evidence_id not in given]
        if before:
            stated |= {held.evidence_id: held for held in store.statements(write, before)}
    rows = [
        StatedStay(item.person, evidence_id, item.grade is Grade.STRONG, stay)
        for evidence_id, item in stated.items()
        for stay in co_stays.stated(item.attributes, item.source_record)
    ]
    if rows:
        co_stay_store.insert(write, rows)
    company_changes.note_stays(write, [*(row.stay for row in rows), *(stay for _, stay in gone)], at)
    # Whoever stays nowhere any more is not found at the place.
    company_changes.note_people(write, (PersonRef(person) for person, _ in gone), at)
