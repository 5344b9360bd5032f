"""Incidents over the API: by role, place and purpose, in the trail, from a case to the page and back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support import tracing
from tests.support.control import Browser, Control
from tests.support.tracing import COUNTY, NOON
from tianfu.access import budget
from tianfu.access.roles import Role
from tianfu.access.store import count_read
from tianfu.clock import shanghai_day
from tianfu.ids import PersonRef, format_person_ref
from tianfu.platform.database import Purpose
from tianfu.platform.observe import Log
from tianfu.services.tracer import Tracer

INCIDENTS = "/api/v1/console/incidents"
INVESTIGATION = {"purpose": "investigation"}


class Scene:
    """Three people who ate together, one by one, and an epidemiologist of their county."""

    def __init__(self, control: Control) -> None:
        control.clock.advance(NOON - control.clock.now())
        self.control = control
        self.here = tracing.people(control.database, 3, resident_in=COUNTY)
        (self.elsewhere,) = tracing.people(control.database, 1, resident_in="510104")
        canteen, hall, shop = tracing.venues(control.database, ["catering", "catering", "retail"])
        hour = timedelta(hours=1)
        tracing.fill(
            control.settings.var / "lake",
            [
                (self.here[0], canteen, NOON - 60 * hour),
                (self.here[1], canteen, NOON - 59 * hour),
                (self.here[0], shop, NOON - 30 * hour),
                (self.elsewhere, shop, NOON - 30 * hour),
                (self.here[1], hall, NOON - 20 * hour),
                (self.here[2], hall, NOON - 20 * hour),
            ],
        )
        self.tracer = Tracer(control.settings, control.database, Log("tracer"), clock=control.clock)
        self.reader = self.signed_in("reader", COUNTY)

    def signed_in(self, name: str, district: str, role: Role = Role.EPIDEMIOLOGIST) -> Browser:
        self.control.account(name, (role, district))
        browser = self.control.browser()
        assert browser.sign_in(name).status_code == 201
        return browser

    def ask(self, path: str, status: int = 200, *, by: Browser | None = None, **fields: object) -> Any:  # noqa: ANN401 - JSON
        answer = (by or self.reader).ask("POST", f"{INCIDENTS}{path}", INVESTIGATION | fields)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def opened(self) -> str:
        """An incident with the first of them as its case, traced."""
        number: str = self.ask("", 201, place=COUNTY)["number"]
        since = (NOON - timedelta(days=3)).isoformat()
        self.ask(f"/{number}/cases", 201, person=reference(self.here[0]), infectious_from=since)
        self.settle()
        return number

    def settle(self) -> None:
        while self.tracer.turn():
            pass

    def actions(self) -> list[tuple[str, int | None]]:
        with self.control.database.read(Purpose.OPERATOR) as read:
            return read.rows("select action, person_ref from audit_trail order by trail_id")


def reference(person: int) -> str:
    return format_person_ref(PersonRef(person))


@pytest.fixture
def scene(control: Control) -> Scene:
    return Scene(control)


def test_from_a_case_to_the_page_why_and_out_again(scene: Scene) -> None:
    number = scene.opened()
    case, eater, player = map(reference, scene.here)

    first = scene.ask(f"/{number}/people", limit=2)
    second = scene.ask(f"/{number}/people", limit=2, after=first["next"])
    counts = scene.ask(f"/{number}/counts")
    why = scene.ask(f"/{number}/why", person=player)
    through = scene.ask(f"/{number}/through", person=eater)
    close = scene.ask(f"/{number}/people", tier="close", hop=1, place=COUNTY, state="proposed")

    assert number == f"2022-{COUNTY}-001"
    assert [row["person"] for row in first["rows"] + second["rows"]] == [eater, reference(scene.elsewhere), player]
    assert second["next"] is None
    assert [row["person"] for row in close["rows"]] == [eater]
    assert counts["by_hop"] == {"1": 2, "2": 1}
    assert counts["by_place"] == {COUNTY: 2, "510104": 1}
    assert sum(counts["by_day"].values()) == counts["people"] == 3
    assert [(step["source"], step["person"]) for step in why["chain"]] == [(case, eater), (eater, player)]
    meeting = why["chain"][0]["meetings"][0]
    assert (meeting["name"], meeting["setting"]) == ("catering 1", "meal")
    assert meeting["exposed_at"] == meeting["person_at"] == "2022-07-12T17:00:00Z"
    assert [row["person"] for row in through["rows"]] == [player]
    assert ("incident_why", scene.here[2]) in scene.actions()

    scene.ask(f"/{number}/cases/withdrawal", 204, person=case)
    scene.settle()
    assert scene.ask(f"/{number}/people")["rows"] == []
    assert [entry["withdrawn_by"] for entry in scene.ask(f"/{number}/cases/list")] == ["reader"]
    scene.ask(f"/{number}/closing", 204)
    assert (
        scene.ask(f"/{number}/cases", 409, person=case, infectious_from=NOON.isoformat())["code"] == "incident_closed"
    )
    assert scene.ask("/list") == []
    assert [found["number"] for found in scene.ask("/list", with_closed=True)] == [number]
    scene.ask(f"/{number}/reopening", 204)
    scene.ask(f"/{number}/reopening", 204)
    assert [found["number"] for found in scene.ask("/list")] == [number]
    scene.ask(f"/{number}/cases", 201, person=case, infectious_from=NOON.isoformat())


def test_a_run_that_is_asked_for_is_followed_by_its_number(scene: Scene) -> None:
    number = scene.opened()

    run = scene.ask(f"/{number}/runs", 202, hops=1, everything=True)["run"]
    waiting = scene.ask(f"/{number}/runs/{run}")
    scene.settle()
    done = scene.ask(f"/{number}/runs/{run}")

    assert waiting == {"state": "waiting", "error": None, "report": None}
    assert done["state"] == "done"
    assert (done["report"]["hops"], done["report"]["listed"]) == (1, 2)
    assert scene.ask(f"/{number}")["hops"] == 1
    assert scene.ask(f"/{number}/runs/{run + 1}", 404)["code"] == "run_not_found"
    assert scene.ask(f"/{number}/runs", 404, rules="no-such-rules")["code"] == "tracing_rules_not_found"


def test_isolation_that_is_stated_ends_what_a_case_reaches(scene: Scene) -> None:
    number = scene.opened()
    isolated = (NOON - timedelta(hours=40)).isoformat()

    scene.ask(f"/{number}/cases/period", person=reference(scene.here[0]), infectious_to=isolated)
    scene.settle()

    rows = scene.ask(f"/{number}/people")["rows"]
    assert [row["person"] for row in rows] == [reference(scene.here[1]), reference(scene.here[2])]


def test_somebody_elsewhere_sees_their_own_people_and_nothing_else(scene: Scene) -> None:
    number = scene.opened()
    neighbour = scene.signed_in("neighbour", "510104")

    rows = scene.ask(f"/{number}/people", by=neighbour)["rows"]
    counts = scene.ask(f"/{number}/counts", by=neighbour)

    assert [row["person"] for row in rows] == [reference(scene.elsewhere)]
    assert counts["people"] == 1
    for path in ("cases/list", "announcements", "closing", "reopening"):
        scene.ask(f"/{number}/{path}", 403, by=neighbour)
    for path in ("why", "through", "cases/withdrawal"):
        scene.ask(f"/{number}/{path}", 403, by=neighbour, person=reference(scene.here[1]))
    assert scene.ask("/list", by=neighbour) == []
    scene.ask("", 403, by=neighbour, place=COUNTY)


@pytest.mark.parametrize(
    ("role", "purpose"),
    [
        (Role.EPIDEMIOLOGIST, "appeal"),
        (Role.DESK, "investigation"),
        (Role.FIELD_WORKER, "follow_up"),
        (Role.ADMINISTRATOR, "investigation"),
    ],
)
def test_other_roles_and_purposes_see_nothing_and_the_try_is_recorded(scene: Scene, role: Role, purpose: str) -> None:
    number = scene.opened()
    other = scene.signed_in("other", "", role)

    scene.ask(f"/{number}/people", 403, by=other, purpose=purpose)

    assert scene.actions()[-1][0] == "incident_refused"
    scene.ask(f"/{number}/runs", 403, by=other, purpose=purpose)
    scene.ask("", 403, by=other, purpose=purpose, place=COUNTY)


def test_readings_are_counted_and_bounded(scene: Scene) -> None:
    number = scene.opened()
    with scene.control.database.write(Purpose.OPERATOR) as write:
        for _ in range(budget.READS_PER_DAY_MAX):
            count_read(write, scene.control.account_number("reader"), shanghai_day(NOON))

    assert scene.ask(f"/{number}/people", 429)["code"] == "read_budget_spent"


def test_what_is_not_right_in_a_form_is_named(scene: Scene) -> None:
    number = scene.opened()

    def fault(path: str, **fields: str | int) -> str:
        name: str = scene.ask(path, 422, by=None, **fields)["faults"][0]["field"]
        return name

    assert fault(f"/{number}/people", after="!") == "after"
    # An empty page would read as if there were nobody.
    assert fault(f"/{number}/people", tier="closed") == "tier"
    assert fault(f"/{number}/people", state="new") == "state"
    assert fault(f"/{number}/people", hop=0) == "hop"
    assert fault(f"/{number}/runs", as_of="9999-12-31T23:59:59Z") == "as_of"
    assert fault("/list", before=10**30) == "before"
    assert scene.ask(f"/{number}%00/people", 404)["code"] == "incident_not_found"
    assert fault(f"/{number}/people", purpose="curiosity") == "purpose"
    assert fault(f"/{number}/runs", hops=17) == "hops"
    assert fault(f"/{number}/cases", person=reference(scene.here[1])) == "infectious_from"
    assert scene.ask("/2022-510112-999/people", 404)["code"] == "incident_not_found"
    assert scene.ask(f"/{number}/why", 404, person=reference(scene.here[0]))["code"] == "not_listed"
