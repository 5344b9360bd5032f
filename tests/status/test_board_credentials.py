"""Killed credentials and signed lists on the board."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.support.clock import NOON
from tianfu.platform.database import Database, Purpose
from tianfu.status.board import BoardWriter
from tianfu.status.publish import Publisher
from tianfu.status.read import Board

MIB = 2**20
ONE, OTHER = bytes(15) + b"\x01", bytes(15) + b"\x02"


def test_a_killed_credential_is_known_until_some_time_after_its_life(tmp_path: Path) -> None:
    with closing(BoardWriter.open(tmp_path, map_bytes=64 * MIB)) as writer:
        board = writer.reader()
        writer.kill([(ONE, 1_000), (OTHER, 2_000)], sequence=7)

        assert (board.is_killed(ONE), board.is_killed(OTHER), board.is_killed(bytes(16))) == (True, True, False)
        assert writer.killed_offset() == 7
        assert writer.forget_killed(before=1_000) == 0
        assert writer.forget_killed(before=1_001) == 1
        assert (board.is_killed(ONE), board.is_killed(OTHER)) == (False, True)
        assert writer.killed_offset() == 7


def test_an_id_of_another_length_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with closing(BoardWriter.open(tmp_path, map_bytes=64 * MIB)) as writer:
        with pytest.raises(ValueError):
            writer.kill([(ONE, 1_000), (b"short", 1_000)], sequence=7)

        assert writer.killed_offset() == 0
        assert not writer.reader().is_killed(ONE)


def test_a_list_of_a_megabyte_is_kept_as_it_is_and_replaced_by_the_next(tmp_path: Path) -> None:
    long = b"HKL:" + b"A" * 1_333_400
    with closing(BoardWriter.open(tmp_path, map_bytes=64 * MIB)) as writer:
        board = writer.reader()
        assert board.signed_list(b"not-green") is None
        writer.put_lists([(b"not-green", long), (b"trust", b"HKL:BBBB")])
        assert board.signed_list(b"not-green") == long
        for _ in range(50):
            writer.put_lists([(b"not-green", long)])
        writer.put_lists([(b"not-green", b"HKL:CCCC")])

        assert (board.signed_list(b"not-green"), board.signed_list(b"trust")) == (b"HKL:CCCC", b"HKL:BBBB")


def test_without_a_board_nobody_is_killed_and_there_are_no_lists(tmp_path: Path) -> None:
    with closing(Board.open(tmp_path)) as board:
        assert not board.is_killed(ONE)
        assert board.signed_list(b"trust") is None


def test_a_board_that_knows_of_more_killed_ones_than_the_database_is_built_anew(
    database: Database, tmp_path: Path
) -> None:
    """The database was set back to a backup: what is killed from now on must not be taken for known."""

    def opened() -> bool:
        with database.read(Purpose.WORKER) as read:
            publisher = Publisher.open(tmp_path, read, at=NOON)
        publisher.close()
        return publisher.rebuilt

    opened()
    assert not opened()
    writer = BoardWriter.open(tmp_path)
    writer.kill([(ONE, 1_000)], sequence=5)
    writer.close()

    assert opened()
    assert not opened()
