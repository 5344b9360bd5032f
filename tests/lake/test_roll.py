from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.lake import (
    DAYS_KEPT,
    NOON,
    compact_all,
    essence,
    events_in,
    fails_at,
    files_of_days,
    plain,
    put_segment,
    roll_all,
    scan,
    visits_in,
)
from tianfu.lake import incoming, state
from tianfu.lake.segment import LakeFullError
from tianfu.lake.state import LakeBrokenError, LakeBusyError
from tianfu.lake.verify import accounted, verify

OLD = NOON - timedelta(days=DAYS_KEPT + 1)


def sound(lake: Path, *, every_file: bool = True) -> None:
    """Everything on the disk is as the state says, and every record is accounted for."""
    if every_file:
        assert [finding for finding in verify(lake) if finding.fault] == []
    current = state.load(lake)
    assert (current.compacting, (lake / "compacting").exists()) == ("", False)
    assert accounted(current) == sum(current.gates.values())
    named = {f"{day}/{part.name}" for day, parts in current.days.items() for part in parts}
    assert files_of_days(lake) == named | {f"{gone.day}/{gone.name}" for gone in current.retired}


def test_scans_of_two_gates_are_in_their_days_and_their_segments_are_gone(tmp_path: Path) -> None:
    first = [scan(number, at=NOON - timedelta(days=number % 3)) for number in range(50)]
    second = [scan(number, venue=number % 4) for number in range(50, 90)]
    put_segment(tmp_path, 3, first[:30])
    put_segment(tmp_path, 3, first[30:])
    put_segment(tmp_path, 4, second)

    (turn,) = roll_all(tmp_path)

    scans, visits = plain([*first, *second])
    assert (turn.records, turn.troubles, turn.days) == (90, {}, ("2022-02-27", "2022-02-28", "2022-03-01"))
    assert {essence(item) for item in events_in(tmp_path)} == scans
    assert sorted(visits_in(tmp_path)) == sorted(visits)
    assert [incoming.listed(tmp_path, gate) for gate in (3, 4)] == [[], []]
    assert state.load(tmp_path).gates == {3: 50, 4: 40}
    sound(tmp_path)


def test_a_turn_with_nothing_new_changes_nothing(tmp_path: Path) -> None:
    put_segment(tmp_path, 3, [scan(1)])
    roll_all(tmp_path)
    before = (tmp_path / "days" / "state.json").read_bytes()

    assert roll_all(tmp_path)[0].records == 0
    assert (tmp_path / "days" / "state.json").read_bytes() == before


def test_a_segment_that_is_copied_here_again_is_not_rolled_again(tmp_path: Path) -> None:
    put_segment(tmp_path, 3, [scan(1), scan(2)])
    folder = incoming.gate_folder(tmp_path, 3)
    shutil.copytree(folder, tmp_path / "elsewhere")
    roll_all(tmp_path)
    shutil.copytree(tmp_path / "elsewhere", folder, dirs_exist_ok=True)

    assert roll_all(tmp_path)[0].records == 0
    assert len(events_in(tmp_path)) == 2
    assert incoming.listed(tmp_path, 3) == []


def test_a_segment_whose_shipper_has_not_noted_it_stays_until_it_has(tmp_path: Path) -> None:
    put_segment(tmp_path, 3, [scan(1), scan(2)])
    incoming.note(tmp_path, 3, incoming.Offset())

    roll_all(tmp_path)
    assert [(item.first, item.end) for item in incoming.listed(tmp_path, 3)] == [(0, 2)]
    assert incoming.offset(tmp_path, 3).end == 2

    incoming.note(tmp_path, 3, incoming.offset(tmp_path, 3))
    roll_all(tmp_path)
    assert incoming.listed(tmp_path, 3) == []
    assert len(events_in(tmp_path)) == 2


def test_a_damaged_segment_or_a_gap_stops_its_gate_and_no_other(tmp_path: Path) -> None:
    put_segment(tmp_path, 3, [scan(1)])
    put_segment(tmp_path, 3, [scan(2)])
    put_segment(tmp_path, 4, [scan(3)])
    put_segment(tmp_path, 5, [scan(4)], first=7)
    damaged = incoming.listed(tmp_path, 3)[1].path
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-1] + b"x")

    (turn,) = roll_all(tmp_path)

    assert turn.troubles == {3: "segment_broken", 5: "roll_gap"}
    assert {item.person for item in events_in(tmp_path)} == {1, 3}
    damaged.write_bytes(whole)
    assert roll_all(tmp_path)[0].troubles == {5: "roll_gap"}
    assert {item.person for item in events_in(tmp_path)} == {1, 2, 3}
    sound(tmp_path)


def test_scans_that_no_day_can_hold_are_set_aside_and_counted(tmp_path: Path) -> None:
    put_segment(tmp_path, 3, [scan(1), scan(2, at=OLD), scan(3, at=NOON + timedelta(days=9)), scan(4)._replace(kind=7)])
    put_segment(tmp_path, 3, [b"another length", b"another lengt2"])

    (turn,) = roll_all(tmp_path)

    assert turn.aside == {"future": 1, "old": 1, "unreadable": 3}
    kept = {(entry.reason, entry.records, entry.record_bytes, entry.on) for entry in state.load(tmp_path).aside}
    assert kept == {
        ("future", 1, 44, "2022-03-01"),
        ("old", 1, 44, "2022-03-01"),
        ("unreadable", 1, 44, "2022-03-01"),
        ("unreadable", 2, 14, "2022-03-01"),
    }
    assert b"another length" in b"".join(path.read_bytes() for path in (tmp_path / "aside").iterdir())
    assert [item.person for item in events_in(tmp_path)] == [1]
    sound(tmp_path)


def test_a_day_of_many_turns_has_few_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    for number in range(100):
        put_segment(tmp_path, 3, [scan(number)])
        roll_all(tmp_path, NOON + timedelta(seconds=10 * number))
    current = state.load(tmp_path)

    assert len(current.days["2022-03-01"]) <= 8
    assert len(events_in(tmp_path)) == 100
    roll_all(tmp_path, NOON + timedelta(hours=1))
    assert state.load(tmp_path).retired == ()
    sound(tmp_path)


def test_who_changes_the_lake_is_alone(tmp_path: Path) -> None:
    with state.alone(tmp_path), pytest.raises(LakeBusyError), state.alone(tmp_path, wait_seconds=0):
        pass


@pytest.mark.parametrize("harm", ["cut", "altered", "gone", "other version"])
def test_a_damaged_state_is_refused_and_nothing_is_begun_anew(tmp_path: Path, harm: str) -> None:
    put_segment(tmp_path, 3, [scan(1)])
    roll_all(tmp_path)
    path = tmp_path / "days" / "state.json"
    data = path.read_bytes()
    if harm == "gone":
        path.unlink()
    elif harm == "other version":
        line = data.split(b"\n")[0].replace(b'"version":1', b'"version":2')
        path.write_bytes(line + b"\n" + hashlib.sha256(line).hexdigest().encode())
    else:
        path.write_bytes(data[:-9] if harm == "cut" else data.replace(b'"3":1', b'"3":0'))
    folders = files_of_days(tmp_path)

    with pytest.raises(LakeBrokenError):
        roll_all(tmp_path)
    assert files_of_days(tmp_path) == folders


def test_a_full_disk_at_any_step_leaves_the_lake_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_segment(tmp_path, 3, [scan(1), scan(2, at=OLD)])
    roll_all(tmp_path)
    put_segment(tmp_path, 3, [scan(3), scan(4, at=OLD)])
    before = state.load(tmp_path)

    for step in range(1, 40):
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", fails_at(step, lambda: OSError(errno.ENOSPC, "no space left")))
            try:
                roll_all(tmp_path)
                break
            except LakeFullError:
                # The last sync is that of the folder, after the rename: then it may be done already.
                assert state.load(tmp_path) == before or state.load(tmp_path).gates == {3: 4}
    else:
        pytest.fail("no turn came through")

    assert step > 8
    roll_all(tmp_path)
    assert {item.person for item in events_in(tmp_path)} == {1, 3}
    assert sum(entry.records for entry in state.load(tmp_path).aside) == 2
    sound(tmp_path)


YESTERDAY = NOON - timedelta(days=1)
FIRST = [scan(number, at=YESTERDAY) for number in range(6)]
# Two of them are repeats.
LATE = [scan(number, at=YESTERDAY + timedelta(minutes=5)) for number in range(4, 9)]
TODAY = [scan(number) for number in range(20, 26)]
OTHER = [scan(30, venue=4), scan(31, venue=4)]


def build(lake: Path) -> None:
    """A lake with a closed day, late scans for it, repeats, scans aside, and two gates' segments to roll."""
    put_segment(lake, 3, FIRST)
    roll_all(lake, YESTERDAY)
    compact_all(lake, NOON)
    put_segment(lake, 3, [*LATE, *TODAY[:3], scan(90, at=OLD)])
    put_segment(lake, 3, TODAY[3:])
    put_segment(lake, 4, [*OTHER, scan(91, at=NOON + timedelta(days=5))])


def work(lake: Path) -> None:
    """Everything that a roller does in a night, in small turns."""
    roll_all(lake, records_max=2)
    compact_all(lake, NOON)
    roll_all(lake, NOON + timedelta(hours=1))


KILLED_AT_EVERY_STEP = """
import os, shutil, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.lake.test_roll import build, check_all, work
root = Path(sys.argv[1])
template = root / "template"
# What changes the disk. Killed before each of them, and, as writes are cut, in the middle of files.
STEPS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"}
build(template)
# What a process wrote before it was killed is there for the next one, synced or not.
os.fsync = lambda descriptor: None

def child(work):
    process = os.fork()
    if process == 0:
        work()
        os._exit(0)
    return os.waitpid(process, 0)[1]

def killed_before(step, place):
    left = step
    def hook(event, arguments):
        nonlocal left
        if event not in STEPS or not str(arguments[0]).startswith(str(place)):
            return
        if event == "open" and "w" not in str(arguments[1]):
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), 9)
    sys.addaudithook(hook)

step, ended = 0, -1
while ended != 0:
    step += 1
    place = root / "lake"
    shutil.copytree(template, place)
    ended = child(lambda: (killed_before(step, place), work(place)))
    assert child(lambda: check_all(place)) == 0, step
    shutil.rmtree(place)
print(step)
"""


def check_all(lake: Path) -> None:
    """Whatever was killed: readers see whole days, another run ends the work, and nothing is lost or doubled."""
    visits_in(lake)
    work(lake)
    scans, visits = plain([*FIRST, *LATE, *TODAY, *OTHER])
    found = [essence(item) for item in events_in(lake)]
    assert len(found) == len(set(found))
    assert set(found) == scans
    assert sorted(visits_in(lake)) == sorted(visits)
    assert sorted(entry.reason for entry in state.load(lake).aside) == ["future", "old"]
    assert [incoming.listed(lake, gate) for gate in (3, 4)] == [[], []]
    sound(lake, every_file=False)


@pytest.mark.slow
def test_killed_before_any_change_of_the_disk_no_scan_is_lost_and_none_is_doubled(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT_EVERY_STEP, str(tmp_path), root], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-2_000:]
    assert int(done.stdout) > 45


def test_rows_of_a_part_that_was_altered_are_refused(tmp_path: Path) -> None:
    put_segment(tmp_path, 3, [scan(1)])
    roll_all(tmp_path)
    (path,) = (tmp_path / "days").rglob("scans.bin")
    path.write_bytes(bytes(44))
    put_segment(tmp_path, 3, [scan(2)])

    with pytest.raises(LakeBrokenError):
        roll_all(tmp_path)
    assert len(incoming.listed(tmp_path, 3)) == 1
