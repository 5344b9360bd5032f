"""Accounts, passwords and roles."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.clock import NOON
from tests.support.control import PASSWORD
from tianfu.access import accounts, login, passwords
from tianfu.access.accounts import AccountExistsError, AccountNotFoundError
from tianfu.access.decide import Grant
from tianfu.access.login import OperatorLoginFailedError
from tianfu.access.places import divisions, is_sichuan, sichuan
from tianfu.access.roles import Role
from tianfu.errors import InputInvalidError
from tianfu.platform.database import Database, Purpose


def make(database: Database, username: str = "li.na") -> None:
    with database.write(Purpose.OPERATOR) as write:
        accounts.create(write, username=username, display_name="李娜", password=PASSWORD, at=NOON)


@pytest.mark.usefixtures("full_cost_of_passwords")
def test_a_password_is_stored_with_its_cost_and_never_as_it_is() -> None:
    first, second = passwords.digest(PASSWORD), passwords.digest(PASSWORD)

    assert first.split("$")[:4] == ["scrypt", "15", "8", "3"]
    assert first != second
    assert PASSWORD not in first
    assert passwords.fits(PASSWORD, first)
    assert not passwords.fits(PASSWORD + " ", first)
    assert not passwords.fits(PASSWORD, None)


@pytest.mark.parametrize("password", ["short", "a" * 20, "x" * 129, "abababababab"])
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(InputInvalidError):
        passwords.check_new(password)


def test_roles_are_granted_once_in_places_that_exist(database: Database) -> None:
    make(database)

    with database.write(Purpose.OPERATOR) as write:
        for _ in range(2):
            accounts.grant(write, username="li.na", role=Role.DESK, district="5101")
        with pytest.raises(InputInvalidError):
            accounts.grant(write, username="li.na", role=Role.DESK, district="519900")
        with pytest.raises(AccountNotFoundError):
            accounts.grant(write, username="nobody", role=Role.DESK, district="")
        found = accounts.find(write, "li.na")

    assert found is not None
    assert found.grants == (Grant(Role.DESK, "5101"),)


def test_a_username_is_given_once_and_every_fault_is_told(database: Database) -> None:
    make(database)

    with pytest.raises(AccountExistsError):
        make(database)
    with database.write(Purpose.OPERATOR) as write, pytest.raises(InputInvalidError) as refused:
        accounts.create(write, username="Li Na", display_name="", password="short", at=NOON)
    assert {fault.field for fault in refused.value.faults} == {"username", "display_name", "password"}


@pytest.mark.parametrize("username", ["a.13800000001", "x510107199003070110"])
def test_a_username_holds_no_number_of_a_person(database: Database, username: str) -> None:
    with pytest.raises(InputInvalidError):
        make(database, username)


def test_a_closed_account_holds_nothing(database: Database) -> None:
    make(database)
    with database.write(Purpose.OPERATOR) as write:
        accounts.grant(write, username="li.na", role=Role.DESK, district="")
        accounts.close(write, username="li.na", at=NOON)
        found = accounts.find(write, "li.na")

    assert found is not None
    assert found.principal.grants == ()
    with pytest.raises(OperatorLoginFailedError):
        login.sign_in(database, username="li.na", password=PASSWORD, at=NOON)


def test_guesses_made_side_by_side_cannot_outrun_the_lock(database: Database) -> None:
    make(database)
    compared: list[bool] = []

    def guess(_: int) -> None:
        with database.write(Purpose.OPERATOR) as write:
            compared.append(accounts.begin_try(write, "li.na", NOON) is not None)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(24)))

    assert compared.count(True) == accounts.FAILURES_MAX


def test_divisions_are_those_in_use_today() -> None:
    assert divisions()["510107"] == "武侯区"
    assert divisions()["511402"] == "东坡区"
    assert "510124" not in divisions()
    assert "510101" not in divisions()
    assert len(sichuan()) == 1 + 21 + 183
    assert is_sichuan("513401")
    assert not is_sichuan("500101")


def test_the_command_takes_the_password_from_standard_input_only(database_url: str, tmp_path: Path) -> None:
    environment = os.environ | {"TIANFU_DATABASE_URL": database_url, "TIANFU_VAR": str(tmp_path), "LANG": "en_US"}

    def run(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).parent / "tianfu", "account", *arguments],
            input=typed,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    created = run("create", "li.na", "--name", "李娜", "--password-stdin", typed=f"{PASSWORD}\n")
    granted = run("grant", "li.na", "desk", "--district", "5101")
    listed = run("list")
    closed = run("lock", "li.na", "--yes")
    again = run("lock", "li.na", "--yes")

    assert created.returncode == granted.returncode == listed.returncode == closed.returncode == 0, created.stderr
    assert "li.na" in listed.stdout
    assert "desk@5101" in listed.stdout
    assert again.returncode == 2
    assert "no such account" in again.stderr
