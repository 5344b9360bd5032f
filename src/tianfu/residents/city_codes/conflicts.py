"""Names that two cities gave differently for one document, kept until somebody has looked at them.

Whoever lists them sees masks, and everybody shown gets an entry in the trail.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from tianfu.audit import trail
from tianfu.ids import PersonRef
from tianfu.platform.database import Write
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import mask, profile, store
from tianfu.residents.city_codes import city_store
from tianfu.residents.city_codes.settle import conflict_context

# Each one shown is an entry in the trail, about a millisecond.
PAGE_MAX: Final = 50


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """One of them, masked: the name that counts and who said it, and the other name and its city."""

    number: int
    person: PersonRef
    name: str
    provider: str
    other_name: str
    other_city: str
    found_at: datetime


def page(write: Write, *, pseudonym: Pseudonym, actor: str, at: datetime, after: int = 0) -> list[Conflict]:
    """Up to `PAGE_MAX` conflicts by number, beyond `after`; the look goes into the trail."""
    found = []
    for row in city_store.conflicts(write, after=after, limit=PAGE_MAX):
        person = PersonRef(row.person)
        stored = store.find_resident(write, person)
        other = pseudonym.open(row.name_sealed, row.seal_key, context=conflict_context(person))
        found.append(
            Conflict(
                number=row.conflict_id,
                person=person,
                name="" if stored is None else mask.mask_name(profile.opened(stored, pseudonym=pseudonym).name),
                provider="" if stored is None else stored.proofing_provider,
                other_name=mask.mask_name(other),
                other_city=row.city,
                found_at=row.found_at,
            )
        )
    for conflict in found:
        trail.record(
            write,
            trail.Entry(
                at=at,
                actor_kind="operator",
                actor=actor,
                action="city_codes.conflict",
                purpose="migration",
                person=conflict.person,
                subject=f"city_conflict:{conflict.number}",
            ),
        )
    return found
