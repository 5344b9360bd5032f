"""`tianfu resolver`: the file of other issuers, and asking them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.issuer import CODE, OtherProvince, other_province
from tianfu.cli.main import application
from tianfu.scans.foreign.issuers import ForeignIssuersInvalidError


@pytest.fixture
def province() -> Iterator[OtherProvince]:
    with other_province() as made:
        yield made


def runner(province: OtherProvince, folder: Path) -> CliRunner:
    return CliRunner(env={"TIANFU_RESOLVERS": str(province.describe(folder)), "TIANFU_VAR": str(folder)})


def test_the_issuers_of_the_file_are_listed(province: OtherProvince, tmp_path: Path) -> None:
    listed = runner(province, tmp_path).invoke(application, ["resolver", "check"])

    assert listed.exit_code == 0
    assert "gd" in listed.output
    assert "GDHC:" in listed.output


def test_codes_are_asked_of_their_issuers_and_each_gets_a_line(province: OtherProvince, tmp_path: Path) -> None:
    tried = runner(province, tmp_path).invoke(application, ["resolver", "try"], input=f"{CODE}\nNATC:1\n")
    province.status = 500
    away = runner(province, tmp_path).invoke(application, ["resolver", "try"], input=CODE)

    known, unknown = map(json.loads, tried.output.splitlines())
    assert (known["verdict"], known["colour"], unknown["code"]) == ("foreign", "green", "code_invalid")
    assert json.loads(away.output)["code"] == "foreign_unavailable"


def test_without_a_file_that_is_said(tmp_path: Path) -> None:
    refused = CliRunner(env={"TIANFU_VAR": str(tmp_path)}).invoke(application, ["resolver", "check"])

    assert isinstance(refused.exception, ForeignIssuersInvalidError)
