from __future__ import annotations

import errno
import json
import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import lmdb
import pytest

from tianfu.lake import incoming, segment, ship
from tianfu.lake.incoming import SegmentsGapError
from tianfu.lake.segment import LakeFullError, SegmentBrokenError
from tianfu.lake.ship import JournalChangedError, ShippedElsewhereError
from tianfu.platform.journalfile import JournalBrokenError, JournalFile
from tianfu.scans import event
from tianfu.scans.event import ScanEvent

GATE = 3
AT_MS = 1_646_107_200_000


def scan(number: int) -> bytes:
    """The scan that the journal has under `number`; its person is the number."""
    return event.pack(ScanEvent(1, 1, 0, number, 9, 0, GATE, 0, AT_MS + number, AT_MS + number, number.to_bytes(8)))


def record_scans(journal: Path, *commits: int) -> None:
    """Append commits of so many scans each."""
    file = JournalFile.open(journal)
    for size in commits:
        first = file.end()
        file.write([scan(number) for number in range(first, first + size)])
    file.close()


def in_the_lake(lake: Path) -> list[int]:
    """The persons of every scan in the lake, each number checked."""
    found = []
    for item in incoming.segments(lake, GATE):
        for number, visit in incoming.events(item, GATE):
            assert visit.person == number
            found.append(number)
    return found


def folders(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "journal" / f"gate-{GATE:05d}", tmp_path / "lake"


def kept(journal: Path) -> tuple[int, int]:
    file = JournalFile.open(journal)
    try:
        return file.start(), file.end()
    finally:
        file.close()


def test_every_record_is_moved_once_and_then_forgotten_but_for_the_newest_commit(tmp_path: Path) -> None:
    journal, lake = folders(tmp_path)
    record_scans(journal, 3, 1, 5)

    first = ship.ship(journal, lake, GATE)
    again = ship.ship(journal, lake, GATE)
    record_scans(journal, 2, 2)
    third = ship.ship(journal, lake, GATE)

    assert (first.records, first.end, first.forgotten) == (9, 9, 4)
    assert (again.records, again.segments) == (0, 0)
    assert third.records == 4
    assert in_the_lake(lake) == list(range(13))
    assert kept(journal) == (11, 13)


def test_a_backlog_is_cut_into_segments_and_a_turn_takes_so_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, lake = folders(tmp_path)
    record_scans(journal, *[7] * 30)
    monkeypatch.setattr(ship, "SEGMENT_RECORDS_MAX", 20)

    turn = ship.ship(journal, lake, GATE, segments_max=3)
    assert (turn.records, turn.segments) == (60, 3)
    ship.ship(journal, lake, GATE)

    assert [item.end - item.first for item in incoming.segments(lake, GATE)] == [20] * 10 + [10]
    assert in_the_lake(lake) == list(range(210))


def test_records_of_two_sizes_go_into_segments_of_their_own(tmp_path: Path) -> None:
    journal, lake = folders(tmp_path)
    file = JournalFile.open(journal)
    file.write([b"a" * 40, b"b" * 40])
    file.write([b"c" * 44])
    file.close()

    ship.ship(journal, lake, GATE)

    read = [segment.read(item, GATE) for item in incoming.segments(lake, GATE)]
    assert read == [[b"a" * 40, b"b" * 40], [b"c" * 44]]


KILLED_AT_EVERY_LINE = """
import os, shutil, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.lake.test_ship import GATE, folders, in_the_lake, record_scans
from tianfu.lake import ship
root = Path(sys.argv[1])
sources = ("lake/ship.py", "lake/segment.py", "lake/incoming.py", "platform/journalfile.py")

def child(work):
    process = os.fork()
    if process == 0:
        work()
        os._exit(0)
    return os.waitpid(process, 0)[1]

def killed_at(line):
    left = line
    def trace(frame, what, argument):
        nonlocal left
        if not frame.f_code.co_filename.endswith(sources):
            return None
        if what == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), 9)
        return trace
    sys.settrace(trace)

commits = (3, 1, 4, 2)

def whole():
    ship.SEGMENT_RECORDS_MAX, ship.FORGET_VALUES_MAX, ship.FORGET_PAUSE_SECONDS = 6, 2, 0
    ship.ship(*folders(place), GATE)

def cut():
    killed_at(line)
    whole()

line, ended = 0, -1
while ended != 0:
    line += 1
    place = root / str(line)
    journal, lake = folders(place)
    assert child(lambda: record_scans(journal, *commits)) == 0
    ended = child(cut)
    before = in_the_lake(lake)
    assert before == list(range(len(before))), line
    assert child(lambda: record_scans(journal, 2)) == 0
    assert child(whole) == 0, line
    assert in_the_lake(lake) == list(range(12)), line
    shutil.rmtree(place)
print(line)
"""


@pytest.mark.slow
def test_killed_at_any_line_no_record_is_lost_and_none_is_doubled(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT_EVERY_LINE, str(tmp_path), root], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 200


def test_a_full_disk_leaves_the_journal_as_it_was_and_no_half_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, lake = folders(tmp_path)
    record_scans(journal, 3, 4)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(LakeFullError):
            ship.ship(journal, lake, GATE)

    assert kept(journal) == (0, 7)
    assert list(incoming.gate_folder(lake, GATE).glob("*.scans")) == []
    ship.ship(journal, lake, GATE)
    assert in_the_lake(lake) == list(range(7))


SHIP_WITHOUT_ROOM = """
import resource, sys
from pathlib import Path
from tianfu.lake import ship
from tianfu.lake.segment import LakeFullError
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    ship.ship(Path(sys.argv[1]), Path(sys.argv[2]), 3)
except LakeFullError:
    print("full")
"""


def test_a_file_that_may_not_grow_further_is_a_full_disk(tmp_path: Path) -> None:
    journal, lake = folders(tmp_path)
    record_scans(journal, 300, 400)

    done = subprocess.run(
        [sys.executable, "-c", SHIP_WITHOUT_ROOM, str(journal), str(lake)], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "full\n"), done.stderr
    assert kept(journal) == (0, 700)
    assert sorted(path.name for path in incoming.gate_folder(lake, GATE).iterdir()) == ["offset", "shipper.lock"]
    ship.ship(journal, lake, GATE)
    assert in_the_lake(lake) == list(range(700))


def test_a_journal_begun_anew_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    journal, lake = folders(tmp_path)
    record_scans(journal, 3, 4)
    ship.ship(journal, lake, GATE)
    for shorter in (2, 9):
        (journal / "data.mdb").unlink()
        file = JournalFile.open(journal)
        file.write([scan(1_000 + number) for number in range(shorter)])
        file.close()

        with pytest.raises(JournalChangedError):
            ship.ship(journal, lake, GATE)

        assert kept(journal) == (0, shorter)
    assert in_the_lake(lake) == list(range(7))


def test_records_missing_from_the_journal_are_a_gap_and_nothing_is_moved(tmp_path: Path) -> None:
    journal, lake = folders(tmp_path)
    record_scans(journal, 3, 3, 3)
    file = JournalFile.open(journal)
    file.trim(6)
    file.close()

    with pytest.raises(JournalChangedError):
        ship.ship(journal, lake, GATE)

    assert incoming.segments(lake, GATE) == []


def damage(journal: Path, first: int) -> None:
    """Overwrite the head of the value that begins with record `first`."""
    environment = lmdb.open(str(journal), max_dbs=1)
    database = environment.open_db(b"records")
    with environment.begin(database, write=True) as transaction:
        transaction.put(struct.pack(">Q", first), b"\xff" * 52)
    environment.close()


def test_a_damaged_commit_is_reported_after_the_sound_ones_before_it_were_moved(tmp_path: Path) -> None:
    journal, lake = folders(tmp_path)
    record_scans(journal, 3, 4, 1, 2)
    damage(journal, 7)

    with pytest.raises(JournalBrokenError):
        ship.ship(journal, lake, GATE)

    assert in_the_lake(lake) == list(range(7))
    assert kept(journal) == (0, 10)


def test_a_damaged_tail_is_reported_and_nothing_is_deleted(tmp_path: Path) -> None:
    journal, lake = folders(tmp_path)
    record_scans(journal, 3, 1)
    damage(journal, 3)
    before = (journal / "data.mdb").read_bytes()

    with pytest.raises(JournalBrokenError):
        ship.ship(journal, lake, GATE)

    assert (journal / "data.mdb").read_bytes() == before


@pytest.mark.parametrize("harm", ["cut", "longer", "altered", "header", "renamed"])
def test_a_segment_that_is_not_as_it_was_written_is_refused(tmp_path: Path, harm: str) -> None:
    journal, lake = folders(tmp_path)
    record_scans(journal, 5)
    ship.ship(journal, lake, GATE)
    (item,) = incoming.segments(lake, GATE)
    data = bytearray(item.path.read_bytes())
    if harm == "cut":
        del data[-44:]
    elif harm == "longer":
        data += b"x"
    elif harm == "altered":
        data[-1] ^= 1
    elif harm == "header":
        data[6] ^= 1
    item.path.write_bytes(bytes(data))
    if harm == "renamed":
        item = segment.Segment(
            item.path.rename(item.path.with_name("000000000001-000000000006.scans")), item.first + 1, item.end + 1
        )

    with pytest.raises(SegmentBrokenError):
        list(incoming.events(item, GATE))


def test_a_missing_segment_and_a_doubled_one_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, lake = folders(tmp_path)
    monkeypatch.setattr(ship, "SEGMENT_RECORDS_MAX", 2)
    record_scans(journal, 6)
    ship.ship(journal, lake, GATE)
    first, middle, _ = incoming.segments(lake, GATE)
    middle.path.rename(middle.path.with_suffix(".away"))
    with pytest.raises(SegmentsGapError):
        incoming.segments(lake, GATE)
    middle.path.with_suffix(".away").rename(middle.path)
    (first.path.parent / "000000000001-000000000002.scans").write_bytes(first.path.read_bytes())

    with pytest.raises(SegmentsGapError):
        incoming.segments(lake, GATE)


def test_segments_that_were_rolled_on_do_not_come_again(tmp_path: Path) -> None:
    journal, lake = folders(tmp_path)
    record_scans(journal, 3)
    ship.ship(journal, lake, GATE)
    for item in incoming.segments(lake, GATE):
        item.path.unlink()
    record_scans(journal, 2)

    ship.ship(journal, lake, GATE)

    assert in_the_lake(lake) == [3, 4]


def test_an_unreadable_note_stops_the_moving(tmp_path: Path) -> None:
    journal, lake = folders(tmp_path)
    record_scans(journal, 3)
    ship.ship(journal, lake, GATE)
    (incoming.gate_folder(lake, GATE) / incoming.OFFSET_FILE).write_text(json.dumps({"end": "many"}))

    with pytest.raises(SegmentBrokenError):
        ship.ship(journal, lake, GATE)


def test_two_do_not_move_the_same_journal_at_once(tmp_path: Path) -> None:
    journal, lake = folders(tmp_path)
    record_scans(journal, 1)
    with ship._alone(incoming.gate_folder(lake, GATE)), pytest.raises(ShippedElsewhereError):
        ship.ship(journal, lake, GATE)


def test_a_gate_that_writes_meanwhile_loses_nothing(tmp_path: Path) -> None:
    journal, lake = folders(tmp_path)
    script = """
import sys
from pathlib import Path
from tests.lake.test_ship import scan
from tianfu.platform.journalfile import JournalFile
file = JournalFile.open(Path(sys.argv[1]))
for _ in range(400):
    first = file.end()
    file.write([scan(number) for number in range(first, first + 5)])
"""
    root = str(Path(__file__).parents[2])
    gate = subprocess.Popen([sys.executable, "-c", script, str(journal)], cwd=root)
    chance = random.Random(1)
    while gate.poll() is None:
        if (journal / "data.mdb").is_file():
            ship.ship(journal, lake, GATE, segments_max=chance.randint(1, 3))
    ship.ship(journal, lake, GATE)

    assert gate.returncode == 0
    assert in_the_lake(lake) == list(range(2_000))
