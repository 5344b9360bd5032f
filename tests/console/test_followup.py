"""Follow-up through the API: who sees and does which tasks, whose name is opened, hand-overs, messages, numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import NOON
from tests.support.control import Browser, Control
from tests.support.database import TestServer
from tests.support.evidence import people
from tests.support.followed import COUNTY, NEIGHBOUR, NUMBER, open_incident, put_on_list
from tianfu.access.roles import Role
from tianfu.audit import trail
from tianfu.ids import PersonRef, format_person_ref, parse_person_ref
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose

API = "/api/v1/console"
INCIDENT = f"{API}/incidents/{NUMBER}"


class Field:
    """An incident with contacts of two counties, one of whom holds a code, and people who work on it."""

    def __init__(self, control: Control) -> None:
        self.control = control
        assert control.browser().claim().status_code == 201
        with control.database.read(Purpose.OPERATOR) as read:
            self.holder = PersonRef(read.value("select person_ref from resident"))
        case, *self.others = people(control.database, 10)
        incident = open_incident(control.database, [case])
        put_on_list(control.database, incident, [self.holder, *self.others[:5]], case=case)
        put_on_list(control.database, incident, self.others[5:], case=case, place=NEIGHBOUR)
        self.case = case
        self.browsers: dict[str, Browser] = {}
        for name, role, district in (
            ("chief", Role.EPIDEMIOLOGIST, ""),
            ("epi", Role.EPIDEMIOLOGIST, COUNTY),
            ("epi.next", Role.EPIDEMIOLOGIST, NEIGHBOUR),
            ("worker", Role.FIELD_WORKER, COUNTY),
            ("worker2", Role.FIELD_WORKER, COUNTY),
            ("worker.next", Role.FIELD_WORKER, NEIGHBOUR),
            ("desk", Role.DESK, ""),
        ):
            control.account(name, (role, district))
            self.browsers[name] = control.browser()
            assert self.browsers[name].sign_in(name).status_code == 201

    def post(self, who: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - httpx's answer
        # What each of them says who does their own work.
        purpose = "follow_up" if who.startswith("worker") else "investigation"
        return self.browsers[who].ask("POST", path, {"purpose": purpose} | (body or {}))

    def tasks(self, who: str, **query: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
        answer = self.post(who, f"{INCIDENT}/tasks", query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["tasks"]
        return found

    def trail(self) -> list[trail.Entry]:
        with self.control.database.read(Purpose.OPERATOR) as read:
            return [row.entry for row in trail.stored_rows(read)]


@pytest.fixture(scope="module")
def field(postgres_server: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    name = postgres_server.create()
    folder: Path = tmp_path_factory.mktemp("control")
    with (
        Database.open(postgres_server.url_of(name), settings.load({}).database) as database,
        Control(database, folder).served() as control,
    ):
        made = Field(control)
        assert made.post("epi", f"{INCIDENT}/follow-up/plan").json()["begun"] == 10
        assigned = made.post("epi", f"{INCIDENT}/assignments", {"place": COUNTY}).json()
        assert assigned["shares"] == {"worker": 3, "worker2": 3}
        yield made
    postgres_server.drop(name)


def test_planning_again_through_the_api_changes_nothing(field: Field) -> None:
    again = field.post("epi", f"{INCIDENT}/follow-up/plan").json()

    assert (again["people"], again["begun"], again["inserted"], again["cancelled"]) == (10, 0, 0, 0)


@pytest.mark.parametrize(
    ("who", "path", "body"),
    [
        ("worker", "follow-up/plan", {}),
        ("epi.next", "follow-up/plan", {}),
        ("desk", "follow-up/plan", {}),
        ("worker", "assignments", {"place": COUNTY}),
        ("epi.next", "assignments", {"place": COUNTY}),
        ("worker", "tasks", {}),
        ("worker", "tasks", {"place": NEIGHBOUR}),
        ("worker", "tasks", {"place": "5101"}),
        ("desk", "tasks", {"place": COUNTY}),
        ("epi.next", "tasks", {"place": COUNTY}),
        ("worker", "handovers", {"from_place": COUNTY, "to_place": NEIGHBOUR, "people": ["P-000000012-62"]}),
        ("worker", "notices", {}),
        ("epi.next", "notices", {}),
    ],
)
def test_what_is_not_in_ones_county_or_role_is_refused(field: Field, who: str, path: str, body: dict[str, Any]) -> None:
    assert field.post(who, f"{INCIDENT}/{path}", body).status_code == 403


def test_a_field_worker_sees_the_tasks_of_the_county_by_reference_and_page(field: Field) -> None:
    first = field.post("worker", f"{INCIDENT}/tasks", {"place": COUNTY, "limit": 7}).json()
    second = field.post("worker", f"{INCIDENT}/tasks", {"place": COUNTY, "limit": 7, "after": first["next"]}).json()
    everything = field.tasks("chief", place=COUNTY, limit=500)

    both = [task["task_ref"] for task in (*first["tasks"], *second["tasks"])]
    assert both == [task["task_ref"] for task in everything][:14]
    assert {task["place"] for task in everything} == {COUNTY}
    assert "name" not in str(first)
    assert {task["assignee"] for task in field.tasks("worker", place=COUNTY, mine=True)} == {"worker"}
    assert field.trail()[-1].action == "follow_up_list"
    assert field.post("worker.next", f"{INCIDENT}/tasks", {"place": COUNTY}).status_code == 403
    assert (field.trail()[-1].action, field.trail()[-1].actor) == ("follow_up_list_refused", "worker.next")


def test_name_and_phone_are_opened_for_ones_own_task_only_and_each_time_in_the_trail(field: Field) -> None:
    reference = format_person_ref(field.holder)
    task = next(task for task in field.tasks("chief", place=COUNTY, kinds=["test"]) if task["person"] == reference)
    mine, other = task["assignee"], "worker2" if task["assignee"] == "worker" else "worker"
    path = f"{API}/tasks/{task['task_ref']}/person"
    before = len(field.trail())

    opened = field.post(mine, path)
    refused = [field.post(who, path).status_code for who in (other, "worker.next", "epi", "desk")]
    nobody = field.post(mine, f"{API}/tasks/999999/person").status_code

    assert opened.json() == {"name": "张小明", "phone": "+8613800000001", "district": "510107", "language": "zh"}
    assert [*refused, nobody] == [403] * 5
    seen = [entry for entry in field.trail()[before:] if entry.action.startswith("follow_up_open")]
    assert [(entry.actor, entry.action) for entry in seen if entry.person == field.holder] == [
        (mine, "follow_up_open"),
        (other, "follow_up_open_refused"),
        ("worker.next", "follow_up_open_refused"),
        ("epi", "follow_up_open_refused"),
        ("desk", "follow_up_open_refused"),
    ]
    assert "13800000001" not in str(seen)


def test_a_task_is_done_by_its_worker_once(field: Field) -> None:
    task = field.tasks("worker", place=COUNTY, mine=True, kinds=["visit"], states=["assigned"])[0]
    path = f"{API}/tasks/{task['task_ref']}/outcome"

    stranger = field.post("worker.next", path, {"outcome": "well"})
    wrong = field.post("worker", path, {"outcome": "moved"})
    done = field.post("worker", path, {"outcome": "symptomatic"})
    again = field.post("worker", path, {"outcome": "symptomatic"})
    other = field.post("worker", path, {"lost": "not_reached"})
    closed = field.post("worker", f"{API}/tasks/{task['task_ref']}/person")

    assert stranger.status_code == 403
    assert [fault["field"] for fault in wrong.json()["faults"]] == ["outcome"]
    assert (done.json()["state"], done.json()["outcome"]) == ("done", "symptomatic")
    assert again.status_code == 200
    assert (other.status_code, other.json()["code"]) == (409, "task_closed")
    assert closed.status_code == 403


def test_a_person_who_is_not_found_is_lost_with_a_reason(field: Field) -> None:
    task = field.tasks("worker", place=COUNTY, mine=True, kinds=["visit"], states=["assigned"])[-1]

    lost = field.post("worker", f"{API}/tasks/{task['task_ref']}/outcome", {"lost": "wrong_phone"}).json()

    assert (lost["state"], lost["reason"]) == ("lost", "wrong_phone")


def test_people_are_given_to_a_worker_or_the_team_of_their_county(field: Field) -> None:
    here, elsewhere = format_person_ref(field.others[0]), format_person_ref(field.others[6])

    def give(assignee: str, person: str) -> Any:  # noqa: ANN401 - httpx's answer
        body = {"place": COUNTY, "assignee": assignee, "people": [person]}
        return field.post("epi", f"{INCIDENT}/assignments", body)

    assert give(f"team:{COUNTY}", here).json()["people"] == 1
    assert {task["assignee"] for task in field.tasks("epi", place=COUNTY) if task["person"] == here} == {
        f"team:{COUNTY}"
    }
    assert give("worker.next", here).status_code == 422
    assert give("worker", elsewhere).status_code == 422


def test_a_county_takes_people_over_and_another_province_gets_a_letter(field: Field) -> None:
    person, far = format_person_ref(field.others[1]), format_person_ref(field.others[2])
    body = {"from_place": COUNTY, "to_place": NEIGHBOUR, "people": [person]}
    asked = field.post("epi", f"{INCIDENT}/handovers", body).json()
    path = f"{API}/handovers/{asked['handover_ref']}/answer"

    own = field.post("epi", path, {"accept": True})
    taken = field.post("epi.next", path, {"accept": True})
    letter = field.post("epi", f"{INCIDENT}/handovers", body | {"to_place": "500103", "people": [far]}).json()
    sheet = field.post("epi", f"{API}/handovers/{letter['handover_ref']}/letter")
    listed = field.post("epi", f"{API}/handovers", {"place": COUNTY}).json()["handovers"]
    closed = field.post("epi", f"{API}/handovers/{letter['handover_ref']}/answer", {"accept": True})

    assert own.status_code == 403
    assert (asked["asked"], taken.json()["accepted"]) == (1, 1)
    tasks = field.tasks("chief", states=["planned", "assigned"], limit=500)
    assert {task["place"] for task in tasks if task["person"] == person} == {NEIGHBOUR}
    assert far in sheet.text
    assert sheet.headers["content-type"].startswith("text/csv")
    assert [one["handover_ref"] for one in listed] == [letter["handover_ref"]]
    assert closed.json()["accepted"] == 1
    assert field.post("epi", f"{API}/handovers/{asked['handover_ref']}/letter").status_code == 404


def test_messages_are_put_in_line_and_shown(field: Field) -> None:
    first = field.post("epi", f"{INCIDENT}/notices", {}).json()
    again = field.post("epi", f"{INCIDENT}/notices", {}).json()
    body = {"person": format_person_ref(field.holder), "language": "en", "form": "long", "audience": "child"}
    shown = field.post("epi", f"{INCIDENT}/notices/text", body).json()["text"]

    assert first == again
    assert first["states"]["queued"] >= 8
    assert "The child in your care has been named a close contact" in shown


def test_numbers_and_the_people_behind_them_are_for_epidemiologists(field: Field) -> None:
    path, asked = f"{API}/indicators", {"day": "2022-03-01"}
    board = field.post("chief", path, asked).json()
    county = field.post("epi", path, asked | {"place": COUNTY}).json()
    counties = field.post("chief", f"{path}/seen/counties", asked).json()
    listed = field.post("chief", f"{path}/new_cases/subjects", asked).json()

    lines = {line["name"]: line for line in board["lines"]}
    assert lines["new_cases"]["day"]["hits"] == 1
    assert lines["new_cases"]["week"]["hits"] == 1
    assert {line["name"]: line for line in county["lines"]}["new_cases"]["day"]["hidden"]
    assert [one["place"] for one in counties] == [NEIGHBOUR, COUNTY]
    assert [parse_person_ref(one["subject"]) for one in listed["subjects"]] == [field.case]
    assert field.post("worker", path, asked).status_code == 403
    assert field.post("epi", path, asked).status_code == 403
    assert field.post("chief", path, {"day": "today"}).status_code == 422
    assert field.post("chief", f"{path}/seen/counties", asked | {"days": 8}).status_code == 422
    assert field.post("chief", f"{path}/beds/subjects", asked).status_code == 404
    core_facts = lines["core_facts"]
    assert (core_facts["hours_least"], core_facts["hours_most"]) == (4, 4)
    assert core_facts["zh"] == "阳性至核心信息 4 小时内"
    assert lines["new_cases"]["hours_least"] is None


def test_the_core_facts_of_a_case_are_written_down(field: Field) -> None:
    body = {"person": format_person_ref(field.case), "core_facts_at": NOON.isoformat()}
    later = {"core_facts_at": (NOON + timedelta(days=1)).isoformat()}

    assert field.post("epi", f"{INCIDENT}/interviews", body | later).status_code == 422
    assert field.post("worker", f"{INCIDENT}/interviews", body).status_code == 403
    assert field.post("epi", f"{INCIDENT}/interviews", body).status_code == 204
    other = body | {"person": format_person_ref(field.holder)}
    assert field.post("epi", f"{INCIDENT}/interviews", other).status_code == 404


@pytest.mark.parametrize("after", ["", "x", "1", "1.2.3", "9" * 18 + ".1", "1." + "9" * 30])
def test_a_made_up_position_is_a_fault(field: Field, after: str) -> None:
    answer = field.post("epi", f"{INCIDENT}/tasks", {"place": COUNTY, "after": after})

    assert answer.status_code == 422


def test_all_of_it_is_described(field: Field) -> None:
    paths = field.browsers["chief"].ask("GET", "/api/v1/openapi.json").json()["paths"]

    for path in (
        "incidents/{incident_no}/tasks",
        "tasks/{task_ref}/outcome",
        "handovers",
        "indicators/{measure}/subjects",
    ):
        assert paths[f"{API}/{path}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
