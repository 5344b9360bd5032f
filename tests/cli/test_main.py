from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tianfu.cli.main import COMMANDS, application, describe, terminal_language
from tianfu.errors import Fault, InputInvalidError


def test_help_names_every_command_and_imports_none() -> None:
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom tianfu.cli.main import application\n"
        "print(CliRunner().invoke(application, ['--help']).output)\n"
        "print([m for m in sys.modules if m.startswith('tianfu.') and m not in ('tianfu.cli', 'tianfu.cli.main')])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for name, entry in COMMANDS.items():
        assert name in shown
        assert entry.summary in shown
    assert shown.splitlines()[-1] == "['tianfu.errors']"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = CliRunner().invoke(application, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_an_unknown_command_is_told() -> None:
    result = CliRunner().invoke(application, ["paint"])
    assert result.exit_code == 2
    assert "paint" in result.output


@pytest.mark.parametrize(
    ("environ", "language"),
    [({"LANG": "zh_CN.UTF-8"}, "zh"), ({"LANG": "zh_CN", "LC_ALL": "en_US"}, "en"), ({}, "en"), ({"LANG": "C"}, "en")],
)
def test_the_terminals_locale_chooses_the_language(environ: dict[str, str], language: str) -> None:
    assert terminal_language(environ) == language


def test_a_failure_names_every_field() -> None:
    error = InputInvalidError(faults=(Fault("a", "x", "甲", "first"), Fault("b", "y", "乙", "second")))
    assert describe(error, "en").splitlines()[1:] == ["  a: first", "  b: second"]
    assert describe(error, "zh").splitlines()[1:] == ["  a: 甲", "  b: 乙"]


def test_an_expected_failure_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("tianfu")
    environment = {**os.environ, "TIANFU_PORT": "none", "TIANFU_VAR": str(tmp_path), "LANG": "C"}
    result = subprocess.run([program, "policy", "list"], capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 2
    assert "TIANFU_PORT" in result.stderr
    assert "Traceback" not in result.stderr
