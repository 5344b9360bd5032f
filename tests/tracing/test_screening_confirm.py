"""Results become evidence by a named person's decision, whole or not at all, and can be taken back."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from tests.support import evidence as synthetic
from tests.support import incidents as traced
from tests.support.clock import NOON
from tests.support.incidents import Reached
from tests.support.screening import FUNNELS
from tests.support.status import colours, core_policy, recompute_all, statuses
from tianfu.errors import InputInvalidError
from tianfu.evidence import ledger
from tianfu.evidence.kinds import Contact, ContactSetting, ContactTier
from tianfu.evidence.model import Evidence
from tianfu.ids import PersonRef, format_person_ref
from tianfu.platform.database import Database, Purpose
from tianfu.policy.explain import explain
from tianfu.tracing import incidents, list_store
from tianfu.tracing.acting import Actor
from tianfu.tracing.incidents import Incident, IncidentClosedError
from tianfu.tracing.rows import TIERS
from tianfu.tracing.screening import confirm, funnel_files, judge, screenings
from tianfu.tracing.screening.confirm import Choice, Confirmation

ALL = Choice(tiers=tuple(ContactTier))
LATER = NOON + timedelta(hours=1)
MANY = confirm.BULK_MAX + 1


def confirmed(
    database: Database, incident: Incident, choice: Choice = ALL, *, approved_by: str | None = None, hours: int = 0
) -> Confirmation:
    with database.write(Purpose.BATCH) as write:
        return confirm.confirm(
            write, incident, choice, by="li.na", approved_by=approved_by, at=NOON + timedelta(hours=hours)
        )


def withdrawn(database: Database, incident: Incident, number: int, approved_by: str | None = None) -> Confirmation:
    with database.write(Purpose.BATCH) as write:
        return confirm.withdraw(
            write, incident, number, by="li.na", approved_by=approved_by, reason="wrong_venue", at=LATER
        )


def contacts(database: Database, person: PersonRef) -> list[Evidence]:
    with database.read(Purpose.WORKER) as read:
        return [item for item in ledger.about(read, person) if isinstance(item.attributes, Contact)]


def statements(database: Database) -> int:
    with database.read(Purpose.WORKER) as read:
        return int(read.value("select count(*) from evidence where source = 'tracing'"))


def test_a_confirmed_result_is_a_contact_of_the_case_with_the_parents_record(database: Database) -> None:
    close, second = synthetic.people(database, 2)
    incident, case = traced.opened(
        database, [Reached(close), Reached(second, "secondary", "household", hop=2, parent=close, place=None)]
    )

    done = confirmed(database, incident)

    assert (done.people, done.state, done.approved_by) == (2, "done", None)
    (first,) = contacts(database, close)
    assert (first.source, first.source_record, first.place) == ("tracing", f"trace/{traced.NUMBER}/{close}", "510112")
    assert first.attributes == Contact(
        tier=ContactTier.CLOSE,
        last_exposure_at=traced.EXPOSED,
        designated_at=NOON,
        case=f"CASE-{case}",
        setting=ContactSetting.VENUE,
    )
    assert confirm.case_of(f"CASE-{case}") == f"CASE-{case}"
    assert confirm.case_of(confirm.record_of(incident, case)) == format_person_ref(case)
    (other,) = contacts(database, second)
    assert isinstance(other.attributes, Contact)
    assert other.attributes.parent == first.source_record
    assert traced.state_of(database, close) == traced.state_of(database, second) == "confirmed"


def test_confirming_again_adds_nothing_and_another_tier_revises_the_record(database: Database) -> None:
    (person,) = synthetic.people(database, 1)
    incident, _ = traced.opened(database, [Reached(person, "general")])
    confirmed(database, incident)

    again = confirmed(database, incident, hours=1)
    with database.write(Purpose.BATCH) as write:
        judge.judge(
            write,
            incident,
            person,
            judge.Finding(tier=ContactTier.CLOSE, reason=judge.JudgedBy.CAMERA),
            by="li.na",
            at=LATER,
        )
    revised = confirmed(database, incident, hours=2)

    assert again.people == 0
    assert revised.people == 1
    (standing,) = contacts(database, person)
    assert isinstance(standing.attributes, Contact)
    assert standing.attributes.tier is ContactTier.CLOSE


def test_fifty_and_fifty_again_are_a_hundred(database: Database) -> None:
    persons = synthetic.people(database, MANY)
    half = MANY // 2
    tiers = ["close"] * half + ["general"] * (MANY - half)
    incident, _ = traced.opened(database, [Reached(one, tier) for one, tier in zip(persons, tiers, strict=True)])
    first, rest = Choice(tiers=(ContactTier.CLOSE,)), Choice(tiers=(ContactTier.GENERAL,))
    confirmed(database, incident, first)

    with database.write(Purpose.BATCH) as write, pytest.raises(confirm.SecondPersonNeededError):
        confirm.confirm(write, incident, rest, by="os:Li.Na", approved_by=None, at=LATER)
    assert statements(database) == half
    assert confirmed(database, incident, first, hours=1).people == 0
    assert confirmed(database, incident, rest, hours=25).people == MANY - half


def test_only_the_tiers_and_the_person_asked_for_are_confirmed(database: Database) -> None:
    close, general, other = synthetic.people(database, 3)
    incident, _ = traced.opened(database, [Reached(close), Reached(general, "general"), Reached(other)])

    done = confirmed(database, incident, Choice(tiers=(ContactTier.CLOSE,), person=close))

    assert done.people == 1
    assert [bool(contacts(database, each)) for each in (close, general, other)] == [True, False, False]


def test_who_lives_with_a_case_was_exposed_until_its_isolation(database: Database) -> None:
    home, shop = synthetic.people(database, 2)
    incident, _ = traced.opened(database, [Reached(home, setting="household"), Reached(shop)])
    isolated = NOON - timedelta(hours=2)
    with database.write(Purpose.BATCH) as write:
        write.execute("update incident_case set infectious_to = %s", (isolated,))

    confirmed(database, incident)

    exposures = [item.attributes.last_exposure_at for who in (home, shop) for item in contacts(database, who)]  # type: ignore[union-attr]
    assert exposures == [isolated, traced.EXPOSED]


@pytest.mark.parametrize("second", [None, "li.na", "os:li.na", "Li.Na", "os:OS:li.na"])
def test_many_at_once_need_another_person_and_nothing_is_half_done(database: Database, second: str | None) -> None:
    people = synthetic.people(database, MANY)
    incident, _ = traced.opened(database, [Reached(person) for person in people])

    with pytest.raises(confirm.SecondPersonNeededError):
        confirmed(database, incident, approved_by=second)

    assert statements(database) == 0
    assert traced.state_of(database, people[0]) == "proposed"


def test_many_wait_until_a_second_person_approves_the_same_list(database: Database) -> None:
    people = synthetic.people(database, MANY)
    incident, _ = traced.opened(database, [Reached(person) for person in people])
    with database.write(Purpose.OPERATOR) as write:
        waiting = confirm.propose(write, incident, ALL, by="li.na", at=NOON)
    assert (waiting.state, waiting.people, statements(database)) == ("waiting", MANY, 0)
    with database.write(Purpose.OPERATOR) as write:
        other = confirm.propose(write, incident, ALL, by="li.na", at=NOON)

    with database.write(Purpose.OPERATOR) as write:
        done = confirm.approve(write, incident, waiting.confirmation_ref, by="wang.wei", at=LATER)

    assert (done.state, done.people, done.approved_by, statements(database)) == ("done", MANY, "wang.wei", MANY)
    with pytest.raises(confirm.ConfirmationDecidedError), database.write(Purpose.OPERATOR) as write:
        confirm.approve(write, incident, waiting.confirmation_ref, by="wang.wei", at=LATER)
    with pytest.raises(confirm.ConfirmationChangedError), database.write(Purpose.OPERATOR) as write:
        confirm.approve(write, incident, other.confirmation_ref, by="wang.wei", at=LATER)
    with pytest.raises(confirm.ConfirmationNotFoundError), database.write(Purpose.OPERATOR) as write:
        confirm.approve(write, incident, 99, by="wang.wei", at=LATER)


def test_a_list_that_changed_to_as_many_others_is_not_approved(database: Database) -> None:
    people = synthetic.people(database, MANY)
    incident, _ = traced.opened(database, [Reached(person) for person in people])
    with database.write(Purpose.OPERATOR) as write:
        waiting = confirm.propose(write, incident, ALL, by="li.na", at=NOON)
        write.execute("update traced set tier = 'general' where person_ref = %s", (people[0],))

    with pytest.raises(confirm.ConfirmationChangedError), database.write(Purpose.OPERATOR) as write:
        confirm.approve(write, incident, waiting.confirmation_ref, by="wang.wei", at=LATER)

    assert statements(database) == 0


def test_a_death_half_way_leaves_nothing_half_written(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    people = synthetic.people(database, MANY)
    incident, _ = traced.opened(database, [Reached(person) for person in people])
    monkeypatch.setattr(confirm, "_PEOPLE_AT_ONCE", 20)
    appended: list[int] = []
    append = ledger.append

    def dies_at_the_second_part(*arguments: object, **named: object) -> ledger.Appended:
        if appended:
            raise KeyboardInterrupt
        appended.append(1)
        return append(*arguments, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "append", dies_at_the_second_part)
        with pytest.raises(KeyboardInterrupt):
            confirmed(database, incident, approved_by="wang.wei")
    assert statements(database) == 0
    with database.read(Purpose.WORKER) as read:
        assert confirm.shown(read, incident) == []
        assert read.value("select count(*) from traced where state <> 'proposed'") == 0

    assert confirmed(database, incident, approved_by="wang.wei").people == MANY
    assert statements(database) == MANY


def test_traced_then_confirmed_is_red_or_yellow_and_withdrawn_is_green_again(database: Database) -> None:
    close, companion = people = synthetic.people(database, 2)
    incident, _ = traced.opened(database, [Reached(close), Reached(companion, "copresent", "telecom")])
    with database.write(Purpose.WORKER) as write:
        tests = [synthetic.lab_test(person, f"L{person}") for person in people]
        ledger.append(write, tests, received_at=NOON)
    recompute_all(database)
    assert colours(database, people) == ["green", "green"]

    done = confirmed(database, incident)
    recompute_all(database)

    assert colours(database, people) == ["red", "yellow"]
    told = explain(core_policy(), statuses(database, people)[close].decision, "en").reasons[0]
    (statement,) = contacts(database, close)
    assert (told.evidence, told.source) == (statement.evidence_id, "tracing")
    assert confirm.incident_of(statement.source, statement.source_record) == traced.NUMBER
    assert confirm.incident_of("cdc", statement.source_record) is None

    back = withdrawn(database, incident, done.confirmation_ref)
    recompute_all(database, at=LATER)

    assert (back.state, back.withdrawn_by) == ("withdrawn", "li.na")
    assert colours(database, people) == ["green", "green"]
    assert traced.state_of(database, close) == "proposed"
    with pytest.raises(confirm.ConfirmationDecidedError):
        withdrawn(database, incident, done.confirmation_ref)
    assert confirmed(database, incident, hours=2).people == 2
    assert contacts(database, close)


def test_a_withdrawn_confirmation_does_not_hold_again_for_who_has_left_the_list(database: Database) -> None:
    off, other = synthetic.people(database, 2)
    incident, case = traced.opened(database, [Reached(off), Reached(other)])
    one = confirmed(database, incident, Choice(tiers=tuple(ContactTier), person=off))
    confirmed(database, incident, Choice(tiers=tuple(ContactTier), person=other))

    def merged(statement: str) -> None:
        """What a run does to the list after the case stops or begins to support them."""
        with database.write(Purpose.BATCH) as write:
            write.execute(statement)
            write.execute("create temporary table trace_touched (person_ref integer primary key) on commit drop")
            write.execute("insert into trace_touched values (%s), (%s)", (off, other))
            run_ref = write.value("select max(run_ref) from trace_run")
            list_store.merge(write, incident.incident_ref, run_ref, cases=[case], tiers=TIERS)

    merged("create table kept as select * from trace_support; delete from trace_support")
    withdrawn(database, incident, one.confirmation_ref)
    merged("insert into trace_support select * from kept")

    assert [traced.state_of(database, person) for person in (off, other)] == ["proposed", "confirmed"]


def test_withdrawing_many_needs_another_person_too(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    people = synthetic.people(database, MANY)
    incident, _ = traced.opened(database, [Reached(person) for person in people])
    monkeypatch.setattr(confirm, "_PEOPLE_AT_ONCE", 20)
    done = confirmed(database, incident, approved_by="wang.wei")

    with pytest.raises(confirm.SecondPersonNeededError):
        withdrawn(database, incident, done.confirmation_ref)
    assert contacts(database, people[0])
    withdrawn(database, incident, done.confirmation_ref, "wang.wei")

    assert not any(contacts(database, person) for person in people)


def test_a_closed_incident_makes_nobody_a_contact_any_more_but_can_be_taken_back(database: Database) -> None:
    first, second = synthetic.people(database, 2)
    incident, _ = traced.opened(database, [Reached(first), Reached(second)])
    done = confirmed(database, incident, Choice(tiers=tuple(ContactTier), person=first))
    with database.write(Purpose.OPERATOR) as write:
        incidents.close(write, Actor.terminal("os:li.na"), incident.number, at=NOON)

    with pytest.raises(IncidentClosedError):
        confirmed(database, incident)
    assert not contacts(database, second)

    withdrawn(database, incident, done.confirmation_ref)
    assert not contacts(database, first)


def none_found(database: Database, incident: Incident, person: PersonRef, by: str = "li.na") -> None:
    with database.write(Purpose.OPERATOR) as write:
        judge.judge(write, incident, person, judge.Finding(tier=None, reason=judge.JudgedBy.CAMERA), by=by, at=LATER)


def test_taken_back_one_by_one_many_need_another_person_too(database: Database) -> None:
    people = synthetic.people(database, MANY + 1)
    incident, _ = traced.opened(database, [Reached(person) for person in people])
    confirmed(database, incident, approved_by="wang.wei")
    for person in people[: confirm.BULK_MAX]:
        none_found(database, incident, person)

    with pytest.raises(confirm.SecondPersonNeededError):
        none_found(database, incident, people[-1], by="os:Li.Na")
    assert contacts(database, people[-1])

    none_found(database, incident, people[0])
    none_found(database, incident, people[-1], by="wang.wei")
    assert not contacts(database, people[-1])


def test_what_was_withdrawn_in_parts_adds_up_and_who_approved_it_is_kept(database: Database) -> None:
    people = synthetic.people(database, MANY)
    tiers = ["close"] * confirm.BULK_MAX + ["general"]
    incident, _ = traced.opened(database, [Reached(one, tier) for one, tier in zip(people, tiers, strict=True)])
    first = confirmed(database, incident, Choice(tiers=(ContactTier.CLOSE,)))
    rest = confirmed(database, incident, Choice(tiers=(ContactTier.GENERAL,)), approved_by="wang.wei")

    alone = withdrawn(database, incident, first.confirmation_ref)
    with pytest.raises(confirm.SecondPersonNeededError):
        withdrawn(database, incident, rest.confirmation_ref)
    with database.write(Purpose.BATCH) as write:
        asked = confirm.ask_back(write, incident, rest.confirmation_ref, by="li.na", reason="wrong", at=LATER)
    both = withdrawn(database, incident, rest.confirmation_ref, "wang.wei")

    assert (alone.withdrawn_by, alone.withdrawal_approved_by) == ("li.na", None)
    assert (asked.state, asked.asked_back_by) == ("done", "li.na")
    assert (both.withdrawn_by, both.withdrawal_approved_by) == ("li.na", "wang.wei")


def test_judged_no_contact_is_dropped_and_what_was_confirmed_is_withdrawn(database: Database) -> None:
    person, stranger = synthetic.people(database, 2)
    incident, _ = traced.opened(database, [Reached(person)])
    confirmed(database, incident)

    with database.write(Purpose.OPERATOR) as write:
        judge.judge(
            write, incident, person, judge.Finding(tier=None, reason=judge.JudgedBy.WAS_NOT_THERE), by="li.na", at=LATER
        )

    assert contacts(database, person) == []
    assert traced.state_of(database, person) == "dropped"
    assert confirmed(database, incident, hours=2).people == 0
    with database.read(Purpose.OPERATOR) as read:
        latest = judge.latest(read, incident, person)
    assert latest == judge.Judgement(tier=None, reason="was_not_there", at=LATER, judged_by="li.na")
    with pytest.raises(judge.NotOfThisIncidentError), database.write(Purpose.OPERATOR) as write:
        judge.judge(
            write, incident, stranger, judge.Finding(tier=None, reason=judge.JudgedBy.OTHER), by="li.na", at=LATER
        )


def test_whom_only_the_field_found_is_confirmed_too_and_what_it_found_goes_first(database: Database) -> None:
    person, companion = synthetic.people(database, 2)
    incident, case = traced.opened(database, [Reached(person)])
    traced.append(database, traced.stay(companion, "1"), traced.companion(companion, case))
    meal = NOON - timedelta(hours=30)
    finding = judge.Finding(
        tier=ContactTier.CLOSE, reason=judge.JudgedBy.CAMERA, setting=ContactSetting.MEAL, exposed_at=meal
    )
    with database.write(Purpose.OPERATOR) as write:
        funnel = funnel_files.find(FUNNELS, funnel_files.DEFAULT)
        screenings.begin(write, incident, funnel, by="li.na", at=NOON)
        for who in (person, companion):
            judge.judge(write, incident, who, finding, by="li.na", at=NOON)
        ahead = msgspec.structs.replace(finding, exposed_at=LATER)
        with pytest.raises(InputInvalidError):
            judge.judge(write, incident, person, ahead, by="li.na", at=NOON)

    done = confirmed(database, incident)
    again = confirmed(database, incident, hours=1)

    assert (done.people, again.people) == (2, 0)
    said = [item for who in (person, companion) for item in contacts(database, who) if item.source == "tracing"]
    expected = Contact(
        tier=ContactTier.CLOSE,
        last_exposure_at=meal,
        designated_at=NOON,
        case=f"CASE-{case}",
        setting=ContactSetting.MEAL,
    )
    assert [item.attributes for item in said] == [expected, expected]


def test_judged_no_contact_stays_so_though_the_traces_list_the_person_again(database: Database) -> None:
    (person,) = synthetic.people(database, 1)
    incident, _ = traced.opened(database, [Reached(person)])
    with database.write(Purpose.OPERATOR) as write:
        finding = judge.Finding(tier=None, reason=judge.JudgedBy.PROTECTED)
        judge.judge(write, incident, person, finding, by="li.na", at=NOON)
        write.execute("update traced set state = 'proposed'")

    assert confirmed(database, incident).people == 0
