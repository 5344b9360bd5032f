from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest

from tianfu.platform.http import BusyError
from tianfu.platform.observe import Log
from tianfu.status import watch
from tianfu.status.board import BoardWriter
from tianfu.status.read import AGE_UNKNOWN_SECONDS, LAPSE_GRACE_SECONDS, Board
from tianfu.status.record import BoardRecord, pack
from tianfu.status.watch import Watchers
from tianfu.status.words import status_words

AT_MS = 1_646_107_200_000
MINUTE = 60_000
GREEN = 1


def record(*, lapses_at: int = 0, sequence: int = 8) -> BoardRecord:
    return BoardRecord(GREEN, 0, 0, 1, 1, 0, AT_MS // MINUTE - 90, lapses_at, AT_MS // MINUTE, sequence)


def written(folder: Path, person: int, content: bytes, *, at_ms: int = AT_MS) -> Board:
    writer = BoardWriter.open(folder)
    writer.put([(person, content)], sequence=1, at_ms=at_ms)
    writer.close()
    return Board.open(folder)


def test_without_a_board_everybody_is_being_checked_and_its_age_is_unknown(tmp_path: Path) -> None:
    board = Board.open(tmp_path / "nowhere")

    assert board.shown(1, AT_MS).colour == 0
    assert board.venue(b"v" * 16) is None
    assert not board.is_revoked(b"12345678")
    assert board.age_seconds(AT_MS) == AGE_UNKNOWN_SECONDS
    assert not board.is_present


def test_a_board_that_appears_is_taken_up(tmp_path: Path) -> None:
    board = Board.open(tmp_path)
    assert not board.is_present
    written(tmp_path, 7, pack(record())).close()

    assert board.refresh()

    assert board.shown(7, AT_MS).colour == GREEN
    board.close()


def test_a_known_person_on_a_fresh_board_has_the_colour_stored(tmp_path: Path) -> None:
    board = written(tmp_path, 7, pack(record()))

    assert board.shown(7, AT_MS + 5_000) == record()
    assert board.age_seconds(AT_MS + 5_000) == 5
    board.close()


def test_an_unknown_person_is_being_checked(tmp_path: Path) -> None:
    board = written(tmp_path, 7, pack(record()))

    assert board.shown(8, AT_MS).colour == 0
    board.close()


@pytest.mark.parametrize(("late_ms", "colour"), [(21_600_000, GREEN), (21_600_001, 0)])
def test_a_board_not_heard_of_for_too_long_says_nothing_of_anybody(tmp_path: Path, late_ms: int, colour: int) -> None:
    board = written(tmp_path, 7, pack(record()))

    shown = board.shown(7, AT_MS + late_ms)

    assert shown.colour == colour
    assert shown.sequence == 8
    board.close()


@pytest.mark.parametrize(("ahead_ms", "colour"), [(300_000, GREEN), (300_001, 0)])
def test_a_heartbeat_from_the_future_is_a_broken_clock(tmp_path: Path, ahead_ms: int, colour: int) -> None:
    board = written(tmp_path, 7, pack(record()), at_ms=AT_MS + ahead_ms)

    assert board.shown(7, AT_MS).colour == colour
    board.close()


@pytest.mark.parametrize(
    ("after_ms", "colour"), [(LAPSE_GRACE_SECONDS * 1000, GREEN), (LAPSE_GRACE_SECONDS * 1000 + 1, 0)]
)
def test_a_record_that_has_lapsed_is_never_shown_as_green(tmp_path: Path, after_ms: int, colour: int) -> None:
    board = written(tmp_path, 7, pack(record(lapses_at=AT_MS // MINUTE)))

    assert board.shown(7, AT_MS + after_ms).colour == colour
    board.close()


def test_a_record_of_an_unknown_version_is_being_checked(tmp_path: Path) -> None:
    board = written(tmp_path, 7, b"\x63" + pack(record())[1:])

    assert board.look_up(7) is None
    assert board.shown(7, AT_MS).colour == 0
    board.close()


def test_look_ups_of_one_round_of_the_loop_share_a_snapshot_and_the_next_round_sees_more(tmp_path: Path) -> None:
    async def run() -> None:
        writer = BoardWriter.open(tmp_path)
        writer.put([(7, pack(record(sequence=1)))], sequence=1, at_ms=AT_MS)
        board = Board.sharing(tmp_path, tmp_path, writer._environment)
        board._loop = asyncio.get_running_loop()
        assert board.shown(7, AT_MS).sequence == 1
        await asyncio.to_thread(writer.put, [(7, pack(record(sequence=2)))], sequence=2, at_ms=AT_MS + 1_000)
        assert board.shown(7, AT_MS).sequence == 2
        assert board.age_seconds(AT_MS + 1_000) == 0
        await asyncio.sleep(0)
        writer.close()

    asyncio.run(run())


def test_the_words_name_colour_reason_and_test_with_full_hours() -> None:
    words = status_words(record(), AT_MS // 1000).decode()

    assert words == (
        '"colour":"green","popup":"","reason":"","rule_set":1,'
        f'"test":{{"result":"negative","sampled_at":{AT_MS // 1000 - 5400},"hours":1}}'
    )


def test_words_of_a_record_from_a_later_version_are_being_checked() -> None:
    words = status_words(record()._replace(colour=9, test=77), AT_MS // 1000).decode()

    assert words == '"colour":"checking","popup":"","reason":"","rule_set":1,"test":null'


def watchers(board: Board) -> Watchers:
    return Watchers(board, Log("test", stream=io.StringIO()))


def test_only_those_who_wait_for_the_person_that_changed_are_woken(tmp_path: Path) -> None:
    async def run() -> None:
        writer = BoardWriter.open(tmp_path)
        writer.put([(1, pack(record())), (2, pack(record()))], sequence=1, at_ms=AT_MS)
        desk = watchers(writer.reader())
        following = asyncio.create_task(desk.follow())
        await asyncio.sleep(0.05)
        first = asyncio.create_task(desk.changed(1, timeout_seconds=5))
        second = asyncio.create_task(desk.changed(2, timeout_seconds=0.6))
        await asyncio.sleep(0.05)
        writer.put([(1, pack(record(sequence=9)))], sequence=2, at_ms=AT_MS)
        assert await first
        assert not await second
        assert len(desk) == 0
        following.cancel()
        writer.close()

    asyncio.run(run())


def test_everybody_is_woken_when_changes_were_missed_or_the_board_was_built_anew(tmp_path: Path) -> None:
    async def run() -> None:
        BoardWriter.open(tmp_path).close()
        desk = watchers(Board.open(tmp_path))
        waiting = asyncio.create_task(desk.changed(1, timeout_seconds=5))
        await asyncio.sleep(0)
        anew = BoardWriter.begin_anew(tmp_path)
        anew.switch()
        anew.close()
        desk.look()
        assert await waiting

    asyncio.run(run())


def test_more_watchers_than_the_limit_are_told_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "WATCHERS_MAX", 1)

    async def run() -> None:
        desk = watchers(Board.open(tmp_path))
        waiting = asyncio.create_task(desk.changed(1, timeout_seconds=5))
        await asyncio.sleep(0)
        with pytest.raises(BusyError) as busy:
            await desk.changed(2, timeout_seconds=5)
        assert busy.value.retry_after_seconds == watch.WATCH_RETRY_SECONDS
        desk.release()
        assert await waiting

    asyncio.run(run())


def test_one_person_does_not_take_the_places_of_all_who_wait(tmp_path: Path) -> None:
    async def run() -> None:
        desk = watchers(Board.open(tmp_path))
        waiting = [asyncio.create_task(desk.changed(1, timeout_seconds=5)) for _ in range(watch.WATCHERS_OF_ONE_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await desk.changed(1, timeout_seconds=5)
        waiting.append(asyncio.create_task(desk.changed(2, timeout_seconds=5)))
        await asyncio.sleep(0)
        desk.release()
        assert await asyncio.gather(*waiting) == [True] * len(waiting)

    asyncio.run(run())


def test_the_age_of_a_board_that_nobody_looks_anything_up_on_follows_the_heartbeat(tmp_path: Path) -> None:
    async def ages() -> list[int]:
        writer = BoardWriter.open(tmp_path)
        writer.heartbeat(AT_MS)
        board = writer.reader()
        board._loop = asyncio.get_running_loop()
        seen = [board.age_seconds(AT_MS)]
        await asyncio.sleep(0)
        writer.heartbeat(AT_MS + 40_000)
        seen.append(board.age_seconds(AT_MS + 41_000))
        await asyncio.sleep(0)
        writer.close()
        return seen

    assert asyncio.run(ages()) == [0, 1]


def test_a_damaged_board_is_reported_once_and_taken_up_when_repaired(tmp_path: Path) -> None:
    stream = io.StringIO()
    (tmp_path / "current").write_text("nonsense")
    board = Board(tmp_path)
    desk = Watchers(board, Log("test", stream=stream))

    for _ in range(5):
        desk.look()

    assert stream.getvalue().count("the board cannot be read") == 1
    (tmp_path / "current").unlink()
    BoardWriter.open(tmp_path).close()
    desk.look()
    assert board.is_present
    board.close()
