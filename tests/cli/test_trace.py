"""Tracing at the terminal, from opening an incident to why somebody is listed; each look is in the trail."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support import tracing
from tianfu.cli.main import application
from tianfu.errors import InputInvalidError
from tianfu.ids import PersonRefInvalidError, format_person_ref
from tianfu.platform.database import Database, Purpose
from tianfu.tracing.exports.sheets import ExportUnwritableError
from tianfu.tracing.incidents import IncidentNotFoundError
from tianfu.tracing.rule_files import TracingRulesNotFoundError


class Terminal:
    """Runs `tianfu trace` on the test's database and data folder."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self._runner = CliRunner(
            env={"TIANFU_DATABASE_URL": database_url, "TIANFU_VAR": str(folder), "LANG": "en_US.UTF-8"}
        )

    def __call__(self, *words: str) -> str:
        result = self._runner.invoke(application, ["trace", *words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output


@pytest.fixture
def trace(database_url: str, tmp_path: Path) -> Terminal:
    return Terminal(database_url, tmp_path)


def test_from_opening_an_incident_to_why_somebody_is_listed(
    trace: Terminal, database: Database, tmp_path: Path
) -> None:
    case, contact, bystander = tracing.people(database, 3, resident_in="510112")
    canteen, shop = tracing.venues(database, ["catering", "retail"])
    noon = datetime(2022, 7, 14, 4, tzinfo=UTC)
    tracing.fill(
        tmp_path / "lake",
        [(person, canteen, noon) for person in (case, contact)]
        + [(person, shop, noon) for person in (case, bystander)],
    )
    refer = format_person_ref

    number = trace("open", "510112", "--rules", "ninth-protocol").strip()
    trace("cases", number, "add", refer(case), "--from", "2022-07-13T00:00:00+08:00")
    ran = trace(number, "--as-of", "2022-07-15T00:00:00+08:00")

    assert re.fullmatch(r"\d{4}-510112-001", number)
    assert "2 people listed" in ran
    assert "by tier: close 1, general 1" in ran
    assert "too large" not in ran
    with database.write(Purpose.OPERATOR) as write:
        write.execute(
            "insert into trace_withheld (incident_ref, case_ref, place, kind, begins_at, people)"
            " select incident_ref, %s, gen_random_uuid(), 'school', %s, 640 from incident",
            (case, noon),
        )
    again = trace(number, "--as-of", "2022-07-15T00:00:00+08:00")
    assert "too large to name anybody: school 1 with 640 people" in again
    assert trace("list", number, "--tier", "close").count("P-") == 2
    assert "general" in trace("list", number, "--county", "510112", "--limit", "2")
    told = trace("why", number, refer(contact))
    assert "catering 1" in told
    assert "2022-07-14 12:00" in told
    assert "traced" in trace("incidents")

    trace("cases", number, "isolate", refer(case), "--at", "2022-07-13T09:00:00+08:00")
    assert "waits" in trace("incidents")
    assert "0 people listed" in trace(number, "--as-of", "2022-07-15T00:00:00+08:00")
    trace("cases", number, "withdraw", refer(case))
    assert "withdrawn" in trace("cases", number, "list")
    trace("close", number)
    assert "no open incident" in trace("incidents")
    assert "closed" in trace("incidents", "--all")
    assert trace("reopen", number) == f"{number} is open\n"
    assert "waits" in trace("incidents")

    with database.read(Purpose.OPERATOR) as read:
        looks = read.rows("select actor, action, person_ref from audit_trail order by trail_id")
    assert all(actor.startswith("os:") for actor, _, _ in looks)
    assert ("incident_why", contact) in [look[1:] for look in looks]
    assert "lake_read" in {look[1] for look in looks}


def test_what_cannot_be_done_is_said(trace: Terminal, database: Database) -> None:
    (somebody,) = tracing.people(database, 1)
    number = trace("open", "510112").strip()

    with pytest.raises(PersonRefInvalidError):
        trace("cases", number, "add", "P-000000001-00")
    with pytest.raises(InputInvalidError):
        trace("cases", number, "add", format_person_ref(somebody))
    with pytest.raises(TracingRulesNotFoundError):
        trace(number, "--rules", "nobodys-rules")
    with pytest.raises(IncidentNotFoundError):
        trace("2022-510112-999")


def test_a_report_that_cannot_be_written_is_said(
    trace: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dist-report").mkdir()
    (tmp_path / "dist-report" / "report.js").write_text("draw()")
    monkeypatch.setenv("TIANFU_WEB", str(tmp_path / "dist"))
    number = trace("open", "510112").strip()

    for folder in (tmp_path / "nowhere", tmp_path / "dist-report" / "report.js"):
        with pytest.raises(ExportUnwritableError):
            trace("report", number, "--out", str(folder / "report.html"))
    trace("report", number, "--out", str(tmp_path / "report.html"))
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["report.html"]


@pytest.mark.parametrize("code", ["5101", "999999", "510100"])
def test_what_is_no_county_gets_no_incident(code: str) -> None:
    answer = CliRunner().invoke(application, ["trace", "open", code])

    assert answer.exit_code == 2
    assert "510112 is one" in answer.output
