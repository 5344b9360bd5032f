"""People by their documents: one number for each, whoever asks first and however many ask at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clock import NOON, FixedClock
from tests.support.codes import rotate
from tests.support.control import resident_id
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyfile import KeyUse
from tianfu.platform.keyring import RecordKeys
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import documents, people
from tianfu.residents.documents import Document


def document(number: int) -> Document:
    return documents.parse("resident_id", resident_id(f"51010719900307{number:03d}"), at=NOON)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def pseudonym(tmp_path: Path, clock: FixedClock) -> Pseudonym:
    return Pseudonym(RecordKeys.load_or_create(tmp_path / "keys" / "records.json", clock=clock), clock=clock)


def count(database: Database) -> int:
    with database.read(Purpose.BATCH) as read:
        people_known: int = read.value("select count(*) from person")
    return people_known


def test_the_same_document_is_the_same_person_within_and_across_calls(database: Database, pseudonym: Pseudonym) -> None:
    with database.write(Purpose.BATCH) as write:
        first = people.refer(write, [document(1), document(2), document(1)], pseudonym=pseudonym, at=NOON)
    with database.write(Purpose.BATCH) as write:
        second = people.refer(write, [document(3), document(2)], pseudonym=pseudonym, at=NOON)

    assert first[0] == first[2] != first[1]
    assert second[1] == first[1]
    assert count(database) == 3
    with database.read(Purpose.BATCH) as read:
        assert people.find(read, document(3), pseudonym=pseudonym) == second[0]
        assert people.find(read, document(4), pseudonym=pseudonym) is None


def test_nobody_asked_for_is_nobody_made(database: Database, pseudonym: Pseudonym) -> None:
    with database.write(Purpose.BATCH) as write:
        assert people.refer(write, [], pseudonym=pseudonym, at=NOON) == []


def test_a_rollback_forgets_the_new_people(database: Database, pseudonym: Pseudonym) -> None:
    def refer_and_fail() -> None:
        with database.write(Purpose.BATCH) as write:
            people.refer(write, [document(1)], pseudonym=pseudonym, at=NOON)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        refer_and_fail()

    assert count(database) == 0


def test_many_at_once_with_the_same_documents_agree(database: Database, pseudonym: Pseudonym) -> None:
    wanted = [document(number) for number in range(20)]
    start = threading.Barrier(6)

    def refer(turn: int) -> dict[Document, int]:
        mine = wanted[turn:] + wanted[:turn]
        start.wait()
        with database.write(Purpose.BATCH) as write:
            return dict(zip(mine, people.refer(write, mine, pseudonym=pseudonym, at=NOON), strict=True))

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(refer, range(6)))

    assert all(answer == answers[0] for answer in answers)
    assert count(database) == 20


def test_a_person_is_found_after_the_index_key_is_rotated(
    database: Database, pseudonym: Pseudonym, clock: FixedClock, tmp_path: Path
) -> None:
    with database.write(Purpose.BATCH) as write:
        (before,) = people.refer(write, [document(1)], pseudonym=pseudonym, at=NOON)
    rotate(tmp_path / "keys" / "records.json", KeyUse.INDEX, int(clock.now().timestamp()))
    clock.advance(timedelta(days=1))

    with database.write(Purpose.BATCH) as write:
        (after,) = people.refer(write, [document(1)], pseudonym=pseudonym, at=NOON)
        rows = write.rows("select index_key from person_document where person_ref = %s", (after,))

    assert before == after
    assert len({key for (key,) in rows}) == 2
    assert count(database) == 1


def test_twenty_thousand_documents_are_numbered_in_seconds(database: Database, pseudonym: Pseudonym) -> None:
    wanted = [documents.parse("passport", f"E{number:08d}", at=NOON) for number in range(20_000)]

    with database.write(Purpose.BATCH) as write:
        persons = people.refer(write, wanted, pseudonym=pseudonym, at=NOON)

    assert len(set(persons)) == 20_000
