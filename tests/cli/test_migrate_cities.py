"""`tianfu cities`: a look before the load, the load, and what is left to review."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.city_codes import CHENGDU, Registration, chengdu, number
from tianfu.cli.migrate_cities import command
from tianfu.residents.city_codes.mapping import MappingInvalidError


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    same = number(1)
    return chengdu(
        tmp_path / "chengdu.csv",
        [Registration(same), Registration(same, name="李四", registered="2020-04-01"), Registration("x")],
    )


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_check_shows_masks_and_needs_no_database(rows: Path) -> None:
    result = run("check", CHENGDU, rows)

    assert result.exit_code == 0
    assert "*四" in result.stdout
    assert number(1) not in result.stdout
    assert "1 would be set aside: document.number document_format" in result.stdout


def test_a_wrong_mapping_is_refused_before_anything_is_opened(rows: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("city = 5\n", encoding="utf-8")

    assert isinstance(run("load", wrong, rows).exception, MappingInvalidError)


def test_load_status_and_conflicts_say_what_became_of_a_file(
    rows: Path, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIANFU_DATABASE_URL", database_url)
    monkeypatch.setenv("TIANFU_VAR", str(tmp_path / "var"))

    nothing, loaded = run("status"), run("load", CHENGDU, rows, "--processes", "1")
    again, status, conflicts = run("load", CHENGDU, rows), run("status"), run("conflicts")

    assert "no city's file" in nothing.stdout
    assert "3 rows: loaded." in loaded.stdout
    assert "loaded before; nothing was changed" in again.stdout
    assert "finished" in status.stdout
    assert "*四" in conflicts.stdout
    assert not any("李四" in result.stdout or number(1) in result.stdout for result in (loaded, status, conflicts))
