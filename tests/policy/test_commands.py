from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tianfu.cli import decide, policy
from tianfu.errors import TianfuError
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.evidence_file import EvidenceFileInvalidError, schema
from tianfu.policy.load import PolicyInvalidError, PolicyUnreadableError

CORE = str(PROJECT_ROOT / "policies" / "sichuan-core.toml")
CONTACT = {
    "evidence_id": 5,
    "person": 1,
    "source": "tracing",
    "source_record": "K-1",
    "attributes": {
        "type": "contact",
        "tier": "close",
        "last_exposure_at": "2022-03-01T12:00:00+08:00",
        "designated_at": "2022-03-02T16:00:00+08:00",
        "case": "C-1",
    },
    "occurred_at": "2022-03-02T16:00:00+08:00",
    "received_at": "2022-03-02T16:05:00+08:00",
    "valid": {"start": "2022-03-01T12:00:00+08:00"},
    "place": "510104",
}


@pytest.fixture
def evidence(tmp_path: Path) -> str:
    path = tmp_path / "person.json"
    path.write_text(json.dumps([CONTACT]))
    return str(path)


def run(command: object, *arguments: str) -> Result:
    chosen = decide.command if command is decide else policy.command
    return CliRunner().invoke(chosen, arguments)


def test_a_decision_is_told_with_rule_evidence_end_and_office(evidence: str) -> None:
    at = "2022-03-05T09:00:00+08:00"

    english = run(decide, "--policy", "sichuan-core", "--evidence", evidence, "--at", at)
    chinese = run(decide, "--policy", CORE, "--evidence", evidence, "--at", at, "--language", "zh")

    assert english.exit_code == chinese.exit_code == 0
    for words in ("Red", "close-contact", "Sichuan rule table, row 5", "contact 5", "22 March 2022, 12:00"):
        assert words in english.output
    for words in ("红码", "密切接触者", "2022年3月22日 12:00", "请完成健康打卡"):
        assert words in chinese.output


def test_a_decision_is_printed_for_programs(evidence: str) -> None:
    result = run(decide, "--policy", CORE, "--evidence", evidence, "--at", "2022-03-05T09:00:00+08:00", "--json")

    told = json.loads(result.output)
    assert told["colour"] == "red"
    assert told["popup"] == "declare"
    assert told["next_change_at"] == "2022-03-22T12:00:00+08:00"
    assert [reason["evidence"] for reason in told["reasons"]] == [5]


def test_the_schema_is_published(tmp_path: Path) -> None:
    result = run(decide, "--schema")

    assert json.loads(result.output) == json.loads(json.dumps(schema()))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--policy", CORE],
        ["--policy", CORE, "--evidence", "x.json", "--at", "yesterday"],
        ["--policy", CORE, "--evidence", "x.json", "--at", "2022-03-05T09:00:00"],
    ],
)
def test_a_wrong_use_is_told_and_refused(arguments: list[str]) -> None:
    result = run(decide, *arguments)

    assert result.exit_code == 2
    assert "Error:" in result.output


def test_files_that_cannot_be_used_are_named(tmp_path: Path, evidence: str) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('[{"person": 1}]')

    cases: list[tuple[list[str], type[TianfuError]]] = [
        (["--policy", CORE, "--evidence", str(bad)], EvidenceFileInvalidError),
        (["--policy", CORE, "--evidence", str(tmp_path / "none.json")], EvidenceFileInvalidError),
        (["--policy", "no-such-set", "--evidence", evidence], PolicyUnreadableError),
        (["--policy", str(bad) + ".toml", "--evidence", evidence], PolicyUnreadableError),
    ]
    for arguments, error in cases:
        assert isinstance(run(decide, *arguments).exception, error)


def test_checking_says_no_fault_or_names_them(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("[set]\nname = 1\n")

    good = run(policy, "check", CORE)

    assert good.exit_code == 0
    assert "8 rules, no fault" in good.output
    assert isinstance(run(policy, "check", str(bad)).exception, PolicyInvalidError)


def test_a_policy_is_published_listed_and_shown(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIANFU_DATABASE_URL", database_url)

    empty = run(policy, "list")
    done = run(policy, "publish", CORE, "--by", "li.na", "--approved-by", "wang.wei")
    listed = run(policy, "list")
    shown = run(policy, "show")

    assert "nothing has been published" in empty.output
    assert done.exit_code == 0, done.output
    assert listed.output.startswith("* ")
    assert "by li.na, approved by wang.wei" in listed.output
    assert shown.stdout_bytes == Path(CORE).read_bytes()


@pytest.mark.parametrize("arguments", [[], ["check"], ["publish"], ["list"], ["show"]])
def test_help_is_there_for_every_part(arguments: list[str]) -> None:
    assert run(policy, *arguments, "--help").exit_code == 0
    assert "Examples:" in run(decide, "--help").output
