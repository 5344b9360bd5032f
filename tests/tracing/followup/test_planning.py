"""Planning over real rows: idempotent, restarted by exposure, closed by the ledger, ended when off the list."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from tests.support.clock import NOON
from tests.support.evidence import contact, lab_test, people
from tests.support.followed import COUNTY, LAST_EXPOSURE, NEIGHBOUR, ninth, open_incident, put_on_list, tasks_of
from tests.support.merged import merge, part
from tianfu.evidence import ledger, test_words
from tianfu.evidence.model import NewEvidence
from tianfu.ids import EvidenceId, PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.tracing.followup import planning, store, work
from tianfu.tracing.followup.planning import Planned
from tianfu.tracing.followup.schedule import Schedule
from tianfu.tracing.incidents import Incident
from tianfu.tracing.model import Tier

DAY = timedelta(days=1)


def incident_with(database: Database, contacts: int = 1) -> tuple[Incident, list[PersonRef]]:
    """An incident of one case with so many confirmed close contacts, planned."""
    case, *persons = people(database, contacts + 1)
    incident = open_incident(database, [case])
    put_on_list(database, incident, persons, case=case)
    planning.plan_incident(database, incident, ninth, at=NOON)
    return incident, persons


def append(database: Database, item: NewEvidence, at: datetime = NOON) -> int:
    with database.write(Purpose.BATCH) as write:
        return ledger.append(write, [item], received_at=at).ids[0]


def states(database: Database, incident: Incident, person: PersonRef, kind: str) -> dict[int, str]:
    with database.read(Purpose.OPERATOR) as read:
        return {day: state for found, day, state, _ in tasks_of(read, incident, person) if found == kind}


def test_planning_again_changes_nothing(database: Database) -> None:
    incident, persons = incident_with(database, 3)

    again = planning.plan_incident(database, incident, ninth, at=NOON + timedelta(hours=5))

    assert again == Planned(people=3)
    # Named on day 1: move, visits of ten days, tests 1 2 3 5 7 10, two ends, the start of home isolation.
    with database.read(Purpose.OPERATOR) as read:
        kinds = Counter(kind for kind, *_ in tasks_of(read, incident, persons[0]))
    assert kinds == {"move": 1, "visit": 10, "test": 6, "end": 2, "monitor": 1}


def test_one_human_being_under_two_numbers_is_followed_once(database: Database) -> None:
    incident, (kept, other) = incident_with(database, 2)

    def followed() -> dict[PersonRef, str | None]:
        planning.plan_incident(database, incident, ninth, at=NOON)
        with database.read(Purpose.OPERATOR) as read:
            found = {person: store.follow_up(read, incident.incident_ref, person) for person in (kept, other)}
        return {person: one.closed_reason for person, one in found.items() if one is not None}

    number = merge(database, kept, other)
    assert followed() == {kept: None, other: "merged"}
    assert states(database, incident, other, "visit").keys() == states(database, incident, kept, "visit").keys()
    assert set(states(database, incident, other, "visit").values()) == {"cancelled"}
    assert followed() == {kept: None, other: "merged"}

    part(database, number)
    assert followed() == {kept: None, other: None}


def test_a_contact_who_is_a_case_under_another_number_is_not_followed(database: Database) -> None:
    case, contact_number, other = people(database, 3)
    incident = open_incident(database, [case])
    put_on_list(database, incident, [contact_number, other], case=case)
    planning.plan_incident(database, incident, ninth, at=NOON)

    merge(database, case, contact_number)
    planned = planning.plan_incident(database, incident, ninth, at=NOON)

    assert (planned.people, planned.closed) == (1, 1)
    with database.read(Purpose.OPERATOR) as read:
        found = store.follow_up(read, incident.incident_ref, contact_number)
    assert found is not None
    assert found.closed_reason == "became_case"


def test_proposed_contacts_and_those_who_are_only_told_have_no_tasks(database: Database) -> None:
    case, proposed, general = people(database, 3)
    incident = open_incident(database, [case])
    put_on_list(database, incident, [proposed], case=case, state="proposed")
    put_on_list(database, incident, [general], case=case, tier=Tier.GENERAL)

    done = planning.plan_incident(database, incident, ninth, at=NOON)

    assert done == Planned(people=1, begun=1)
    with database.read(Purpose.OPERATOR) as read:
        assert store.follow_up(read, incident.incident_ref, proposed) is None
        assert tasks_of(read, incident, general) == []


def test_a_result_in_the_ledger_closes_its_test_and_a_withdrawal_opens_it_again(database: Database) -> None:
    incident, (person,) = incident_with(database)
    number = append(database, lab_test(person, "r1", at=NOON + timedelta(hours=8)))

    first = work.sync(database, incident.incident_ref, at=NOON + timedelta(hours=9))
    again = work.sync(database, incident.incident_ref, at=NOON + timedelta(hours=9))
    with database.read(Purpose.OPERATOR) as read:
        closed = [task for task in tasks_of(read, incident, person) if task[2] == "done"]
    with database.write(Purpose.BATCH) as write:
        ledger.withdraw(write, EvidenceId(number), received_at=NOON + timedelta(hours=10))
    withdrawn = work.sync(database, incident.incident_ref, at=NOON + timedelta(hours=10))

    assert (first, again, withdrawn) == ((1, 0), (0, 0), (0, 1))
    assert closed == [("test", 1, "done", "negative")]
    assert states(database, incident, person, "test")[1] == "planned"


def test_an_indeterminate_result_closes_nothing(database: Database) -> None:
    incident, (person,) = incident_with(database)
    append(database, lab_test(person, "r1", test_words.TestResult.INDETERMINATE, at=NOON + timedelta(hours=8)))

    assert work.sync(database, incident.incident_ref, at=NOON + timedelta(hours=9)) == (0, 0)


def test_what_is_not_done_in_its_time_is_missed_and_a_late_result_still_closes_it(database: Database) -> None:
    incident, (person,) = incident_with(database)
    later = NOON + 3 * DAY

    missed = work.sweep(database, at=later)
    append(database, lab_test(person, "late", at=NOON + 3 * DAY - timedelta(hours=2)), later)
    work.sync(database, incident.incident_ref, at=later)

    # The move, three visits and the tests of days 1, 2 and 3.
    assert missed == 7
    assert work.sweep(database, at=later) == 0
    assert states(database, incident, person, "test") == {
        1: "missed",
        2: "missed",
        3: "done",
        5: "planned",
        7: "planned",
        10: "planned",
    }


def test_a_new_exposure_restarts_the_days_and_keeps_what_was_done(database: Database) -> None:
    incident, (person,) = incident_with(database)
    append(database, lab_test(person, "r1", at=NOON + timedelta(hours=8)))
    work.sync(database, incident.incident_ref, at=NOON + timedelta(hours=9))
    named = NOON + 2 * DAY
    append(database, contact(person, "again", at=named), named)

    changed = planning.plan_incident(database, incident, ninth, at=named)
    again = planning.plan_incident(database, incident, ninth, at=named + DAY)

    assert (changed.replanned, again) == (1, Planned(people=1))
    with database.read(Purpose.OPERATOR) as read:
        tasks = tasks_of(read, incident, person)
        followed = store.follow_up(read, incident.incident_ref, person)
        reasons = read.rows("select distinct reason from followup_task where state = 'cancelled'")
    assert followed is not None
    assert followed.last_exposure == named - DAY
    assert ("test", 1, "done", "negative") in tasks
    assert [day for kind, day, state, _ in tasks if kind == "test" and state == "planned"] == [1, 2, 3, 5, 7, 10]
    assert reasons == [("re_exposed",)]


def test_other_rules_plan_anew_without_losing_what_was_done(database: Database) -> None:
    incident, (person,) = incident_with(database)
    append(database, lab_test(person, "r1", at=NOON + timedelta(hours=8)))
    work.sync(database, incident.incident_ref, at=NOON + timedelta(hours=9))

    def shorter(_tier: Tier) -> Schedule:
        return ninth(Tier.SECONDARY)

    planning.plan_incident(database, incident, shorter, at=NOON + DAY)

    assert states(database, incident, person, "test")[1] == "done"
    with database.read(Purpose.OPERATOR) as read:
        tasks = tasks_of(read, incident, person)
    assert [day for kind, day, state, _ in tasks if kind == "test" and state == "planned"] == [4, 7]
    assert [day for kind, day, state, _ in tasks if kind == "end" and state == "planned"] == [7]


def test_who_is_off_the_list_has_no_tasks_left_and_comes_back_with_the_list(database: Database) -> None:
    incident, (dropped, withdrawn, case) = incident_with(database, 3)
    with database.write(Purpose.BATCH) as write:
        write.execute("update traced set state = 'dropped' where person_ref = %s", (dropped,))
        write.execute("delete from traced where person_ref = %s", (withdrawn,))
        write.execute(
            "insert into incident_case (incident_ref, person_ref, infectious_from, added_at, added_by)"
            " values (%s, %s, %s, %s, 'epidemiologist')",
            (incident.incident_ref, case, NOON, NOON),
        )

    closed = planning.plan_incident(database, incident, ninth, at=NOON + DAY)
    with database.write(Purpose.BATCH) as write:
        found = store.follow_ups(write, incident.incident_ref, [dropped, withdrawn, case])
        write.execute("update traced set state = 'confirmed' where person_ref = %s", (dropped,))
    back = planning.plan_incident(database, incident, ninth, at=NOON + DAY)

    assert closed.closed == 3
    assert {person: row.closed_reason for person, row in found.items()} == {
        dropped: "dropped",
        withdrawn: "withdrawn",
        case: "became_case",
    }
    assert back.begun == 1
    assert set(states(database, incident, withdrawn, "visit").values()) == {"cancelled"}
    assert "planned" in states(database, incident, dropped, "test").values()


def test_an_end_without_contact_is_put_off_where_that_is_asked_for(database: Database) -> None:
    incident, (person,) = incident_with(database)
    after_the_end = LAST_EXPOSURE + 12 * DAY

    planning.plan_incident(database, incident, ninth, at=after_the_end, extend=True)
    again = planning.plan_incident(database, incident, ninth, at=after_the_end, extend=True)

    assert again == Planned(people=1)
    assert states(database, incident, person, "end") == {7: "planned", 10: "cancelled", 12: "planned"}


def test_a_person_of_two_incidents_is_followed_by_one_county(database: Database) -> None:
    _, (person,) = incident_with(database)
    (case,) = people(database, 1)
    other = open_incident(database, [case], number=f"2022-{NEIGHBOUR}-001")
    put_on_list(database, other, [person], case=case, place=NEIGHBOUR)

    planning.plan_incident(database, other, ninth, at=NOON)

    with database.read(Purpose.OPERATOR) as read:
        found = store.follow_up(read, other.incident_ref, person)
    assert found is not None
    assert found.place == COUNTY


def test_who_lives_nobody_knows_where_is_followed_by_the_county_of_the_incident(database: Database) -> None:
    case, person = people(database, 2)
    incident = open_incident(database, [case])
    put_on_list(database, incident, [person], case=case, place=None)

    planning.plan_incident(database, incident, ninth, at=NOON)

    with database.read(Purpose.OPERATOR) as read:
        assert store.counties_of(read, incident.incident_ref, person) == [(COUNTY, NOON, None)]


def test_whom_only_the_field_found_is_followed_until_that_is_taken_back(database: Database) -> None:
    case, person = people(database, 2)
    incident = open_incident(database, [case])
    with database.write(Purpose.BATCH) as write:
        number = write.value(
            "insert into contact_confirmation (incident_ref, tiers, people, people_sum, state, stated_by, stated_at)"
            " values (%s, '{secondary}', 1, 0, 'done', 'epidemiologist', %s) returning confirmation_ref",
            (incident.incident_ref, NOON),
        )
        write.execute(
            "insert into contact_confirmed (confirmation_ref, incident_ref, person_ref, evidence_id, tier, setting,"
            " last_exposure_at) values (%s, %s, %s, 1, 'secondary', 'meal', %s)",
            (number, incident.incident_ref, person, LAST_EXPOSURE),
        )

    begun = planning.plan_incident(database, incident, ninth, at=NOON)
    with database.write(Purpose.BATCH) as write:
        write.execute("update contact_confirmed set withdrawn_at = %s", (NOON,))
    closed = planning.plan_incident(database, incident, ninth, at=NOON)

    assert (begun.begun, begun.closed, closed.closed) == (1, 0, 1)
    assert set(states(database, incident, person, "test")) == {1, 4, 7}
