from __future__ import annotations

from datetime import date, timedelta

import msgspec
import numpy as np
import pytest

from tests.support.town import SETTINGS, town
from tianfu.synth.province import divisions, routine, scanning, world
from tianfu.synth.province.model import KIND_CARRIAGE, NOBODY, PEOPLE_MAX, Settings


def bytes_of(made: object) -> bytes:
    """Every array of a tuple of tuples, one after the other."""
    if isinstance(made, np.ndarray):
        return made.tobytes()
    if isinstance(made, dict):
        return b"".join(bytes_of(part) for part in made.values())
    return b"".join(bytes_of(part) for part in made) if isinstance(made, tuple) else b""


def test_the_same_settings_give_the_same_bytes() -> None:
    again = world.make(SETTINGS)
    assert bytes_of(again) == bytes_of(town())
    assert bytes_of(routine.day(again, 3)) == bytes_of(routine.day(town(), 3))


def test_another_seed_gives_another_world() -> None:
    other = world.make(msgspec.structs.replace(SETTINGS, seed=8))
    assert bytes_of(other.people) != bytes_of(town().people)


def test_the_prefectures_add_up_to_the_published_total_and_cover_every_county() -> None:
    assert sum(divisions.PREFECTURES_2020.values()) == divisions.PROVINCE_2020
    everywhere = divisions.counties("51")
    assert {code[:4] for code in everywhere.codes} == set(divisions.PREFECTURES_2020)
    chengdu = np.array([code.startswith("5101") for code in everywhere.codes])
    assert everywhere.share[chengdu].sum() == pytest.approx(20_937_757 / divisions.PROVINCE_2020)


def test_a_place_that_is_no_county_of_the_province_is_refused() -> None:
    with pytest.raises(ValueError, match="no county"):
        divisions.counties("310115")


@pytest.mark.parametrize(("people", "days"), [(0, 1), (PEOPLE_MAX + 1, 1), (10, 0), (10, 61)])
def test_an_impossible_size_is_refused(people: int, days: int) -> None:
    with pytest.raises(ValueError, match="synthetic province"):
        world.make(Settings(people=people, days=days, seed=1))


def test_a_household_shares_a_home_and_begins_with_an_adult() -> None:
    people, first = town().people, town().first
    head = first[people.household]
    assert np.array_equal(people.x, people.x[head])
    assert np.array_equal(people.cell, people.cell[head])
    assert (people.age[first] >= 20).all()
    assert np.bincount(people.household).max() <= 6


def test_a_phone_is_ones_own_or_another_of_the_household_and_a_child_has_none() -> None:
    people = town().people
    uses = people.holder != NOBODY
    assert (people.household[people.holder[uses]] == people.household[uses]).all()
    assert (people.holder[people.holder[uses]] == people.holder[uses]).all()
    assert (people.holder[people.age < 10] == NOBODY).all()
    assert (people.scans[~uses] == 0).all()


def test_a_seat_is_given_once() -> None:
    legs = town().travel.legs
    seated = legs.place != NOBODY
    seats = np.stack([legs.run, legs.carriage, legs.row, legs.seat], axis=1)[seated]
    assert len(seats) > 50
    assert len(np.unique(seats, axis=0)) == len(seats)
    # A carriage is one place, and every leg of a run takes the same time.
    assert len(np.unique(np.stack([legs.place[seated], legs.run[seated], legs.begins[seated]], axis=1), axis=0)) == len(
        np.unique(legs.place[seated])
    )


@pytest.mark.parametrize("number", [0, 5, 13])
def test_nobody_is_in_two_places_at_once_or_out_while_away(number: int) -> None:
    stays = routine.ordered(routine.day(town(), number))
    same = stays.person[1:] == stays.person[:-1]
    assert (stays.begins[1:][same] >= stays.ends[:-1][same]).all()
    assert (stays.begins <= stays.ends).all()
    assert (stays.ends < 1440).all()
    travel = town().travel
    on_the_way = (number >= travel.out) & (number <= travel.back)
    aboard = town().sites.kind[stays.place] == KIND_CARRIAGE
    assert np.array_equal(on_the_way[stays.person], aboard)


def test_who_is_kept_in_stays_in_and_nobody_elses_day_changes() -> None:
    kept = np.arange(SETTINGS.people) % 5 == 0
    free, less = routine.ordered(routine.day(town(), 2)), routine.ordered(routine.day(town(), 2, kept_in=kept))
    others = ~kept[free.person]
    assert not kept[less.person].any()
    assert np.array_equal(free.place[others], less.place)


def test_a_scan_is_of_a_stay_at_a_poster_under_the_number_of_who_holds_the_phone() -> None:
    stays = routine.day(town(), 1)
    found = scanning.scans(town(), 1, stays)
    assert (found.place < town().sites.posters).all()
    there = set(zip(town().people.holder[stays.person].tolist(), stays.place.tolist(), strict=True))
    assert set(zip(found.person.tolist(), found.place.tolist(), strict=True)) <= there
    partition = scanning.partition(town(), 1, found)
    assert len(partition.by_venue) == len(partition.by_person) == len(found.person)


def test_visits_have_a_heavy_tail_and_weekends_are_not_weekdays() -> None:
    week = [routine.day(town(), number) for number in range(7)]
    places = np.concatenate([stays.place for stays in week])
    visits = np.sort(np.bincount(places[places < town().sites.posters]))[::-1]
    assert visits[: len(visits) // 20].sum() > 0.15 * visits.sum()
    school = [np.isin(town().sites.kind[stays.place], (32,)).sum() for stays in week]
    assert school[0] > 100
    assert school[5] == school[6] == 0


def test_before_spring_festival_many_leave() -> None:
    usual = world.make(msgspec.structs.replace(SETTINGS, people=2_000))
    festive = world.make(
        msgspec.structs.replace(SETTINGS, people=2_000, festival=SETTINGS.first_day + timedelta(days=12))
    )
    assert len(festive.travel.legs.person) > 3 * len(usual.travel.legs.person)
    assert routine.is_free(festive, 12)
    assert date(2022, 2, 26) == SETTINGS.first_day + timedelta(days=12)
