from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.support.clock import NOON
from tests.support.evidence import lab_test, people
from tests.support.status import append, core_policy, recompute_all, statuses
from tianfu.evidence import changes
from tianfu.evidence.care_kinds import Vaccination
from tianfu.evidence.kinds import Attributes
from tianfu.evidence.model import Evidence, NewEvidence
from tianfu.evidence.travel_kinds import Arrival, ArrivalChannel, ZoneLevel, ZoneRelation, ZoneStay
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval
from tianfu.platform.database import Database, Purpose
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.decide import decide
from tianfu.status.add_ons import NONE, AddOns, add_ons
from tianfu.status.publish import Publisher, board_record
from tianfu.status.read import Board
from tianfu.status.record import BLOCKS_CODE, BLOCKS_SCAN, BoardRecord
from tianfu.status.replay import replay
from tianfu.status.store import Status
from tianfu.status.words import add_on_words

DAY = timedelta(days=1)
PERSON = PersonRef(7)


def dose(number: int, at: datetime = NOON - 30 * DAY) -> Vaccination:
    return Vaccination(dose=number, vaccinated_at=at, product="SYN-V")


def stay(
    *,
    level: ZoneLevel = ZoneLevel.HIGH,
    relation: ZoneRelation = ZoneRelation.INSIDE,
    left_at: datetime | None = NOON - DAY,
) -> ZoneStay:
    return ZoneStay(
        zone="SYN-Z",
        level=level,
        relation=relation,
        designated_at=NOON - 9 * DAY,
        level_since=NOON - 9 * DAY,
        left_at=left_at,
    )


def stated(attributes: Attributes, start: datetime, number: int = 1) -> Evidence:
    return Evidence(
        evidence_id=EvidenceId(number),
        person=PERSON,
        source="health",
        source_record=f"R{number}",
        attributes=attributes,
        occurred_at=start,
        received_at=start,
        valid=Interval(start),
    )


def sent(person: PersonRef, attributes: Attributes, start: datetime, record: str) -> NewEvidence:
    return NewEvidence(
        person=person,
        source="health",
        source_record=record,
        attributes=attributes,
        occurred_at=start,
        valid=Interval(start),
    )


def test_nobody_has_an_add_on_without_evidence_of_it(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, lab_test(person, "L1"))
    recompute_all(database)

    assert add_ons([], NOON) is NONE
    assert statuses(database, [person])[person].add_ons == 0


@pytest.mark.parametrize(("numbers", "shown"), [((1,), 1), ((2, 1), 2), ((1, 2, 3), 3), ((5, 4), 3)])
def test_the_highest_dose_counts_and_three_stands_for_more(numbers: tuple[int, ...], shown: int) -> None:
    evidence = [stated(dose(number), NOON - 30 * DAY, number) for number in numbers]

    assert add_ons(evidence, NOON) == AddOns(shown, travel=False, until=None)


def test_a_dose_counts_from_the_instant_it_was_given() -> None:
    evidence = [stated(dose(1), NOON - DAY, 1), stated(dose(2, NOON + DAY), NOON + DAY, 2)]

    assert add_ons(evidence, NOON) == AddOns(1, travel=False, until=NOON + DAY)
    assert add_ons(evidence, NOON + DAY) == AddOns(2, travel=False, until=None)


def test_a_stay_is_shown_until_fourteen_days_after_leaving_and_not_at_that_instant() -> None:
    evidence = [stated(stay(left_at=NOON - DAY), NOON - 9 * DAY)]
    ends = NOON + 13 * DAY

    assert add_ons(evidence, NOON) == AddOns(0, travel=True, until=ends)
    assert add_ons(evidence, ends - timedelta(microseconds=1)).travel
    assert add_ons(evidence, ends) == AddOns(0, travel=False, until=None)


def test_who_has_not_left_is_shown_without_end_and_two_stays_end_with_the_later() -> None:
    lasting = [stated(stay(left_at=None), NOON - 9 * DAY)]
    two = [stated(stay(left_at=NOON - 5 * DAY), NOON - 9 * DAY, 1), stated(stay(left_at=NOON), NOON - DAY, 2)]

    assert add_ons(lasting, NOON) == AddOns(0, travel=True, until=None)
    assert add_ons(two, NOON) == AddOns(0, travel=True, until=NOON + 14 * DAY)


@pytest.mark.parametrize(
    "said",
    [
        stay(level=ZoneLevel.LIFTED),
        stay(level=ZoneLevel.LOW),
        stay(relation=ZoneRelation.SURROUNDINGS),
        Arrival(arrived_at=NOON - DAY, channel=ArrivalChannel.REPORT, origin="310101"),
    ],
)
def test_what_is_no_risk_area_is_not_shown(said: ZoneStay | Arrival) -> None:
    assert not add_ons([stated(said, NOON - 9 * DAY)], NOON).travel


def test_an_arrival_from_a_risk_area_is_shown_from_its_leaving() -> None:
    said = Arrival(
        arrived_at=NOON - DAY,
        channel=ArrivalChannel.ENTRY_POINT,
        origin="310101",
        origin_level=ZoneLevel.MEDIUM,
        left_origin_at=NOON - 2 * DAY,
    )

    assert add_ons([stated(said, NOON - DAY)], NOON) == AddOns(0, travel=True, until=NOON + 12 * DAY)


def test_add_ons_never_touch_the_decision() -> None:
    evidence = [stated(dose(3), NOON - 30 * DAY)]

    with_dose, without = decide(core_policy(), evidence, NOON), decide(core_policy(), [], NOON)

    assert (with_dose.colour, with_dose.popup, with_dose.next_change_at) == (
        without.colour,
        without.popup,
        without.next_change_at,
    )


def test_add_ons_reach_the_board_and_change_there_when_their_time_comes(database: Database, tmp_path: Path) -> None:
    (person,) = people(database, 1)
    append(
        database,
        sent(person, dose(2), NOON - 30 * DAY, "V2"),
        sent(person, stay(left_at=NOON - DAY), NOON - 9 * DAY, "Z1"),
        lab_test(person, "L1"),
    )
    recompute_all(database)
    stored = statuses(database, [person])[person]
    assert stored.due_at is not None
    assert stored.due_at <= NOON + 13 * DAY

    with database.read(Purpose.WORKER) as read:
        Publisher.open(tmp_path, read, at=NOON).close()
    board = Board.open(tmp_path)
    found = board.look_up(person)
    board.close()

    assert found is not None
    assert add_on_words(found) == b'"vaccination":2,"travel":true'
    assert found.flags & (BLOCKS_CODE | BLOCKS_SCAN) == board_record(stored).flags & (BLOCKS_CODE | BLOCKS_SCAN)
    assert recompute_all(database, NOON + 13 * DAY) >= 1
    assert statuses(database, [person])[person].add_ons == 2


def test_a_stay_that_turns_out_longer_is_not_forgotten_at_its_old_end(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, sent(person, stay(left_at=NOON - 10 * DAY), NOON - 12 * DAY, "Z1"))
    recompute_all(database)
    append(database, sent(person, stay(left_at=NOON - DAY), NOON - 11 * DAY, "Z2"))
    recompute_all(database)

    recompute_all(database, NOON + 5 * DAY)

    assert statuses(database, [person])[person].add_ons == 4
    assert recompute_all(database, NOON + 5 * DAY) == 0


def test_replay_finds_an_add_on_that_was_set_by_hand(database: Database) -> None:
    honest, forged = people(database, 2)
    append(database, sent(honest, dose(1), NOON - DAY, "V1"), sent(forged, dose(1), NOON - DAY, "V2"))
    recompute_all(database)
    with database.write(Purpose.WORKER) as write:
        write.execute("update status set add_ons = 3 where person_ref = %s", (forged,))

    (chunk,) = replay(database, core_policy(), NOON + timedelta(minutes=1))

    assert chunk.compared == 2
    assert [(found.person, found.fields) for found in chunk.differences] == [(forged, ("add_ons",))]


def test_the_upgrade_queues_whoever_may_have_an_add_on_and_nobody_else(database: Database) -> None:
    vaccinated, tested = people(database, 2)
    append(database, sent(vaccinated, dose(1), NOON - DAY, "V1"), lab_test(tested, "L1"))
    recompute_all(database)
    (migration,) = (PROJECT_ROOT / "migrations").glob("*_status_add_ons.sql")
    statement = migration.read_text(encoding="utf-8").partition("insert into")

    with database.write(Purpose.WORKER) as write:
        write.execute(statement[1] + statement[2])

    with database.read(Purpose.WORKER) as read:
        assert changes.waiting(read, [vaccinated, tested]) == {vaccinated}


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0, b'"vaccination":0,"travel":false'),
        (7, b'"vaccination":3,"travel":true'),
        (4, b'"vaccination":0,"travel":true'),
    ],
)
def test_the_words_are_those_of_the_bits_whatever_the_popup_blocks(bits: int, words: bytes) -> None:
    decision = decide(core_policy(), [], NOON)
    plain = board_record(Status(PERSON, decision, 1, bits))

    assert add_on_words(plain) == words
    assert add_on_words(plain._replace(flags=plain.flags | BLOCKS_CODE | BLOCKS_SCAN)) == words
    assert BoardRecord(*plain) == plain
