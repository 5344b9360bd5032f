"""The steps: what each says of the people, from its source and its thresholds alone. Pure.

A step gets who is in the picture (`people`, sorted, each once), the evidence bits gathered so far and who is on the
list, and answers with one code of `Said` a person and the bits it adds. It decides nothing else: `funnel` applies what
was said. The order of the rows of a source never matters.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tianfu.lake.layout import Minutes, People
from tianfu.tracing.screening import definition
from tianfu.tracing.screening.definition import Unknown, bits_of
from tianfu.tracing.screening.model import UNSAID, Bits, Codes, Facts, Flags, Ground, Mode, Said

_HOUR_MINUTES: Final = 60
_DIVISION_DIGITS: Final = 6
# Longer than any threshold.
_LONG: Final = np.int32(2**31 - 1)
_JUDGEMENTS: Final = np.array(
    [
        Said.JUDGED_NO_CONTACT,
        Said.JUDGED_CLOSE,
        Said.JUDGED_SECONDARY,
        Said.JUDGED_COPRESENT,
        Said.JUDGED_GENERAL,
    ],
    np.uint8,
)
_Whole = TypeVar("_Whole", bound=np.integer)


class View(NamedTuple):
    """What a step may look at: `people` sorted uint32, `listed` bool, `evidence` uint16, all of one length."""

    people: People
    listed: Flags
    evidence: Bits


class Told(NamedTuple):
    """What a step says: `said` uint8 of `Said`, `bits` uint16 of `Ground` to add."""

    said: Codes
    bits: Bits


def apply(step: definition.Step, view: View, facts: Facts) -> Told:
    """What `step` says of everybody in `view`."""
    match step:
        case definition.RoamingStep():
            return _roaming(step, view, facts)
        case definition.TelecomStep():
            return _telecom(step, view, facts)
        case definition.ScansStep():
            return _scans(step, view, facts)
        case definition.SeatsStep():
            return _seats(step, view, facts)
        case definition.GroupsStep():
            return _groups(step, view, facts)
        case definition.TestsStep():
            return _tests(step, view, facts)
        case definition.WhereaboutsStep():
            return _whereabouts(step, view, facts)
        case definition.FieldStep():
            return _field(view, facts)


def _roaming(step: definition.RoamingStep, view: View, facts: Facts) -> Told:
    minutes = facts.roaming.minutes
    # Rows of one person are one list's; the longest total is what the carriers know at most.
    known = _highest(view.people, facts.roaming.person, np.where(minutes == UNSAID, _LONG, minutes))
    told = _silent(view)
    there = known >= 0
    long = there & (known >= step.minutes)
    told.said[there & ~long] = Said.SHORT_STAY
    _place(told, long, Said.ROAMED, Ground.ROAMING)
    return told


def _telecom(step: definition.TelecomStep, view: View, facts: Facts) -> Told:
    source = facts.companions
    # The rule is asked of each row; a person needs one that meets it.
    long = (source.together > step.together_minutes) | (source.together == UNSAID)
    stays = (source.stay > step.stay_hours * _HOUR_MINUTES) | (source.stay == UNSAID)
    told_nothing = (source.together == UNSAID) & (source.stay == UNSAID)
    meets = (
        (long & stays)
        if step.both
        else told_nothing | (long & (source.together != UNSAID)) | (stays & (source.stay != UNSAID))
    )
    companion = _among(view.people, source.person[meets])
    listed_at_all = _among(view.people, source.person)
    covered = _among(view.people, source.covered) | listed_at_all
    told = _silent(view)
    told.said[covered] = Said.NOT_TOGETHER
    told.said[listed_at_all] = Said.SHORT_TOGETHER
    supported = (view.evidence & np.uint16(bits_of(step.despite))) != 0
    told.said[covered & supported] = Said.KEPT_DESPITE
    _say_unknown(told, ~covered, step.unknown, supported, (Said.TELECOM_SILENT, Said.TELECOM_SILENT_OUT))
    _place(told, companion, Said.TOGETHER, Ground.TELECOM)
    return told


def _scans(step: definition.ScansStep, view: View, facts: Facts) -> Told:
    source = facts.scans
    near = _among(view.people, source.person[source.apart <= step.apart_minutes])
    covered = _among(view.people, source.covered) | _among(view.people, source.person)
    minutes = facts.companions.together
    # A list without minutes is taken at its word here too.
    together = _highest(view.people, facts.companions.person, np.where(minutes == UNSAID, _LONG, minutes))
    supported = (view.evidence & np.uint16(bits_of(step.despite))) != 0
    told = _silent(view)
    told.said[covered] = Said.SCANS_APART
    told.said[covered & (supported | _at_least(together, step.despite_minutes))] = Said.KEPT_DESPITE
    unseen = supported | _at_least(together, step.unknown_minutes)
    _say_unknown(told, ~covered, step.unknown, unseen, (Said.NO_SCANS, Said.NO_SCANS_OUT))
    _place(told, near, Said.SCANNED_NEAR, Ground.SCAN)
    return told


def _seats(step: definition.SeatsStep, view: View, facts: Facts) -> Told:
    source = facts.seats
    mode, rows, opened = source.mode, source.rows, source.sealed == 0
    same, unsaid = source.same_unit == 1, source.same_unit == UNSAID
    limit = np.select(
        [mode == Mode.AIR, (mode == Mode.RAIL) & opened, (mode == Mode.COACH) & opened],
        [step.air_rows, step.rail_open_rows, step.coach_open_rows],
        default=np.iinfo(np.int16).max,
    )
    # Where the unit is what counts (a sealed carriage, a cabin) the row does not matter.
    by_row = limit < np.iinfo(np.int16).max
    sits_unknown = unsaid | (same & by_row & (rows == UNSAID))
    seated = same & (~by_row | ((rows != UNSAID) & (rows <= limit)))
    near = source.crew | seated | (sits_unknown & step.unseated_near)
    elsewhere = ~near & ~sits_unknown
    told = _silent(view)
    apart = _among(view.people, source.person[elsewhere])
    supported = (view.evidence & np.uint16(bits_of(step.despite))) != 0
    told.said[apart] = Said.SEATED_APART
    told.said[apart & supported] = Said.KEPT_DESPITE
    _place(told, _among(view.people, source.person[near]), Said.SEATED_NEAR, Ground.SEAT)
    return told


def _groups(step: definition.GroupsStep, view: View, facts: Facts) -> Told:
    source = facts.groups
    told = _silent(view)
    wanted = bits_of(step.grounds)
    # Last said stands: the nearest ground is the reason, all of them are evidence.
    for ground, said in ((Ground.WORK, Said.WORK), (Ground.SCHOOL, Said.SCHOOL), (Ground.HOUSEHOLD, Said.HOUSEHOLD)):
        if wanted & ground:
            rows = (source.ground == np.uint16(ground)) & (source.hop <= step.hops)
            _place(told, _among(view.people, source.person[rows]), said, ground)
    return told


def _tests(step: definition.TestsStep, view: View, facts: Facts) -> Told:
    people, source = view.people, facts.tests
    exposed = _highest(people, facts.exposures.person, facts.exposures.last, nothing=facts.since)
    place = np.searchsorted(people, source.person)
    place[place == len(people)] = 0
    ours = people[place] == source.person if len(people) else np.zeros(len(source.person), np.bool_)
    place, sampled, positive = place[ours], source.sampled[ours], source.positive[ours]
    told = _silent(view)
    cleared = _spaced(
        len(people),
        place[~positive],
        sampled[~positive],
        not_before=exposed + step.after_hours * _HOUR_MINUTES,
        apart=step.apart_hours * _HOUR_MINUTES,
        times=step.negatives,
    )
    told.said[:] = Said.NOT_CLEARED
    if step.doses:
        doses = _highest(people, facts.vaccinated.person, facts.vaccinated.doses.astype(np.int32))
        told.said[doses >= step.doses] = Said.VACCINATED
    told.said[cleared] = Said.CLEARED
    spared = (view.evidence & np.uint16(bits_of(step.spared))) != 0
    told.said[spared & (told.said >= Said.SHORT_STAY)] = Said.SPARED
    infected = np.zeros(len(people), np.bool_)
    infected[place[positive & (sampled >= exposed[place])]] = True
    _place(told, infected, Said.TESTED_POSITIVE, Ground.TEST)
    return told


def _whereabouts(step: definition.WhereaboutsStep, view: View, facts: Facts) -> Told:
    place = places(view.people, facts)
    width = 10 ** (_DIVISION_DIGITS - len(step.within))
    told = _silent(view)
    told.said[:] = Said.HANDED_OVER
    told.said[place // width == int(step.within)] = Said.HERE
    told.said[place == 0] = Said.WHEREABOUTS_UNKNOWN
    return told


def _field(view: View, facts: Facts) -> Told:
    tier = _highest(view.people, facts.judged.person, facts.judged.tier.astype(np.int32))
    told = _silent(view)
    told.said[:] = Said.NOT_JUDGED
    judged = tier >= 0
    told.said[judged] = _JUDGEMENTS[tier[judged]]
    told.bits[tier > 0] = Ground.FIELD
    return told


def places(people: People, facts: Facts) -> NDArray[np.int32]:
    """Where each of `people` (sorted) is now: the division code of the latest row, 0 where nobody knows."""
    source = facts.whereabouts
    place = np.zeros(len(people), np.int32)
    # Written in the order of time, so the last one stands.
    order = np.lexsort((source.place, source.at))
    person = source.person[order]
    found = np.searchsorted(people, person)
    found[found == len(people)] = 0
    if len(people):
        ours = people[found] == person
        place[found[ours]] = source.place[order][ours]
    return place


def _spaced(
    count: int,
    place: NDArray[np.intp],
    sampled: Minutes,
    *,
    not_before: NDArray[np.int64],
    apart: int,
    times: int,
) -> Flags:
    """Which of `count` people have `times` samples from `not_before` on, each at least `apart` minutes after another.

    The earliest that counts is taken first, which leaves the most room: so the answer does not depend on the order.
    """
    have = np.zeros(count, np.bool_)
    if count == 0:
        return have
    threshold = not_before.astype(np.int64)
    unmet = np.ones(count, np.bool_)
    for _ in range(times):
        usable = sampled >= threshold[place]
        place, sampled = place[usable], sampled[usable]
        first = np.full(count, np.iinfo(np.int64).max, np.int64)
        np.minimum.at(first, place, sampled.astype(np.int64))
        unmet = first == np.iinfo(np.int64).max
        threshold = np.where(unmet, first, first + apart * ~unmet)
    have[~unmet] = True
    return have


def _silent(view: View) -> Told:
    count = len(view.people)
    return Told(np.zeros(count, np.uint8), np.zeros(count, np.uint16))


def _place(told: Told, who: Flags, said: Said, ground: Ground) -> None:
    told.said[who] = np.uint8(said)
    told.bits[who] |= np.uint16(ground)


def _say_unknown(told: Told, who: Flags, rule: Unknown, supported: Flags, words: tuple[Said, Said]) -> None:
    """Say the first of `words` (kept) or the second (taken off) of `who`, as the step's rule for the unknown has it."""
    kept, out = words
    if rule is Unknown.KEEP:
        told.said[who] = kept
    elif rule is Unknown.DROP:
        told.said[who] = out
    else:
        told.said[who & supported] = kept
        told.said[who & ~supported] = out


def _at_least(minutes: NDArray[np.int64], threshold: int) -> Flags:
    """Who has at least `threshold` minutes; 0 means that minutes do not count."""
    return minutes >= threshold if threshold else np.zeros(len(minutes), np.bool_)


def _among(people: People, some: People) -> Flags:
    """Which of `people` (sorted, each once) are in `some`."""
    found = np.zeros(len(people), np.bool_)
    if len(people) == 0:
        return found
    place = np.searchsorted(people, some)
    place[place == len(people)] = 0
    found[place[people[place] == some]] = True
    return found


def _highest(people: People, person: People, value: NDArray[_Whole], *, nothing: int = UNSAID) -> NDArray[np.int64]:
    """The highest `value` of each of `people` (sorted, each once); `nothing` for who has no row."""
    highest = np.full(len(people), np.iinfo(np.int64).min, np.int64)
    if len(people):
        place = np.searchsorted(people, person)
        place[place == len(people)] = 0
        ours = people[place] == person
        np.maximum.at(highest, place[ours], value[ours].astype(np.int64))
    return np.where(highest == np.iinfo(np.int64).min, nothing, highest)
