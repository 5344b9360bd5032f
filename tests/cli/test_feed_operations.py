"""Deciding about rows and batches, watching a folder and keeping keys, as commands."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner, Result

from tests.support.feeds import csv_file, lab_cells, resident_id
from tianfu.audit import trail
from tianfu.cli.main import application
from tianfu.errors import InputInvalidError
from tianfu.feeds.accounts import FeedNeedsTwoError
from tianfu.feeds.contracts import CONTRACTS
from tianfu.feeds.contracts_lab import LAB
from tianfu.platform.database import Database, Purpose

Command = Callable[..., Result]


@pytest.fixture
def tianfu(database_url: str, tmp_path: Path) -> Command:
    """Runs `tianfu feed` on the test's database and data folder."""
    runner = CliRunner(env={"TIANFU_DATABASE_URL": database_url, "TIANFU_VAR": str(tmp_path), "LANG": "en_US.UTF-8"})
    return lambda *arguments: runner.invoke(application, ("feed", *arguments))


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Writes a laboratory's file; its path."""

    def write(*rows: dict[str, str]) -> str:
        path = tmp_path / "lab.csv"
        path.write_bytes(csv_file(LAB, rows))
        return str(path)

    return write


def actions(database: Database) -> list[str]:
    with database.read(Purpose.OPERATOR) as read:
        return [row.entry.action for row in trail.stored_rows(read)]


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def test_rows_are_fixed_released_and_discarded(tianfu: Command, file: Callable[..., str], database: Database) -> None:
    ok(tianfu("load", "lab", file(*(lab_cells(number, result="?") for number in range(4)))))
    first, second = (line.split()[0] for line in ok(tianfu("quarantine", "list")).splitlines()[:2])

    assert "1 rows released, 1 new" in ok(tianfu("quarantine", "fix", first, "--set", "result=negative"))
    assert resident_id(1) in ok(tianfu("quarantine", "show", second))
    assert "1 rows discarded" in ok(tianfu("quarantine", "discard", second, "--reason", "not_ours"))
    assert "2 rows wait on" in ok(tianfu("quarantine", "release", "--batch", "1", "--waiting-for", "choice"))
    discard = ("quarantine", "discard", "--batch", "1", "--waiting-for", "choice", "--reason", "unreadable")
    assert "2 rows discarded" in ok(tianfu(*discard))

    assert ok(tianfu("quarantine", "list")) == "nothing is set aside\n"
    assert isinstance(tianfu("quarantine", "release", second).exception, Exception)
    expected = ["quarantine.fix", "quarantine.show", "quarantine.discard", "quarantine.discard"]
    assert actions(database)[1:] == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ("quarantine", "list", "--batch", str(2**63)),
        ("quarantine", "list", "--after", str(2**63)),
        ("delays", "--days", "99999999999"),
        ("quarantine", "release"),
        ("quarantine", "release", "1", "--batch", "2"),
        ("quarantine", "fix", "1", "--set", "result"),
        ("key", "create", "laboratory", "--feeds", "lab"),
    ],
)
def test_a_mistake_at_the_keyboard_is_told(tianfu: Command, arguments: tuple[str, ...]) -> None:
    result = tianfu(*arguments)

    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == click.UsageError.exit_code


def test_a_held_batch_is_listed_approved_and_withdrawn(
    tianfu: Command, file: Callable[..., str], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONTRACTS, "lab", msgspec.structs.replace(LAB, second_person_over=2))
    path = file(*(lab_cells(number) for number in range(3)))

    assert "feed approve 1" in ok(tianfu("load", "lab", path, "--by", "li.na"))
    assert "3 rows" in ok(tianfu("held"))
    assert isinstance(tianfu("approve", "1", "--by", "Li.Na").exception, FeedNeedsTwoError)
    assert json.loads(ok(tianfu("approve", "1", "--by", "wang.wei", "--json")))["accepted"] == 3
    assert ok(tianfu("held")) == "nothing waits for a second person\n"
    assert isinstance(tianfu("withdraw", "1", "--by", "li.na", "--reason", "x").exception, FeedNeedsTwoError)
    two = ("withdraw", "1", "--by", "li.na", "--approved-by", "wang.wei", "--reason", "wrong_file")
    assert "3 statements withdrawn" in ok(tianfu(*two))
    assert "withdrawn before" in ok(tianfu(*two))
    assert actions(database) == ["feed.hold", "feed.approve", "feed.withdraw"]


def test_a_rejected_batch_says_so(tianfu: Command, file: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONTRACTS, "lab", msgspec.structs.replace(LAB, second_person_over=0))
    path = file(lab_cells(1))
    ok(tianfu("load", "lab", path))

    assert "rejected" in ok(tianfu("reject", "1", "--by", "wang.wei", "--reason", "wrong_list"))
    assert "rejected" in ok(tianfu("load", "lab", path))
    assert isinstance(tianfu("load", "lab", path, "--by", "li na").exception, InputInvalidError)


def test_a_watched_folder_its_status_and_its_delays(tianfu: Command, tmp_path: Path) -> None:
    folder = tmp_path / "incoming" / "lab"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_bytes(csv_file(LAB, [lab_cells(1)]))
    (folder / "b.csv").write_bytes(b"nothing\n")

    told = ok(tianfu("watch", str(folder.parent), "--once", "--seconds", "0.1"))

    assert "lab/a.csv: batch 1 loaded: 1 rows" in told
    assert "lab/b.csv: refused" in told
    (status,) = json.loads(ok(tianfu("status", "--json")))
    assert (status["feed"], status["rows"], status["alerts"]) == ("lab", 1, [])
    (delay,) = json.loads(ok(tianfu("delays", "--json")))
    assert (delay["source"], delay["stage"], delay["count"]) == ("laboratory", "event_to_receipt", 1)
    assert "lab" in ok(tianfu("status"))
    assert "laboratory" in ok(tianfu("delays"))


def test_a_key_is_written_for_its_owner_alone_and_only_once(tianfu: Command, tmp_path: Path) -> None:
    out = tmp_path / "lab.pem"
    create = ("key", "create", "laboratory", "--feeds", "lab", "--out", str(out))

    key_id = ok(tianfu(*create)).split()[1]

    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert tianfu(*create).exit_code == 1
    assert "good" in ok(tianfu("key", "list"))
    ok(tianfu("key", "revoke", key_id))
    assert "revoked" in ok(tianfu("key", "list"))
    failed = ("key", "create", "laboratory", "--feeds", "nothing", "--out", str(tmp_path / "none.pem"))
    assert isinstance(tianfu(*failed).exception, InputInvalidError)
    assert not (tmp_path / "none.pem").exists()
