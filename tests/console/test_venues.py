"""A manager's venues over HTTP."""

from __future__ import annotations

import pytest

from tests.support.control import Browser, Control
from tianfu.access.roles import Role
from tianfu.platform.database import Purpose
from tianfu.venues import store

VENUES = "/api/v1/console/venues"
PARK = {"name": "望江楼公园", "category": "park", "district": "510107", "address": "望江路 30 号"}


@pytest.fixture
def manager(browser: Browser, control: Control) -> Browser:
    """A manager for one county, signed in."""
    control.account("manager", (Role.VENUE_MANAGER, "510107"))
    browser.sign_in("manager")
    return browser


def test_a_manager_creates_a_venue_and_prints_its_poster(manager: Browser) -> None:
    made = manager.ask("POST", VENUES, PARK)

    assert made.status_code == 201
    assert made.json()["generation"] == 1
    assert [venue["name"] for venue in manager.ask("GET", VENUES).json()] == ["望江楼公园"]
    poster = manager.ask("GET", f"{VENUES}/{made.json()['venue_ref']}/poster.svg")
    assert poster.headers["content-type"].startswith("image/svg+xml")
    assert "望江楼公园" in poster.text
    assert "<script" not in poster.text


def test_every_wrong_field_of_a_venue_is_named(manager: Browser, control: Control) -> None:
    answer = manager.ask(
        "POST", VENUES, {"name": " ", "category": "casino", "district": "510100", "address": "x" * 121}
    )

    assert answer.status_code == 422
    assert {fault["field"] for fault in answer.json()["faults"]} == {"name", "category", "district", "address"}
    assert control.count("venue") == 0


def test_a_venue_outside_the_managers_district_is_refused(manager: Browser, control: Control) -> None:
    answer = manager.ask("POST", VENUES, PARK | {"district": "510104"})

    assert answer.json()["code"] == "forbidden"
    assert control.count("venue") == 0


def test_who_is_no_manager_creates_none(browser: Browser, control: Control) -> None:
    control.account("desk", (Role.DESK, ""))
    browser.sign_in("desk")

    assert browser.ask("POST", VENUES, PARK).json()["code"] == "forbidden"
    assert browser.ask("GET", VENUES).json()["code"] == "forbidden"


@pytest.mark.parametrize("method", ["poster.svg", "guards", "generation", "closing"])
def test_anothers_venue_looks_like_none(manager: Browser, control: Control, method: str) -> None:
    venue = manager.ask("POST", VENUES, PARK).json()["venue_ref"]
    control.account("rival", (Role.VENUE_MANAGER, "51"))
    rival = control.browser()
    rival.sign_in("rival")
    verb, body = ("GET", None) if method == "poster.svg" else ("POST", {"username": "manager"})

    theirs = rival.ask(verb, f"{VENUES}/{venue}/{method}", body)
    none = rival.ask(verb, f"{VENUES}/{int(venue) + 1}/{method}", body)
    absurd = rival.ask(verb, f"{VENUES}/{2**70}/{method}", body)

    assert theirs.status_code == none.status_code == absurd.status_code == 404
    assert theirs.content == none.content


def test_a_new_generation_and_a_closing_reach_the_followers_in_order(manager: Browser, control: Control) -> None:
    first = manager.ask("POST", VENUES, PARK).json()["venue_ref"]
    second = manager.ask("POST", VENUES, PARK | {"name": "武侯祠"}).json()["venue_ref"]
    with control.database.read(Purpose.WORKER) as read:
        seen = store.changed_since(read, 0, 10)

    renewed = manager.ask("POST", f"{VENUES}/{first}/generation").json()
    closed = manager.ask("POST", f"{VENUES}/{second}/closing")

    with control.database.read(Purpose.WORKER) as read:
        changed = store.changed_since(read, seen[-1].sequence, 10)
    assert [str(venue.venue_ref) for venue in seen] == [first, second]
    assert renewed["generation"] == 2
    assert closed.status_code == 204
    assert [(str(venue.venue_ref), venue.generation, venue.closed_at is None) for venue in changed] == [
        (first, 2, True),
        (second, 1, False),
    ]


def test_only_a_guard_can_be_bound_and_twice_is_once(manager: Browser, control: Control) -> None:
    venue = manager.ask("POST", VENUES, PARK).json()["venue_ref"]
    control.account("guard", (Role.GUARD, "510107"))
    control.account("desk", (Role.DESK, ""))

    answers = [
        manager.ask("POST", f"{VENUES}/{venue}/guards", {"username": username}).status_code
        for username in ("guard", "guard", "desk", "nobody")
    ]

    assert answers == [204, 204, 404, 404]


def test_ids_on_posters_are_random(manager: Browser, control: Control) -> None:
    for _ in range(3):
        manager.ask("POST", VENUES, PARK)

    with control.database.read(Purpose.WORKER) as read:
        ids = [venue.venue_id for venue in store.changed_since(read, 0, 10)]
    assert len({venue_id[:4] for venue_id in ids}) == len({venue_id[-4:] for venue_id in ids}) == 3
