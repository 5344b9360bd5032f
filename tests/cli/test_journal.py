from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tianfu.cli import journal
from tianfu.platform.journalfile import JournalFile
from tianfu.scans import event
from tianfu.scans.event import FLAG_REUSED_CODE, KIND_GUARD, KIND_POSTER, ScanEvent

AT_MS = 1_646_107_200_000


def visit(kind: int, flags: int, number: int) -> bytes:
    at_ms = AT_MS + number * 1000
    return event.pack(ScanEvent(kind, 1, flags, 4711, 5, 0, 1, 0, at_ms, at_ms, number.to_bytes(8, "big")))


def test_a_journal_is_counted_by_kind_and_names_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIANFU_VAR", str(tmp_path))
    file = JournalFile.open(tmp_path / "journal" / "gate-00001")
    file.write([visit(KIND_POSTER, 0, 0), visit(KIND_GUARD, 0, 1)])
    file.write([visit(KIND_GUARD, FLAG_REUSED_CODE, 2)])
    file.close()

    shown = CliRunner().invoke(journal.command, ["show"])

    assert shown.exit_code == 0
    assert "records 0 to 3" in shown.output
    assert "guard        2" in shown.output
    assert "reused code  1" in shown.output
    assert "from 2022-03-01T04:00:00+00:00 to 2022-03-01T04:00:02+00:00" in shown.output
    assert "4711" not in shown.output


def test_a_gate_that_has_recorded_nothing_is_said_to_have_no_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIANFU_VAR", str(tmp_path))

    shown = CliRunner().invoke(journal.command, ["show", "--gate", "7"])

    assert shown.exit_code == 0
    assert "no journal" in shown.output


def test_a_journal_is_moved_into_the_lake_and_what_is_there_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIANFU_VAR", str(tmp_path))
    file = JournalFile.open(tmp_path / "journal" / "gate-00001")
    file.write([visit(KIND_POSTER, 0, number) for number in range(3)])
    file.close()

    shipped = CliRunner().invoke(journal.command, ["ship"])
    verified = CliRunner().invoke(journal.command, ["verify"])

    assert (shipped.exit_code, verified.exit_code) == (0, 0)
    assert "gate 1: 3 records moved, everything before 3 is in the lake" in shipped.output
    assert "gate 1: 1 segments, 3 scans, numbers 0 to 3 (the last not included); sound" in verified.output
    assert "4711" not in shipped.output + verified.output
