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
from tianfu.platform.database import Write


def note(write: Write, appended: Iterable[tuple[int, NewEvidence]]) -> None:
    """Write down where the numbered statements say people were, and whose contacts they are."""
    stays: list[StayRow] = []
    links: list[LinkRow] = []
    for evidence_id, item in appended:
        said = item.attributes
        if item.withdraws is not None:
            continue
        if isinstance(said, Stay):
            stays.append(StayRow(evidence_id, item.person, said.division, said.cell, said.began_at, said.ended_at))
        elif isinstance(said, Contact) and said.parent is not None:
            links.append(LinkRow(item.source, said.parent, evidence_id, item.person))
    if stays:
        zone_store.insert_stays(write, stays)
    if links:
        zone_store.insert_links(write, links)
