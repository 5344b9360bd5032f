"""An outbreak whose chain is known: who infected whom, where and when, by real being together. Pure.

Infections pass at homes, in classes, rooms, venues, vehicles and carriages, between people whose true stays overlap;
scans play no part in it. The first cases come home from a trip. Somebody with a positive result is taken away, their
household stays in; once the first result is known everybody meets half as readily and mass testing begins.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.synth.province import disease, routine, testing
from tianfu.synth.province.columns import joined, taken
from tianfu.synth.province.disease import DAY, FAR
from tianfu.synth.province.model import (
    CATEGORY,
    KIND_CARRIAGE,
    KIND_CLASS,
    KIND_ROOM,
    NOBODY,
    Byte,
    Flags,
    Setting,
    Stays,
    Whole,
)
from tianfu.synth.province.people import ADULT
from tianfu.synth.province.world import World
from tianfu.venues.model import VenueCategory

CAUTION: Final = 0.5
# Everybody is at home by then: the last part of the day ends at half past ten.
HOME_MINUTES: Final = (22 * 60 + 35, DAY)


class Plan(NamedTuple):
    """How an outbreak goes: so many come home infected on the first days; `silent` first cases have no symptoms.

    `vigour` multiplies all rates of `disease.HOURLY`: 1 is the first strain, 2 about Delta. `meets_days`: nobody meets
    any more so many days after the first positive result (None: they do), for who only needs what came before.
    `attempt` gives other outbreaks of the same world.
    """

    imported: int = 1
    silent: bool = True
    within_days: int = 3
    vigour: float = 1.0
    meets_days: int | None = None
    attempt: int = 0


class Infections(NamedTuple):
    """Every infection, in the order of `at`, minutes of the lake; `FAR` for what never comes.

    `by` is who infected them, -1 for those who brought it; `place` -1 at home or abroad. `sampled_at` and
    `resulted_at` are of the first positive test. The chain is a forest: an infector stands before the infected.
    """

    person: Whole
    at: Whole
    by: Whole
    place: Whole
    setting: Byte
    infectious_at: Whole
    onset_at: Whole
    recovers_at: Whole
    sampled_at: Whole
    resulted_at: Whole


class Outbreak(NamedTuple):
    """The truth. `alarm_at` is when the first positive result came, `FAR` if none did."""

    infections: Infections
    alarm_at: int


class _State:
    """The infections so far, growing; `position` is that of a person among them, -1 for the others."""

    def __init__(self, world: World, attempt: int) -> None:
        self.world = world
        self.dice = world.settings.dice(30, attempt)
        self.position = np.full(world.settings.people, NOBODY, np.int32)
        self.alarm_at: int = FAR
        none = np.empty(0, np.int32)
        self.rows = Infections._make([none] * len(Infections._fields))._replace(setting=np.empty(0, np.uint8))
        self.course = disease.course(none, self.dice)

    def add(self, person: Whole, at: Whole, by: Whole, place: Whole, setting: Byte, *, silent: bool = False) -> None:
        order = np.argsort(at, kind="stable")
        person, at, by, place, setting = person[order], at[order], by[order], place[order], setting[order]
        new = disease.course(at, self.dice, silent=np.full(len(at), silent))
        self.position[person] = len(self.rows.person) + np.arange(len(person), dtype=np.int32)
        self.course = joined([self.course, new])
        far = np.full(len(at), FAR, np.int32)
        rows = Infections(
            *(person, at, by, place, setting, new.infectious_at, new.onset_at, new.recovers_at, new.sampled_at, far)
        )
        rows = rows._replace(resulted_at=self.results(rows.sampled_at))
        self.rows = joined([self.rows, rows])

    def results(self, sampled: Whole) -> Whole:
        hours = self.dice.integers(disease.RESULT_HOURS[0] * 60, disease.RESULT_HOURS[1] * 60, len(sampled))
        return np.where(sampled == FAR, FAR, sampled.astype(np.int64) + hours).astype(np.int32)


def spread(world: World, plan: Plan) -> Outbreak:
    """Let the outbreak run through all days of the world, and the tests until their last round.

    A million people and 25 days take five seconds.
    """
    state = _State(world, plan.attempt)
    _import(state, plan)
    for day in range(world.settings.days + testing.ROUND_DAYS[-1] + 2):
        _look_for_alarm(state, day)
        if state.alarm_at != FAR:
            _test(state, day)
        over = plan.meets_days is not None and world.settings.day_number(day) - state.alarm_at // DAY > plan.meets_days
        if day < world.settings.days and not (over and state.alarm_at != FAR):
            _meet(state, day, plan.vigour)
    order = np.argsort(state.rows.at, kind="stable")
    return Outbreak(taken(state.rows, order), state.alarm_at)


def kept_in(world: World, infections: Infections, day: int) -> Flags:
    """Who does not go out on `day`: those with a positive result before it began, and their households."""
    begins = world.settings.day_number(day) * DAY
    known = infections.person[infections.resulted_at < begins]
    quiet = np.zeros(len(world.first), np.bool_)
    quiet[world.people.household[known]] = True
    return quiet[world.people.household]


def _import(state: _State, plan: Plan) -> None:
    legs = state.world.travel.legs
    returning = np.flatnonzero(legs.back & (legs.day < plan.within_days) & (legs.place != NOBODY))
    some = min(plan.imported, len(returning))
    chosen = np.sort(state.dice.choice(returning, size=some, replace=False))
    person = legs.person[chosen]
    came = (state.world.settings.day_number(0) + legs.day[chosen].astype(np.int32)) * DAY + legs.begins[chosen]
    if some < plan.imported:
        adults = np.flatnonzero(
            (state.world.people.age >= ADULT) & (state.world.travel.out > state.world.settings.days)
        )
        more = state.dice.choice(adults, size=plan.imported - some, replace=False).astype(np.int32)
        first = state.world.settings.day_number(0) * DAY
        person, came = np.concatenate((person, more)), np.concatenate((came, np.full(len(more), first)))
    # Infected abroad a few days before, so that the time at home is the infectious one.
    at = (came - state.dice.integers(2 * DAY, 4 * DAY, len(came))).astype(np.int32)
    none = np.full(len(person), NOBODY, np.int32)
    setting = np.full(len(person), Setting.IMPORTED, np.uint8)
    state.add(person.astype(np.int32), at, none, none, setting, silent=plan.silent)


def _look_for_alarm(state: _State, day: int) -> None:
    begins = state.world.settings.day_number(day) * DAY
    if state.alarm_at != FAR or not len(state.rows.person):
        return
    first = int(state.rows.resulted_at.min())
    if first < begins:
        state.alarm_at = first


def _test(state: _State, day: int) -> None:
    """Who has symptoms is tested soon now; and what a round of mass testing on this day finds."""
    rows, begins = state.rows, state.world.settings.day_number(day) * DAY
    soon = np.maximum(rows.onset_at.astype(np.int64), state.alarm_at) + (
        state.dice.exponential(disease.DELAY_KNOWN_DAYS, len(rows.person)) * DAY
    ).astype(np.int64)
    due = (rows.onset_at < begins + DAY) & (rows.sampled_at.astype(np.int64) > soon) & (soon >= begins)
    _sampled(state, due & (soon < begins + DAY), soon.astype(np.int64))
    for number in range(len(testing.ROUND_DAYS)):
        if testing.begins_at(state.alarm_at, number) // DAY != begins // DAY:
            continue
        found = testing.round_of(state.world.settings, state.alarm_at, number)
        rows = state.rows
        sampled = found.sampled_at[rows.person]
        hit = found.comes[rows.person] & found.finds[rows.person] & (sampled < rows.sampled_at)
        hit &= disease.detectable(rows.infectious_at, sampled)
        _sampled(state, hit, sampled.astype(np.int64), found.resulted_at[rows.person])


def _sampled(state: _State, who: Flags, at: NDArray[np.int64], result: Whole | None = None) -> None:
    rows = state.rows
    sampled = np.where(who, at, rows.sampled_at).astype(np.int32)
    later = state.results(sampled) if result is None else result
    state.rows = rows._replace(sampled_at=sampled, resulted_at=np.where(who, later, rows.resulted_at).astype(np.int32))


def _meet(state: _State, day: int, vigour: float) -> None:
    """Infections of one day: from stays that overlap, and from the night at home."""
    world, rows = state.world, state.rows
    begins = world.settings.day_number(day) * DAY
    active = (rows.infectious_at < begins + DAY) & (rows.recovers_at > begins) & (rows.resulted_at > begins)
    if not active.any():
        return
    stays = routine.day(world, day, kept_in=kept_in(world, rows, day))
    source = np.zeros(world.settings.people, np.bool_)
    source[rows.person[active]] = True
    met = _meetings(world, stays, source, state.position)
    at = (begins + met.begins + (state.dice.random(len(met.source)) * met.minutes).astype(np.int64)).astype(np.int64)
    home = _nights(world, day, source, state.position)
    night = begins + state.dice.integers(*HOME_MINUTES, len(home.source))
    who = np.concatenate((met.source, home.source))
    when = np.concatenate((at, night))
    minutes = np.concatenate((met.minutes, np.full(len(home.source), disease.HOME_HOURS * 60, np.int64)))
    setting = np.concatenate((met.setting, home.setting))
    infector = state.position[who]
    strength = disease.infectiousness(taken(state.course, infector), when)
    # Nobody who has been taken away meets anybody.
    strength[when >= state.rows.resulted_at[infector]] = 0
    strength *= vigour * np.concatenate((met.share, np.ones(len(home.source))))
    if state.alarm_at < begins:
        strength[: len(met.source)] *= CAUTION
    hit = np.flatnonzero(state.dice.random(len(who)) < disease.chance(setting, strength, minutes))
    # Whoever was infected twice was so by the earlier.
    hit = hit[np.argsort(when[hit], kind="stable")]
    other = np.concatenate((met.other, home.other))[hit]
    _, first = np.unique(other, return_index=True)
    hit = hit[first]
    place = np.concatenate((met.place, home.place))
    state.add(other[first], when[hit].astype(np.int32), who[hit], place[hit], setting[hit])


class _Met(NamedTuple):
    """Pairs that were together: from minute `begins` of the day for `minutes`; `share` thins out full places."""

    source: Whole
    other: Whole
    place: Whole
    setting: Byte
    begins: NDArray[np.int64]
    minutes: NDArray[np.int64]
    share: NDArray[np.float64]


def settings_of(world: World, place: Whole) -> Byte:
    """The setting of being together at those places."""
    kinds = np.full(256, Setting.VENUE, np.uint8)
    kinds[KIND_CLASS], kinds[KIND_ROOM], kinds[KIND_CARRIAGE] = Setting.SCHOOL, Setting.WORK, Setting.TRANSPORT
    kinds[CATEGORY[VenueCategory.VEHICLE]] = Setting.TRANSPORT
    found: Byte = kinds[world.sites.kind[place]]
    return found


def _meetings(world: World, stays: Stays, source: Flags, position: Whole) -> _Met:
    from_source = source[stays.person]
    visited = np.zeros(len(world.sites.kind), np.bool_)
    visited[stays.place[from_source]] = True
    there = np.flatnonzero(visited[stays.place])
    there = there[np.argsort(stays.place[there], kind="stable")]
    places = stays.place[there]
    mine = np.flatnonzero(from_source)
    low, high = np.searchsorted(places, stays.place[mine]), np.searchsorted(places, stays.place[mine], side="right")
    count = high - low
    left = np.repeat(mine, count)
    within = np.arange(len(left)) - np.repeat(np.cumsum(count) - count, count)
    right = there[np.repeat(low, count) + within]
    begins = np.maximum(stays.begins[left], stays.begins[right]).astype(np.int64)
    minutes = np.minimum(stays.ends[left], stays.ends[right]).astype(np.int64) - begins
    together = (minutes > 0) & (stays.person[left] != stays.person[right])
    present = np.bincount(left[together], minlength=len(stays.person)) if len(left) else np.zeros(len(stays.person))
    keep = together & (position[stays.person[right]] == NOBODY)
    left, right = left[keep], right[keep]
    place = stays.place[left]
    return _Met(
        source=stays.person[left],
        other=stays.person[right],
        place=place,
        setting=settings_of(world, place),
        begins=begins[keep],
        minutes=minutes[keep],
        share=np.minimum(1.0, disease.NEAR_MOST / np.maximum(present[left], 1)),
    )


def _nights(world: World, day: int, source: Flags, position: Whole) -> _Met:
    """Pairs of one household that are both at home in the night."""
    travel, household = world.travel, world.people.household
    away = (day >= travel.out) & (day < travel.back)
    sources = np.flatnonzero(source & ~away)
    size = np.diff(np.concatenate((world.first, [len(household)])))
    count = size[household[sources]]
    left = np.repeat(sources, count)
    within = np.arange(len(left)) - np.repeat(np.cumsum(count) - count, count)
    right = world.first[household[left]] + within
    keep = (left != right) & ~away[right] & (position[right] == NOBODY)
    left, right = left[keep].astype(np.int32), right[keep].astype(np.int32)
    none, all_ = np.zeros(len(left), np.int64), np.ones(len(left), np.float64)
    at_home = np.full(len(left), NOBODY, np.int32)
    return _Met(left, right, at_home, np.full(len(left), Setting.HOUSEHOLD, np.uint8), none, none, all_)
