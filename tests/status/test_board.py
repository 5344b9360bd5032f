from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tianfu.platform import unsynced
from tianfu.platform.mapped import open_map
from tianfu.status import boardfile, layout
from tianfu.status.board import ROWS_MAX, BoardFullError, BoardWriter
from tianfu.status.layout import BoardUnreadableError, VenueRecord, current_folder
from tianfu.status.read import Board
from tianfu.status.record import BoardRecord, pack

AT_MS = 1_646_107_200_000
SMALL_MAP_BYTES = 512 * 1024


def record(colour: int = 1, sequence: int = 1) -> BoardRecord:
    return BoardRecord(colour, 0, 0, 1, 0, 0, 0, 0, AT_MS // 60_000, sequence)


def rows(persons: range, *, colour: int = 1) -> list[tuple[int, bytes]]:
    return [(person, pack(record(colour, person))) for person in persons]


def test_what_was_put_is_there_with_its_offset_after_reopening(tmp_path: Path) -> None:
    writer = BoardWriter.open(tmp_path)
    assert writer.offset() == 0
    writer.put(rows(range(1, 1001)), sequence=77, at_ms=AT_MS)
    writer.put_venues([(b"v" * 16, VenueRecord(5, 2, open=True))], sequence=9)
    writer.close()

    board = Board.open(tmp_path)

    assert board.look_up(1000) == record(sequence=1000)
    assert board.look_up(1001) is None
    assert board.venue(b"v" * 16) == VenueRecord(5, 2, open=True)
    assert board.venue(b"w" * 16) is None
    board.close()
    again = BoardWriter.open(tmp_path)
    assert (again.offset(), again.venue_offset()) == (77, 9)
    again.close()


def test_a_person_named_twice_keeps_the_last_record(tmp_path: Path) -> None:
    writer = BoardWriter.open(tmp_path)

    written = writer.put([(1, pack(record(1))), (1, pack(record(3)))], sequence=2, at_ms=AT_MS)

    found = writer.reader().look_up(1)
    assert written == 1
    assert found is not None
    assert found.colour == 3
    writer.close()


def test_persons_may_come_in_any_order_and_between_those_known(tmp_path: Path) -> None:
    writer = BoardWriter.open(tmp_path)
    writer.put(rows(range(10, 2000, 10)), sequence=1, at_ms=AT_MS)
    writer.put(list(reversed(rows(range(5, 3000, 10)))), sequence=2, at_ms=AT_MS)

    reader = writer.reader()

    assert all(reader.look_up(person) is not None for person in range(10, 2000, 10))
    assert all(reader.look_up(person) is not None for person in range(5, 3000, 10))
    assert reader.look_up(7) is None
    writer.close()


def test_records_in_order_take_less_than_twenty_five_bytes_each(tmp_path: Path) -> None:
    writer = BoardWriter.open(tmp_path)
    people = 200_000
    for first in range(1, people, ROWS_MAX):
        writer.put(rows(range(first, first + ROWS_MAX)), sequence=first, at_ms=AT_MS)
    writer.close()
    folder = current_folder(tmp_path)
    assert folder is not None

    # What is not a record: the ring of changes, four bytes for each, and pages that were copied.
    assert (folder / "data.mdb").stat().st_size < people * (25 + 4) + 1_000_000


def test_too_many_rows_or_a_record_of_another_size_are_the_callers_bug_and_write_nothing(tmp_path: Path) -> None:
    writer = BoardWriter.open(tmp_path)

    with pytest.raises(ValueError, match="rows at once"):
        writer.put([(1, b"short")], sequence=5, at_ms=AT_MS)

    assert writer.offset() == 0
    assert writer.reader().look_up(1) is None
    writer.close()


def test_a_full_board_says_so_and_stays_as_it_was(tmp_path: Path) -> None:
    writer = BoardWriter.open(tmp_path, map_bytes=SMALL_MAP_BYTES)
    writer.put(rows(range(1, 1001)), sequence=1, at_ms=AT_MS)

    with pytest.raises(BoardFullError):
        writer.put(rows(range(1, 50_000), colour=3), sequence=2, at_ms=AT_MS)

    found = writer.reader().look_up(500)
    assert found is not None
    assert (writer.offset(), found.colour) == (1, 1)
    writer.close()


def test_readers_keep_the_old_board_until_the_new_one_is_whole(tmp_path: Path) -> None:
    old = BoardWriter.open(tmp_path)
    old.put(rows(range(1, 100), colour=1), sequence=1, at_ms=AT_MS)
    old.close()
    board = Board.open(tmp_path)

    new = BoardWriter.begin_anew(tmp_path)
    new.put(rows(range(1, 50), colour=3), sequence=2, at_ms=AT_MS)
    assert not board.refresh()
    before = board.look_up(1)
    new.put(rows(range(50, 100), colour=3), sequence=3, at_ms=AT_MS)
    new.switch()
    new.close()
    assert board.refresh()
    after = board.look_up(1)

    assert before is not None
    assert after is not None
    assert (before.colour, after.colour) == (1, 3)
    assert [found.name for found in tmp_path.glob("g-*")] == ["g-000002"]
    board.close()


def test_what_an_interrupted_rebuild_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    BoardWriter.open(tmp_path).close()
    BoardWriter.begin_anew(tmp_path).close()
    assert len(list(tmp_path.glob("g-*"))) == 2

    BoardWriter.open(tmp_path).close()

    assert [found.name for found in tmp_path.glob("g-*")] == ["g-000001"]


def test_revoked_sessions_are_known_until_they_are_forgotten(tmp_path: Path) -> None:
    writer = BoardWriter.open(tmp_path)
    reader = writer.reader()
    writer.revoke([b"session1", b"session2"], at_ms=AT_MS)
    writer.revoke([b"session3"], at_ms=AT_MS + 10)
    assert reader.is_revoked(b"session1")
    assert not reader.is_revoked(b"session9")

    forgotten = writer.forget_revoked(before_ms=AT_MS + 5)

    assert forgotten == 2
    assert not reader.is_revoked(b"session1")
    assert reader.is_revoked(b"session3")
    writer.close()


def test_changes_are_numbered_without_gaps_and_read_from_anywhere(tmp_path: Path) -> None:
    writer = BoardWriter.open(tmp_path)
    reader = writer.reader()
    first = reader.changes_end()
    writer.put(rows(range(1, 6)), sequence=1, at_ms=AT_MS)
    writer.revoke([b"session1", b"session2"], at_ms=AT_MS)
    writer.put(rows(range(3, 5)), sequence=2, at_ms=AT_MS)

    everything = reader.changes_since(first, 100)

    assert [(batch.first - first, batch.end - first, batch.table) for batch in everything] == [
        (0, 5, layout.PERSONS),
        (5, 7, layout.SESSIONS),
        (7, 9, layout.PERSONS),
    ]
    assert [list(batch.persons()) for batch in everything] == [[1, 2, 3, 4, 5], [], [3, 4]]
    assert everything[1].keys == b"session1session2"
    assert reader.changes_since(first + 3, 1) == everything[:1]
    assert reader.changes_since(first + 5, 100) == everything[1:]
    assert reader.changes_since(reader.changes_end(), 10) == []
    writer.close()


def test_the_ring_of_changes_keeps_its_last_part_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "CHANGES_KEPT_MAX", 100)
    writer = BoardWriter.open(tmp_path)
    for turn in range(50):
        writer.put(rows(range(1, 11)), sequence=turn, at_ms=AT_MS)

    kept = writer.reader().changes_since(1, 10_000)

    assert 90 <= kept[-1].end - kept[0].first <= 110
    assert kept[-1].end == writer.reader().changes_end() == 501
    writer.close()


def test_a_damaged_board_is_refused_by_reader_and_writer_and_can_be_built_anew(tmp_path: Path) -> None:
    writer = BoardWriter.open(tmp_path)
    writer.put(rows(range(1, 5000)), sequence=1, at_ms=AT_MS)
    writer.close()
    folder = current_folder(tmp_path)
    assert folder is not None
    data = folder / "data.mdb"
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])

    with pytest.raises(BoardUnreadableError):
        Board.open(tmp_path)
    with pytest.raises(BoardUnreadableError):
        BoardWriter.open(tmp_path)

    anew = BoardWriter.begin_anew(tmp_path)
    anew.switch()
    anew.close()
    Board.open(tmp_path).close()


@pytest.mark.parametrize("content", [b"", b"../../etc\n", b"g-abc\n", b"\xff"])
def test_a_pointer_that_points_nowhere_sensible_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / layout.CURRENT_FILE).write_bytes(content)

    with pytest.raises(BoardUnreadableError):
        Board.open(tmp_path)


def test_a_board_of_another_layout_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    BoardWriter.open(tmp_path).close()
    monkeypatch.setattr(layout, "LAYOUT_VERSION", layout.LAYOUT_VERSION + 1)

    with pytest.raises(BoardUnreadableError):
        Board.open(tmp_path)
    with pytest.raises(BoardUnreadableError):
        BoardWriter.open(tmp_path)


def test_a_writer_killed_at_any_moment_leaves_whole_batches_with_the_offset_that_fits(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from tianfu.status.board import BoardWriter
from tianfu.status.record import BoardRecord, pack
writer = BoardWriter.open(Path(sys.argv[1]))
for turn in range(1, 100000):
    data = pack(BoardRecord(1, 0, 0, 1, 0, 0, 0, 0, 1, turn))
    writer.put([(person, data) for person in range(1, 200)], sequence=turn, at_ms=turn)
    if turn == 5:
        print("going", flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"going\n"
    process.kill()
    process.communicate()

    writer = BoardWriter.open(tmp_path)
    reader = writer.reader()

    found = {reader.look_up(person) for person in range(1, 200)}
    assert found == {BoardRecord(1, 0, 0, 1, 0, 0, 0, 0, 1, writer.offset())}
    writer.close()


def test_a_board_that_the_machine_went_down_under_is_refused_and_one_that_was_closed_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = BoardWriter.open(tmp_path)
    writer.put(rows(range(1, 10)), sequence=1, at_ms=AT_MS)
    writer.close()
    monkeypatch.setattr(unsynced, "run_of_machine", lambda: "the next run")
    Board.open(tmp_path).close()
    killed = BoardWriter.open(tmp_path)
    killed._environment.close()
    monkeypatch.setattr(unsynced, "run_of_machine", lambda: "the run after")

    with pytest.raises(BoardUnreadableError):
        Board.open(tmp_path)
    with pytest.raises(BoardUnreadableError):
        BoardWriter.open(tmp_path)


def test_where_a_loss_of_power_could_not_be_noticed_everything_is_synced_and_nothing_is_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsynced, "run_of_machine", lambda: "")
    killed = BoardWriter.open(tmp_path)
    killed.put(rows(range(1, 10)), sequence=7, at_ms=AT_MS)
    assert killed._environment.flags()["sync"]
    killed._environment.close()

    reopened = BoardWriter.open(tmp_path)

    assert reopened.offset() == 7
    reopened.close()


def test_a_board_whose_writer_was_killed_goes_on_while_the_machine_does(tmp_path: Path) -> None:
    killed = BoardWriter.open(tmp_path)
    killed.put(rows(range(1, 10)), sequence=7, at_ms=AT_MS)
    killed._environment.close()

    writer = BoardWriter.open(tmp_path)

    assert writer.offset() == 7
    writer.close()


def test_a_file_cut_short_while_a_reader_has_it_open_ends_no_process_that_opens_it_afterwards(tmp_path: Path) -> None:
    writer = BoardWriter.open(tmp_path)
    writer.put(rows(range(1, 50_000)), sequence=1, at_ms=AT_MS)
    writer.close()
    folder = current_folder(tmp_path)
    assert folder is not None
    data = folder / "data.mdb"
    for length in (0, 1, 4095, 4096, 8192, data.stat().st_size - 1):
        with data.open("r+b") as handle:
            handle.truncate(length)
        opened = subprocess.run(
            [sys.executable, "-c", OPEN_AND_LOOK, str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert (opened.returncode, opened.stdout) == (0, "refused\n"), length


def test_a_reader_lets_go_of_a_file_that_is_cut_short_under_it(tmp_path: Path) -> None:
    writer = BoardWriter.open(tmp_path)
    writer.put(rows(range(1, 50_000)), sequence=1, at_ms=AT_MS)
    writer.close()
    board = Board.open(tmp_path)
    assert board.look_up(49_000) is not None
    folder = current_folder(tmp_path)
    assert folder is not None
    with (folder / "data.mdb").open("r+b") as handle:
        handle.truncate(4096)

    with pytest.raises(BoardUnreadableError):
        board.refresh()

    assert not board.is_present
    assert board.look_up(49_000) is None
    with pytest.raises(BoardUnreadableError):
        board.refresh()


OPEN_AND_LOOK = """
import sys
from pathlib import Path
from tianfu.status.layout import BoardUnreadableError
from tianfu.status.read import Board
try:
    print(Board.open(Path(sys.argv[1])).look_up(49_000))
except BoardUnreadableError:
    print("refused")
"""


def test_a_board_that_goes_while_it_is_being_opened_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = BoardWriter.open(tmp_path)
    first.put(rows(range(1, 11)), sequence=1, at_ms=AT_MS)
    first.close()
    opened: list[Path] = []

    def replaced_first(folder: Path, **options: Any) -> object:  # noqa: ANN401 - as `open_map` takes them
        opened.append(folder)
        if len(opened) == 1:
            # Between the name read and the file opened, another board comes into use and this one is removed.
            anew = BoardWriter.begin_anew(tmp_path)
            anew.put(rows(range(1, 21)), sequence=2, at_ms=AT_MS)
            anew.switch()
            anew.close()
            shutil.rmtree(folder, ignore_errors=True)
        return open_map(folder, **options)

    monkeypatch.setattr(boardfile, "open_map", replaced_first)

    with closing(Board.open(tmp_path)) as board:
        assert board.look_up(20) is not None
    assert len(opened) == 2
