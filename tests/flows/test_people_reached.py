"""From departments' files to the colours of people whom other people's tests and risk areas reach."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.support.clock import NOON
from tests.support.feeds import csv_file, lab_cells, pseudonym, resident_id
from tests.support.status import recompute_all, statuses
from tianfu.clock import SHANGHAI
from tianfu.evidence import zones
from tianfu.evidence.travel_kinds import ZoneLevel
from tianfu.evidence.zones import NewZone
from tianfu.feeds import intake
from tianfu.feeds.contracts import CONTRACTS
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.platform.pseudonym import Pseudonym
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.compile import Policy
from tianfu.policy.load import load
from tianfu.policy.model import Decision
from tianfu.residents import documents, people

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def policy(name: str) -> Policy:
    return load(PROJECT_ROOT / "policies" / f"{name}.toml")


@pytest.fixture
def seal(tmp_path: Path) -> Pseudonym:
    return pseudonym(tmp_path)


def person(database: Database, number: int, seal: Pseudonym) -> PersonRef:
    document = documents.parse("resident_id", resident_id(number), at=NOON)
    with database.read(Purpose.WORKER) as read:
        found = people.find(read, document, pseudonym=seal)
    assert found is not None
    return found


def send(database: Database, feed: str, seal: Pseudonym, *rows: Mapping[str, str]) -> None:
    contract = CONTRACTS[feed]
    told = intake.load(
        database, csv_file(contract, rows), contract=contract, source=contract.source, pseudonym=seal, at=NOON
    )
    assert (told.accepted, told.set_aside) == (len(rows), 0)


def decided(database: Database, who: PersonRef, by: Policy, at: datetime = NOON) -> Decision:
    recompute_all(database, at, by)
    return statuses(database, [who])[who].decision


def text(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def contact_cells(number: int, record: str, tier: str, parent: str = "") -> dict[str, str]:
    return {
        "record_id": record,
        "document_type": "resident_id",
        "document_number": resident_id(number),
        "tier": tier,
        "last_exposure_at": text(NOON - 2 * DAY),
        "designated_at": text(NOON - DAY),
        "case_id": "C-1",
        "parent": parent,
    }


def test_a_contact_of_a_contact_becomes_a_close_contact_when_that_contact_turns_positive(
    database: Database, seal: Pseudonym
) -> None:
    ninth = policy("ninth-protocol")
    send(database, "contacts", seal, contact_cells(1, "K-1", "密接"), contact_cells(2, "K-2", "次密接", "K-1"))
    other = person(database, 2, seal)
    before = decided(database, other, ninth)

    positive = {"sampled_at": text(NOON - 5 * HOUR), "resulted_at": text(NOON - HOUR), "result": "阳性"}
    send(database, "lab", seal, lab_cells(1, **positive))
    after = decided(database, other, ninth)

    assert "secondary-contact" in {reason.rule for reason in before.reasons}
    assert "promoted-contact" in {reason.rule for reason in after.reasons}
    assert after.colour.value == "red"


def test_an_area_turns_its_visitors_red_and_green_again_the_day_it_is_lifted(
    database: Database, seal: Pseudonym
) -> None:
    eight = policy("sichuan-8")
    stay = {
        "record_id": "S-1",
        "document_type": "resident_id",
        "document_number": resident_id(3),
        "division": "510104",
        "began_at": text(NOON - 4 * DAY),
        "ended_at": text(NOON - 3 * DAY),
        "reported_at": text(NOON - 2 * DAY),
    }
    send(database, "telecom_stays", seal, stay)
    visitor = person(database, 3, seal)
    assert decided(database, visitor, eight).colour.value == "green"

    area = NewZone(
        zone="Z-1", name_zh="甲", name_en="A", level=ZoneLevel.HIGH, since=NOON - HOUR, divisions=("510104",)
    )
    with database.write(Purpose.BATCH) as write:
        zones.declare(write, area, stated_by="li.na", approved_by="wang.wei", at=NOON)
    told = decided(database, visitor, eight)
    with database.write(Purpose.BATCH) as write:
        zones.change_level(
            write, "Z-1", ZoneLevel.LIFTED, since=NOON, stated_by="li.na", approved_by="wang.wei", at=NOON + HOUR
        )
    freed = decided(database, visitor, eight, NOON + HOUR)

    assert (told.colour.value, told.reasons[0].rule) == ("red", "zone-visited")
    assert told.reasons[0].until == NOON - 3 * DAY + 14 * DAY
    assert freed.colour.value == "green"
