"""Lists as files at the operators' API: the columns of a role, the rows of its districts, names that leave a trace."""

from __future__ import annotations

import csv
import io

import httpx
import pytest

from tests.support.control import LI, OTHER_PHONE, Browser, Control
from tests.support.evidence import people
from tests.support.listed import NUMBER, case_of, incident, listed
from tianfu.access.roles import Role
from tianfu.ids import PersonRef, format_person_ref

EXPORTS = f"/api/v1/console/incidents/{NUMBER}/exports"
FORM = {"purpose": "investigation", "format": "csv", "language": "en"}


@pytest.fixture
def resident(browser: Browser, control: Control) -> Browser:
    """Person 1 lives in the incident's county, 2 elsewhere; 3 is the case, 4 has not claimed."""
    assert browser.claim().status_code == 201
    other = control.browser().claim(document=LI, phone=OTHER_PHONE, name="李四", district="510104")
    assert other.status_code == 201
    case, unclaimed = people(control.database, 2)
    reference = incident(control.database)
    case_of(control.database, reference, case)
    listed(control.database, reference, PersonRef(1), case)
    listed(control.database, reference, PersonRef(2), case, place="510104", tier="secondary", hop=2)
    listed(control.database, reference, unclaimed, case, place=None)
    return browser


def reader(control: Control, role: Role, district: str) -> Browser:
    control.account("reader", (role, district))
    browser = control.browser()
    browser.sign_in("reader")
    return browser


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def references(answer: httpx.Response) -> list[str]:
    return [row["reference"] for row in rows(answer)]


def test_who_works_where_the_incident_is_has_every_row_without_names(resident: Browser, control: Control) -> None:
    answer = reader(control, Role.EPIDEMIOLOGIST, "510107").ask("POST", EXPORTS, FORM)

    found = rows(answer)
    assert [row["reference"] for row in found] == [format_person_ref(PersonRef(number)) for number in (1, 4, 2)]
    assert "name" not in found[0]
    assert (found[0]["tier"], found[0]["first exposed (Beijing time)"]) == ("close contact", "2022-02-28 12:00")
    assert resident.ask("GET", "/api/v1/me/reads").json() == []


def test_names_are_of_ones_own_districts_and_everybody_named_sees_it(resident: Browser, control: Control) -> None:
    answer = reader(control, Role.EPIDEMIOLOGIST, "510107").ask("POST", EXPORTS, FORM | {"identities": True})

    assert [row["name"] for row in rows(answer)] == ["张小明", "", ""]
    assert [read["action"] for read in resident.ask("GET", "/api/v1/me/reads").json()] == ["export_person"]


def test_another_countys_office_has_its_own_people_only(resident: Browser, control: Control) -> None:
    del resident
    answer = reader(control, Role.EPIDEMIOLOGIST, "510104").ask("POST", EXPORTS, FORM)

    assert references(answer) == [format_person_ref(PersonRef(2))]


def test_a_field_worker_gets_whom_to_visit_and_no_chain(resident: Browser, control: Control) -> None:
    del resident
    worker = reader(control, Role.FIELD_WORKER, "510107")

    (row,) = rows(worker.ask("POST", EXPORTS, FORM | {"purpose": "follow_up", "identities": True}))
    assert (row["name"], "through" in row, "venue" in row) == ("张小明", False, False)
    assert worker.ask("POST", EXPORTS, FORM | {"purpose": "follow_up", "kind": "line-list"}).status_code == 403
    assert worker.ask("POST", EXPORTS, FORM).status_code == 403


def test_the_line_list_has_the_cases_and_what_came_of_each(resident: Browser, control: Control) -> None:
    del resident
    (row,) = rows(reader(control, Role.EPIDEMIOLOGIST, "").ask("POST", EXPORTS, FORM | {"kind": "line-list"}))

    assert row["reference"] == format_person_ref(PersonRef(3))
    assert row["people traced from this case"] == "3"
    assert row["infectious from (Beijing time)"] == "2022-02-27 12:00"


def test_nobody_else_has_any_list(resident: Browser, control: Control) -> None:
    del resident
    for number, role in enumerate((Role.DESK, Role.ADMINISTRATOR, Role.AUDITOR, Role.GUARD, Role.VENUE_MANAGER)):
        control.account(f"other-{number}", (role, ""))
        browser = control.browser()
        browser.sign_in(f"other-{number}")
        assert browser.ask("POST", EXPORTS, FORM).status_code == 403


def test_a_word_that_is_none_is_named(resident: Browser, control: Control) -> None:
    del resident
    browser = reader(control, Role.EPIDEMIOLOGIST, "")
    for field in ("purpose", "kind", "format", "language"):
        answer = browser.ask("POST", EXPORTS, FORM | {field: "odd"})
        assert answer.status_code == 422
        assert answer.json()["faults"][0]["field"] == field


def test_an_excel_file_is_one(resident: Browser, control: Control) -> None:
    del resident
    answer = reader(control, Role.EPIDEMIOLOGIST, "").ask("POST", EXPORTS, FORM | {"format": "xlsx"})

    assert (answer.status_code, answer.content[:2]) == (200, b"PK")
