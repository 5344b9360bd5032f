from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import NOON
from tianfu.feeds.contract import Row
from tianfu.feeds.contracts import CONTRACTS
from tianfu.residents import documents, phones
from tianfu.synth import county, outbreak
from tianfu.synth.county import NUMBER_DIVISION

TODAY = date(2022, 3, 1)


def test_the_same_seed_gives_the_same_county() -> None:
    assert county.make(people=300, seed=7, today=TODAY) == county.make(people=300, seed=7, today=TODAY)


def test_another_seed_gives_another_county() -> None:
    assert county.make(people=300, seed=7, today=TODAY) != county.make(people=300, seed=8, today=TODAY)


@given(seed=st.integers(0, 2**32), people=st.integers(1, 200))
def test_every_number_is_valid_unique_and_can_be_nobodys(seed: int, people: int) -> None:
    made = county.make(people=people, seed=seed, today=TODAY)
    numbers = [person.number for person in made.people]
    assert len(set(numbers)) == people
    for person in made.people:
        assert person.number.startswith(NUMBER_DIVISION)
        assert person.born <= TODAY
        documents.parse("resident_id", person.number, at=datetime(2022, 3, 1, tzinfo=UTC))
        phones.parse(person.phone)


def test_households_have_one_to_six_members_and_begin_with_an_adult() -> None:
    made = county.make(people=2_000, seed=1, today=TODAY)
    sizes = Counter(person.household for person in made.people)
    assert set(sizes.values()) <= set(range(1, 7))
    first = {person.household: person for person in reversed(made.people)}
    assert all((TODAY - person.born).days >= 20 * 365 for person in first.values())


def test_venues_have_different_names_and_every_kind() -> None:
    made = county.make(people=1, seed=1, today=TODAY, venues=60)
    assert len({venue.name for venue in made.venues}) == 60
    assert {"school", "medical", "retail", "vehicle"} <= {venue.category for venue in made.venues}


@pytest.mark.parametrize(("people", "venues"), [(0, 1), (1_000_001, 1), (1, 0)])
def test_an_impossible_size_is_refused(people: int, venues: int) -> None:
    with pytest.raises(ValueError, match="synthetic county"):
        county.make(people=people, seed=1, today=TODAY, venues=venues)


def test_departments_rows_are_accepted_by_their_contracts() -> None:
    made = county.make(people=1_000, seed=3, today=TODAY)
    files = outbreak.make(made, seed=3, at=NOON).files
    for feed, rows in files.items():
        assert rows
        for cells in rows:
            assert isinstance(CONTRACTS[feed].parse(cells, NOON), Row), cells
