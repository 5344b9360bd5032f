"""The funnel and confirmations through the operators' API: who may, what is refused, and what the trail says."""

from __future__ import annotations

import pytest

from tests.support import evidence as synthetic
from tests.support import incidents as traced
from tests.support.control import Browser, Control
from tests.support.incidents import NUMBER, Reached
from tianfu.access import budget
from tianfu.access.roles import Role
from tianfu.ids import PersonRef, format_person_ref
from tianfu.platform.database import Purpose
from tianfu.tracing.screening import confirm

PATH = f"/api/v1/console/incidents/{NUMBER}"
SCREENING = f"{PATH}/screening"
ALL = ["close", "secondary", "copresent", "general"]
WHY = {"purpose": "investigation"}


@pytest.fixture
def people(control: Control) -> list[PersonRef]:
    """Three traced people: in the incident's county, in another, and nobody knows where."""
    persons = synthetic.people(control.database, 3)
    places = (traced.PLACE, "510104", None)
    traced.opened(
        control.database, [Reached(person, place=place) for person, place in zip(persons, places, strict=True)]
    )
    stays = [traced.stay(persons[0], "1"), traced.stay(persons[1], "2", "510104")]
    traced.append(control.database, *stays)
    return persons


def signed_in(control: Control, name: str, district: str, role: Role = Role.EPIDEMIOLOGIST) -> Browser:
    control.account(name, (role, district))
    browser = control.browser()
    browser.sign_in(name)
    return browser


def trail(control: Control) -> list[tuple[str, str]]:
    with control.database.read(Purpose.OPERATOR) as read:
        return [
            (row[0], row[1])
            for row in read.rows(
                "select action, actor from audit_trail where subject = %s order by trail_id", (f"incident:{NUMBER}",)
            )
        ]


def test_only_an_epidemiologist_of_the_place_screens_and_confirms(control: Control, people: list[PersonRef]) -> None:
    person = format_person_ref(people[0])
    asked: tuple[tuple[str, str, object], ...] = (
        ("POST", SCREENING, WHY),
        ("POST", f"{PATH}/confirmations", WHY | {"tiers": ALL}),
        ("POST", f"{PATH}/judgements", WHY | {"person": person, "tier": None, "reason": "camera"}),
        ("POST", f"{SCREENING}/steps/scans/undoing", WHY),
        ("POST", f"{PATH}/confirmations/1/approval", WHY),
        ("POST", f"{PATH}/confirmations/1/withdrawal", WHY | {"reason": "wrong"}),
        ("POST", f"{SCREENING}/current", WHY),
        ("POST", f"{SCREENING}/runs", WHY),
        ("POST", f"{PATH}/confirmations/list", WHY),
    )
    refused = ((Role.EPIDEMIOLOGIST, "510104"), (Role.FIELD_WORKER, "510112"))
    for number, (role, district) in enumerate(refused):
        browser = signed_in(control, f"refused-{number}", district, role)
        assert {browser.ask(*each).status_code for each in asked} <= {403, 404}
        assert {browser.ask(*each).status_code for each in asked[:3]} == {403}
    assert trail(control) == []
    prefecture = signed_in(control, "li.na", "5101")

    assert [prefecture.ask(*each).status_code for each in asked] == [201, 201, 201, 200, 409, 200, 200, 200, 200]


def test_without_a_session_or_an_incident_nothing_is_told(control: Control, browser: Browser) -> None:
    assert browser.ask("POST", f"{SCREENING}/current", WHY).status_code == 401
    somebody = signed_in(control, "li.na", "")
    assert somebody.ask("POST", f"{SCREENING}/current", WHY).status_code == 404
    assert somebody.ask("POST", f"{PATH}/confirmations", WHY | {"tiers": ALL}).status_code == 404


def test_a_funnel_is_run_undone_and_run_again(control: Control, people: list[PersonRef]) -> None:
    browser = signed_in(control, "li.na", "510112")
    assert browser.ask("POST", f"{SCREENING}/current", WHY).status_code == 404

    begun = browser.ask("POST", SCREENING, WHY | {"funnel": "wide-to-field"}).json()
    undone = browser.ask("POST", f"{SCREENING}/steps/scans/undoing", WHY).json()
    again = browser.ask("POST", f"{SCREENING}/steps/scans/undoing", WHY)
    redone = browser.ask("POST", f"{SCREENING}/steps/scans/redoing", WHY).json()
    thresholds = WHY | {"thresholds": {"minutes": 60 * 24}}
    rerun = browser.ask("POST", f"{SCREENING}/steps/roaming/thresholds", thresholds).json()

    counts = [[step["after"] for step in answer["summary"]["steps"]] for answer in (begun, undone, redone, rerun)]
    assert counts == [[1, 0, 3, 3, 3, 3, 3, 3], [1] + [0] * 7, counts[0], [0, 0, 3, 3, 3, 3, 3, 3]]
    assert begun["summary"]["steps"][2]["added_by"][0]["en"] == "scanned at a venue near a case in time"
    assert begun["people"] == len(people)
    assert (undone["undone"], again.status_code) == (["scans"], 409)
    assert browser.ask("POST", f"{SCREENING}/current", WHY).json() == rerun
    assert [run["action"] for run in browser.ask("POST", f"{SCREENING}/runs", WHY).json()] == [
        "rerun",
        "redo",
        "undo",
        "run",
    ]
    assert trail(control) == [("lake_read", "li.na"), *[("screening.run", "li.na")] * 4]
    for path, body, status in (
        (SCREENING, {"funnel": "../wide-to-field"}, 422),
        (f"{SCREENING}/steps/horoscope/thresholds", {"thresholds": {}}, 404),
        (f"{SCREENING}/steps/scans/thresholds", {"thresholds": {"apart_minutes": "a lot"}}, 422),
    ):
        assert browser.ask("POST", path, WHY | body).status_code == status


def test_people_are_read_by_who_may_read_the_incident_or_the_county(control: Control, people: list[PersonRef]) -> None:
    province, here = signed_in(control, "li.na", ""), signed_in(control, "wang.wei", "510112")
    there = signed_in(control, "chen.jie", "510104")
    province.ask("POST", SCREENING, WHY)
    pages = f"{SCREENING}/pages"
    here_person, there_person, nowhere = (format_person_ref(person) for person in people)

    def seen(browser: Browser, **more: object) -> list[str]:
        answer = browser.ask("POST", pages, {"purpose": "investigation"} | more)
        return [each["person"] for each in answer.json()["people"]]

    assert seen(province) == seen(here) == [here_person, there_person, nowhere]
    assert seen(here, county="510104") == seen(there, county="510104") == [there_person]
    assert there.ask("POST", pages, {"purpose": "investigation"}).status_code == 403
    assert there.ask("POST", pages, {"purpose": "investigation", "county": "510112"}).status_code == 403
    for wrong in ({"purpose": "entry"}, {"purpose": "curiosity"}, {"purpose": "investigation", "county": "5101a"}):
        assert province.ask("POST", pages, wrong).status_code in {403, 422}
    first = province.ask("POST", pages, {"purpose": "investigation", "limit": 2, "listed": True}).json()
    assert first["next"] == there_person
    assert seen(province, after=first["next"]) == [nowhere]
    assert seen(province, reason="scanned_near", step="scans") == [here_person, there_person, nowhere]
    assert seen(province, reason="cleared") == []
    by_chen = [action for action, actor in trail(control) if actor == "chen.jie"]
    assert by_chen == ["screening.read", "screening.refused", "screening.refused"]


def test_why_somebody_is_listed_is_told_and_the_person_sees_the_reading(
    control: Control, people: list[PersonRef]
) -> None:
    here, elsewhere = signed_in(control, "li.na", "510112"), signed_in(control, "chen.jie", "510107")
    here.ask("POST", SCREENING, WHY)
    person = format_person_ref(people[0])
    here.ask("POST", f"{PATH}/judgements", WHY | {"person": person, "tier": "close", "reason": "interview"})
    asked = {"person": person, "purpose": "investigation"}

    told = here.ask("POST", f"{SCREENING}/people", asked).json()

    assert (told["reason"], told["county"], told["grounds"]) == ("scanned_near", "510112", ["roaming", "scan"])
    assert told["history"][0] == {
        "step": "roaming",
        "reason": "roamed",
        "zh": "漫游名单显示曾在该地",
        "en": "was in the place, by the carriers' list",
    }
    assert (told["judgement"]["tier"], told["judgement"]["judged_by"]) == ("close", "li.na")
    assert elsewhere.ask("POST", f"{SCREENING}/people", asked).status_code == 403
    stranger = format_person_ref(PersonRef(9_999))
    assert here.ask("POST", f"{SCREENING}/people", asked | {"person": stranger}).status_code == 404
    with control.database.read(Purpose.OPERATOR) as read:
        seen = read.rows("select action, actor from audit_trail where person_ref = %s order by trail_id", (people[0],))
    assert seen == [
        ("contacts.judge", "li.na"),
        ("screening.read", "li.na"),
        ("screening.refused", "chen.jie"),
    ]


def test_reading_people_counts_on_the_readers_budget(
    control: Control, people: list[PersonRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = signed_in(control, "li.na", "510112")
    reader.ask("POST", SCREENING, WHY)
    monkeypatch.setattr(budget, "spend", lambda *_: False)

    pages = reader.ask("POST", f"{SCREENING}/pages", {"purpose": "investigation"})
    one = reader.ask(
        "POST", f"{SCREENING}/people", {"person": format_person_ref(people[0]), "purpose": "investigation"}
    )

    assert {pages.status_code, one.status_code} == {429}
    assert [action for action, _ in trail(control)][-2:] == ["screening.refused", "screening.refused"]


def test_a_few_are_confirmed_at_once_and_taken_back(control: Control, people: list[PersonRef]) -> None:
    browser = signed_in(control, "li.na", "510112")
    browser.ask("POST", SCREENING, WHY)
    form = WHY | {"tiers": ["close"], "screened": True, "person": format_person_ref(people[0])}

    done = browser.ask("POST", f"{PATH}/confirmations", form).json()
    number = done["confirmation"]["confirmation_ref"]
    back = browser.ask("POST", f"{PATH}/confirmations/{number}/withdrawal", WHY | {"reason": "wrong_venue"}).json()

    assert (done["confirmation"]["people"], done["confirmation"]["state"]) == (1, "done")
    assert not done["needs_second_person"]
    assert back["confirmation"]["state"] == "withdrawn"
    actions = [action for action, _ in trail(control)]
    assert actions == ["lake_read", "screening.run", "contacts.confirm", "contacts.withdraw"]
    wrong: dict[str, list[dict[str, object]]] = {
        "confirmations": [{"tiers": []}, {"tiers": ["friend"]}, {"tiers": ["close"], "person": "P-1"}],
        "judgements": [{"tier": "friend", "reason": "camera"}, {"tier": None, "reason": "whim"}],
    }
    for path, bodies in wrong.items():
        for body in bodies:
            assert browser.ask("POST", f"{PATH}/{path}", WHY | {"person": form["person"]} | body).status_code == 422


def test_many_need_two_accounts_in_and_out(
    control: Control, people: list[PersonRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirm, "BULK_MAX", 2)
    first, second = signed_in(control, "li.na", "510112"), signed_in(control, "wang.wei", "510112")
    asked = first.ask("POST", f"{PATH}/confirmations", WHY | {"tiers": ALL}).json()
    one = f"{PATH}/confirmations/{asked['confirmation']['confirmation_ref']}"
    assert (asked["needs_second_person"], control.count("evidence")) == (True, 3)

    alone = first.ask("POST", f"{one}/approval", WHY)
    approved = second.ask("POST", f"{one}/approval", WHY).json()
    back_alone = second.ask("POST", f"{one}/withdrawal", WHY | {"reason": "wrong_venue"}).json()
    back_again = second.ask("POST", f"{one}/withdrawal", WHY | {"reason": "wrong_venue"}).json()
    back = first.ask("POST", f"{one}/withdrawal", WHY | {"reason": "wrong_venue"}).json()

    assert alone.status_code == 422
    assert (approved["confirmation"]["state"], approved["confirmation"]["people"]) == ("done", len(people))
    assert back_alone["needs_second_person"]
    assert back_alone == back_again
    assert (back["confirmation"]["state"], back["confirmation"]["withdrawn_by"]) == ("withdrawn", "wang.wei")
    listed = first.ask("POST", f"{PATH}/confirmations/list", WHY).json()
    assert [each["confirmation"]["state"] for each in listed] == ["withdrawn"]
    with control.database.read(Purpose.OPERATOR) as read:
        told = read.rows(
            "select actor, detail->>'outcome', detail->>'name', detail->>'approved_by' from audit_trail"
            " where action = 'contacts.withdraw' order by trail_id"
        )
    assert told == [
        ("wang.wei", "asked_back", None, None),
        ("wang.wei", "asked_back", None, None),
        ("li.na", "withdrawn", "wang.wei", "li.na"),
    ]
    assert second.ask("POST", f"{PATH}/confirmations/99/approval", WHY).status_code == 404
