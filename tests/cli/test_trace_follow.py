"""`tianfu trace follow`, `handover`, `notify`, `indicators`: from a confirmed contact to the morning's numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.clock import within_a_day
from tests.support.control import PASSWORD
from tests.support.evidence import people
from tests.support.followed import COUNTY, NEIGHBOUR, NUMBER, open_incident, put_on_list
from tianfu.access import accounts
from tianfu.access.roles import Role
from tianfu.audit import trail
from tianfu.cli.main import application
from tianfu.clock import SystemClock, shanghai_day
from tianfu.ids import PersonRef, format_person_ref
from tianfu.platform.database import Database, Purpose

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    runner = CliRunner(env={"TIANFU_DATABASE_URL": database_url, "TIANFU_VAR": str(tmp_path), "LANG": "en_US.UTF-8"})

    def invoke(*words: str) -> Result:
        return runner.invoke(application, ["trace", *words])

    return invoke


@pytest.fixture
def contacts(database: Database) -> list[PersonRef]:
    """The case and two confirmed contacts of yesterday, and a field worker."""
    at = within_a_day()
    case, *persons = people(database, 3)
    incident = open_incident(database, [case], at=at)
    put_on_list(database, incident, persons, case=case, exposed_at=at)
    with database.write(Purpose.OPERATOR) as write:
        accounts.create(write, username="worker", display_name="worker", password=PASSWORD, at=at)
        accounts.grant(write, username="worker", role=Role.FIELD_WORKER, district=COUNTY)
    return [case, *persons]


@pytest.mark.usefixtures("contacts")
def test_from_the_list_to_done_and_overdue(run: Run, database: Database) -> None:
    planned = run("follow", NUMBER, "plan").output
    assigned = run("follow", NUMBER, "assign", "--place", COUNTY).output
    listed = run("follow", NUMBER, "tasks", "--place", COUNTY, "--kind", "visit", "--limit", "3").output.splitlines()
    number = listed[0].split()[0]
    done = run("follow", NUMBER, "done", number, "--outcome", "well").output
    lost = run("follow", NUMBER, "lost", listed[1].split()[0], "--reason", "not_reached").output
    overdue = run("follow", NUMBER, "overdue").output
    again = run("follow", NUMBER, "plan").output

    assert "2 confirmed contacts: 2 begun, 0 changed" in planned
    assert assigned.startswith("2 people")
    assert "worker" in listed[0]
    assert "visit" in done
    assert "not found, not_reached" in lost
    assert overdue == "there is no such task\n"
    assert "0 begun, 0 changed" in again
    with database.read(Purpose.OPERATOR) as read:
        actions = [row.entry.action for row in trail.stored_rows(read)]
    assert {"follow_up_plan", "follow_up_assign", "follow_up_list", "follow_up_done", "follow_up_lost"} <= set(actions)


def test_hand_over_to_a_county_and_by_letter(run: Run, contacts: list[PersonRef], tmp_path: Path) -> None:
    first, second = (format_person_ref(person) for person in contacts[1:])
    run("follow", NUMBER, "plan")
    asked = run("handover", "ask", NUMBER, "--from", COUNTY, "--to", NEIGHBOUR, first).output
    number = re.match(r"hand-over ([0-9]+): 1 person", asked)
    letter = run("handover", "ask", NUMBER, "--from", COUNTY, "--to", "500103", second).output
    assert number is not None
    accepted = run("handover", "accept", number[1]).output
    listed = run("handover", "list").output
    refused = run("handover", "refuse", str(int(number[1]) + 1), "--reason", "unknown_there").output

    assert "0 open, 1 accepted" in accepted
    assert f"{COUNTY} -> 500103" in listed
    assert f"{COUNTY} -> {NEIGHBOUR}" not in listed
    (file,) = (tmp_path / "letters").iterdir()
    assert file.name in letter
    assert second in file.read_text(encoding="utf-8-sig")
    assert "0 open, 0 accepted, 1 refused" in refused
    assert run("handover", "overdue").output == "there is no such hand-over\n"
    assert run("handover", "remind").output == "there is no such hand-over\n"


def test_messages_are_printed_queued_and_written_to_the_outbox(run: Run, contacts: list[PersonRef]) -> None:
    person = format_person_ref(contacts[1])
    run("follow", NUMBER, "plan")

    text = run("notify", "text", NUMBER, person, "--language", "en").output
    queued = [run("notify", "queue", NUMBER).output for _ in range(2)]
    sent = run("notify", "send").output
    status = run("notify", "status", NUMBER).output

    assert text.startswith("[Contact tracing] You have been named a close contact")
    assert queued == ["2 messages in line\n", "0 messages in line\n"]
    # Nobody of them holds a code, so nobody's phone is known.
    assert "2 without a phone" in sent
    assert f"to be called on: {person}" in status
    assert run("notify", "place", NUMBER).output == "there is no place to announce\n"


def test_the_numbers_of_a_day_and_the_list_behind_one(run: Run, contacts: list[PersonRef]) -> None:
    case = format_person_ref(contacts[0])
    day = shanghai_day(SystemClock().now()).isoformat()
    run("follow", NUMBER, "plan")
    told = run("follow", NUMBER, "interviewed", case)
    shown = run("indicators", "--day", day)
    listed = run("indicators", "--day", day, "--list", "new_cases").output
    counties = run("indicators", "--day", day, "--counties", "seen").output

    assert told.exit_code == 0
    assert shown.exit_code == 0
    assert "no data" in shown.output
    assert ">= 100%" in shown.output
    assert case in listed
    assert COUNTY in counties
    assert run("indicators", "--day", "2999-01-01").exit_code != 0
    assert run("indicators", "--day", "0001-01-01").exit_code != 0


@pytest.mark.usefixtures("contacts")
def test_the_numbers_of_a_day_stand_in_columns_and_in_one_language(run: Run) -> None:
    head, *lines = run("indicators", "--language", "en").output.splitlines()[1:]
    assert {line.index("no data") for line in lines if line.startswith("  ") and "(" in line} == {head.index("day")}

    chinese = run("indicators", "--language", "zh").output
    assert "无数据" in chinese
    assert not {"no data", "outbreak", "funnel", "everywhere"} & {line.strip() for line in chinese.splitlines()}
    assert "no data" not in chinese


@pytest.mark.parametrize("words", [["follow", "2022-510112-999", "plan"], ["handover", "accept", "99"]])
@pytest.mark.usefixtures("contacts")
def test_what_is_not_there_is_said(run: Run, words: list[str]) -> None:
    assert run(*words).exit_code != 0
