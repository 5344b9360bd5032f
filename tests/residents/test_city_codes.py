"""Taking over the holders of old city codes: one person for each document, nothing lost, nothing done twice."""

from __future__ import annotations

import multiprocessing
import signal
from functools import partial
from pathlib import Path
from typing import LiteralString

import pytest

from tests.support.city_codes import (
    CHENGDU,
    LUZHOU,
    Registration,
    chengdu,
    desk_in_process,
    desk_of,
    luzhou,
    many,
    number,
)
from tests.support.clock import NOON
from tianfu.audit import trail
from tianfu.clock import monotonic_seconds
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.residents import consents, documents, people, profile, store
from tianfu.residents.city_codes import city_store, conflicts
from tianfu.residents.city_codes.desk import Desk
from tianfu.residents.city_codes.load import Loaded, load
from tianfu.residents.proofing import Proof

# Some ten rows: many blocks for a small file.
SMALL_BLOCK = 1_000


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    return desk_of(database, tmp_path)


def loaded(desk: Desk, path: Path, mapping: Path = CHENGDU) -> Loaded:
    return load(lambda: desk, path, mapping, at=NOON, loaded_by="os:test", processes=1, block_bytes=SMALL_BLOCK)


def value(desk: Desk, sql: LiteralString) -> int:
    with desk.database.read(Purpose.BATCH) as read:
        found: int = read.value(sql)
    return found


def person_of(desk: Desk, document_number: str) -> PersonRef:
    document = documents.parse("resident_id", document_number, at=NOON)
    with desk.database.read(Purpose.BATCH) as read:
        found = people.find(read, document, pseudonym=desk.pseudonym)
    assert found is not None
    return found


def holder(desk: Desk, document_number: str) -> tuple[profile.Personal, store.ResidentRow]:
    with desk.database.read(Purpose.BATCH) as read:
        row = store.find_resident(read, person_of(desk, document_number))
    assert row is not None
    return profile.opened(row, pseudonym=desk.pseudonym), row


def test_holders_are_taken_over_sealed_and_without_consents(desk: Desk, tmp_path: Path) -> None:
    result = loaded(desk, chengdu(tmp_path / "a.csv", many(300)))

    personal, row = holder(desk, number(7))
    assert (result.rows, result.counts.made, result.counts.set_aside) == (300, 300, 0)
    assert result.counts.blocks > 10
    assert (personal.name, personal.phone, personal.document.number) == ("张小明", "+8613900000007", number(7))
    assert (row.proofing_provider, row.district) == ("city:510100", "510107")
    assert row.claimed_at.isoformat() == "2020-05-01T02:00:00+00:00"
    with desk.database.read(Purpose.BATCH) as read:
        assert consents.missing(read, row.person) == ("claim", "health", "visits")
    assert value(desk, "select count(*) from city_part") == 0
    assert value(desk, "select sum(people) from evidence_change") == 300
    assert value(desk, "select count(*) from pg_indexes where indexname = 'resident_phone'") == 1


def test_the_same_file_again_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    path = chengdu(tmp_path / "a.csv", many(50))
    first = loaded(desk, path)
    again = loaded(desk, path)

    assert again.already_loaded
    assert again.counts == first.counts
    assert value(desk, "select count(*) from resident") == 50
    assert value(desk, "select count(*) from audit_trail") == 2


def test_rows_that_cannot_be_accepted_are_set_aside_sealed(desk: Desk, tmp_path: Path) -> None:
    rows = [*many(20), Registration("51010719900307011A"), Registration(number(30), phone="123")]
    result = loaded(desk, chengdu(tmp_path / "a.csv", rows))

    with desk.database.read(Purpose.BATCH) as read:
        reasons = city_store.reasons(read, result.file_id)
        kept = [bytes(row) for (row,) in read.rows("select row_sealed from city_set_aside")]
    assert (result.counts.accepted, result.counts.set_aside) == (20, 2)
    assert reasons == [("document.number", "document_format", 1, 22), ("phone", "phone", 1, 23)]
    assert not any("张小明".encode() in line or number(30).encode() in line for line in kept)


def test_one_document_is_one_person_within_a_file_and_across_cities(desk: Desk, tmp_path: Path) -> None:
    older = Registration(number(1), phone="13800000001", registered="2020-03-01")
    newer = Registration(number(1), phone="13800000002", registered="2020-09-01")
    newest = Registration(number(1), phone="13800000003", registered="2021-01-01 08:00")
    other = Registration(number(2), phone="13800000004")
    first = loaded(desk, chengdu(tmp_path / "a.csv", [newer, older, other]))
    second = loaded(desk, luzhou(tmp_path / "b.txt", [newest, other]), LUZHOU)

    personal, row = holder(desk, number(1))
    assert (first.counts.made, first.counts.duplicates) == (2, 1)
    assert (second.counts.made, second.counts.updated, second.counts.duplicates) == (0, 1, 1)
    assert (personal.phone, row.district, row.proofing_provider) == ("+8613800000003", "510502", "city:510500")
    assert holder(desk, number(2))[1].proofing_provider == "city:510100"
    assert value(desk, "select count(*) from person") == 2


@pytest.mark.parametrize("newest_first", [True, False])
def test_the_newest_registration_counts_in_whatever_order_files_come(
    desk: Desk, tmp_path: Path, *, newest_first: bool
) -> None:
    old = (chengdu(tmp_path / "a.csv", [Registration(number(1), name="张明", registered="2020-03-01")]), CHENGDU)
    new = (luzhou(tmp_path / "b.txt", [Registration(number(1), name="张小明", registered="2021-03-01")]), LUZHOU)
    for path, mapping in (new, old) if newest_first else (old, new):
        loaded(desk, path, mapping)

    assert holder(desk, number(1))[0].name == "张小明"
    with desk.database.write(Purpose.OPERATOR) as write:
        (conflict,) = conflicts.page(write, pseudonym=desk.pseudonym, actor="os:test", at=NOON)
    assert (conflict.name, conflict.other_name) == ("张*明", "*明")
    assert (conflict.provider, conflict.other_city) == ("city:510500", "510100")


def test_a_look_at_a_conflict_is_in_the_trail_of_the_person(desk: Desk, tmp_path: Path) -> None:
    loaded(desk, chengdu(tmp_path / "a.csv", [Registration(number(1)), Registration(number(1), name="李四")]))
    with desk.database.write(Purpose.OPERATOR) as write:
        conflicts.page(write, pseudonym=desk.pseudonym, actor="os:test", at=NOON)

    with desk.database.read(Purpose.OPERATOR) as read:
        looks = trail.reads_of(read, person_of(desk, number(1)), limit=10, before=None)
    assert [look.action for look in looks] == ["city_codes.conflict"]


def test_who_claimed_here_is_never_overwritten(desk: Desk, tmp_path: Path) -> None:
    document = documents.parse("resident_id", number(1), at=NOON)
    with desk.database.write(Purpose.BATCH) as write:
        (person,) = people.refer(write, [document], pseudonym=desk.pseudonym, at=NOON)
        own = profile.sealed(
            person,
            profile.Personal("张小明", document, "+8613811111111"),
            district="510104",
            language="en",
            proof=Proof("http", "reference"),
            claimed_at=NOON,
            pseudonym=desk.pseudonym,
        )
        store.insert_resident(write, own)
    result = loaded(desk, chengdu(tmp_path / "a.csv", [Registration(number(1), name="别人"), Registration(number(2))]))

    assert (result.counts.made, result.counts.claimed, result.counts.conflicts) == (1, 1, 0)
    assert holder(desk, number(1))[1] == own


def test_who_a_department_knew_becomes_a_holder_under_the_same_number(desk: Desk, tmp_path: Path) -> None:
    document = documents.parse("resident_id", number(1), at=NOON)
    with desk.database.write(Purpose.BATCH) as write:
        (person,) = people.refer(write, [document], pseudonym=desk.pseudonym, at=NOON)
    result = loaded(desk, chengdu(tmp_path / "a.csv", [Registration(number(1)), Registration(number(2))]))

    assert (result.counts.made, result.counts.known) == (1, 1)
    assert holder(desk, number(1))[1].person == person


class StoppedError(Exception):
    """Stands for whatever ends a load."""


@pytest.mark.parametrize("steps", [0, 3, 12, 25])
def test_a_load_that_was_interrupted_goes_on_and_comes_to_the_same_end(desk: Desk, tmp_path: Path, steps: int) -> None:
    rows = [*many(200), *many(20), Registration("x")]
    path = chengdu(tmp_path / "a.csv", rows)
    told = 0

    def interrupt(_step: str, _done: int, _total: int) -> None:
        nonlocal told
        told += 1
        if told > steps:
            raise StoppedError

    with pytest.raises(StoppedError):
        load(
            lambda: desk,
            path,
            CHENGDU,
            at=NOON,
            loaded_by="os:test",
            processes=1,
            progress=interrupt,
            block_bytes=SMALL_BLOCK,
        )
    result = loaded(desk, path)

    assert result.resumed
    assert (result.counts.made, result.counts.duplicates, result.counts.set_aside) == (200, 20, 1)
    assert value(desk, "select count(*) from resident") == 200
    assert loaded(desk, path).already_loaded


def _load_forever(url: str, var: str, path: str) -> None:
    load(
        partial(desk_in_process, url, var),
        Path(path),
        CHENGDU,
        at=NOON,
        loaded_by="os:test",
        processes=2,
        block_bytes=20 * SMALL_BLOCK,
    )


def test_a_load_that_was_killed_goes_on(desk: Desk, database_url: str, tmp_path: Path) -> None:
    path = chengdu(tmp_path / "a.csv", many(9_000))
    context = multiprocessing.get_context("spawn")
    victim = context.Process(target=_load_forever, args=(database_url, str(tmp_path), str(path)))
    victim.start()
    until = monotonic_seconds() + 60
    while value(desk, "select count(*) from city_block where done_at is not null") == 0:
        assert monotonic_seconds() < until
    assert victim.pid is not None
    victim.kill()
    victim.join()
    assert victim.exitcode == -signal.SIGKILL

    result = loaded(desk, path)

    assert (result.counts.made, result.counts.accepted) == (9_000, 9_000)
    assert value(desk, "select count(*) from person_document") == 9_000
