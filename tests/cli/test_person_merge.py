"""`tianfu person doubles`, `merge`, `merges`, `unmerge` on a real database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.control import LI, PASSPORT, Control
from tianfu.cli.main import application
from tianfu.ids import PersonRef, format_person_ref, parse_person_ref
from tianfu.platform.database import Database, Purpose

CARD, PASS, OTHER = (format_person_ref(PersonRef(number)) for number in (1, 2, 3))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application, arguments, catch_exceptions=False)


@pytest.fixture
def installed(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two numbers of one name and phone, and a relative with the same phone."""
    monkeypatch.setenv("TIANFU_DATABASE_URL", database_url)
    monkeypatch.setenv("TIANFU_VAR", str(tmp_path))
    with Control(database, tmp_path).served() as control:
        browser = control.browser()
        assert browser.claim().status_code == 201
        control.clock.advance(timedelta(minutes=5))
        assert browser.claim(document=PASSPORT).status_code == 201
        control.clock.advance(timedelta(minutes=5))
        assert browser.claim(document=LI, name="李四").status_code == 201


@pytest.mark.usefixtures("installed")
def test_doubles_are_found_merged_and_parted_again(database: Database) -> None:
    assert run("person", "doubles").output.splitlines() == [f"{CARD}  {PASS}", "1 pairs"]

    merged = run("person", "merge", CARD, PASS, "--reason", "double", "--by", "li.na", "--approved-by", "wang.wei")
    assert merged.output == f"merge 1: {PASS} is {CARD}\n"
    assert run("person", "doubles").output == "0 pairs\n"
    assert "since" in run("person", "merges", "--person", PASS).output
    assert run("person", "unmerge", "1", "--by", "li.na", "--approved-by", "wang.wei").exit_code == 0
    assert "undone" in run("person", "merges").output
    assert run("person", "merges", "--person", OTHER).output == "nobody has been merged\n"
    assert run("person", "doubles").output.splitlines()[-1] == "1 pairs"
    with database.read(Purpose.OPERATOR) as read:
        looks = read.rows("select person_ref from audit_trail where action = 'list_merges' order by trail_id")
    assert looks == [(parse_person_ref(PASS),), (None,), (parse_person_ref(OTHER),)]
