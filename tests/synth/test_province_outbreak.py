from __future__ import annotations

import numpy as np

from tests.support.town import PLAN, SETTINGS, spread, town
from tianfu.synth.province import disease, outbreak, routine, telecom, testing
from tianfu.synth.province.disease import DAY, FAR
from tianfu.synth.province.model import NOBODY, Scans, Setting, Stays
from tianfu.synth.province.outbreak import Infections, Plan


def test_the_same_world_and_plan_give_the_same_chain_and_another_attempt_another() -> None:
    again = outbreak.spread(town(), PLAN)
    for column in Infections._fields:
        assert np.array_equal(getattr(again.infections, column), getattr(spread().infections, column))
    other = outbreak.spread(town(), PLAN._replace(attempt=1))
    assert not np.array_equal(other.infections.person, spread().infections.person)


def test_the_chain_is_a_forest_from_those_who_brought_it() -> None:
    rows = spread().infections
    assert len(np.unique(rows.person)) == len(rows.person) > 30
    brought = rows.by == NOBODY
    assert brought.sum() == PLAN.imported
    assert (rows.setting[brought] == Setting.IMPORTED).all()
    position = np.full(SETTINGS.people, NOBODY)
    position[rows.person] = np.arange(len(rows.person))
    infector = position[rows.by[~brought]]
    assert (infector >= 0).all()
    # Infected only by somebody infectious, not yet recovered and not yet taken away.
    assert (rows.at[~brought] >= rows.infectious_at[infector]).all()
    assert (rows.at[~brought] < rows.recovers_at[infector]).all()
    assert (rows.at[~brought] < rows.resulted_at[infector]).all()


def test_every_infection_has_two_people_in_one_place_at_that_minute() -> None:
    rows = spread().infections
    days: dict[int, Stays] = {}
    checked = 0
    for row in range(len(rows.person)):
        person, by, at, place = (int(column[row]) for column in (rows.person, rows.by, rows.at, rows.place))
        if by == NOBODY:
            continue
        number, minute = at // DAY - SETTINGS.day_number(0), at % DAY
        if number not in days:
            days[number] = routine.day(town(), number, kept_in=outbreak.kept_in(town(), rows, number))
        stays = days[number]
        now = (stays.begins <= minute) & (minute < stays.ends)
        where = [stays.place[now & (stays.person == who)].tolist() for who in (person, by)]
        if place == NOBODY:
            assert where == [[], []], "at home, so nowhere else"
            assert town().people.household[person] == town().people.household[by]
        else:
            assert where == [[place], [place]]
        checked += 1
    assert checked > 20


def test_there_are_several_settings_and_people_without_symptoms() -> None:
    rows = spread().infections
    assert {Setting.HOUSEHOLD, Setting.WORK, Setting.VENUE} <= set(rows.setting.tolist())
    silent = np.mean(rows.onset_at == FAR)
    assert 0.1 < silent < 0.6


def test_the_clock_of_the_disease_has_the_published_means() -> None:
    dice = np.random.default_rng(1)
    course = disease.course(np.zeros(20_000, np.int32), dice)
    latent = course.infectious_at / DAY
    assert abs(latent.mean() - 4.5) < 0.1
    ill = course.onset_at != FAR
    assert abs(((course.onset_at - course.infectious_at)[ill] / DAY).mean() - 1.1) < 0.1
    assert disease.infectiousness(course, course.infectious_at - 1).max() == 0
    assert disease.infectiousness(course, course.recovers_at).max() == 0


def test_a_positive_result_ends_going_out_for_the_household() -> None:
    rows = spread().infections
    first = int(rows.resulted_at.min())
    person = int(rows.person[rows.resulted_at.argmin()])
    day = first // DAY - SETTINGS.day_number(0) + 1
    kept = outbreak.kept_in(town(), rows, day)
    assert kept[town().people.household == town().people.household[person]].all()
    assert not outbreak.kept_in(town(), rows, day - 1)[person]


def test_mass_testing_finds_nobody_before_a_test_can() -> None:
    rows = spread().infections
    tested = rows.sampled_at != FAR
    assert tested.sum() > 10
    assert disease.detectable(rows.infectious_at[tested], rows.sampled_at[tested]).all()
    taken = testing.round_of(SETTINGS, spread().alarm_at, 0)
    assert 0.95 < taken.comes.mean() < 1
    assert (taken.resulted_at > taken.sampled_at).all()


def test_an_outbreak_without_anybody_who_brings_it_is_none() -> None:
    none = outbreak.spread(town(), Plan(imported=0))
    assert len(none.infections.person) == 0
    assert none.alarm_at == FAR


def test_a_phone_is_in_one_cell_at_a_time_and_shares_it_as_the_stays_say() -> None:
    stays = routine.day(town(), 4)
    seen = telecom.presence(town(), 4, stays)
    order = np.lexsort((seen.begins, seen.person))
    person, begins, ends = seen.person[order], seen.begins[order], seen.ends[order]
    same = person[1:] == person[:-1]
    assert (begins[1:][same] >= ends[:-1][same]).all()
    me = int(np.flatnonzero(town().people.holder == np.arange(SETTINGS.people))[0])
    window = telecom.Windows(
        np.array([me], np.int32), *(np.array([SETTINGS.day_number(number) * DAY], np.int32) for number in (4, 5))
    )
    gathering = telecom.Gathering(town(), window)
    nothing = np.empty(0, np.int32)
    gathering.add(4, seen, Scans(nothing, nothing, nothing.astype(np.int16)))
    shared = gathering.shared()
    expected = set()
    for row in np.flatnonzero(seen.person == me).tolist():
        together = np.minimum(seen.ends, seen.ends[row]) - np.maximum(seen.begins, seen.begins[row])
        with_me = (seen.cell == seen.cell[row]) & (together > 10) & (seen.person != me)
        expected |= set(seen.person[with_me].tolist())
    assert set(shared.person.tolist()) == expected
    assert not shared.shown.any()
