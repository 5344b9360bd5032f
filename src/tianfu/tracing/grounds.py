"""On what grounds people meet: venues by their type, and what statements say of households, units, seats and lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from tianfu.evidence import case_changes, ledger
from tianfu.evidence.kinds import ContactSetting
from tianfu.ids import PersonRef
from tianfu.lake.layout import MINUTE_BITS, VENUE_BITS, Minutes, Partition, People, absolute_minute, instant_of
from tianfu.platform.database import Read
from tianfu.residents import merging
from tianfu.tracing import co_stays, infectious, rules
from tianfu.tracing.aliases import NONE, Aliases
from tianfu.tracing.expand import Ends, Ground, Others, types_of
from tianfu.tracing.model import PerVenue, Sources, Tier
from tianfu.tracing.rows import Rows, nobody, together
from tianfu.tracing.rules import VehicleKind
from tianfu.tracing.stays import Met
from tianfu.tracing.terms import KINDS, Terms, setting_number, tier_number
from tianfu.tracing.withheld import Withheld
from tianfu.venues.model import VenueCategory

# From the code of a kind of stay to the number of its setting.
_SETTING_OF_STAY: Final = np.zeros(rules.STAY_CODES_MAX, np.uint8)
for _kind, _setting in rules.SETTING_OF.items():
    _SETTING_OF_STAY[rules.STAY_CODE[_kind]] = setting_number(_setting)


class Shared(NamedTuple):
    """A stay that two people shared, such as a row of seats.

    `exposed_at` and `ends_at` are absolute minutes, the end None while it lasts; `detail` says the rows where they
    count; `evidence` are the two statements in the ledger.
    """

    setting: str
    exposed_at: int
    ends_at: int | None
    detail: str
    evidence: tuple[int, int]


def ground(
    partitions: Sequence[Partition],
    categories: Iterable[tuple[int, str, str | None]],
    people: int,
    aliases: Aliases = NONE,
) -> Ground:
    """What a run stands on; `people` is the highest number of a person in the records, which visits may exceed."""
    shift = np.uint64(MINUTE_BITS + VENUE_BITS)
    highest = [int(part.by_person[-1] >> shift) for part in partitions if len(part.by_person)]
    return Ground(partitions, venue_types(categories), max([people, *highest]) + 1, aliases)


def venue_types(categories: Iterable[tuple[int, str, str | None]]) -> PerVenue:
    """The type of each venue by number, uint8, from number, category and kind of vehicle of each."""
    known = {_words(*kind): rules.venue_type(*kind) for kind in KINDS}
    rows = list(categories)
    types = np.zeros(max((row[0] for row in rows), default=0) + 1, np.uint8)
    if rows:
        types[np.array([row[0] for row in rows])] = [
            known.get((row[1], row[2]), known.get((row[1], None), rules.VENUE_UNKNOWN)) for row in rows
        ]
    return types


def venue_setting(terms: Terms, hop: int, types: PerVenue, venue: int) -> str:
    """The word for a meeting at `venue` by the rules of `hop`."""
    code = int(types_of(types, np.array([venue], np.uint32))[0])
    kind = next((one for one in KINDS if rules.venue_type(*one) == code), (None, None))
    ground = rules.venue_ground(terms.rules, hop, *kind)
    return ContactSetting.VENUE.value if ground is None else ground.setting.value


def _words(category: VenueCategory | None, vehicle: VehicleKind | None) -> tuple[str | None, str | None]:
    return None if category is None else category.value, None if vehicle is None else vehicle.value


def others(read: Read, terms: Terms) -> Others:
    """Whom sources reach by what the ledger says of households, workplaces, classes, seats and carriers' lists.

    Valid as long as the transaction of `read`. A place with more people than the rules let be named reaches nobody
    and is withheld.
    """

    def reached(hop: int, sources: Sources) -> tuple[Rows, tuple[Withheld, ...]]:
        found = co_stays.reached(read, sources, terms.rules, hop)
        return together([_rows(hop, tier, met) for tier, met in found.by_tier.items()]), found.withheld

    return reached


def ends(read: Read, *, until: int) -> Ends:
    """Until when contacts infect others: their isolation, else minute `until`. Valid as long as `read`."""

    def isolated(people: People, exposed_at: Minutes) -> Minutes:
        found = np.full(len(people), until, np.int32)
        place = {person: position for position, person in enumerate(people.tolist())}
        numbers = merging.partners(read, [PersonRef(person) for person in place])
        asked = {*(PersonRef(person) for person in place), *(one for others in numbers.values() for one in others)}
        said = set(case_changes.isolated_among(read, asked))
        known = [person for person in place if not said.isdisjoint({person, *numbers.get(PersonRef(person), ())})]
        for person, statements in ledger.about_many(read, [PersonRef(person) for person in known]).items():
            exposed = int(exposed_at[place[person]])
            at = infectious.isolated_at(statements, instant_of(exposed))
            if at is not None:
                found[place[person]] = min(until, max(exposed, absolute_minute(at)))
        return found

    return isolated


def shared(read: Read, terms: Terms, hop: int, source: Sources, person: PersonRef) -> list[Shared]:
    """The stays that make `person` a contact of `source` (one period, any of their numbers), in the order of time."""
    found = [
        one
        for number, since, until in zip(*(part.tolist() for part in source), strict=True)
        for one in co_stays.why(read, number, person, since, until, terms.rules, hop)
    ]
    return [
        Shared(
            setting=rules.SETTING_OF[one.kind].value,
            exposed_at=absolute_minute(one.exposed_at),
            ends_at=None if one.ends_at is None else absolute_minute(one.ends_at),
            detail=f"{one.kind.value} {one.source_row}-{one.row}" if one.row or one.source_row else one.kind.value,
            evidence=(one.source_evidence, one.evidence),
        )
        for one in found
    ]


def _rows(hop: int, tier: Tier, met: Met) -> Rows:
    count = len(met.person)
    if not count:
        return nobody()
    return Rows(
        met.person,
        np.full(count, hop, np.uint8),
        np.full(count, tier_number(tier), np.uint8),
        _SETTING_OF_STAY[met.setting],
        met.strong,
        met.exposed_at,
        met.parent,
        np.zeros(count, np.uint32),
    )
