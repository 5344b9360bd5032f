from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tianfu.cli import synth_province
from tianfu.cli.synth import command
from tianfu.synth.province import drill
from tianfu.synth.province.outbreak import Plan


def test_a_province_is_written_and_not_over_another(tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["--people", "300", "--days", "2", "--seed", "1", "--out", str(out)]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    assert (out / "feeds" / "civil_affairs.csv").exists()
    assert not (out / "visits.csv").exists()
    again = CliRunner().invoke(command, arguments)
    assert again.exit_code == 2
    assert "not empty" in again.output


@pytest.mark.parametrize("said", [["--arrays-only"], []])
def test_beyond_a_million_people_there_are_days_of_a_lake(tmp_path: Path, said: list[str]) -> None:
    out = tmp_path / "out"
    arguments = ["--people", "3000000", "--days", "1", "--out", str(out), *said, "--scans-a-day", "10000"]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    assert len(list(out.rglob("by-venue.u64"))) == 1
    assert not (out / "people.csv").exists()


@pytest.mark.parametrize("arguments", [["--people", "10"], ["--people", "0", "--out", "x"], ["--place", "99"]])
def test_what_cannot_be_made_is_said(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    more = ["--people", "10", "--out", "y"] if arguments[0] == "--place" else ["--days", "1"]
    done = CliRunner().invoke(command, [*arguments, *more])
    assert done.exit_code == 2


@pytest.mark.parametrize("arguments", [["--people", "300", "--days", "1"], ["drill", "--seeds", "1"]])
def test_a_folder_that_cannot_be_is_said_before_any_drill(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(drill, "run", None)
    done = CliRunner().invoke(command, [*arguments, "--out", str(tmp_path / "file" / "out")])
    assert done.exit_code == 2
    assert "cannot be written" in done.output


def test_the_county_stays(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["county", "--people", "20", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "contacts.csv").exists()


def test_the_drill_writes_its_report_and_answers_with_the_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synth_province, "DRILL_PLAN", Plan(imported=8, vigour=2.5))
    arguments = ["drill", "--seeds", "1", "--people", "12000", "--out", str(tmp_path / "drill")]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "drill").iterdir()} == {"drill.txt", "drill.html", "drill.json"}
    assert "lost at the end: 0 of" in done.output


def test_the_comparison_says_where_it_differs() -> None:
    done = CliRunner().invoke(command, ["compare", "--people", "1500", "--days", "3", "--index-people", "10"])
    assert done.exit_code == 0, done.output
    assert "Foursquare" in done.output
    assert "published x1.5 to x2.5" in done.output
