"""What changes after a list was made: people merged and parted again, visits erased. The list follows and loses nobody."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from tests.support import tracing
from tests.support.tracing import NOON
from tianfu.evidence import merges
from tianfu.platform.database import Database, Purpose
from tianfu.residents import merging

DAY = timedelta(days=1)
SINCE = NOON - 3 * DAY


def merge(database: Database, kept: int, merged: int) -> int:
    with database.write(Purpose.OPERATOR) as write:
        asked = merging.ask(write, kept=kept, merged=merged, reason="same", by="li.na", at=NOON)
        merges.approve(write, asked, by="wang.wei", at=NOON)
    return asked


def part(database: Database, number: int) -> None:
    with database.write(Purpose.OPERATOR) as write:
        merging.ask_undo(write, number, by="li.na", at=NOON)
        merges.approve_undo(write, number, by="wang.wei", at=NOON)


def persons(database: Database, number: str) -> list[object]:
    return [row[0] for row in tracing.listed(database, number)]


def test_a_contact_found_to_be_a_case_by_another_number_leaves_the_list_and_comes_back_when_parted(
    shared_database: Database, tmp_path: Path
) -> None:
    case, contact, second_number = tracing.people(shared_database, 3)
    (venue,) = tracing.venues(shared_database, ["catering"])
    met = NOON - DAY
    tracing.fill(tmp_path, [(case, venue, met), (contact, venue, met)])
    number = tracing.opened(shared_database)
    tracing.add(shared_database, number, case, SINCE)
    tracing.add(shared_database, number, second_number, SINCE)

    def retraced() -> list[object]:
        tracing.traced(shared_database, tmp_path, number, everything=True)
        return persons(shared_database, number)

    before = retraced()
    asked = merge(shared_database, contact, second_number)
    merged = retraced()
    part(shared_database, asked)

    assert before == [contact]
    assert merged == []
    assert retraced() == [contact]
