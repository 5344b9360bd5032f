"""Who was together by other sources than scans is noted with the statements that say so, and only while they stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.support.clock import NOON
from tests.support.database import TestServer
from tests.support.evidence import case, lab_test, people
from tianfu.evidence import co_stays, ledger
from tianfu.evidence.circumstance_kinds import MemberGroup, Membership
from tianfu.evidence.co_stays import CoStay, StayKind, place
from tianfu.evidence.kinds import Attributes, Contact, ContactSetting, ContactTier
from tianfu.evidence.model import NewEvidence
from tianfu.evidence.travel_kinds import Journey, JourneyMode, Ventilation
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def database(postgres_server: TestServer) -> Iterator[Database]:
    """One database for the module: each test has people of its own."""
    name = postgres_server.create()
    with Database.open(postgres_server.url_of(name), settings.load({}).database) as opened:
        yield opened
    postgres_server.drop(name)


def journey(mode: JourneyMode = JourneyMode.RAIL, **changes: Any) -> Journey:  # noqa: ANN401 - fields of any type
    said: dict[str, Any] = {"service": "G8707", "departed_at": NOON, "arrived_at": NOON + HOUR}
    said |= {"carriage": "5", "row": 12}
    return Journey(mode=mode, **said | changes)


def member(group: MemberGroup = MemberGroup.PUPIL, unit: str | None = "3.2", **changes: Any) -> Membership:  # noqa: ANN401 - fields of any type
    return Membership(group=group, institution="SYN-1", unit=unit, **{"began_at": NOON - HOUR} | changes)


def companion(at_case: str = "C-9") -> Contact:
    return Contact(
        tier=ContactTier.COPRESENT,
        last_exposure_at=NOON,
        designated_at=NOON + HOUR,
        case=at_case,
        setting=ContactSetting.TELECOM,
    )


def said(person: PersonRef, attributes: Attributes, record: str, *, later: timedelta = timedelta(0)) -> NewEvidence:
    return NewEvidence(
        person=person,
        source="education",
        source_record=record,
        attributes=attributes,
        occurred_at=NOON + later,
        valid=Interval(NOON),
    )


def append(database: Database, *items: NewEvidence) -> tuple[EvidenceId, ...]:
    with database.write(Purpose.WORKER) as write:
        return ledger.append(write, items, received_at=NOON).ids


def withdraw(database: Database, number: EvidenceId) -> None:
    with database.write(Purpose.WORKER) as write:
        ledger.withdraw(write, number, received_at=NOON)


def noted(database: Database, *persons: PersonRef) -> list[tuple[int, CoStay]]:
    with database.read(Purpose.WORKER) as read:
        rows = read.rows(
            """
            select person_ref, kind, place, seat_row, begins_at, ends_at from co_stay
            where person_ref = any(%s::bigint[]) order by person_ref, evidence_id, kind desc
            """,
            (list(persons),),
        )
    return [(row[0], CoStay(StayKind(row[1]), *row[2:])) for row in rows]


def stays_of(attributes: Attributes) -> list[CoStay]:
    return list(co_stays.stated(attributes, "C-1"))


@pytest.mark.parametrize(
    ("attributes", "kinds", "row"),
    [
        (journey(), [StayKind.ABOARD, StayKind.TRAIN], 12),
        (journey(ventilation=Ventilation.OPEN), [StayKind.ABOARD, StayKind.TRAIN_OPEN], 12),
        (journey(row=None), [StayKind.ABOARD, StayKind.TRAIN], 0),
        (journey(crew=True), [StayKind.ABOARD, StayKind.TRAIN], 0),
        (journey(carriage=None), [StayKind.ABOARD], 0),
        (journey(JourneyMode.AIR, carriage=None), [StayKind.FLIGHT], 12),
        (journey(JourneyMode.COACH), [StayKind.COACH], 12),
        (journey(JourneyMode.COACH, ventilation=Ventilation.OPEN), [StayKind.COACH_OPEN], 12),
        (journey(JourneyMode.SHIP, ventilation=Ventilation.OPEN), [StayKind.ABOARD, StayKind.SHIP], 12),
        (member(), [StayKind.SCHOOL], 0),
        (member(MemberGroup.HOUSEHOLD), [StayKind.HOUSEHOLD], 0),
        (member(ended_at=NOON - HOUR), [], 0),
        (companion(), [StayKind.COMPANION], 0),
    ],
)
def test_a_statement_gives_the_stays_it_speaks_of(attributes: Attributes, kinds: list[StayKind], row: int) -> None:
    found = stays_of(attributes)
    assert [stay.kind for stay in found] == kinds
    assert not found or found[-1].row == row


def test_places_are_the_same_for_the_same_names_only() -> None:
    [pupil], [teacher] = stays_of(member()), stays_of(member(MemberGroup.TEACHER))
    assert pupil.place == teacher.place
    assert stays_of(member(MemberGroup.WORKER))[0].place != pupil.place
    assert stays_of(member(unit=None))[0].place != pupil.place
    assert place("ab", "c") != place("a", "bc")
    assert (
        stays_of(companion("C-1"))[0].place == next(co_stays.stated(case(PersonRef(1), "C-1").attributes, "C-1")).place
    )


def test_what_is_appended_is_noted_and_a_repetition_is_not(database: Database) -> None:
    one, two = people(database, 2)
    for _ in range(2):
        append(database, said(one, member(), "r1"), said(two, journey(), "r2"), lab_test(one, "L1"))
    assert noted(database, one, two) == [
        (one, *stays_of(member())),
        *((two, stay) for stay in reversed(stays_of(journey()))),
    ]


def test_a_revision_replaces_and_a_late_old_one_does_not(database: Database) -> None:
    (one,) = people(database, 1)
    append(database, said(one, member(unit="1"), "a", later=HOUR))
    append(database, said(one, member(unit="2"), "a", later=2 * HOUR))
    assert noted(database, one) == [(one, *stays_of(member(unit="2")))]
    append(database, said(one, member(unit="3"), "a"))
    assert noted(database, one) == [(one, *stays_of(member(unit="2")))]
    append(database, said(one, member(unit="4"), "a", later=3 * HOUR), said(one, member(unit="5"), "a", later=4 * HOUR))
    assert noted(database, one) == [(one, *stays_of(member(unit="5")))]


def test_what_is_withdrawn_is_forgotten_and_what_it_replaced_stands_again(database: Database) -> None:
    (one,) = people(database, 1)
    (first,) = append(database, said(one, member(unit="1"), "b"))
    (second,) = append(database, said(one, member(unit="2"), "b", later=HOUR))
    withdraw(database, second)
    assert noted(database, one) == [(one, *stays_of(member(unit="1")))]
    withdraw(database, first)
    assert noted(database, one) == []


def test_a_record_that_turns_out_to_be_about_somebody_else_moves(database: Database) -> None:
    one, two = people(database, 2)
    append(database, said(one, member(), "c"))
    append(database, said(two, member(), "c", later=HOUR))
    assert noted(database, one, two) == [(two, *stays_of(member()))]


def test_the_migration_makes_the_same_of_what_was_stated_before_it(database: Database) -> None:
    one, two, three, four = people(database, 4)
    odd = said(four, member(unit="第一车间"), "d9")
    first, *_ = append(
        database,
        *(said(one, member(group), f"d-{group.value}") for group in MemberGroup),
        said(two, journey(), "d1"),
        said(two, journey(row=None, ventilation=Ventilation.OPEN), "d2"),
        said(two, journey(JourneyMode.AIR, carriage=None, arrived_at=NOON), "d3"),
        said(two, journey(JourneyMode.SHIP, carriage=None), "d4"),
        said(two, journey(JourneyMode.SHIP, crew=True), "d5"),
        said(two, journey(JourneyMode.COACH, service="川A12345", ventilation=Ventilation.OPEN), "d6"),
        said(three, companion(), "d7"),
        said(three, member(ended_at=NOON - HOUR), "d8"),
        case(three, "C-9"),
        odd,
    )
    append(database, said(one, member(unit=None), "d-pupil", later=HOUR))
    withdraw(database, first)
    persons = (one, two, three, four)
    live = noted(database, *persons)
    text = (settings.PROJECT_ROOT / "migrations" / "0019_co_stays.sql").read_text()
    fill = text[text.index("with standing as") : text.index("create index co_stay_place")]
    with database.write(Purpose.BATCH) as write:
        write.execute("delete from co_stay")
        write.execute(fill)
    assert len(live) == 18
    assert noted(database, *persons) == live
