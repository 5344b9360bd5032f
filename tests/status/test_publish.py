from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.support.clock import NOON
from tests.support.evidence import case, contact, declaration, lab_test, people
from tests.support.status import append, core_policy, recompute_all, statuses
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.status import layout, publish, recompute, record
from tianfu.status.layout import VenueRecord
from tianfu.status.publish import Publisher, board_record
from tianfu.status.read import Board
from tianfu.status.record import BoardRecord
from tianfu.status.store import Written
from tianfu.venues import store as venues
from tianfu.venues.model import VenueCategory

AGE_MAX = 3600
NOON_MS = int(NOON.timestamp() * 1000)


def open_publisher(database: Database, folder: Path) -> Publisher:
    with database.read(Purpose.WORKER) as read:
        return Publisher.open(folder, read, at=NOON)


def bring_up_to_date(database: Database, publisher: Publisher, at: datetime = NOON) -> None:
    while True:
        with database.read(Purpose.WORKER) as read:
            if publisher.publish(read, at) == 0:
                publisher.heartbeat(read, at)
                return


def publish_once(database: Database, folder: Path, at: datetime = NOON) -> bool:
    """Open, publish everything, close; whether the board was built anew."""
    publisher = open_publisher(database, folder)
    try:
        bring_up_to_date(database, publisher, at)
    finally:
        publisher.close()
    return publisher.rebuilt


def board_of(folder: Path, persons: list[PersonRef]) -> dict[PersonRef, BoardRecord | None]:
    board = Board.open(folder, age_max_seconds=AGE_MAX)
    try:
        return {person: board.look_up(person) for person in persons}
    finally:
        board.close()


def colour_of(found: BoardRecord | None) -> str:
    assert found is not None
    return record.COLOURS[found.colour]


def test_a_record_says_what_the_decision_says(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, contact(person, "K1"), lab_test(person, "L1"), declaration(person, "D1"))
    recompute_all(database)
    status = statuses(database, [person])[person]

    packed = board_record(status)

    assert record.COLOURS[packed.colour] == "red"
    assert record.POPUPS[packed.popup] == ""
    assert record.REASON_CLASSES[packed.reason] == "contact"
    assert record.TEST_RESULTS[packed.test] == "negative"
    assert packed.rule_set == status.decision.policy_number
    assert packed.sequence == status.sequence
    assert record.unpack(record.pack(packed)) == packed


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 0), (1, 1), (59, 1), (60, 1), (60.5, 2)])
def test_a_lapse_is_rounded_up_and_a_sample_down(database: Database, seconds: float, minutes: int) -> None:
    (person,) = people(database, 1)
    append(database, lab_test(person, "L1"))
    recompute_all(database)
    status = statuses(database, [person])[person]
    instant = datetime(2022, 3, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    test = status.decision.test
    assert test is not None
    decision = msgspec.structs.replace(
        status.decision, next_change_at=instant, test=msgspec.structs.replace(test, sampled_at=instant)
    )

    packed = board_record(msgspec.structs.replace(status, decision=decision))

    day = int(datetime(2022, 3, 1, tzinfo=UTC).timestamp()) // 60
    assert packed.lapses_at == day + minutes
    assert packed.sampled_at == day + int(seconds // 60)


def test_a_decision_that_never_changes_never_lapses(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, case(person, "C1"))
    recompute_all(database)
    status = statuses(database, [person])[person]

    assert status.decision.next_change_at is None
    assert board_record(status).lapses_at == 0


def test_statuses_reach_the_board(database: Database, tmp_path: Path) -> None:
    first, second = people(database, 2)
    append(database, case(first, "C1"), lab_test(second, "L1"))
    recompute_all(database)

    publish_once(database, tmp_path / "board")

    found = board_of(tmp_path / "board", [first, second])
    assert [colour_of(found[person]) for person in (first, second)] == ["red", "green"]


def test_a_publisher_goes_on_where_the_last_one_stopped(database: Database, tmp_path: Path) -> None:
    first, second = people(database, 2)
    append(database, lab_test(first, "L1"))
    recompute_all(database)
    assert publish_once(database, tmp_path / "board")
    append(database, case(second, "C1"))
    recompute_all(database)

    publisher = open_publisher(database, tmp_path / "board")
    with database.read(Purpose.WORKER) as read:
        written = publisher.publish(read, NOON)
    publisher.close()

    assert not publisher.rebuilt
    assert written == 1
    assert colour_of(board_of(tmp_path / "board", [second])[second]) == "red"


def test_what_was_just_written_reaches_the_board_without_being_read_again(database: Database, tmp_path: Path) -> None:
    (person,) = people(database, 1)
    publisher = open_publisher(database, tmp_path / "board")
    append(database, case(person, "C1"))
    with database.write(Purpose.WORKER) as write:
        written = recompute.batch(write, core_policy(), NOON).written

    publisher.put(written, NOON)

    with database.read(Purpose.WORKER) as read:
        assert publisher.publish(read, NOON) == 0
    publisher.close()
    assert colour_of(board_of(tmp_path / "board", [person])[person]) == "red"


def test_a_board_that_is_behind_leaves_what_was_written_to_be_read(database: Database, tmp_path: Path) -> None:
    first, second = people(database, 2)
    publisher = open_publisher(database, tmp_path / "board")
    append(database, case(first, "C1"))
    recompute_all(database)
    append(database, case(second, "C2"))
    with database.write(Purpose.WORKER) as write:
        written = recompute.batch(write, core_policy(), NOON + timedelta(seconds=1)).written

    publisher.put(written, NOON)
    publisher.put(Written(), NOON)

    with database.read(Purpose.WORKER) as read:
        assert publisher.publish(read, NOON) == 2
    publisher.close()
    found = board_of(tmp_path / "board", [first, second])
    assert [colour_of(found[person]) for person in (first, second)] == ["red", "red"]


def test_more_changes_than_one_step_holds_are_published_in_steps(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "PUBLISH_ROWS_MAX", 2)
    monkeypatch.setattr(publish, "REBUILD_ROWS", 2)
    early, late = people(database, 5), people(database, 5)
    append(database, *(lab_test(person, f"L{person}") for person in early))
    recompute_all(database)
    publish_once(database, tmp_path / "board")
    append(database, *(case(person, f"C{person}") for person in late))
    recompute_all(database)

    publish_once(database, tmp_path / "board")

    found = board_of(tmp_path / "board", early + late)
    assert [colour_of(found[person]) for person in early + late] == ["green"] * 5 + ["red"] * 5


@pytest.mark.parametrize("damage", ["deleted", "without origin", "of another database", "garbage"])
def test_a_lost_or_foreign_board_is_built_anew(database: Database, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "board"
    (person,) = people(database, 1)
    append(database, case(person, "C1"))
    recompute_all(database)
    publish_once(database, folder)
    if damage == "deleted":
        shutil.rmtree(folder)
    elif damage == "without origin":
        (folder / layout.ORIGIN_FILE).unlink()
    elif damage == "of another database":
        (folder / layout.ORIGIN_FILE).write_text("12345")
    else:
        current = layout.current_folder(folder)
        assert current is not None
        for file in current.iterdir():
            file.write_bytes(b"garbage" * 1000)

    rebuilt = publish_once(database, folder)

    assert rebuilt
    assert colour_of(board_of(folder, [person])[person]) == "red"


def test_a_board_ahead_of_a_database_set_back_to_a_backup_is_built_anew(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "board"
    first, second = people(database, 2)
    append(database, lab_test(first, "L1"))
    recompute_all(database)
    append(database, case(second, "C1"))
    recompute_all(database)
    publish_once(database, folder)
    with database.write(Purpose.WORKER) as write:
        write.execute("delete from status where person_ref = %s", (second,))

    rebuilt = publish_once(database, folder)

    assert rebuilt
    assert board_of(folder, [second]) == {second: None}


def test_an_interrupted_rebuild_leaves_the_old_board_in_use_and_is_done_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "board"
    (person,) = people(database, 1)
    append(database, case(person, "C1"))
    recompute_all(database)
    publish_once(database, folder)
    (folder / layout.ORIGIN_FILE).write_text("12345")
    with monkeypatch.context() as patched:
        patched.setattr(publish, "board_record", None)
        with pytest.raises(TypeError):
            open_publisher(database, folder)

    assert colour_of(board_of(folder, [person])[person]) == "red"
    assert publish_once(database, folder)


def test_the_heartbeat_makes_the_board_young_again(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "board"
    publish_once(database, folder, NOON)
    later = NOON + timedelta(minutes=10)

    publish_once(database, folder, later)

    board = Board.open(folder, age_max_seconds=AGE_MAX)
    assert board.age_seconds(int(later.timestamp() * 1000)) < 1
    board.close()


def test_sessions_ended_early_reach_the_board(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "board"
    session_id = b"\x01" * 8
    with database.write(Purpose.WORKER) as write:
        write.execute(
            "insert into revoked_session (session_id, expires_at, revoked_at) values (%s, %s, %s)",
            (session_id, NOON + timedelta(days=1), NOON),
        )

    publish_once(database, folder)

    board = Board.open(folder, age_max_seconds=AGE_MAX)
    assert board.is_revoked(session_id)
    assert not board.is_revoked(b"\x02" * 8)
    board.close()


def test_venues_reach_the_board_with_the_generation_in_force(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "board"
    publish_once(database, folder)
    with database.write(Purpose.WORKER) as write:
        manager = write.value(
            "insert into account (username, display_name, password_hash, created_at) values ('li.na', '李', 'x', %s)"
            " returning account_ref",
            (NOON,),
        )
        venue = venues.insert(
            write,
            venue_id=b"v" * 16,
            name="合成超市",
            category=VenueCategory.RETAIL,
            district="510104",
            address="",
            manager=manager,
            at=NOON,
        )
    publish_once(database, folder)
    with database.write(Purpose.WORKER) as write:
        venues.raise_generation(write, venue.venue_ref)
        venues.close(write, venue.venue_ref, NOON)

    publish_once(database, folder)

    board = Board.open(folder, age_max_seconds=AGE_MAX)
    assert board.venue(b"v" * 16) == VenueRecord(venue.venue_ref, 2, open=False)
    board.close()
