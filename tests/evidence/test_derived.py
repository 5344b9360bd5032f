"""What follows from other people's statements, and from risk areas."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.support.clock import NOON
from tests.support.evidence import lab_test, people
from tests.support.status import append, recompute_all
from tianfu.errors import InputInvalidError
from tianfu.evidence import changes, ledger, orders, test_words, zones
from tianfu.evidence.circumstance_kinds import Emergency, EmergencyLevel
from tianfu.evidence.kinds import Contact, ContactTier, ParentTest
from tianfu.evidence.model import Evidence, NewEvidence
from tianfu.evidence.travel_kinds import Stay, ZoneLevel, ZoneStay
from tianfu.evidence.zones import NewZone
from tianfu.ids import PersonRef
from tianfu.interval import Interval
from tianfu.platform.database import Database, Purpose

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
COUNTY = "510104"


def contact(person: PersonRef, record: str, parent: str | None = None, *, at: datetime = NOON - 2 * DAY) -> NewEvidence:
    return NewEvidence(
        person=person,
        source="cdc",
        source_record=record,
        attributes=Contact(
            tier=ContactTier.CLOSE if parent is None else ContactTier.SECONDARY,
            last_exposure_at=at - DAY,
            designated_at=at,
            case="C-1",
            parent=parent,
        ),
        occurred_at=at,
        valid=Interval(at - DAY),
    )


def stay(person: PersonRef, record: str, division: str = COUNTY, cell: str | None = None) -> NewEvidence:
    began_at = NOON - 5 * DAY
    return NewEvidence(
        person=person,
        source="telecom",
        source_record=record,
        attributes=Stay(division=division, began_at=began_at, ended_at=NOON - 3 * DAY, cell=cell),
        occurred_at=NOON - 3 * DAY,
        valid=Interval(began_at),
    )


def derived(database: Database, person: PersonRef) -> list[Evidence]:
    with database.read(Purpose.WORKER) as read:
        return [item for item in ledger.about(read, person) if item.source == "derived"]


def levels(database: Database, person: PersonRef) -> list[ZoneLevel]:
    return [item.attributes.level for item in derived(database, person) if isinstance(item.attributes, ZoneStay)]


def declare(database: Database, level: ZoneLevel = ZoneLevel.HIGH, **where: object) -> int:
    fields = {"divisions": (COUNTY,), **where}
    with database.write(Purpose.BATCH) as write:
        return zones.declare(
            write,
            NewZone(zone="Z-1", name_zh="甲", name_en="A", level=level, since=NOON - DAY, **fields),  # type: ignore[arg-type]
            stated_by="li.na",
            approved_by="wang.wei",
            at=NOON,
        )


def change(database: Database, level: ZoneLevel) -> int:
    with database.write(Purpose.BATCH) as write:
        return zones.change_level(
            write, "Z-1", level, since=NOON, stated_by="li.na", approved_by="wang.wei", at=NOON + HOUR
        )


def test_the_tests_of_a_close_contact_reach_their_contacts(database: Database) -> None:
    near, far = people(database, 2)
    append(database, contact(near, "K1"), contact(far, "K2", "K1"))
    recompute_all(database)

    append(database, lab_test(near, "L1", test_words.TestResult.POSITIVE, at=NOON - HOUR))
    recompute_all(database)

    (statement,) = derived(database, far)
    assert isinstance(statement.attributes, ParentTest)
    assert statement.attributes.result is test_words.TestResult.POSITIVE
    assert statement.attributes.contact == "K2"
    assert derived(database, near) == []


def test_it_makes_no_difference_who_was_heard_of_first(database: Database) -> None:
    near, far = people(database, 2)
    append(database, lab_test(near, "L1", at=NOON - HOUR))
    append(database, contact(far, "K2", "K1"))
    recompute_all(database)
    assert derived(database, far) == []

    append(database, contact(near, "K1"))
    recompute_all(database)

    assert len(derived(database, far)) == 1


def test_a_test_that_is_withdrawn_or_an_exposure_that_never_was_no_longer_reaches_them(database: Database) -> None:
    near, far = people(database, 2)
    (test, link) = append(database, lab_test(near, "L1", at=NOON - HOUR), contact(near, "K1")).ids
    append(database, contact(far, "K2", "K1"))
    recompute_all(database)
    assert len(derived(database, far)) == 1

    with database.write(Purpose.WORKER) as write:
        ledger.withdraw(write, test, received_at=NOON)
    recompute_all(database)
    assert derived(database, far) == []

    append(database, lab_test(near, "L2", at=NOON - HOUR))
    recompute_all(database)
    with database.write(Purpose.WORKER) as write:
        ledger.withdraw(write, link, received_at=NOON)
    recompute_all(database)
    assert derived(database, far) == []


def test_deriving_again_changes_nothing(database: Database) -> None:
    near, far = people(database, 2)
    append(database, contact(near, "K1"), contact(far, "K2", "K1"), lab_test(near, "L1", at=NOON - HOUR))
    append(database, stay(near, "S1"))
    declare(database)
    recompute_all(database)
    before = derived(database, near), derived(database, far)

    with database.write(Purpose.WORKER) as write:
        changes.mark(write, [near, far], NOON)
    recompute_all(database)

    assert (derived(database, near), derived(database, far)) == before


def test_an_area_reaches_those_who_were_there_before_and_those_heard_of_after(database: Database) -> None:
    before, after, elsewhere = people(database, 3)
    append(database, stay(before, "S1", "510104017"), stay(elsewhere, "S2", "510105"))

    assert declare(database) == 1
    append(database, stay(after, "S3"))
    recompute_all(database)

    assert levels(database, before) == [ZoneLevel.HIGH]
    assert levels(database, after) == [ZoneLevel.HIGH]
    assert levels(database, elsewhere) == []


def test_an_area_drawn_on_the_map_reaches_the_squares_it_touches(database: Database) -> None:
    inside, outside = people(database, 2)
    append(database, stay(inside, "S1", "510199", "30.62,104.05"), stay(outside, "S2", "510199", "30.70,104.05"))

    assert declare(database, divisions=(), cells=frozenset({"30.62,104.05"})) == 1
    recompute_all(database)

    assert levels(database, inside) == [ZoneLevel.HIGH]
    assert levels(database, outside) == []


def test_a_lowered_and_a_lifted_area_change_its_people_at_once(database: Database) -> None:
    (person,) = people(database, 1)
    append(database, stay(person, "S1"))
    declare(database)
    recompute_all(database)

    assert change(database, ZoneLevel.MEDIUM) == 1
    recompute_all(database, NOON + HOUR)
    assert levels(database, person) == [ZoneLevel.MEDIUM]

    change(database, ZoneLevel.LIFTED)
    recompute_all(database, NOON + HOUR)
    assert levels(database, person) == [ZoneLevel.LIFTED]


def test_an_area_needs_two_people_and_a_place(database: Database) -> None:
    alone = NewZone(zone="Z-2", name_zh="乙", name_en="B", level=ZoneLevel.HIGH, since=NOON, divisions=(COUNTY,))
    nowhere = NewZone(
        zone="Z 3", name_zh="丙", name_en="C", level=ZoneLevel.HIGH, since=NOON, divisions=("5101x", "999999")
    )

    with database.write(Purpose.BATCH) as write, pytest.raises(zones.ZoneNeedsTwoError):
        zones.declare(write, alone, stated_by="os:li.na", approved_by="Li.Na", at=NOON)
    for nobody in ("", "li na"):
        with database.write(Purpose.BATCH) as write, pytest.raises(InputInvalidError):
            zones.declare(write, alone, stated_by="li.na", approved_by=nobody, at=NOON)
    with database.write(Purpose.BATCH) as write, pytest.raises(InputInvalidError) as refused:
        zones.declare(write, nowhere, stated_by="li.na", approved_by="wang.wei", at=NOON)
    with database.write(Purpose.BATCH) as write, pytest.raises(zones.ZoneNotFoundError):
        zones.change_level(write, "Z-9", ZoneLevel.LOW, since=NOON, stated_by="li.na", approved_by="wang.wei", at=NOON)

    assert {fault.field for fault in refused.value.faults} == {"zone", "divisions[0]", "divisions[1]"}
    with database.read(Purpose.OPERATOR) as read:
        assert zones.in_force(read, NOON) == []


def test_an_order_is_registered_once_by_two_people_with_an_end(database: Database) -> None:
    order = orders.Order(
        key="CD-1", level=EmergencyLevel.YELLOW, scope="a market", reason="two cases", ordered_at=NOON, ends_at=NOON
    )
    good = orders.Order(
        key="CD-1", level=EmergencyLevel.YELLOW, scope="m", reason="r", ordered_at=NOON, ends_at=NOON + 14 * DAY
    )

    named = Emergency(order="CD-1", level=EmergencyLevel.YELLOW, ordered_at=NOON, ends_at=NOON + 14 * DAY)

    with database.write(Purpose.OPERATOR) as write:
        with pytest.raises(InputInvalidError):
            orders.register(write, order, stated_by="li.na", approved_by="wang.wei", at=NOON)
        with pytest.raises(orders.OrderNeedsTwoError):
            orders.register(write, good, stated_by="li.na", approved_by="li.na", at=NOON)
        orders.register(write, good, stated_by="li.na", approved_by="wang.wei", at=NOON)
        with pytest.raises(orders.OrderExistsError):
            orders.register(write, good, stated_by="li.na", approved_by="wang.wei", at=NOON)

    with database.read(Purpose.OPERATOR) as read:
        assert orders.registered(read) == [good]
        orders.require(read, [named])
        for other in (
            msgspec.structs.replace(named, order="CD-2"),
            msgspec.structs.replace(named, level=EmergencyLevel.RED),
            msgspec.structs.replace(named, ends_at=NOON + 15 * DAY),
        ):
            with pytest.raises(orders.OrderUnknownError):
                orders.require(read, [named, other])


def test_an_area_with_instants_that_cannot_be_meant_is_refused(database: Database) -> None:
    slip = NewZone(
        zone="Z-9",
        name_zh="甲",
        name_en="A",
        level=ZoneLevel.HIGH,
        since=datetime(202, 3, 1, tzinfo=UTC),
        divisions=(COUNTY,),
        last_infection_at=NOON + DAY,
    )

    with database.write(Purpose.BATCH) as write, pytest.raises(InputInvalidError) as refused:
        zones.declare(write, slip, stated_by="li.na", approved_by="wang.wei", at=NOON)

    assert [(fault.field, fault.code) for fault in refused.value.faults] == [
        ("since", "too_old"),
        ("last_infection_at", "future"),
    ]
