from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from tianfu.cli import up


def test_a_data_folder_that_cannot_be_made_is_one_sentence_and_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("not a folder")

    result = CliRunner(env={"TIANFU_VAR": str(tmp_path / "var"), "LANG": "en_US.UTF-8"}).invoke(up.command)

    assert result.exit_code == up.EXIT_NOT_STARTED
    assert result.output.startswith(f"tianfu: The data folder {tmp_path / 'var'} cannot be written")
    assert result.output.count("\n") == 1
