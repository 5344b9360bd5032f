"""From the ledger to the list: who shared a household, a class, rows, a carriage or a carrier's list with a case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from tests.support.clock import NOON
from tests.support.database import TestServer
from tests.support.evidence import case, people
from tianfu.evidence import ledger
from tianfu.evidence.circumstance_kinds import MemberGroup, Membership
from tianfu.evidence.co_stays import StayKind
from tianfu.evidence.kinds import Attributes, Contact, ContactSetting, ContactTier
from tianfu.evidence.model import Grade, NewEvidence
from tianfu.evidence.travel_kinds import Journey, JourneyMode
from tianfu.ids import PersonRef
from tianfu.interval import Interval
from tianfu.lake.layout import absolute_minute, instant_of
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose
from tianfu.tracing import co_stays, rule_files
from tianfu.tracing.model import Sources, Tier
from tianfu.tracing.rules import SETTING_OF, STAY_CODE
from tianfu.tracing.stays import ENDLESS, Met

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
RULES = rule_files.find("ninth-protocol").rules
KIND_OF = {code: kind for kind, code in STAY_CODE.items()}


@pytest.fixture(scope="module")
def database(postgres_server: TestServer) -> Iterator[Database]:
    """One database for the module: each test has people and places of its own."""
    name = postgres_server.create()
    with Database.open(postgres_server.url_of(name), settings.load({}).database) as opened:
        yield opened
    postgres_server.drop(name)


def state(database: Database, *stated: tuple[PersonRef, Attributes], grade: Grade = Grade.STRONG) -> None:
    with database.write(Purpose.WORKER) as write:
        items = [
            NewEvidence(
                person=person,
                source="education",
                source_record=f"{person}/{number}/{grade.value}",
                attributes=attributes,
                occurred_at=NOON,
                valid=Interval(NOON),
                grade=grade,
            )
            for number, (person, attributes) in enumerate(stated)
        ]
        ledger.append(write, items, received_at=NOON)


def member(institution: str, group: MemberGroup = MemberGroup.HOUSEHOLD, **changes: Any) -> Membership:  # noqa: ANN401 - fields of any type
    return Membership(group=group, institution=institution, **{"began_at": NOON - 900 * DAY} | changes)


def ride(
    service: str,
    row: int | None,
    *,
    at: datetime = NOON,
    mode: JourneyMode = JourneyMode.AIR,
    **more: Any,  # noqa: ANN401 - fields of any type
) -> Journey:
    return Journey(mode=mode, service=service, departed_at=at, arrived_at=at + 2 * HOUR, row=row, **more)


def infectious(person: PersonRef, since: datetime = NOON - 2 * DAY, until: datetime | None = NOON + 2 * DAY) -> Sources:
    return Sources(
        np.array([person], dtype=np.uint32),
        np.array([absolute_minute(since)], dtype=np.int32),
        np.array([ENDLESS if until is None else absolute_minute(until)], dtype=np.int32),
    )


def found(database: Database, sources: Sources, hop: int = 1) -> dict[Tier, Met]:
    with database.read(Purpose.WORKER) as read:
        return co_stays.reached(read, sources, RULES, hop).by_tier


def told(met: Met) -> dict[int, tuple[StayKind, datetime]]:
    return {
        int(person): (KIND_OF[int(code)], instant_of(int(at)))
        for person, code, at in zip(met.person, met.setting, met.exposed_at, strict=True)
    }


def test_a_household_and_a_class_are_reached_from_the_start_of_the_infectious_time(database: Database) -> None:
    ill, mother, mate, other = people(database, 4)
    since = NOON - 2 * DAY
    state(
        database,
        (ill, member("H-1")),
        (mother, member("H-1")),
        (ill, member("S-1", MemberGroup.PUPIL, unit="2")),
        (mate, member("S-1", MemberGroup.TEACHER, unit="2")),
        (other, member("S-1", MemberGroup.PUPIL, unit="3")),
    )
    close = found(database, infectious(ill, until=None))[Tier.CLOSE]
    assert told(close) == {mother: (StayKind.HOUSEHOLD, since), mate: (StayKind.SCHOOL, since)}
    assert close.parent.tolist() == [ill, ill]
    assert close.strong.all()


def test_rows_of_a_flight_are_close_and_the_rest_aboard_is_general(database: Database) -> None:
    ill, near, crew, far, yesterday = people(database, 5)
    state(
        database,
        (ill, ride("3U8633", 10)),
        (near, ride("3U8633", 13)),
        (crew, ride("3U8633", None, crew=True)),
        (far, ride("3U8633", 14)),
        (yesterday, ride("3U8633", 10, at=NOON - DAY)),
    )
    tiers = found(database, infectious(ill))
    assert told(tiers[Tier.CLOSE]) == {near: (StayKind.FLIGHT, NOON), crew: (StayKind.FLIGHT, NOON)}
    assert told(tiers[Tier.GENERAL]) == {far: (StayKind.FLIGHT, NOON)}


def test_who_has_no_seat_is_near_the_whole_carriage_and_who_has_no_carriage_only_aboard(database: Database) -> None:
    rail = JourneyMode.RAIL
    ill, same, standing, other, lost = people(database, 5)
    state(
        database,
        (ill, ride("K117", None, mode=rail, carriage="5")),
        (same, ride("K117", 80, mode=rail, carriage="5")),
        (standing, ride("K117", None, mode=rail, carriage="5", at=NOON + HOUR)),
        (other, ride("K117", 1, mode=rail, carriage="6")),
        (lost, ride("K117", None, mode=rail)),
    )
    tiers = found(database, infectious(ill))
    assert told(tiers[Tier.CLOSE]) == {same: (StayKind.TRAIN, NOON), standing: (StayKind.TRAIN, NOON + HOUR)}
    assert set(told(tiers[Tier.GENERAL])) == {other, lost}


def test_companions_are_those_of_the_case_and_not_of_each_other(database: Database) -> None:
    ill, one, two = people(database, 3)
    listed = Contact(
        tier=ContactTier.COPRESENT,
        last_exposure_at=NOON,
        designated_at=NOON + HOUR,
        case="C-77",
        setting=ContactSetting.TELECOM,
    )
    with database.write(Purpose.WORKER) as write:
        ledger.append(write, [case(ill, "C-77")], received_at=NOON)
    state(database, (one, listed), (two, listed))
    assert told(found(database, infectious(ill))[Tier.COPRESENT]) == {
        one: (StayKind.TELECOM, NOON),
        two: (StayKind.TELECOM, NOON),
    }
    assert not told(found(database, infectious(one))[Tier.COPRESENT])
    assert SETTING_OF[StayKind.TELECOM] is ContactSetting.TELECOM


def test_a_contact_of_a_contact_is_by_household_and_work_only(database: Database) -> None:
    contact, mother, neighbour = people(database, 3)
    state(
        database,
        (contact, member("H-2")),
        (mother, member("H-2")),
        (contact, ride("CA4101", 3)),
        (neighbour, ride("CA4101", 3)),
    )
    tiers = found(database, infectious(contact), hop=2)
    assert list(tiers) == [Tier.SECONDARY]
    assert set(told(tiers[Tier.SECONDARY])) == {mother}


def test_weak_statements_make_weak_contacts(database: Database) -> None:
    ill, guest = people(database, 2)
    state(database, (ill, member("H-3")))
    state(database, (guest, member("H-3")), grade=Grade.WEAK)
    assert found(database, infectious(ill))[Tier.CLOSE].strong.tolist() == [False]


def test_beyond_what_is_read_of_one_place_nobody_is_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(co_stays, "PLACE_STAYS_MAX", 3)
    ill, *others = people(database, 6)
    state(database, *((person, member("W-1", MemberGroup.WORKER)) for person in (ill, *others)))
    close = found(database, infectious(ill))[Tier.CLOSE]
    assert not told(close)
    [refused] = close.too_large
    assert (KIND_OF[refused.setting], refused.people) == (StayKind.WORK, 6)


def test_why_names_the_stay_the_rows_and_the_statements(database: Database) -> None:
    ill, near, far = people(database, 3)
    state(database, (ill, ride("CA1", 10)), (near, ride("CA1", 12, at=NOON + HOUR)), (far, ride("CA1", 20)))
    since, until = absolute_minute(NOON - DAY), ENDLESS
    with database.read(Purpose.WORKER) as read:
        [reason] = co_stays.why(read, ill, near, since, until, RULES, 1)
        assert (reason.kind, reason.source_row, reason.row) == (StayKind.FLIGHT, 10, 12)
        assert (reason.exposed_at, reason.ends_at) == (NOON + HOUR, NOON + 2 * HOUR)
        assert {held.evidence_id for held in ledger.about(read, near)} == {reason.evidence}
        # Ten rows away is general contact: still a reason.
        assert len(co_stays.why(read, ill, far, since, until, RULES, 1)) == 1
        assert not co_stays.why(read, ill, near, since, until, RULES, 2)
        assert not co_stays.why(read, ill, near, since, absolute_minute(NOON), RULES, 1)


def test_nobody_is_reached_from_nobody(database: Database) -> None:
    (alone,) = people(database, 1)
    assert all(not told(met) for met in found(database, infectious(alone)).values())


def test_the_plain_scan_definition_knows_no_stays(database: Database) -> None:
    ill, mother = people(database, 2)
    state(database, (ill, member("H-9")), (mother, member("H-9")))
    plain = rule_files.find("plain-scan").rules
    with database.read(Purpose.WORKER) as read:
        assert not told(co_stays.reached(read, infectious(ill), plain, 1).by_tier[Tier.CLOSE])
        assert told(co_stays.reached(read, infectious(ill), RULES, 1).by_tier[Tier.CLOSE])
