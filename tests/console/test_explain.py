"""Reading a person's record: by whom, where, what for, how often, and that the person sees it."""

from __future__ import annotations

import pytest

from tests.support.control import Browser, Control, publish_policy
from tests.support.status import recompute_all
from tianfu.access import budget
from tianfu.access.roles import Role
from tianfu.access.store import count_read
from tianfu.audit import verify
from tianfu.clock import shanghai_day
from tianfu.ids import PersonRef, format_person_ref
from tianfu.platform.database import Purpose

EXPLANATIONS = "/api/v1/console/explanations"
PERSON = format_person_ref(PersonRef(1))


@pytest.fixture
def resident(browser: Browser, control: Control) -> Browser:
    """A holder in county 510107, whose status has been decided."""
    publish_policy(control.database)
    assert browser.claim().status_code == 201
    recompute_all(control.database, at=control.clock.now())
    return browser


@pytest.mark.parametrize(
    ("role", "district", "purpose", "allowed"),
    [
        (Role.EPIDEMIOLOGIST, "510107", "investigation", True),
        (Role.EPIDEMIOLOGIST, "5101", "investigation", True),
        (Role.EPIDEMIOLOGIST, "", "investigation", True),
        (Role.EPIDEMIOLOGIST, "510104", "investigation", False),
        (Role.EPIDEMIOLOGIST, "510107", "appeal", False),
        (Role.DESK, "5101", "consultation", True),
        (Role.DESK, "5101", "appeal", True),
        (Role.DESK, "5101", "investigation", False),
        (Role.VENUE_MANAGER, "", "investigation", False),
        (Role.GUARD, "", "investigation", False),
        (Role.ADMINISTRATOR, "", "investigation", False),
    ],
)
def test_role_place_and_purpose_decide_who_reads(
    resident: Browser, control: Control, role: Role, district: str, purpose: str, *, allowed: bool
) -> None:
    control.account("reader", (role, district))
    reader = control.browser()
    reader.sign_in("reader")

    answer = reader.ask("POST", EXPLANATIONS, {"person": PERSON, "purpose": purpose})

    assert answer.status_code == (200 if allowed else 403)
    reads = resident.ask("GET", "/api/v1/me/reads").json()
    assert reads[0]["purpose"] == purpose
    assert reads[0]["action"] == ("explain" if allowed else "explain_refused")
    if allowed:
        assert answer.json()["colour"] in {"green", "yellow", "red"}
        assert reads[0]["role"] == role.value


def test_a_stranger_and_somebody_elsewhere_are_refused_alike(resident: Browser, control: Control) -> None:
    control.account("reader", (Role.DESK, "5107"))
    reader = control.browser()
    reader.sign_in("reader")

    elsewhere = reader.ask("POST", EXPLANATIONS, {"person": PERSON, "purpose": "appeal"})
    nobody = reader.ask("POST", EXPLANATIONS, {"person": format_person_ref(PersonRef(999)), "purpose": "appeal"})

    assert resident.ask("GET", "/api/v1/me").status_code == 200
    assert elsewhere.status_code == nobody.status_code == 403
    assert elsewhere.content == nobody.content


def test_a_slip_of_the_finger_opens_nobodys_record(resident: Browser, control: Control) -> None:
    control.account("reader", (Role.DESK, ""))
    reader = control.browser()
    reader.sign_in("reader")

    answer = reader.ask("POST", EXPLANATIONS, {"person": "P-000000001-00", "purpose": "appeal"})

    assert answer.json()["code"] == "person_ref_invalid"
    assert resident.ask("GET", "/api/v1/me/reads").json() == []


def test_an_unknown_purpose_is_a_fault_of_the_form(resident: Browser, control: Control) -> None:
    control.account("reader", (Role.DESK, ""))
    reader = control.browser()
    reader.sign_in("reader")

    answer = reader.ask("POST", EXPLANATIONS, {"person": PERSON, "purpose": "curiosity"})

    assert [fault["field"] for fault in answer.json()["faults"]] == ["purpose"]
    assert resident.ask("GET", "/api/v1/me/reads").json() == []


def test_the_thousand_and_first_reading_of_a_day_is_refused_and_recorded(
    resident: Browser, control: Control, capsys: pytest.CaptureFixture[str]
) -> None:
    account = control.account("reader", (Role.DESK, ""))
    reader = control.browser()
    reader.sign_in("reader")
    with control.database.write(Purpose.OPERATOR) as write:
        for _ in range(budget.READS_PER_DAY_MAX - 1):
            count_read(write, account.account_ref, shanghai_day(control.clock.now()))

    last = reader.ask("POST", EXPLANATIONS, {"person": PERSON, "purpose": "appeal"})
    over = reader.ask("POST", EXPLANATIONS, {"person": PERSON, "purpose": "appeal"})

    assert last.status_code == 200
    assert (over.status_code, over.json()["code"]) == (429, "read_budget_spent")
    assert "reading budget" in capsys.readouterr().err
    assert resident.ask("GET", "/api/v1/me/reads").json()[0]["action"] == "explain_refused"


def test_the_trail_of_all_this_is_unbroken(resident: Browser, control: Control) -> None:
    control.account("reader", (Role.DESK, ""))
    reader = control.browser()
    reader.sign_in("reader")
    reader.ask("POST", EXPLANATIONS, {"person": PERSON, "purpose": "appeal"})
    resident.ask("DELETE", "/api/v1/sessions/current")

    with control.database.read(Purpose.OPERATOR) as read:
        verdict = verify.verify(read)

    assert verdict.intact
