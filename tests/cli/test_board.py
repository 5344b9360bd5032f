from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.status.test_follow import content, filled
from tianfu.cli import board


def run(monkeypatch: pytest.MonkeyPatch, var: Path, *arguments: str) -> tuple[int, str]:
    monkeypatch.setenv("TIANFU_VAR", str(var))
    done = CliRunner().invoke(board.command, list(arguments))
    return done.exit_code, done.output


def test_the_state_of_a_board_is_said_in_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "board").close()

    code, said = run(monkeypatch, tmp_path, "status")

    assert code == 0
    assert "people    3,024 at most, in 36 blocks" in said
    assert "venues    49" in said
    assert "revoked   5 sessions, 1 credentials" in said
    assert "offset    status 70, venues 9" in said


def test_without_a_board_the_exit_code_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = run(monkeypatch, tmp_path, "status")

    assert (code, said.startswith("no board in")) == (1, True)


def test_a_board_goes_through_a_file_to_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "here" / "board").close()
    file = tmp_path / "board.frames"

    assert run(monkeypatch, tmp_path / "here", "snapshot", "--out", str(file))[0] == 0
    assert run(monkeypatch, tmp_path / "there", "load", str(file))[0] == 0

    assert content(tmp_path / "there" / "board") == content(tmp_path / "here" / "board")
    assert "follows" in run(monkeypatch, tmp_path / "there", "status")[1]


def test_following_without_the_shared_secret_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIANFU_VAR", str(tmp_path))

    done = CliRunner().invoke(board.command, ["follow", "http://127.0.0.1:9"])

    assert type(done.exception).__name__ == "SharedSecretError"
