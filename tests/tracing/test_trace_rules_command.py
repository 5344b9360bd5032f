"""`tianfu trace rules`: what is in force, what a set says and where from, and what is wrong with a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tianfu.cli.main import application
from tianfu.tracing import rule_files


def run(*arguments: str) -> str:
    result = CliRunner().invoke(application, ["trace", "rules", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_list_marks_what_is_in_force_on_a_day() -> None:
    lines = run("list", "--on", "2022-07-01").splitlines()
    assert [line.split()[1] for line in lines if line.startswith("*")] == ["ninth-protocol"]
    assert len(lines) == len(rule_files.every())
    assert not [line for line in run("list", "--on", "2019-07-01").splitlines() if line.startswith("*")]


def test_a_set_is_shown_with_its_numbers_and_their_sources() -> None:
    told = run("show", "ninth-protocol")
    assert "infectious from 2 days before onset, or sampling  [S9, C12]" in told
    assert "flight: close, 3 rows either side  [S8" in told
    assert "train_open: close, 1 bays of 2 rows either side" in told
    assert "close: 7 days central, tests on 1, 2, 3, 5, 7; 3 days monitoring, tests on 3" in told
    assert "hop 2: secondary, until 2022-11-11" in told


def test_a_set_is_shown_for_programs_with_the_stay_that_was_asked() -> None:
    told = json.loads(run("show", "plain-scan:45", "--json"))
    assert (told["asked"], told["rules"]["dwell"][0]["stay"]) == ("plain-scan:45", 45)
    assert told["sha256"] == rule_files.find("plain-scan:45").digest.hex()


def test_a_file_is_checked_and_refused_with_every_fault(tmp_path: Path) -> None:
    good = rule_files.FOLDER / "ninth-protocol.toml"
    assert "can be used" in run("check", str(good))
    bad = tmp_path / "ninth-protocol.toml"
    bad.write_text(good.read_text().replace("days = 2\n", "days = 2.5\n").replace("move_contacts", "move_contract"))
    with pytest.raises(rule_files.TracingRulesInvalidError) as caught:
        run("check", str(bad))
    assert len(caught.value.faults) == 3
    assert {fault.field.split(" ")[0].split(":")[0] for fault in caught.value.faults} == {"ninth-protocol.toml"}
