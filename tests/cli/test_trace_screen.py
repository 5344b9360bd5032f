"""Screening an incident at the terminal: the funnel as a table, undone and run again, why, judged, confirmed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support import evidence as synthetic
from tests.support import incidents as traced
from tests.support.incidents import NUMBER, Reached, append, stay
from tianfu.cli.main import application
from tianfu.cli.operator import terminal_actor
from tianfu.ids import PersonRef, format_person_ref
from tianfu.platform.database import Database, Purpose
from tianfu.tracing.screening import confirm

Command = Callable[..., Result]


@pytest.fixture
def screen(database_url: str, tmp_path: Path) -> Command:
    """Runs `tianfu trace screen` for the incident of the tests."""
    runner = CliRunner(env={"TIANFU_DATABASE_URL": database_url, "TIANFU_VAR": str(tmp_path), "LANG": "en_US.UTF-8"})
    return lambda *arguments: runner.invoke(application, ("trace", "screen", NUMBER, *arguments))


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def test_the_funnel_is_a_table_that_can_be_undone_and_run_again(database: Database, screen: Command) -> None:
    near, roamer = synthetic.people(database, 2)
    traced.opened(database, [Reached(near)])
    append(database, stay(near, "1"), stay(roamer, "2"))

    begun = ok(screen("run"))
    undone = ok(screen("undo", "scans"))
    ok(screen("redo", "scans"))
    rerun = ok(
        screen("rerun", "telecom", "--set", "unknown=drop", "--set", "despite=[scan, seat]", "--set", "both=true")
    )
    shown = json.loads(ok(screen("show", "--json")))

    assert [line.split()[-1] for line in begun.splitlines() if "venue scans" in line] == ["█" * 12]
    assert "- " in begun
    assert "was not in one cell with a case" in begun
    assert [line for line in undone.splitlines() if "undone" in line and "venue scans" in line]
    assert "+          1  scanned at a venue near a case in time" in rerun
    assert shown["definition"]["step"][1]["despite"] == ["scan", "seat"]
    assert ok(screen("show")) == rerun
    done = [line.split()[4] for line in ok(screen("runs")).splitlines()]
    assert done == ["rerun", "redo", "undo", "run:"]
    assert format_person_ref(near) in ok(screen("list"))
    off = ok(screen("list", "--off", "--step", "telecom", "--reason", "not_together", "--county", "5101"))
    assert [line.split()[0] for line in off.splitlines()] == [format_person_ref(roamer)]
    assert screen("list", "--county", "5").exit_code == 1
    assert screen("rerun", "telecom", "--set", "both").exit_code == 2


def test_why_judged_confirmed_and_withdrawn(database: Database, screen: Command) -> None:
    near, other = synthetic.people(database, 2)
    traced.opened(database, [Reached(near), Reached(other)])
    ok(screen("run", "--funnel", "nobody-by-silence"))
    person = format_person_ref(near)
    assert screen("judge", person, "--reason", "camera", "--by", "li.na").exit_code == 2
    ok(screen("judge", person, "--no-contact", "--reason", "camera", "--by", "li.na"))
    ok(screen("rerun", "field"))

    why = ok(screen("why", person))
    confirmed = ok(screen("confirm", "--tier", "close", "--screened", "--by", "li.na"))
    listed = ok(screen("confirmations"))
    back = ok(screen("withdraw", "1", "--by", "wang.wei", "--reason", "wrong_venue"))

    assert "off the list: judged no contact in the field" in why
    assert "judged: no contact, camera, li.na" in why
    assert confirmed.startswith("confirmation 1: 1 people are contacts by evidence now\n")
    assert "withdraw 1 --by li.na" in confirmed
    assert listed.split() == ["1", "done", "1", "close", "by", "li.na"]
    assert back == "confirmation 1: withdrawn, 1 people\n"
    with database.read(Purpose.OPERATOR) as read:
        told = read.rows("select action, actor, person_ref from audit_trail order by trail_id")
    me = terminal_actor()
    assert told == [
        ("lake_read", me, None),
        ("screening.run", me, None),
        ("contacts.judge", me, near),
        ("screening.run", me, None),
        ("screening.read", me, near),
        ("contacts.confirm", me, None),
        ("contacts.withdraw", me, None),
    ]


def test_many_need_a_second_name_at_the_terminal_too(
    database: Database, screen: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirm, "BULK_MAX", 1)
    persons = synthetic.people(database, 2)
    traced.opened(database, [Reached(PersonRef(person)) for person in persons])

    assert screen("confirm", "--tier", "close", "--by", "li.na").exit_code == 1
    assert screen("confirm", "--tier", "close", "--by", "li.na", "--approved-by", "os:li.na").exit_code == 1
    ok(screen("confirm", "--tier", "close", "--by", "li.na", "--approved-by", "wang.wei"))
    assert "nobody new" in ok(screen("confirm", "--tier", "close", "--by", "li.na"))
    assert screen("confirm", "--tier", "close", "--by", "li.na", "--approved-by", "Li.Na").exit_code == 1
