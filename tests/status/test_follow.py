from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.status.test_board import AT_MS, rows
from tianfu.status import boardcopy, layout, source, stream
from tianfu.status.board import ROWS_MAX, BoardWriter
from tianfu.status.follow import Follower
from tianfu.status.layout import Table, VenueRecord
from tianfu.status.read import Board
from tianfu.status.source import BoardChangesGoneError, Source
from tianfu.status.stream import Frame, StreamBrokenError

PEOPLE = 3_000


class DirectLink:
    """Frames from a board of this process; `spoil` may change one on its way."""

    def __init__(self, writer: BoardWriter, folder: Path) -> None:
        self.connect(writer, folder)
        self.spoil: Callable[[Frame], Frame] = lambda frame: frame
        self.pages = 0

    def connect(self, writer: BoardWriter, folder: Path) -> None:
        self.source = Source.sharing(folder, writer._folder, writer._environment)

    def page(self, table: Table, after: bytes | None) -> Frame:
        self.pages += 1
        return self.spoil(stream.unpack(stream.pack(self.source.page(table, after))))

    def changes(self, identity: int, after: int, heard_ms: int) -> Frame:
        del heard_ms
        return self.spoil(stream.unpack(stream.pack(self.source.changes(identity, after))))


def filled(folder: Path) -> BoardWriter:
    """A board with something in every table."""
    writer = BoardWriter.open(folder)
    writer.put(rows(range(1, PEOPLE)), sequence=70, at_ms=AT_MS)
    writer.put_venues([(bytes([n]) * 16, VenueRecord(n, 2, open=True)) for n in range(1, 50)], sequence=9)
    writer.revoke([bytes([n]) * 8 for n in range(5)], at_ms=AT_MS)
    writer.kill([(b"k" * 16, AT_MS)])
    writer.put_list("trust", b"HKL:abc" * 1_000)
    writer.heartbeat(AT_MS + 5)
    return writer


def change(writer: BoardWriter, turn: int) -> None:
    """A few changes of every sort, deletions among them."""
    chance = random.Random(turn)
    persons = sorted(chance.sample(range(1, PEOPLE + turn), 40))
    writer.put(
        [(person, rows(range(person, person + 1), colour=2)[0][1]) for person in persons],
        sequence=100 + turn,
        at_ms=AT_MS + turn,
    )
    writer.put_venues([(bytes([turn % 60]) * 16, VenueRecord(turn, 3, open=False))], sequence=10 + turn)
    writer.revoke([b"%08d" % turn], at_ms=AT_MS + turn)
    writer.forget_revoked(before_ms=AT_MS + turn - 2)
    writer.put_list("trust", b"HKL:%d" % turn)


def content(folder: Path) -> dict[str, object]:
    """Everything a gate could learn from the board in use."""
    board = Board.open(folder)
    try:
        with board._begin() as transaction:
            tables = {
                table.name.decode(): list(transaction.cursor(board._databases[table]))
                for table in layout.TABLES.values()
            }
            meta = dict(transaction.cursor(board._meta))
    finally:
        board.close()
    names = (layout.META_HEARTBEAT, layout.META_OFFSET, layout.META_VENUE_OFFSET)
    return {**tables, "numbers": [meta.get(name, bytes(8)) for name in names]}


def follow_until_whole(follower: Follower, link: DirectLink) -> None:
    for _ in range(10_000):
        if follower.step(link).whole:
            return
    raise AssertionError


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "PAGE_BYTES_MAX", 5_000)
    monkeypatch.setattr(source, "CHANGES_MAX", 30)


def test_a_new_follower_has_the_whole_board_and_then_every_change(tmp_path: Path) -> None:
    writer = filled(tmp_path / "a")
    link = DirectLink(writer, tmp_path / "a")
    follower = Follower(tmp_path / "b")

    for turn in range(1, 20):
        follow_until_whole(follower, link)
        change(writer, turn)
    follow_until_whole(follower, link)
    follower.close()
    writer.close()

    assert content(tmp_path / "b") == content(tmp_path / "a")


def test_changes_while_the_snapshot_is_loaded_are_not_missed_and_nobody_sees_it_before_it_is_whole(
    tmp_path: Path,
) -> None:
    writer = filled(tmp_path / "a")
    link = DirectLink(writer, tmp_path / "a")
    follower = Follower(tmp_path / "b")
    turn = 0
    while not follower.step(link).whole:
        assert layout.current_folder(tmp_path / "b") is None
        turn += 1
        if turn < 40:
            change(writer, turn)
    follower.close()
    writer.close()

    assert turn > 20
    assert content(tmp_path / "b") == content(tmp_path / "a")


def test_a_follower_that_stops_between_any_two_frames_goes_on_and_loads_no_page_twice(tmp_path: Path) -> None:
    writer = filled(tmp_path / "a")
    link = DirectLink(writer, tmp_path / "a")
    for turn in range(1, 500):
        follower = Follower(tmp_path / "b")
        whole = follower.step(link).whole
        killed = follower._writer
        assert killed is not None
        killed._environment.close()  # nothing is synced or unmarked: as kill -9 leaves it
        killed._is_open = False
        if turn < 30:
            change(writer, turn)
        elif whole:
            break
    writer.close()

    fresh = filled(tmp_path / "c")
    once = DirectLink(fresh, tmp_path / "c")
    other = Follower(tmp_path / "d")
    follow_until_whole(other, once)
    other.close()
    fresh.close()
    assert content(tmp_path / "b") == content(tmp_path / "a")
    assert link.pages <= once.pages + 2


def test_changes_that_come_twice_or_late_do_no_harm(tmp_path: Path) -> None:
    writer = filled(tmp_path / "a")
    link = DirectLink(writer, tmp_path / "a")
    follower = Follower(tmp_path / "b")
    follow_until_whole(follower, link)
    seen: list[Frame] = []

    def doubled(frame: Frame) -> Frame:
        seen.append(frame)
        return seen[-2] if len(seen) % 3 == 0 else frame

    link.spoil = doubled
    for turn in range(1, 12):
        change(writer, turn)
        for _ in range(12):
            follower.step(link)
    link.spoil = lambda frame: frame
    follow_until_whole(follower, link)
    follower.close()
    writer.close()

    assert content(tmp_path / "b") == content(tmp_path / "a")


def test_large_batches_after_small_ones_come_in_frames_that_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "CHANGES_MAX", 20_000)
    writer = BoardWriter.open(tmp_path / "a")
    link = DirectLink(writer, tmp_path / "a")
    follower = Follower(tmp_path / "b")
    follow_until_whole(follower, link)
    writer.put(rows(range(1, 15_000)), sequence=1, at_ms=AT_MS)
    writer.put(rows(range(20_000, 20_000 + ROWS_MAX)), sequence=2, at_ms=AT_MS)

    follow_until_whole(follower, link)
    follower.close()
    writer.close()

    assert content(tmp_path / "b") == content(tmp_path / "a")


def test_a_gap_is_refused_and_asked_for_again(tmp_path: Path) -> None:
    writer = filled(tmp_path / "a")
    link = DirectLink(writer, tmp_path / "a")
    follower = Follower(tmp_path / "b")
    follow_until_whole(follower, link)
    change(writer, 1)
    link.spoil = lambda frame: frame._replace(first=frame.first + 1)

    with pytest.raises(StreamBrokenError):
        follower.step(link)

    link.spoil = lambda frame: frame
    follow_until_whole(follower, link)
    follower.close()
    writer.close()
    assert content(tmp_path / "b") == content(tmp_path / "a")


def test_a_page_that_skips_or_repeats_blocks_is_refused(tmp_path: Path) -> None:
    writer = filled(tmp_path / "a")
    link = DirectLink(writer, tmp_path / "a")
    follower = Follower(tmp_path / "b")
    follower.step(link)
    link.spoil = lambda frame: frame._replace(
        sections=(frame.sections[0]._replace(rows=list(reversed(frame.sections[0].rows))),)
    )

    with pytest.raises(StreamBrokenError):
        follower.step(link)

    link.spoil = lambda frame: frame
    follow_until_whole(follower, link)
    follower.close()
    writer.close()
    assert content(tmp_path / "b") == content(tmp_path / "a")


def test_another_board_at_the_source_is_loaded_anew_while_the_old_one_stays_in_use(tmp_path: Path) -> None:
    writer = filled(tmp_path / "a")
    link = DirectLink(writer, tmp_path / "a")
    follower = Follower(tmp_path / "b")
    follow_until_whole(follower, link)
    before = layout.current_folder(tmp_path / "b")
    writer.close()
    anew = BoardWriter.begin_anew(tmp_path / "a")
    anew.put(rows(range(1, 200), colour=3), sequence=500, at_ms=AT_MS + 9)
    anew.switch()
    link.connect(anew, tmp_path / "a")

    assert not follower.step(link).whole
    assert layout.current_folder(tmp_path / "b") == before
    follow_until_whole(follower, link)
    follower.close()
    anew.close()

    assert layout.current_folder(tmp_path / "b") != before
    assert content(tmp_path / "b") == content(tmp_path / "a")


def test_who_was_away_longer_than_changes_are_kept_loads_a_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = filled(tmp_path / "a")
    link = DirectLink(writer, tmp_path / "a")
    follower = Follower(tmp_path / "b")
    follow_until_whole(follower, link)
    monkeypatch.setattr(layout, "CHANGES_KEPT_MAX", 60)
    for turn in range(1, 10):
        change(writer, turn)
    with pytest.raises(BoardChangesGoneError):
        link.source.changes(link.source.identity(), 5)

    follow_until_whole(follower, link)
    follower.close()
    writer.close()

    assert content(tmp_path / "b") == content(tmp_path / "a")


def test_the_age_of_a_board_that_is_catching_up_is_that_of_its_last_whole_moment(tmp_path: Path) -> None:
    writer = filled(tmp_path / "a")
    link = DirectLink(writer, tmp_path / "a")
    follower = Follower(tmp_path / "b")
    follow_until_whole(follower, link)
    for turn in range(1, 4):
        change(writer, turn)
    writer.heartbeat(AT_MS + 60_000)

    assert not follower.step(link).whole
    follower.close()
    behind = content(tmp_path / "b")["numbers"]
    follow_until_whole(follower, link)
    follower.close()
    writer.close()

    assert behind == [layout.NUMBER.pack(number) for number in (AT_MS + 5, 70, 9)]
    assert content(tmp_path / "b") == content(tmp_path / "a")


def test_a_worker_does_not_take_a_followed_board_for_its_own(tmp_path: Path) -> None:
    writer = filled(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / layout.ORIGIN_FILE).write_text("12345")
    follower = Follower(tmp_path / "b")
    follow_until_whole(follower, DirectLink(writer, tmp_path / "a"))
    follower.close()
    writer.close()

    assert not (tmp_path / "b" / layout.ORIGIN_FILE).exists()


def written(folder: Path, writer: BoardWriter) -> bytes:
    return b"".join(
        stream.pack(frame) for frame in boardcopy.frames(Source.sharing(folder, writer._folder, writer._environment))
    )


def test_a_board_becomes_a_file_and_the_file_the_same_board(tmp_path: Path) -> None:
    writer = filled(tmp_path / "a")
    change(writer, 1)
    file = written(tmp_path / "a", writer)
    writer.close()

    boardcopy.load(tmp_path / "b", io.BytesIO(file))

    assert content(tmp_path / "b") == content(tmp_path / "a")


def test_a_file_that_is_cut_or_damaged_leaves_the_board_that_is_there(tmp_path: Path) -> None:
    writer = filled(tmp_path / "a")
    file = written(tmp_path / "a", writer)
    writer.close()
    BoardWriter.open(tmp_path / "b").close()
    before = content(tmp_path / "b")
    chance = random.Random(5)
    last = len(file) - 32 - stream.HEAD_BYTES  # without the frame that ends it
    for length in [0, last, *(chance.randrange(len(file)) for _ in range(30))]:
        with pytest.raises(StreamBrokenError):
            boardcopy.load(tmp_path / "b", io.BytesIO(file[:length]))
    spoilt = bytearray(file)
    spoilt[len(file) // 2] ^= 1
    with pytest.raises(StreamBrokenError):
        boardcopy.load(tmp_path / "b", io.BytesIO(bytes(spoilt)))

    assert content(tmp_path / "b") == before
    assert len(list((tmp_path / "b").glob("g-*"))) == 1
