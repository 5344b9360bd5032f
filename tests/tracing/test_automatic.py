"""A positive opens or joins an incident by itself, and what takes it back takes the case out; twice is as once."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.support import evidence as synthetic
from tests.support import tracing
from tests.support.tracing import COUNTY, NOON
from tianfu.evidence import case_changes, kinds, ledger, test_words
from tianfu.evidence.care_kinds import Isolation, IsolationStage
from tianfu.evidence.kinds import Case, CaseStatus
from tianfu.evidence.model import NewEvidence
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval
from tianfu.platform.database import Database, Purpose
from tianfu.tracing import automatic, cases, incidents
from tianfu.tracing.cases import Entered

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def state(database: Database, *items: NewEvidence) -> tuple[EvidenceId, ...]:
    with database.write(Purpose.WORKER) as write:
        return ledger.append(write, items, received_at=NOON).ids


def follow(database: Database, at: datetime = NOON) -> automatic.Followed:
    with database.write(Purpose.WORKER) as write:
        return automatic.follow(write, at=at, limit=1_000)


def positive(person: PersonRef, record: str, at: datetime = NOON - 2 * HOUR, **changes: object) -> NewEvidence:
    item = synthetic.lab_test(person, record, test_words.TestResult.POSITIVE, at=at)
    assert isinstance(item.attributes, kinds.Test)
    return msgspec.structs.replace(item, attributes=msgspec.structs.replace(item.attributes, **changes))


def isolated(person: PersonRef, record: str, at: datetime) -> NewEvidence:
    return NewEvidence(
        person=person,
        source="cdc",
        source_record=record,
        attributes=Isolation(stage=IsolationStage.CENTRAL, began_at=at),
        occurred_at=at,
        valid=Interval(at),
    )


def where(database: Database, person: PersonRef) -> dict[str, Entered]:
    """The incidents in which a person is a case, and the case."""
    with database.read(Purpose.WORKER) as read:
        found = [
            (incident.number, case)
            for incident in incidents.listed(read, [""], with_closed=True)
            for case in cases.listed(read, incident.incident_ref, with_withdrawn=True)
            if case.person == person
        ]
    return dict(found)


def only(database: Database, person: PersonRef) -> Entered:
    ((_, case),) = where(database, person).items()
    return case


def test_a_positive_opens_an_incident_in_its_county_and_the_next_one_joins(database: Database) -> None:
    here, neighbour = tracing.people(database, 2, resident_in=COUNTY)
    (elsewhere,) = tracing.people(database, 1, resident_in="510104")
    (unknown,) = tracing.people(database, 1)
    placeless = msgspec.structs.replace(positive(unknown, "L4"), place=None)
    state(database, positive(here, "L1"))

    first = follow(database)
    state(database, positive(neighbour, "L2"), positive(elsewhere, "L3"), placeless)
    second = follow(database)
    third = follow(database)

    assert (first.added, first.opened) == (1, 1)
    assert (second.added, second.opened) == (3, 2)
    assert third.people == 0
    assert list(where(database, here)) == list(where(database, neighbour)) == [f"2022-{COUNTY}-001"]
    assert list(where(database, elsewhere)) == ["2022-510104-001"]
    assert list(where(database, unknown)) == ["2022-000000-001"]
    case = only(database, here)
    # Sampled six hours before noon on the 15th; the rules look back two whole days.
    assert case.infectious_from == datetime.fromisoformat("2022-07-13T00:00:00+08:00")
    assert (case.infectious_to, case.added_by, case.stated) == (None, "tracer", False)


def test_a_listed_contact_who_turns_positive_joins_the_incident_that_lists_them(
    database: Database, tmp_path: Path
) -> None:
    case, contact = tracing.people(database, 2, resident_in=COUNTY)
    (canteen,) = tracing.venues(database, ["catering"])
    tracing.fill(tmp_path, [(case, canteen, NOON - DAY), (contact, canteen, NOON - DAY)])
    linked = tracing.opened(database)
    tracing.add(database, linked, case, NOON - 2 * DAY)
    tracing.traced(database, tmp_path, linked)
    newer = tracing.opened(database)
    state(database, positive(contact, "L1"))

    follow(database)

    assert newer != linked
    assert list(where(database, contact)) == [linked]
    tracing.traced(database, tmp_path, linked)
    assert tracing.listed(database, linked) == []


@pytest.mark.parametrize(
    "statement",
    [
        lambda person: positive(person, f"L{person}", pooled=True, tube="T1"),
        lambda person: positive(person, f"L{person}", method=test_words.TestMethod.ANTIBODY),
        lambda person: positive(person, f"L{person}", at=NOON - 15 * DAY),
        lambda person: synthetic.case(person, f"C{person}", CaseStatus.SUSPECTED, at=NOON - HOUR),
        lambda person: synthetic.case(person, f"C{person}", CaseStatus.DISCHARGED, at=NOON - HOUR),
        lambda person: synthetic.lab_test(person, f"L{person}", at=NOON - HOUR),
    ],
    ids=["pooled", "antibody", "long ago", "suspected", "discharged", "negative"],
)
def test_what_is_no_new_case_opens_nothing(
    shared_database: Database, statement: Callable[[PersonRef], NewEvidence]
) -> None:
    database = shared_database
    (person,) = tracing.people(database, 1, resident_in=COUNTY)
    state(database, statement(person))

    assert follow(database).added == 0
    assert where(database, person) == {}


def test_what_takes_a_positive_back_takes_the_case_out_and_may_bring_it_back(database: Database) -> None:
    withdrawn, revised, excluded = tracing.people(database, 3, resident_in=COUNTY)
    number, *_ = state(database, positive(withdrawn, "L1"), positive(revised, "L2"), positive(excluded, "L3"))
    follow(database)

    with database.write(Purpose.WORKER) as write:
        ledger.withdraw(write, number, received_at=NOON)
    state(
        database,
        synthetic.lab_test(revised, "L2", test_words.TestResult.NEGATIVE, at=NOON - HOUR),
        synthetic.case(excluded, "C3", CaseStatus.EXCLUDED, at=NOON - HOUR),
    )
    out = follow(database)
    assert (out.added, out.withdrawn) == (0, 3)
    assert all(only(database, person).withdrawn_by == "tracer" for person in (withdrawn, revised, excluded))

    state(database, positive(excluded, "L4", at=NOON))
    assert follow(database).added == 1
    assert only(database, excluded).withdrawn_at is None


def test_isolation_and_onset_move_the_period_unless_somebody_stated_it(database: Database) -> None:
    by_itself, stated = tracing.people(database, 2, resident_in=COUNTY)
    state(database, positive(by_itself, "L1"), positive(stated, "L2"))
    follow(database)
    with database.write(Purpose.OPERATOR) as write:
        for number, case in where(database, stated).items():
            cases.change_period(
                write, tracing.ANALYST, number, stated, case.period._replace(until=NOON), stated=True, at=NOON
            )

    onset = Case(status=CaseStatus.CONFIRMED, diagnosed_at=NOON, onset_at=NOON - 4 * DAY)
    for person in (by_itself, stated):
        report = msgspec.structs.replace(synthetic.case(person, f"C{person}", at=NOON), attributes=onset)
        state(database, isolated(person, f"I{person}", NOON + HOUR), report)
    follow(database)

    moved = only(database, by_itself)
    assert moved.infectious_from == datetime.fromisoformat("2022-07-09T00:00:00+08:00")
    assert moved.infectious_to == NOON + HOUR
    assert only(database, stated).infectious_to == NOON


def test_a_case_that_somebody_withdrew_stays_out_until_something_else_is_stated(database: Database) -> None:
    (person,) = tracing.people(database, 1, resident_in=COUNTY)
    state(database, positive(person, "L1"))
    follow(database)
    (number,) = where(database, person)
    tracing.withdraw(database, number, person)

    state(database, isolated(person, "I1", NOON))
    follow(database)
    assert only(database, person).withdrawn_by == "epidemiologist"

    state(database, synthetic.case(person, "C1", at=NOON))
    follow(database)
    assert only(database, person).withdrawn_at is None


def test_the_order_and_the_number_of_looks_make_no_difference(database: Database) -> None:
    """Each person gets the same four statements, in an order and with looks between of their own."""
    people = tracing.people(database, 8, resident_in=COUNTY)
    chance = random.Random(8)
    for person in people:
        items = [
            positive(person, f"A{person}"),
            synthetic.case(person, f"B{person}", at=NOON - HOUR),
            isolated(person, f"D{person}", NOON - HOUR),
            synthetic.lab_test(person, f"E{person}", at=NOON - HOUR),
        ]
        for item in chance.sample(items, len(items)):
            state(database, item)
            for _ in range(chance.randrange(3)):
                follow(database)
    follow(database)
    ends = {(only(database, person).period, only(database, person).withdrawn_at) for person in people}
    assert len(ends) == 1
    assert len({number for person in people for number in where(database, person)}) == 1


def test_nobody_is_lost_when_the_look_is_cut_off(database: Database) -> None:
    people = tracing.people(database, 3, resident_in=COUNTY)
    state(database, *(positive(person, f"L{person}") for person in people))

    def cut_off() -> None:
        with database.write(Purpose.WORKER) as write:
            automatic.follow(write, at=NOON)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()

    assert all(where(database, person) == {} for person in people)
    assert follow(database).added == 3
    with database.read(Purpose.WORKER) as read:
        assert case_changes.oldest(read) is None


def test_a_county_out_of_numbers_keeps_nobody_else_waiting(database: Database) -> None:
    (full,) = tracing.people(database, 1, resident_in=COUNTY)
    (other,) = tracing.people(database, 1, resident_in="510104")
    with database.write(Purpose.OPERATOR) as write:
        opened = incidents.open_incident(write, tracing.ANALYST, place=COUNTY, rules=None, at=NOON)
        write.execute("update incident set number = %s", (f"2022-{COUNTY}-999",))
        write.execute("update incident set closed_at = %s where incident_ref = %s", (NOON, opened.incident_ref))
    state(database, positive(full, "L1"), positive(other, "L2"))

    followed = follow(database)

    assert followed.refused == ("incident_numbers_spent",)
    assert followed.added == 1
    assert list(itertools.chain(where(database, full), where(database, other))) == ["2022-510104-001"]
