"""What new statements mean for others, noted in the transaction that appends them.

A contact of a contact names the close contact's record; a stay names a place. Both are looked up the other way round
when the close contact is tested or the place becomes a risk area.
"""

from __future__ import annotations

from collections.abc import Iterable

from tianfu.evidence import zone_store
from tianfu.evidence.kinds import Contact
from tianfu.evidence.model import NewEvidence
from tianfu.evidence.travel_kinds import Stay
from tianfu.evidence.zone_store import LinkRow, StayRow
from tianfu.ids import PersonRef
from tianfu.platform.database import Write


def note(write: Write, appended: Iterable[tuple[int, NewEvidence]]) -> set[PersonRef]:
    """Write down where the numbered statements say people were, and whose contacts they are.

    Returns the people whose own contact statements name a record that is stated, revised or withdrawn here: what is
    derived for them may change.
    """
    stays: list[StayRow] = []
    links: list[LinkRow] = []
    named: set[tuple[str, str]] = set()
    for evidence_id, item in appended:
        said = item.attributes
        if isinstance(said, Contact):
            named.add((item.source, item.source_record))
            if said.parent is not None and item.withdraws is None:
                links.append(LinkRow(item.source, said.parent, evidence_id, item.person))
        elif isinstance(said, Stay) and item.withdraws is None:
            stays.append(StayRow(evidence_id, item.person, said.division, said.cell, said.began_at, said.ended_at))
    if stays:
        zone_store.insert_stays(write, stays)
    if links:
        zone_store.insert_links(write, links)
    if not named:
        return set()
    records = sorted(named)
    reached = zone_store.children(write, [source for source, _ in records], [record for _, record in records])
    return {PersonRef(link.person) for link in reached}
