"""The commands on a real database, from a file to an explained colour."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from tests.support.feeds import csv_file, lab_cells, pseudonym, resident_id
from tests.support.status import recompute_all
from tests.support.worker import put_in_force
from tianfu.audit import trail
from tianfu.cli.main import application
from tianfu.errors import InputInvalidError, NotFoundError
from tianfu.evidence.sources import SourceUnknownError
from tianfu.feeds.contracts_lab import LAB
from tianfu.feeds.table import FeedRefusedError
from tianfu.ids import PersonRef, PersonRefInvalidError, format_person_ref
from tianfu.platform.database import Database, Purpose
from tianfu.residents import documents, people

Command = Callable[..., Result]


@pytest.fixture
def tianfu(database_url: str, tmp_path: Path) -> Command:
    """Runs `tianfu` on the test's database and data folder."""
    runner = CliRunner(env={"TIANFU_DATABASE_URL": database_url, "TIANFU_VAR": str(tmp_path), "LANG": "en_US.UTF-8"})

    def run(*arguments: str, typed: str | None = None) -> Result:
        return runner.invoke(application, arguments, input=typed)

    return run


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Writes a laboratory's file; its path."""

    def write(*rows: dict[str, str]) -> str:
        path = tmp_path / "lab.csv"
        path.write_bytes(csv_file(LAB, rows))
        return str(path)

    return write


def person_of(database: Database, folder: Path, number: int) -> PersonRef:
    document = documents.parse("resident_id", resident_id(number), at=datetime.now(UTC))
    with database.read(Purpose.WORKER) as read:
        found = people.find(read, document, pseudonym=pseudonym(folder))
    assert found is not None
    return found


def test_loading_a_file_prints_the_counts_and_what_was_set_aside(tianfu: Command, file: Callable[..., str]) -> None:
    result = tianfu("feed", "load", "lab", file(lab_cells(1), lab_cells(2, result="?"), lab_cells(3, result="?")))

    assert result.exit_code == 0, result.output
    words = result.output.split()
    assert words[words.index("accepted") + 1] == "1"
    assert "result             choice                       2  3" in result.output
    assert resident_id(2) not in result.output


def test_loading_the_same_file_again_says_so(tianfu: Command, file: Callable[..., str]) -> None:
    path = file(lab_cells(1))
    tianfu("feed", "load", "lab", path)

    result = tianfu("feed", "load", "lab", path, "--json")

    assert json.loads(result.stdout) | {"batch_id": 0} == {
        "batch_id": 0,
        "state": "loaded",
        "feed": "lab",
        "source": "laboratory",
        "encoding": "utf-8",
        "already_loaded": True,
        "rows": 1,
        "accepted": 1,
        "duplicates": 0,
        "set_aside": 0,
        "reasons": [],
    }


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["feed", "load", "cases"], FeedRefusedError),
        (["feed", "load", "lab", "--source", "nobody"], SourceUnknownError),
    ],
)
def test_a_refused_file_raises_what_main_turns_into_exit_code_2(
    tianfu: Command, file: Callable[..., str], arguments: list[str], error: type[Exception]
) -> None:
    result = tianfu(*arguments, file(lab_cells(1)))

    assert isinstance(result.exception, error)


@pytest.mark.parametrize("arguments", [["feed", "load", "gossip", "x.csv"], ["feed", "load", "lab", "missing.csv"]])
def test_a_wrong_call_is_refused_with_usage(tianfu: Command, arguments: list[str]) -> None:
    result = tianfu(*arguments)

    assert result.exit_code == click.UsageError.exit_code
    assert "Usage:" in result.output


def test_rows_set_aside_can_be_listed_and_a_look_at_one_goes_into_the_trail(
    database: Database, tianfu: Command, file: Callable[..., str]
) -> None:
    tianfu("feed", "load", "lab", file(lab_cells(1, result="?")))

    listed = tianfu("feed", "quarantine", "list")
    shown = tianfu("feed", "quarantine", "show", listed.output.split()[0])

    assert "row 2  result: choice" in listed.output
    assert resident_id(1) not in listed.output
    assert resident_id(1) in shown.output
    with database.read(Purpose.WORKER) as read:
        assert [row.entry.action for row in trail.stored_rows(read)] == ["feed.load", "quarantine.show"]


def test_explain_names_policy_rule_evidence_source_and_what_ends_it(
    database: Database, tianfu: Command, file: Callable[..., str], tmp_path: Path
) -> None:
    put_in_force(database)
    tianfu("feed", "load", "lab", file(lab_cells(1, result="positive")))
    person = person_of(database, tmp_path, 1)

    english = tianfu("explain", format_person_ref(person), "--purpose", "appeal", "--language", "en")
    chinese = tianfu("explain", format_person_ref(person), "--language", "zh")

    for part in (
        "RED",
        "sichuan-core",
        "sha256",
        "positive-test -> red",
        "laboratory (testing laboratories)",
        "since",
        "ends",
    ):
        assert part in english.output, english.output
    assert all(
        part in chinese.output for part in ("规则", "依据", "核酸检测机构", "解除条件", "阳性 (核酸)", "查询记录")
    )
    with database.read(Purpose.WORKER) as read:
        looks = trail.reads_of(read, person, limit=10, before=None)
    assert [(look.action, look.purpose) for look in looks] == [("explain", "consultation"), ("explain", "appeal")]


def test_explain_says_what_was_known_at_a_past_instant(
    database: Database, tianfu: Command, file: Callable[..., str], tmp_path: Path
) -> None:
    put_in_force(database, at=datetime.now(UTC) - timedelta(days=1))
    tianfu("feed", "load", "lab", file(lab_cells(1, result="positive")))
    reference = format_person_ref(person_of(database, tmp_path, 1))
    before = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    with database.write(Purpose.WORKER) as write:
        assert write.value("select count(*) from evidence") == 1
    recompute_all(database, datetime.now(UTC))

    now, then = tianfu("explain", reference), tianfu("explain", reference, "--at", before)

    assert "RED" in now.output
    assert "GREEN" in then.output


def test_a_reference_is_found_by_the_document_and_the_person_can_see_who_looked(
    database: Database, tianfu: Command, file: Callable[..., str], tmp_path: Path
) -> None:
    tianfu("feed", "load", "lab", file(lab_cells(1)))
    person = person_of(database, tmp_path, 1)

    found = tianfu("person", "find", "--purpose", "appeal", typed=resident_id(1) + "\n")
    unknown = tianfu("person", "find", typed=resident_id(2))
    mistyped = tianfu("person", "find", typed="\u00e9" * 1_000)

    assert found.output == format_person_ref(person) + "\n"
    assert isinstance(unknown.exception, NotFoundError)
    assert isinstance(mistyped.exception, InputInvalidError)
    with database.read(Purpose.WORKER) as read:
        looks = trail.reads_of(read, person, limit=1, before=None)
        entries = [row.entry for row in trail.stored_rows(read) if row.entry.action == "find_person"]
    assert [(look.action, look.purpose) for look in looks] == [("find_person", "appeal")]
    assert [(entry.person, entry.detail["outcome"]) for entry in entries] == [(person, "found"), (None, "none")]


@pytest.mark.parametrize(
    ("reference", "error"), [("P-000000012-63", PersonRefInvalidError), ("P-000000012-62", NotFoundError)]
)
def test_explain_tells_a_wrong_reference_from_a_person_never_heard_of(
    database: Database, tianfu: Command, reference: str, error: type[Exception]
) -> None:
    put_in_force(database)

    result = tianfu("explain", reference)

    assert isinstance(result.exception, error)


def test_replay_ends_with_0_when_the_ledger_bears_everything_out_and_1_when_not(
    database: Database, tianfu: Command, file: Callable[..., str]
) -> None:
    put_in_force(database, at=datetime.now(UTC) - timedelta(days=1))
    tianfu("feed", "load", "lab", file(lab_cells(1, result="positive"), lab_cells(2)))
    recompute_all(database, datetime.now(UTC))

    good = tianfu("replay")
    with database.write(Purpose.WORKER) as write:
        write.execute("""
            update status set decision = regexp_replace(decision, '"colour":"[a-z]+"', '"colour":"green"')
            where colour = 'red'
            """)
    bad = tianfu("replay")

    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert "2 statuses compared, 0 about to be recomputed, 0 differences" in good.output
    assert "stored green, decided red; differs in colour" in bad.output
