"""Households and seats stand beside scans on one list, and why says which statements."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.support import tracing
from tests.support.tracing import NOON
from tianfu.evidence import ledger
from tianfu.evidence.care_kinds import Isolation, IsolationStage
from tianfu.evidence.circumstance_kinds import MemberGroup, Membership
from tianfu.evidence.model import NewEvidence
from tianfu.ids import PersonRef
from tianfu.interval import Interval
from tianfu.lake import permit
from tianfu.platform.database import Database, Purpose
from tianfu.residents import merging
from tianfu.tracing import incidents, pages, why

DAY = timedelta(days=1)


def member(person: PersonRef, group: MemberGroup, institution: str) -> NewEvidence:
    began_at = NOON - 300 * DAY
    return NewEvidence(
        person=person,
        source="community",
        source_record=f"{institution}-{person}",
        attributes=Membership(group=group, institution=institution, began_at=began_at),
        occurred_at=began_at,
        valid=Interval(began_at),
    )


def test_a_household_is_found_with_scans_and_its_second_hop_follows_it(database: Database, tmp_path: Path) -> None:
    case, spouse, colleague, eater = tracing.people(database, 4)
    (canteen,) = tracing.venues(database, ["catering"])
    with database.write(Purpose.WORKER) as write:
        ledger.append(
            write,
            [
                member(case, MemberGroup.HOUSEHOLD, "H-1"),
                member(spouse, MemberGroup.HOUSEHOLD, "H-1"),
                member(spouse, MemberGroup.WORKER, "W-1"),
                member(colleague, MemberGroup.WORKER, "W-1"),
            ],
            received_at=NOON,
        )
    meal = NOON - DAY
    tracing.fill(tmp_path, [(case, canteen, meal), (spouse, canteen, meal), (eater, canteen, meal)])
    number = tracing.opened(database)
    since = NOON - 2 * DAY
    tracing.add(database, number, case, since)

    tracing.traced(database, tmp_path, number)

    rows = {row[0]: row[1:7] for row in tracing.listed(database, number)}
    # The spouse is exposed from the first infectious minute on, at home; the meal came a day later.
    assert rows[spouse] == (1, "close", "household", True, since, case)
    assert rows[eater] == (1, "close", "meal", False, meal, case)
    assert rows[colleague][:3] == (2, "secondary", "work")
    assert rows[colleague][5] == spouse

    with database.write(Purpose.OPERATOR) as write:
        incident = incidents.find(write, number)
        allowed = permit.for_system(write, incident=number, at=NOON)
    told = why.explain(database, tmp_path, incident, spouse, permit=allowed, at=NOON)
    (step,) = told.chain
    assert [one.setting for one in step.meetings] == ["household", "meal"]
    assert step.meetings[0].evidence is not None
    chain = why.explain(database, tmp_path, incident, colleague, permit=allowed, at=NOON).chain
    assert [(link.source, link.person) for link in chain] == [(case, spouse), (spouse, colleague)]
    assert [one.setting for one in chain[1].meetings] == ["work"]


def test_a_contact_in_isolation_infects_nobody_further(database: Database, tmp_path: Path) -> None:
    case, contact, free, before, after = tracing.people(database, 5)
    first, second = tracing.venues(database, ["catering", "catering"])
    meal = NOON - 2 * DAY
    isolated_at = meal + timedelta(hours=5)
    tracing.fill(
        tmp_path,
        [
            *((person, first, meal) for person in (case, contact, free)),
            *((person, second, meal + timedelta(hours=3)) for person in (contact, before)),
            *((person, second, meal + timedelta(hours=9)) for person in (contact, after)),
        ],
    )
    number = tracing.opened(database)
    tracing.add(database, number, case, meal - DAY, meal + timedelta(hours=1))
    tracing.traced(database, tmp_path, number)
    assert [row[0] for row in tracing.listed(database, number)] == [contact, free, before, after]

    stage = Isolation(stage=IsolationStage.HOME, began_at=isolated_at)
    stated = NewEvidence(
        person=contact,
        source="cdc",
        source_record="I-1",
        attributes=stage,
        occurred_at=isolated_at,
        valid=Interval(isolated_at),
    )
    with database.write(Purpose.WORKER) as write:
        ledger.append(write, [stated], received_at=NOON)
    tracing.traced(database, tmp_path, number, everything=True)

    assert [row[0] for row in tracing.listed(database, number)] == [contact, free, before]


def test_a_place_too_large_to_name_anybody_is_counted_until_its_cases_are_gone(
    database: Database, tmp_path: Path
) -> None:
    first, second, *others, helper = tracing.people(database, 53)
    with database.write(Purpose.WORKER) as write:
        crowd = [member(person, MemberGroup.HOUSEHOLD, "DORMITORY") for person in (first, second, *others)]
        home = [member(person, MemberGroup.HOUSEHOLD, "H-1") for person in (first, helper)]
        ledger.append(write, [*crowd, *home], received_at=NOON)
    number = tracing.opened(database)
    for case in (first, second):
        tracing.add(database, number, case, NOON - 2 * DAY)

    def told() -> tuple[int, dict[str, pages.TooLarge]]:
        tracing.traced(database, tmp_path, number)
        with database.read(Purpose.OPERATOR) as read:
            counts = pages.counts(read, incidents.find(read, number).incident_ref)
        return counts.people, counts.too_large

    # The home names its one; of the dormitory everybody but the source was with the source.
    assert told() == (1, {"household": pages.TooLarge(places=1, people=51)})
    tracing.withdraw(database, number, first)
    assert told() == (0, {"household": pages.TooLarge(places=1, people=51)})
    tracing.withdraw(database, number, second)
    assert told() == (0, {})


def test_a_case_under_one_number_is_no_contact_under_the_other(database: Database, tmp_path: Path) -> None:
    kept, merged, other, contact = tracing.people(database, 4)
    first, second = tracing.venues(database, ["catering", "catering"])
    meal = NOON - DAY
    tracing.fill(
        tmp_path,
        [
            *((person, first, meal) for person in (kept, other)),
            *((person, second, meal + timedelta(hours=3)) for person in (kept, contact)),
        ],
    )
    with database.write(Purpose.OPERATOR) as write:
        asked = merging.ask(write, kept=kept, merged=merged, reason="same", by="li.na", at=NOON)
        merging.approve(write, asked, by="wang.wei", at=NOON)
    number = tracing.opened(database)
    tracing.add(database, number, other, NOON - 2 * DAY)
    tracing.traced(database, tmp_path, number)
    assert [row[0:2] for row in tracing.listed(database, number)] == [(kept, 1), (contact, 2)]

    tracing.add(database, number, merged, NOON - 2 * DAY)
    tracing.traced(database, tmp_path, number)
    assert [row[0:2] for row in tracing.listed(database, number)] == [(contact, 1)]

    tracing.withdraw(database, number, merged)
    tracing.traced(database, tmp_path, number)
    assert [row[0:2] for row in tracing.listed(database, number)] == [(kept, 1), (contact, 2)]
