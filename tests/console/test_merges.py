"""Doubled people at the operators' API: who may, two of them, and that the person sees it."""

from __future__ import annotations

import httpx
import pytest

from tests.support.control import OTHER_PHONE, PASSPORT, Browser, Control
from tianfu.access.roles import Role
from tianfu.ids import PersonRef, format_person_ref

MERGES = "/api/v1/console/people/merges"
CARD, PASS = format_person_ref(PersonRef(1)), format_person_ref(PersonRef(2))
WHY = {"purpose": "investigation"}
ASKED = WHY | {"kept": CARD, "merged": PASS, "reason": "card-and-passport"}


@pytest.fixture
def resident(browser: Browser, control: Control) -> Browser:
    """One human being who claimed with a card and once more with a passport."""
    assert browser.claim().status_code == 201
    assert control.browser().claim(document=PASSPORT, phone=OTHER_PHONE).status_code == 201
    return browser


def reader(control: Control, name: str, role: Role = Role.EPIDEMIOLOGIST, district: str = "5101") -> Browser:
    control.account(name, (role, district))
    browser = control.browser()
    browser.sign_in(name)
    return browser


def states(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["state"] for item in answer.json()]


def test_one_asks_another_approves_and_the_same_for_the_way_back(resident: Browser, control: Control) -> None:
    first, second = reader(control, "li.na"), reader(control, "wang.wei")
    answer = first.ask("POST", MERGES, ASKED)
    assert (answer.status_code, answer.json()["state"]) == (201, "asked")
    path = f"{MERGES}/{answer.json()['number']}"

    assert first.ask("POST", f"{path}/approval", WHY).json()["code"] == "merge_needs_two"
    assert second.ask("POST", f"{path}/approval", WHY).json()["state"] == "standing"
    assert states(second.ask("POST", f"{MERGES}/list", WHY | {"person": PASS})) == ["standing"]
    assert second.ask("POST", f"{path}/undoing", WHY).json()["state"] == "undoing_asked"
    assert second.ask("POST", f"{path}/undoing/approval", WHY).json()["code"] == "merge_needs_two"
    assert first.ask("POST", f"{path}/undoing/approval", WHY).json()["state"] == "undone"
    assert states(first.ask("POST", f"{MERGES}/list", WHY | {"person": CARD})) == ["undone"]

    seen = [read["action"] for read in resident.ask("GET", "/api/v1/me/reads").json()]
    assert {"merge_asked", "merge_people", "unmerge_asked", "unmerge_people", "list_merges"} <= set(seen)


@pytest.mark.parametrize(
    ("role", "district"), [(Role.EPIDEMIOLOGIST, "5107"), (Role.DESK, ""), (Role.ADMINISTRATOR, ""), (Role.GUARD, "")]
)
def test_others_may_not_and_do_not_learn_whether_there_is_such_a_merge(
    resident: Browser, control: Control, role: Role, district: str
) -> None:
    stranger = reader(control, "stranger", role, district)

    answers = [
        stranger.ask("POST", MERGES, ASKED),
        stranger.ask("POST", f"{MERGES}/1/approval", WHY),
        stranger.ask("POST", f"{MERGES}/1/undoing", WHY),
        stranger.ask("POST", f"{MERGES}/list", WHY | {"person": CARD}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4
    assert resident.ask("GET", "/api/v1/me/reads").json() == []
