"""The facts of an incident from the database, as one moment has them.

Each source tells what it tells: the traces of the incident give scans, seats and groups (the rule set's own windows
already chose them), the carriers' feeds give the roaming list and the companions, the ledger tests, doses and stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np

from tianfu.clock import shanghai_day
from tianfu.evidence.kinds import ContactSetting
from tianfu.lake.layout import Minutes, People, absolute_minute
from tianfu.platform.database import Read
from tianfu.tracing.screening import facts_store, model
from tianfu.tracing.screening.funnel import population
from tianfu.tracing.screening.lake_scans import Scanned
from tianfu.tracing.screening.model import UNSAID, Facts, Ground, JudgedTier, Mode

# People asked of the ledger at once: 4 MB of rows with ten statements each.
_PEOPLE_AT_ONCE: Final = 10_000
_MODES: Final = {
    ContactSetting.FLIGHT.value: Mode.AIR,
    ContactSetting.TRAIN.value: Mode.RAIL,
    ContactSetting.COACH.value: Mode.COACH,
    ContactSetting.VEHICLE.value: Mode.COACH,
    ContactSetting.SHIP.value: Mode.SHIP,
}
_GROUNDS: Final = {
    ContactSetting.HOUSEHOLD.value: Ground.HOUSEHOLD,
    ContactSetting.CARE.value: Ground.HOUSEHOLD,
    ContactSetting.SCHOOL.value: Ground.SCHOOL,
    ContactSetting.WORK.value: Ground.WORK,
}
_GENERAL: Final = "general"


def gather(read: Read, incident_ref: int, place: str, *, as_of: datetime, scanned: Scanned | None = None) -> Facts:
    """What the sources say about the incident in `place`, as received by `as_of`; nothing judged yet.

    `scanned` asks the lake who scanned at all; without it nobody is covered but those who met a case, so that nobody
    is taken off because their scans lie elsewhere.
    """
    cases = facts_store.cases(read, incident_ref)
    since = min((case.infectious_from for case in cases), default=as_of)
    facts = model.no_facts(cases=_people(case.person for case in cases), since=absolute_minute(since))
    facts = _traced(read, incident_ref, facts)
    stays = [
        (person, UNSAID if minutes is None else max(0, int(minutes)))
        for person, minutes in facts_store.stays(read, place, since, as_of)
    ]
    roaming = _summed(stays)
    keys = [case.key for case in cases if case.key is not None]
    listed = list(facts_store.companions(read, keys, as_of))
    person = np.concatenate((facts.companions.person, _people(row[0] for row in listed)))
    unsaid = np.full(len(person), UNSAID, np.int32)
    facts = facts._replace(
        roaming=roaming,
        companions=model.Companions(person, unsaid, unsaid, roaming.person),
        exposures=model.Exposures(
            np.concatenate((facts.exposures.person, _people(row[0] for row in listed))),
            np.concatenate((facts.exposures.last, _minutes(absolute_minute(row[1]) for row in listed))),
        ),
    )
    named = population(facts)
    if scanned is not None:
        covered = scanned(named, shanghai_day(since), shanghai_day(as_of))
        facts = facts._replace(scans=facts.scans._replace(covered=covered))
    return _from_the_ledger(read, facts, named, as_of)


def judged(read: Read, incident_ref: int, until: int) -> model.Judged:
    """What the field judged up to judgement number `until`."""
    rows = facts_store.judgements(read, incident_ref, until)
    tiers = [JudgedTier.NO_CONTACT if tier is None else JudgedTier[tier.upper()] for _, tier in rows]
    return model.Judged(_people(row[0] for row in rows), np.array(tiers, np.uint8))


def _traced(read: Read, incident_ref: int, facts: Facts) -> Facts:
    """Scans, seats, groups and companions as the incident's traces support them."""
    scans: list[int] = []
    companions: list[int] = []
    seats: list[tuple[int, int, int]] = []
    groups: list[tuple[int, int, int]] = []
    exposures: list[tuple[int, int]] = []
    for person, hop, tier, setting, exposed_at, at_venue in facts_store.supports(read, incident_ref):
        exposures.append((person, absolute_minute(exposed_at)))
        if at_venue:
            # Two scans of one poster, whatever is done there: it says neither who lives together nor who sat where.
            scans.append(person)
        elif setting in _GROUNDS:
            groups.append((person, _GROUNDS[setting], hop))
        elif setting in _MODES:
            # Aboard, but not near by the rule set: a general contact.
            seats.append((person, _MODES[setting], int(tier != _GENERAL)))
        elif setting == ContactSetting.TELECOM.value:
            companions.append(person)
        elif setting in (ContactSetting.VENUE.value, ContactSetting.MEAL.value):
            scans.append(person)
    count = len(seats)
    unsaid = np.full(len(companions), UNSAID, np.int32)
    return facts._replace(
        scans=model.Scans(_people(scans), np.zeros(len(scans), np.int32), model.nobody()),
        companions=model.Companions(_people(companions), unsaid, unsaid, model.nobody()),
        seats=model.Seats(
            _people(row[0] for row in seats),
            np.array([row[1] for row in seats], np.uint8),
            np.array([row[2] for row in seats], np.int8),
            np.zeros(count, np.int16),
            np.full(count, UNSAID, np.int8),
            np.zeros(count, np.bool_),
        ),
        groups=model.Groups(
            _people(row[0] for row in groups),
            np.array([row[1] for row in groups], np.uint16),
            np.array([row[2] for row in groups], np.uint8),
        ),
        exposures=model.Exposures(_people(row[0] for row in exposures), _minutes(row[1] for row in exposures)),
    )


def _from_the_ledger(read: Read, facts: Facts, named: People, as_of: datetime) -> Facts:
    """Tests, doses and where people are; who has neither stay nor arrival is where they say they live."""
    tests: list[tuple[int, int, bool]] = []
    doses: list[tuple[int, int]] = []
    places: list[tuple[int, int, int]] = []
    for start in range(0, len(named), _PEOPLE_AT_ONCE):
        persons = named[start : start + _PEOPLE_AT_ONCE].tolist()
        places += [(person, int(county), 0) for person, county in facts_store.homes(read, persons)]
        for person, kind, word, at in facts_store.statements(read, persons, as_of):
            if word is None or at is None:
                continue
            if kind == "test":
                if word in ("positive", "negative"):
                    tests.append((person, absolute_minute(at), word == "positive"))
            elif kind == "vaccination":
                doses.append((person, min(int(word), 9)))
            else:
                places.append((person, int(word[:6]), absolute_minute(at)))
    return facts._replace(
        tests=model.Tests(
            _people(row[0] for row in tests),
            _minutes(row[1] for row in tests),
            np.array([row[2] for row in tests], np.bool_),
        ),
        vaccinated=model.Vaccinated(_people(row[0] for row in doses), np.array([row[1] for row in doses], np.uint8)),
        whereabouts=model.Whereabouts(
            _people(row[0] for row in places),
            np.array([row[1] for row in places], np.int32),
            _minutes(row[2] for row in places),
        ),
    )


def _summed(stays: Sequence[tuple[int, int]]) -> model.Roaming:
    """The stays of each person together; one without an end makes the total unsaid, which counts as long enough."""
    person, minutes = _people(row[0] for row in stays), np.array([row[1] for row in stays], np.int64)
    distinct, which = np.unique(person, return_inverse=True)
    total = np.zeros(len(distinct), np.int64)
    np.add.at(total, which, np.maximum(minutes, 0))
    total[which[minutes == UNSAID]] = UNSAID
    return model.Roaming(distinct, np.minimum(total, np.iinfo(np.int32).max).astype(np.int32))


def _people(persons: Iterable[int]) -> People:
    return np.fromiter(persons, np.uint32)


def _minutes(minutes: Iterable[Any]) -> Minutes:
    return np.fromiter(minutes, np.int32)
