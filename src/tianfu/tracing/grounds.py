"""On what grounds people meet: venues by their type, and what statements say of households, units, seats and lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from tianfu.evidence.kinds import ContactSetting
from tianfu.ids import PersonRef
from tianfu.platform.database import Read
from tianfu.tracing import rules
from tianfu.tracing.expand import Others, types_of
from tianfu.tracing.model import PerVenue, Sources
from tianfu.tracing.rows import Rows, nobody
from tianfu.tracing.terms import SETTINGS, Terms, setting_number


class Shared(NamedTuple):
    """A stay that two people shared: when it exposed the second, when each one's began (minutes), how sure it is."""

    setting: str
    exposed_at: int
    source_at: int
    person_at: int
    strong: bool
    detail: str


def venue_types(categories: Iterable[tuple[int, str]]) -> PerVenue:
    """The type of each venue by number, from pairs of number and category: uint8."""
    known = {category.value: code for category, code in rules.VENUE_TYPE.items()}
    pairs = list(categories)
    types = np.zeros(max((number for number, _ in pairs), default=0) + 1, np.uint8)
    if pairs:
        numbers, words = zip(*pairs, strict=True)
        types[np.array(numbers)] = [known.get(word, rules.VENUE_UNKNOWN) for word in words]
    return types


def venue_setting(terms: Terms, hop: int, types: PerVenue, venue: int) -> str:
    """The word for a meeting at `venue` by the rules of `hop`."""
    kind = int(types_of(types, np.array([venue], np.uint32))[0])
    category = next((one for one, code in rules.VENUE_TYPE.items() if code == kind), None)
    ground = rules.venue_ground(terms.rules, hop, category)
    return VENUE_WORD if ground is None else ground.setting.value


VENUE_WORD = SETTINGS[setting_number(ContactSetting.VENUE) - 1]


def others(read: Read, terms: Terms, *, until: int) -> Others:
    del read, terms, until

    def reached(hop: int, sources: Sources) -> Rows:
        del hop, sources
        return nobody()

    return reached


def shared(read: Read, terms: Terms, hop: int, source: Sources, person: PersonRef) -> list[Shared]:
    del read, terms, hop, source, person
    return []
