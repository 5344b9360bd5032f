"""Venues: followers miss none, whoever writes at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.clock import NOON
from tests.support.control import PASSWORD
from tianfu.access import accounts
from tianfu.access.decide import ForbiddenError, Grant, Principal
from tianfu.access.roles import Role
from tianfu.platform.database import Database, Purpose
from tianfu.venues import create, store
from tianfu.venues.model import Venue, VenueCategory
from tianfu.venues.poster_svg import CATEGORY_NAMES

PARK = create.check(name=" 望江楼  公园 ", category="park", district="510107", address="望江路 30 号")


@pytest.fixture
def manager(database: Database) -> Principal:
    """A manager for one county."""
    with database.write(Purpose.OPERATOR) as write:
        number = accounts.create(write, username="manager", display_name="经理", password=PASSWORD, at=NOON)
    return Principal(number, (Grant(Role.VENUE_MANAGER, "510107"),))


def test_a_follower_by_sequence_sees_every_venue_though_many_are_made_at_once(
    database: Database, manager: Principal
) -> None:
    seen: list[Venue] = []

    def make(_: int) -> None:
        create.create(database, manager, PARK, at=NOON)

    def follow() -> None:
        with database.read(Purpose.WORKER) as read:
            seen.extend(store.changed_since(read, seen[-1].sequence if seen else 0, 100))

    with ThreadPoolExecutor(6) as pool:
        made = pool.map(make, range(30))
        for _ in range(10):
            follow()
        list(made)
    follow()

    assert sorted(venue.venue_ref for venue in seen) == list(range(1, 31))
    assert PARK.name == "望江楼 公园"


def test_many_changes_are_read_in_pages(database: Database, manager: Principal) -> None:
    for _ in range(5):
        create.create(database, manager, PARK, at=NOON)

    with database.read(Purpose.WORKER) as read:
        first = store.changed_since(read, 0, 3)
        second = store.changed_since(read, first[-1].sequence, 3)

    assert [len(first), len(second)] == [3, 2]


def test_a_manager_has_so_many_venues_and_no_more(
    database: Database, manager: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(create, "VENUES_PER_MANAGER_MAX", 2)
    for _ in range(2):
        create.create(database, manager, PARK, at=NOON)

    with pytest.raises(create.VenueLimitError):
        create.create(database, manager, PARK, at=NOON)


def test_another_district_is_refused_before_anything_is_written(database: Database, manager: Principal) -> None:
    elsewhere = create.check(name="武侯祠", category="tourism", district="510104", address="")

    with pytest.raises(ForbiddenError):
        create.create(database, manager, elsewhere, at=NOON)

    with database.read(Purpose.WORKER) as read:
        assert store.changed_since(read, 0, 10) == []


def test_every_category_has_a_name_on_the_poster() -> None:
    assert {category.value for category in VenueCategory} == CATEGORY_NAMES.keys()
