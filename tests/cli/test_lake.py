from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.lake import put_segment, scan
from tianfu.cli.lake import command
from tianfu.clock import SystemClock
from tianfu.lake import incoming, proof
from tianfu.lake.proof import Proof
from tianfu.platform.keyring import GateKeys, gate_path
from tianfu.platform.sign import KeyPurpose


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, arguments)
    return done.exit_code, done.output


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIANFU_VAR", str(tmp_path))
    return tmp_path / "lake"


def test_rolling_compacting_and_looking_are_told_by_number(lake: Path) -> None:
    now = SystemClock().now()
    yesterday = now - timedelta(days=1)
    put_segment(lake, 3, [scan(1, at=yesterday), scan(1, at=yesterday), scan(2, at=now + timedelta(days=9))])

    assert "2 repeats" not in run("roll")[1]
    code, output = run("compact")
    assert (code, "parts merged 1, scans 1, visits 1, repeats dropped 0" in output) == (0, True)
    code, shown = run("show")
    assert code == 0
    for words in ("closed", "gate 3: every scan before number 3 is rolled", "future: 1", "repeats dropped: 1"):
        assert words in shown
    assert run("roll") == (0, "nothing to roll\n")


def test_verifying_says_what_is_sound_and_what_is_not(lake: Path) -> None:
    put_segment(lake, 3, [scan(1, at=SystemClock().now())])
    run("roll")
    code, output = run("verify")
    assert (code, output.count("sound")) == (0, 2)

    (path,) = (lake / "days").rglob("by-person.u64")
    path.write_bytes(bytes(8))
    code, output = run("verify")
    assert (code, "by-person.u64 was altered" in output) == (1, True)


def test_a_gate_that_waits_is_told_with_its_reason(lake: Path) -> None:
    put_segment(lake, 3, [scan(1, at=SystemClock().now())])
    incoming.listed(lake, 3)[0].path.write_bytes(b"")
    code, output = run("roll")
    assert (code, "gate 3 waits: segment_broken" in output) == (1, True)


def test_proofs_of_erasure_are_checked_against_our_keys(lake: Path) -> None:
    now = SystemClock().now()
    signer = GateKeys.load_or_create(gate_path(lake.parent)).at(int(now.timestamp())).signers[KeyPurpose.EVIDENCE]
    made = Proof(
        type=proof.TYPE,
        subject="day:2022-03-01",
        scans=4,
        visits=4,
        files=(),
        setting="TIANFU_VISIT_DAYS",
        days_kept=30,
        erased_at=now,
        trail=5,
    )
    path = proof.write(lake, "000000000001-day-2022-03-01", made, signer)
    code, output = run("verify-erasure")
    assert (code, "valid" in output, "day:2022-03-01: 4 scans" in output, "trail entry 5" in output) == (0, *[True] * 3)

    path.write_bytes(path.read_bytes().replace(b'"scans":4', b'"scans":3'))
    code, output = run("verify-erasure", str(path))
    assert (code, "not valid" in output) == (1, True)


def test_a_lake_from_which_nothing_was_erased_has_no_proofs(lake: Path) -> None:
    del lake
    assert run("verify-erasure") == (0, "nothing was erased so far\n")
