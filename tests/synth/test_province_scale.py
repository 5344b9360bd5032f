from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tianfu.lake import days, layout, state
from tianfu.lake.days import DayTakenError
from tianfu.synth.province import scale
from tianfu.synth.province.model import Settings

SETTINGS = Settings(people=90_000_000, days=2, seed=3, place="51")
FEWER = Settings(people=1_000_000, days=2, seed=3, place="51")


def test_ninety_million_people_have_scans_that_the_lake_can_number() -> None:
    province = scale.make(SETTINGS)
    made = scale.day(province, 1, scans=200_000)
    assert len(made.by_venue) == len(made.by_person) == 200_000
    assert (np.diff(made.by_venue.astype(np.int64)) >= 0).all()
    assert np.array_equal(layout.turned(made.by_venue), made.by_person)
    venue = made.by_venue >> np.uint64(layout.MINUTE_BITS + layout.PERSON_BITS)
    person = made.by_venue & np.uint64(layout.PERSON_MASK)
    assert 0 < venue.min() <= venue.max() < len(scale.venue_types(province))
    assert 0 < person.min() <= person.max() <= SETTINGS.people
    # As many venues for a person as in the world of `world`, the popular ones far busier than the others.
    assert 15 < province.venues_before[-1] / SETTINGS.people * 1000 < 30
    visits = np.sort(np.bincount(venue.astype(np.int64)))[::-1]
    assert visits[: len(visits) // 100].sum() > 0.15 * visits.sum()


def test_the_same_settings_give_the_same_files_and_a_day_is_written_once(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        scale.write(scale.make(FEWER), tmp_path / name, scans=5_000, say=lambda _: None)
        files = sorted((tmp_path / name).rglob("*.u64"))
        assert len(files) == 4
        digests.append([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
    assert digests[0] == digests[1]
    with pytest.raises(DayTakenError):
        days.write_arrays(tmp_path / "one" / "lake", scale.day(scale.make(FEWER), 0, scans=10))
    assert [part.visits for parts in state.load(tmp_path / "one" / "lake").days.values() for part in parts] == [
        5_000
    ] * 2


def test_people_go_back_to_their_favourites() -> None:
    province = scale.make(Settings(people=2_000, days=1, seed=1, place="510117"))
    made = scale.day(province, 0, scans=100_000)
    person = (made.by_person >> np.uint64(layout.MINUTE_BITS + layout.VENUE_BITS)).astype(np.int64)
    venue = (made.by_person & np.uint64(layout.VENUE_MASK)).astype(np.int64)
    mine = venue[person == 77]
    counts = np.sort(np.bincount(mine))[::-1]
    assert counts[:6].sum() > 0.7 * len(mine)


def test_more_people_than_the_lake_can_number_are_refused() -> None:
    with pytest.raises(ValueError, match="numbers"):
        scale.make(Settings(people=2**28, days=1, seed=1))
