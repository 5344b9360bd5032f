"""Who may be doubled: holders with one phone number and one name under different documents.

A family shares a phone, so the phone alone says nothing; names are compared after opening, spaces and case aside. A
pair is a question for a person, never merged by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tianfu.ids import PersonRef
from tianfu.platform.database import Read
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import merge_store, profile, store

# Pairs looked at in one statement; each opens two sealed rows, 0.1 ms.
_PAIRS_AT_ONCE: Final = 500


def find(
    read: Read, *, pseudonym: Pseudonym, after: tuple[PersonRef, PersonRef], pairs_max: int
) -> Iterator[tuple[PersonRef, PersonRef]]:
    """Pairs (lower number first, in order) beyond the pair `after`; looks at no more than `pairs_max` of them.

    Pairs that are merged already are left out.
    """
    looked = 0
    while looked < pairs_max:
        pairs = merge_store.same_phone(read, after=after, limit=min(_PAIRS_AT_ONCE, pairs_max - looked))
        for first, second in pairs:
            if _name(read, first, pseudonym) == _name(read, second, pseudonym):
                yield first, second
        looked += len(pairs)
        if not pairs:
            return
        after = pairs[-1]


def _name(read: Read, person: PersonRef, pseudonym: Pseudonym) -> str | None:
    row = store.find_resident(read, person)
    return None if row is None else "".join(profile.opened(row, pseudonym=pseudonym).name.split()).casefold()
