"""Why an operator asks stands in every request about people, and in the trail as it was said; nothing supplies it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import evidence as synthetic
from tests.support.clock import NOON
from tests.support.control import Browser, Control
from tests.support.followed import COUNTY, NUMBER, ninth, open_incident, put_on_list
from tianfu.access.roles import Role
from tianfu.audit import trail
from tianfu.platform.database import Purpose
from tianfu.tracing.followup import planning

API = "/api/v1/console"
INCIDENT = f"{API}/incidents/{NUMBER}"
# Signing in and an operator's own venues read nobody's record.
NOBODYS = ("/sessions", "/sessions/current", "/me", "/venues", "/vehicles")


def described(browser: Browser) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Address, method and description of each of the operators' routes."""
    paths = browser.ask("GET", "/api/v1/openapi.json").json()["paths"]
    for path, methods in paths.items():
        if path.startswith(API):
            yield from ((path.removeprefix(API), method, operation) for method, operation in methods.items())


def is_nobodys(path: str) -> bool:
    return path in NOBODYS or path.startswith("/venues/")


@pytest.fixture
def epidemiologist(control: Control) -> Browser:
    """Somebody of the incident's county, in which one contact is followed."""
    case, contact = synthetic.people(control.database, 2)
    incident = open_incident(control.database, [case])
    put_on_list(control.database, incident, [contact], case=case)
    planning.plan_incident(control.database, incident, ninth, at=NOON)
    for name, role in (("li.na", Role.EPIDEMIOLOGIST), ("worker", Role.FIELD_WORKER)):
        control.account(name, (role, COUNTY))
    browser = control.browser()
    browser.sign_in("li.na")
    return browser


def last(control: Control) -> tuple[str, str, str]:
    with control.database.read(Purpose.OPERATOR) as read:
        entry = list(trail.stored_rows(read))[-1].entry
    return entry.actor, entry.action, entry.purpose


def test_every_route_about_people_takes_its_purpose_in_the_body(browser: Browser) -> None:
    asked = {path: (method, operation) for path, method, operation in described(browser) if not is_nobodys(path)}

    assert len(asked) >= 45
    for path, (method, operation) in asked.items():
        assert method == "post", path
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert "purpose" in schema["required"], path
        assert all(parameter["in"] == "path" for parameter in operation.get("parameters", ())), path


def test_without_a_purpose_nothing_is_read_or_done(epidemiologist: Browser, control: Control) -> None:
    before = control.count("audit_trail")
    asked: tuple[tuple[str, dict[str, object]], ...] = (
        (f"{INCIDENT}/follow-up/plan", {}),
        (f"{INCIDENT}/tasks", {"place": COUNTY}),
        (f"{INCIDENT}/screening", {}),
        (f"{INCIDENT}/screening/current", {}),
        (f"{INCIDENT}/confirmations/1/approval", {}),
        (f"{INCIDENT}/notices/counts", {}),
        (f"{API}/tasks/1/person", {}),
        (f"{API}/handovers/1/letter", {}),
        (f"{API}/indicators", {"day": "2022-03-01"}),
    )
    for path, body in asked:
        for sent in (body, body | {"purpose": "curiosity"}):
            answer = epidemiologist.ask("POST", path, sent)
            assert (answer.status_code, [one["field"] for one in answer.json()["faults"]]) == (422, ["purpose"]), path
    assert control.count("audit_trail") == before


def test_a_purpose_that_the_role_does_not_have_is_refused(epidemiologist: Browser, control: Control) -> None:
    worker = control.browser()
    worker.sign_in("worker")
    tasks = {"place": COUNTY}

    assert epidemiologist.ask("POST", f"{INCIDENT}/tasks", tasks | {"purpose": "follow_up"}).status_code == 403
    assert last(control) == ("li.na", "follow_up_list_refused", "follow_up")
    assert worker.ask("POST", f"{INCIDENT}/tasks", tasks | {"purpose": "investigation"}).status_code == 403
    assert last(control) == ("worker", "follow_up_list_refused", "investigation")
    for path, body in (("follow-up/plan", {}), ("judgements", {"person": "P-000000012-62", "tier": None})):
        sent = {"purpose": "follow_up", "reason": "camera"} if "tier" in body else {"purpose": "follow_up"}
        assert epidemiologist.ask("POST", f"{INCIDENT}/{path}", body | sent).status_code == 403


def test_the_trail_says_the_purpose_that_was_stated(epidemiologist: Browser, control: Control) -> None:
    worker = control.browser()
    worker.sign_in("worker")

    assert epidemiologist.ask("POST", f"{INCIDENT}/tasks", {"purpose": "investigation", "place": COUNTY}).is_success
    assert last(control) == ("li.na", "follow_up_list", "investigation")
    assert worker.ask("POST", f"{INCIDENT}/tasks", {"purpose": "follow_up", "place": COUNTY}).is_success
    assert last(control) == ("worker", "follow_up_list", "follow_up")
