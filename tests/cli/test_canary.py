"""`tianfu canary`: documents that nobody has."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.control import LI, ZHANG
from tianfu.audit import trail
from tianfu.cli.canary import CanaryTakenError
from tianfu.cli.main import application
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import RecordKeys, records_path
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import canaries, documents, people


@pytest.fixture
def runner(database_url: str, tmp_path: Path) -> CliRunner:
    return CliRunner(env={"TIANFU_DATABASE_URL": database_url, "TIANFU_VAR": str(tmp_path), "LANG": "en_US.UTF-8"})


def test_a_canary_is_added_once_counted_and_removed_and_each_is_in_the_trail(
    runner: CliRunner, database: Database
) -> None:
    number = LI["number"]
    outputs = [
        runner.invoke(application, ["canary", *words], input=number).output
        for words in (["add"], ["add"], ["count"], ["remove"], ["remove"], ["count"])
    ]

    assert outputs == [
        "added\n",
        "this document was one already\n",
        "1\n",
        "removed\n",
        "this document is none\n",
        "0\n",
    ]
    with database.read(Purpose.OPERATOR) as read:
        rows = [row.entry for row in trail.stored_rows(read)]
    assert [entry.action for entry in rows] == ["canary_add", "canary_add", "canary_remove", "canary_remove"]
    assert number not in str(rows)


def test_a_document_of_somebody_is_no_canary(runner: CliRunner, database: Database, tmp_path: Path) -> None:
    at = datetime.now(UTC)
    pseudonym = Pseudonym(RecordKeys.load_or_create(records_path(tmp_path)))
    document = documents.parse(ZHANG["type"], ZHANG["number"], at=at)
    with database.write(Purpose.OPERATOR) as write:
        people.refer(write, [document], pseudonym=pseudonym, at=at)

    refused = runner.invoke(application, ["canary", "add"], input=ZHANG["number"])

    assert isinstance(refused.exception, CanaryTakenError)
    with database.read(Purpose.OPERATOR) as read:
        assert not canaries.is_canary(read, document, pseudonym=pseudonym)
