from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.lake.test_roll import sound
from tests.support.lake import DAYS_KEPT, NOON, compact_all, put_segment, roll_all, scan, visits_in
from tianfu.audit import trail
from tianfu.lake import days, incoming, proof, retain, state
from tianfu.lake.proof import Proof, ProofInvalidError
from tianfu.platform.database import Database, Purpose
from tianfu.platform.sign import KeyPurpose, SigningKey, VerifyKeys

KEY = SigningKey(bytes(31) + b"\x07", KeyPurpose.EVIDENCE)
KEYS = VerifyKeys([KEY.verify_key()])
# The last instant of the last day on which 1 March is kept, and the first on which it is not.
STILL_KEPT = datetime.fromisoformat("2022-03-31T23:59:59+08:00")
TOO_OLD = datetime.fromisoformat("2022-04-01T00:00:00+08:00")


def erase(lake: Path, database: Database, at: datetime) -> list[Proof]:
    return list(retain.retain(lake, database, KEY, at=at, days_kept=DAYS_KEPT))


def filled(lake: Path) -> None:
    """1 March closed, with two late scans besides; 2 March open."""
    put_segment(lake, 3, [scan(1), scan(2)])
    roll_all(lake)
    compact_all(lake, NOON + timedelta(days=1))
    put_segment(lake, 3, [scan(3), scan(4), scan(5, at=NOON + timedelta(days=1))])
    roll_all(lake, NOON + timedelta(days=1))


@pytest.fixture
def trail_numbers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would go into the trail, for tests that need no database."""
    told: list[str] = []

    def record(_database: object, erasing: state.Erasing, _at: datetime) -> int:
        told.append(erasing.subject)
        return len(told)

    monkeypatch.setattr(retain, "_in_the_trail", record)
    return told


def test_a_day_is_erased_whole_when_it_is_too_old_and_the_proof_says_what_was(
    database: Database, tmp_path: Path
) -> None:
    filled(tmp_path)
    before = {
        path.relative_to(tmp_path).as_posix(): days.file_digest(path)
        for path in (tmp_path / "days" / "2022-03-01").rglob("*")
        if path.is_file()
    }
    assert erase(tmp_path, database, STILL_KEPT) == []

    (made,) = erase(tmp_path, database, TOO_OLD)

    assert (made.subject, made.scans, made.visits) == ("day:2022-03-01", 4, 4)
    assert (made.setting, made.days_kept, made.erased_at) == ("TIANFU_VISIT_DAYS", 30, TOO_OLD)
    assert {file.name: file.sha256 for file in made.files} == before
    assert not (tmp_path / "days" / "2022-03-01").exists()
    assert [visit[0] for visit in visits_in(tmp_path)] == ["2022-03-02"]
    (path,) = proof.all_of(tmp_path)
    assert proof.verify(path.read_bytes(), KEYS) == made
    with database.read(Purpose.OPERATOR) as read:
        (row,) = trail.stored_rows(read)
    assert (row.trail_id, row.entry.action, row.entry.subject) == (made.trail, "erase_visits", "day:2022-03-01")
    assert row.entry.detail["count"] == 4
    assert erase(tmp_path, database, TOO_OLD) == []
    sound(tmp_path)


@pytest.mark.usefixtures("trail_numbers")
def test_a_proof_that_was_altered_or_signed_by_another_key_is_refused(tmp_path: Path, database: Database) -> None:
    filled(tmp_path)
    erase(tmp_path, database, TOO_OLD)
    (path,) = proof.all_of(tmp_path)
    data = path.read_bytes()

    for at in (0, 20, data.index(b'"scans":4') + 8, len(data) - 1):
        with pytest.raises(ProofInvalidError):
            proof.verify(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :], KEYS)
    for other in (data[:-1], data + b"\0", b""):
        with pytest.raises(ProofInvalidError):
            proof.verify(other, KEYS)
    with pytest.raises(ProofInvalidError):
        proof.verify(data, VerifyKeys([SigningKey(bytes(31) + b"\x08", KeyPurpose.EVIDENCE).verify_key()]))
    with pytest.raises(ProofInvalidError):
        proof.verify(data, VerifyKeys([SigningKey(bytes(31) + b"\x07", KeyPurpose.LIST).verify_key()]))


def test_what_was_set_aside_and_what_was_never_rolled_is_erased_at_the_same_age(
    tmp_path: Path, database: Database, trail_numbers: list[str]
) -> None:
    put_segment(tmp_path, 3, [scan(1)._replace(kind=9)])
    roll_all(tmp_path)
    put_segment(tmp_path, 3, [scan(2), scan(3)])
    put_segment(tmp_path, 3, [scan(4, at=TOO_OLD)])
    stuck, new = incoming.listed(tmp_path, 3)
    stuck.path.write_bytes(b"damaged")
    os.utime(stuck.path, (NOON.timestamp(),) * 2)
    os.utime(new.path, (TOO_OLD.timestamp(),) * 2)

    found = erase(tmp_path, database, TOO_OLD)

    assert [(made.subject, made.scans) for made in found] == [("aside:2022-03-01", 1), ("incoming:gate-00003", 2)]
    assert trail_numbers == ["aside:2022-03-01", "incoming:gate-00003"]
    assert list((tmp_path / "aside").iterdir()) == []
    roll_all(tmp_path, TOO_OLD)
    assert [visit[3] for visit in visits_in(tmp_path)] == [4]
    sound(tmp_path)


class KilledError(Exception):
    """Stands for the end of the process."""


def cut_off(patched: pytest.MonkeyPatch, step: int) -> None:
    """End everything right before change number `step` of disk or trail."""
    left = step

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - of any function
            nonlocal left
            left -= 1
            if left == 0:
                raise KilledError
            return real(*arguments, **more)

        return instead

    for owner, name in ((Path, "unlink"), (Path, "replace"), (os, "fsync"), (retain, "_in_the_trail")):
        patched.setattr(owner, name, watched(getattr(owner, name)))


def test_cut_off_at_any_step_the_next_run_ends_it_with_one_proof(
    tmp_path: Path, database: Database, trail_numbers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path / "template")
    # As if a compaction of that day had been killed right before.
    shutil.copytree(tmp_path / "template" / "days" / "2022-03-01", tmp_path / "template" / "compacting")
    for step in range(1, 60):
        lake = tmp_path / str(step)
        shutil.copytree(tmp_path / "template", lake)
        with monkeypatch.context() as patched:
            cut_off(patched, step)
            try:
                erase(lake, database, TOO_OLD)
            except KilledError:
                pass
            else:
                break
        roll_all(lake, TOO_OLD)
        erase(lake, database, TOO_OLD)
        (path,) = proof.all_of(lake)
        made = proof.verify(path.read_bytes(), KEYS)
        assert (made.subject, made.scans, made.visits) == ("day:2022-03-01", 4, 4), step
        assert state.load(lake).erasing == ()
        assert not (lake / "days" / "2022-03-01").exists()
        sound(lake, every_file=False)
    else:
        pytest.fail("no run came through")

    assert step > 10
    assert set(trail_numbers) == {"day:2022-03-01"}
