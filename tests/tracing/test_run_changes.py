"""What changes after a list was made, or was entered wrongly: people merged, visits erased, years mistyped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support import tracing
from tests.support.merged import merge, part
from tests.support.tracing import NOON
from tianfu.errors import InputInvalidError
from tianfu.lake import retain
from tianfu.platform.database import Database, Purpose
from tianfu.platform.sign import KeyPurpose, SigningKey
from tianfu.tracing import cases
from tianfu.tracing.infectious import Period
from tianfu.tracing.run import VisitsErasedError

KEY = SigningKey(bytes(31) + b"\x07", KeyPurpose.EVIDENCE)
DAY = timedelta(days=1)
SINCE = NOON - 3 * DAY


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
    asked = merge(shared_database, contact, second_number, NOON)
    merged = retraced()
    part(shared_database, asked, NOON)

    assert before == [contact]
    assert merged == []
    assert retraced() == [contact]


def erase_before(database: Database, lake: Path, day: datetime) -> None:
    list(retain.retain(lake, database, KEY, at=day, days_kept=0))


def test_whom_visits_named_stays_named_when_those_visits_are_erased(shared_database: Database, tmp_path: Path) -> None:
    case, contact, onward, late = tracing.people(shared_database, 4)
    first, second, third = tracing.venues(shared_database, ["catering", "catering", "catering"])
    met, after = NOON - 2 * DAY, NOON - DAY
    tracing.fill(
        tmp_path,
        [(case, first, met), (contact, first, met), (contact, second, after), (onward, second, after),
         (case, third, after), (late, third, after)],
    )  # fmt: skip
    number = tracing.opened(shared_database)
    tracing.add(shared_database, number, case, SINCE)
    tracing.traced(shared_database, tmp_path, number)
    before = tracing.listed(shared_database, number)

    erase_before(shared_database, tmp_path, after)
    tracing.traced(shared_database, tmp_path, number, everything=True)

    assert {row[0]: row[1] for row in before} == {contact: 1, late: 1, onward: 2}
    assert tracing.listed(shared_database, number) == before
    with pytest.raises(VisitsErasedError):
        tracing.traced(shared_database, tmp_path, number, as_of=met - DAY, everything=True)
    assert tracing.listed(shared_database, number) == before
    tracing.withdraw(shared_database, number, case)
    tracing.traced(shared_database, tmp_path, number)
    assert tracing.listed(shared_database, number) == []


def test_a_crowd_stays_told_with_its_number_when_its_visits_are_erased(
    shared_database: Database, tmp_path: Path
) -> None:
    everybody = tracing.people(shared_database, 250)
    (hall,) = tracing.venues(shared_database, ["sport"])
    met = NOON - 2 * DAY
    tracing.fill(tmp_path, [*((person, hall, met) for person in everybody), (everybody[0], hall, NOON - DAY)])
    number = tracing.opened(shared_database)
    for case in everybody[:2]:
        tracing.add(shared_database, number, case, SINCE)
    tracing.traced(shared_database, tmp_path, number)
    before = tracing.announced(shared_database, number)

    erase_before(shared_database, tmp_path, NOON - DAY)
    for _ in range(2):
        tracing.traced(shared_database, tmp_path, number, everything=True)

    assert [(row[0], row[3]) for row in before] == [(hall, 250)]
    assert tracing.announced(shared_database, number) == before


def test_of_erased_visits_only_those_count_that_a_changed_period_still_covers(
    shared_database: Database, tmp_path: Path
) -> None:
    case, early, later, onward = tracing.people(shared_database, 4)
    first, second = tracing.venues(shared_database, ["catering", "catering"])
    tracing.fill(
        tmp_path,
        [(case, first, NOON - 3 * DAY), (early, first, NOON - 3 * DAY),
         (early, second, NOON - 2.5 * DAY), (onward, second, NOON - 2.5 * DAY),
         (case, first, NOON - 2 * DAY), (later, first, NOON - 2 * DAY)],
    )  # fmt: skip
    number = tracing.opened(shared_database)
    tracing.add(shared_database, number, case, NOON - 4 * DAY)
    tracing.traced(shared_database, tmp_path, number)
    before = persons(shared_database, number)
    erase_before(shared_database, tmp_path, NOON)

    tracing.add(shared_database, number, case, NOON - 2.2 * DAY)
    tracing.traced(shared_database, tmp_path, number)

    assert before == [early, later, onward]
    assert persons(shared_database, number) == [later]


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        (NOON + timedelta(minutes=1), None, "infectious_from"),
        (datetime(1, 1, 1, tzinfo=UTC), None, "infectious_from"),
        (datetime(1999, 12, 31, tzinfo=UTC), None, "infectious_from"),
        (SINCE, datetime.max.replace(tzinfo=UTC), "infectious_to"),
    ],
)
def test_a_period_with_a_mistyped_year_is_refused(
    shared_database: Database, since: datetime, until: datetime | None, field: str
) -> None:
    (person,) = tracing.people(shared_database, 1)
    number = tracing.opened(shared_database)
    with pytest.raises(InputInvalidError) as refused:
        tracing.add(shared_database, number, person, since, until)
    assert [fault.field for fault in refused.value.faults] == [field]
    assert cases.possible(Period(since, until), NOON) != Period(since, until)

    tracing.add(shared_database, number, person, SINCE)
    with pytest.raises(InputInvalidError), shared_database.write(Purpose.OPERATOR) as write:
        cases.change_period(write, tracing.ANALYST, number, person, Period(since, until), stated=True, at=NOON)


@pytest.mark.parametrize("as_of", [NOON + timedelta(minutes=1), datetime(1, 1, 1, tzinfo=UTC)])
def test_a_list_is_made_as_of_no_other_age(shared_database: Database, tmp_path: Path, as_of: datetime) -> None:
    number = tracing.opened(shared_database)
    with pytest.raises(InputInvalidError):
        tracing.traced(shared_database, tmp_path, number, as_of=as_of)
