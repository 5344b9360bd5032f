"""A screening on the database: what the sources say is gathered, every run is kept, nothing is half written."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.support import evidence as synthetic
from tests.support import incidents as traced
from tests.support import lake as lakes
from tests.support.clock import NOON
from tests.support.incidents import SINCE, Reached, append, companion, said, sample, stay
from tests.support.screening import FUNNELS, random_facts
from tianfu.errors import NotFoundError
from tianfu.evidence import ledger, test_words
from tianfu.evidence.care_kinds import Vaccination
from tianfu.evidence.kinds import ContactTier
from tianfu.ids import PersonRef
from tianfu.lake import layout
from tianfu.lake.layout import absolute_minute
from tianfu.platform.database import Database, Purpose
from tianfu.tracing.incidents import Incident
from tianfu.tracing.screening import funnel_files, gather, judge, lake_scans, model, packed, screenings, store
from tianfu.tracing.screening.definition import StepUnknownError
from tianfu.tracing.screening.model import Facts, Ground, Said
from tianfu.tracing.screening.screenings import Run, ScreeningNotFoundError, ScreeningStepStateError
from tianfu.tracing.screening.store import Wanted

LOADED = funnel_files.find(FUNNELS, funnel_files.DEFAULT)
ELSEWHERE = "500101"


def begun(database: Database, incident: Incident, *, at: datetime = NOON) -> Run:
    with database.write(Purpose.BATCH) as write:
        return screenings.begin(write, incident, LOADED, by="li.na", at=at)


def gathered(database: Database, incident: Incident) -> Facts:
    with database.read(Purpose.BATCH) as read:
        return gather.gather(read, incident.incident_ref, incident.place, as_of=NOON)


def reasons(database: Database, incident: Incident, persons: list[PersonRef]) -> list[str]:
    with database.read(Purpose.OPERATOR) as read:
        return [screenings.person(read, incident, person).reason for person in persons]


def test_what_each_source_says_is_gathered(database: Database) -> None:
    persons = synthetic.people(database, 8)
    shop, train, aboard, home, school, _, listed, _ = persons
    incident, case = traced.opened(
        database,
        [
            Reached(shop),
            Reached(train, setting="train"),
            Reached(aboard, "general", "train"),
            Reached(home, setting="household", hop=2, parent=shop),
            Reached(school, setting="school"),
        ],
    )
    append(database, stay(shop, "1"), stay(shop, "2", hours=60), companion(listed, case), sample(shop, "L1", 20))
    dose = Vaccination(dose=2, vaccinated_at=SINCE, product="SYN")
    append(database, said(shop, "immunisation", "V1", dose, SINCE), stay(home, "3", ELSEWHERE))

    facts = gathered(database, incident)

    assert (facts.cases.tolist(), facts.since) == ([case], absolute_minute(SINCE))
    assert (facts.roaming.person.tolist(), facts.roaming.minutes.tolist()) == ([shop], [1_200])
    assert (facts.companions.person.tolist(), facts.companions.covered.tolist()) == ([listed], [shop])
    assert (facts.scans.person.tolist(), facts.scans.apart.tolist()) == ([shop], [0])
    assert dict(zip(facts.seats.person.tolist(), facts.seats.same_unit.tolist(), strict=True)) == {train: 1, aboard: 0}
    grounds = dict(zip(facts.groups.person.tolist(), facts.groups.ground.tolist(), strict=True))
    assert grounds == {home: Ground.HOUSEHOLD, school: Ground.SCHOOL}
    assert facts.tests.sampled.tolist() == [absolute_minute(NOON - timedelta(hours=20))]
    assert (facts.vaccinated.person.tolist(), facts.vaccinated.doses.tolist()) == ([shop], [2])
    assert set(zip(facts.whereabouts.person.tolist(), facts.whereabouts.place.tolist(), strict=True)) == {
        (shop, 510112),
        (home, 500101),
    }
    assert listed in facts.exposures.person


def test_a_scan_is_a_scan_whatever_is_done_at_the_venue(database: Database) -> None:
    persons = synthetic.people(database, 3)
    settings = ("care", "school", "vehicle")
    incident, _ = traced.opened(
        database, [Reached(person, setting=word, venue=7) for person, word in zip(persons, settings, strict=True)]
    )

    facts = gathered(database, incident)

    assert facts.scans.person.tolist() == persons
    assert len(facts.groups.person) == len(facts.seats.person) == 0


def test_what_was_withdrawn_or_proves_nothing_is_left_out(database: Database) -> None:
    (person,) = synthetic.people(database, 1)
    incident, case = traced.opened(database, [Reached(person)])
    ids = append(database, stay(person, "1"), companion(person, case), sample(person, "L1", 5))
    append(database, sample(person, "L2", 4, test_words.TestMethod.ANTIGEN), stay(person, "2", hours=500))
    with database.write(Purpose.BATCH) as write:
        ledger.withdraw_many(write, ids, received_at=NOON)

    facts = gathered(database, incident)

    assert not any(len(source.person) for source in (facts.roaming, facts.companions, facts.tests))


def test_a_screening_is_told_step_by_step_and_person_by_person(database: Database) -> None:
    near, roamer, home, gone, cleared = persons = synthetic.people(database, 5)
    incident, case = traced.opened(database, [Reached(near), Reached(home, setting="household")])
    append(database, stay(near, "1"), stay(roamer, "2"), stay(gone, "3"), stay(cleared, "4"))
    append(database, companion(gone, case), companion(cleared, case), stay(gone, "5", ELSEWHERE, hours=3))
    append(database, sample(cleared, "L1", 23), sample(cleared, "L2", -1))
    funnel = "nobody-by-silence"
    with database.write(Purpose.BATCH) as write:
        screenings.begin(write, incident, funnel_files.find(FUNNELS, funnel), by="li.na", at=NOON)
        run = screenings.rerun(write, incident, "tests", {"after_hours": 0}, by="li.na", at=NOON)

    assert [step.after for step in run.summary.steps] == [4, 2, 3, 3, 4, 3, 2, 2]
    assert (run.people, run.listed, run.summary.funnel) == (5, 2, funnel)
    assert reasons(database, incident, persons) == [
        "scanned_near",
        "not_together",
        "household",
        "handed_over",
        "cleared",
    ]
    with database.read(Purpose.OPERATOR) as read:
        told = screenings.person(read, incident, near)
        listed = store.page(read, run.run_ref, Wanted(listed=True), after=0, limit=10)
        off = store.page(read, run.run_ref, Wanted(listed=False, reason=Said.CLEARED), after=0, limit=10)
        here = store.page(read, run.run_ref, Wanted(county=(510100, 510200), unknown_county=False), after=near, limit=2)
        by_county = store.counties(read, run.run_ref)
        with pytest.raises(NotFoundError):
            screenings.person(read, incident, PersonRef(9_999))
    assert told.grounds == ("roaming", "scan")
    assert [remark.reason for remark in told.history] == [
        *("roamed", "not_together", "scanned_near", "not_cleared", "here", "not_judged")
    ]
    assert [row.person_ref for row in listed] == [near, home]
    assert [row.person_ref for row in off] == [cleared]
    assert [row.person_ref for row in here] == [roamer, cleared]
    assert by_county == [(0, 1), (510112, 1)]


def test_undone_and_done_again_is_as_before_though_the_world_went_on(database: Database) -> None:
    near, roamer = synthetic.people(database, 2)
    incident, _ = traced.opened(database, [Reached(near)])
    append(database, stay(near, "1"), stay(roamer, "2"))
    first = begun(database, incident)
    append(database, stay(PersonRef(near), "3", ELSEWHERE, hours=1))

    with database.write(Purpose.BATCH) as write:
        undone = screenings.undo(write, incident, "telecom", by="wang.wei", at=NOON)
    with database.write(Purpose.BATCH) as write:
        redone = screenings.redo(write, incident, "telecom", by="wang.wei", at=NOON)

    assert [step.after for step in undone.summary.steps] != [step.after for step in first.summary.steps]
    assert undone.summary.steps[1].undone
    assert [step.after for step in redone.summary.steps] == [step.after for step in first.summary.steps]
    with database.read(Purpose.OPERATOR) as read:
        everybody = [store.page(read, run.run_ref, Wanted(), after=0, limit=9) for run in (first, redone)]
        told = screenings.history(read, incident)
    assert everybody[0] == everybody[1]
    assert [(run.action, run.step, run.made_by) for run in told] == [
        ("redo", "telecom", "wang.wei"),
        ("undo", "telecom", "wang.wei"),
        ("run", None, "li.na"),
    ]


def test_what_is_no_step_or_is_so_already_is_refused(database: Database) -> None:
    (person,) = synthetic.people(database, 1)
    incident, _ = traced.opened(database, [Reached(person)])
    with database.write(Purpose.BATCH) as write:
        with pytest.raises(ScreeningNotFoundError):
            screenings.undo(write, incident, "telecom", by="li.na", at=NOON)
        screenings.begin(write, incident, LOADED, by="li.na", at=NOON)
        with pytest.raises(StepUnknownError):
            screenings.undo(write, incident, "horoscope", by="li.na", at=NOON)
        with pytest.raises(ScreeningStepStateError):
            screenings.redo(write, incident, "telecom", by="li.na", at=NOON)
        screenings.undo(write, incident, "telecom", by="li.na", at=NOON)
        with pytest.raises(ScreeningStepStateError):
            screenings.undo(write, incident, "telecom", by="li.na", at=NOON)


def test_what_the_field_judged_counts_at_the_next_run(database: Database) -> None:
    near, other = synthetic.people(database, 2)
    incident, _ = traced.opened(database, [Reached(near), Reached(other)])
    begun(database, incident)
    with database.write(Purpose.BATCH) as write:
        judge.judge(write, incident, near, judge.Finding(tier=None, reason=judge.JudgedBy.CAMERA), by="li.na", at=NOON)
        judge.judge(
            write,
            incident,
            other,
            judge.Finding(tier=ContactTier.GENERAL, reason=judge.JudgedBy.INTERVIEW),
            by="li.na",
            at=NOON,
        )
    assert reasons(database, incident, [near, other]) == ["scanned_near", "scanned_near"]

    with database.write(Purpose.BATCH) as write:
        screenings.rerun(write, incident, "field", {}, by="li.na", at=NOON)

    assert reasons(database, incident, [near, other]) == ["judged_no_contact", "judged_general"]


def test_a_death_while_a_run_is_written_leaves_the_run_before(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    persons = synthetic.people(database, 3)
    incident, _ = traced.opened(database, [Reached(person) for person in persons])
    first = begun(database, incident)
    pack = store._packed
    monkeypatch.setattr(store, "_ROWS_AT_ONCE", 2)

    def dies_at_the_second_part(run: int, screening: object, county: object, part: slice) -> list[bytes]:
        if part.start:
            raise KeyboardInterrupt
        return pack(run, screening, county, part)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(store, "_packed", dies_at_the_second_part)
        with pytest.raises(KeyboardInterrupt), database.write(Purpose.BATCH) as write:
            screenings.undo(write, incident, "telecom", by="li.na", at=NOON)

    with database.read(Purpose.OPERATOR) as read:
        assert screenings.current(read, incident) == first
        assert read.value("select count(*) from screened") == len(persons)
    with database.write(Purpose.BATCH) as write:
        assert screenings.undo(write, incident, "telecom", by="li.na", at=NOON).people == len(persons)


def test_facts_are_kept_to_the_last_bit() -> None:
    facts = random_facts(3)

    back = packed.unpack(packed.pack(facts), model.no_facts())

    for name in Facts._fields:
        if name not in ("judged", "since"):
            kept, original = getattr(back, name), getattr(facts, name)
            columns = zip(kept, original, strict=True) if isinstance(original, tuple) else [(kept, original)]
            assert all(np.array_equal(one, two) and one.dtype == two.dtype for one, two in columns)
    assert back.since == facts.since
    broken = packed.pack(facts)
    for body in (b"", b"PK\x03\x04", broken["cases"]):
        with pytest.raises(packed.FactsBrokenError):
            packed.unpack(broken | {"scans": body}, model.no_facts())


def test_who_scanned_but_never_near_a_case_goes_and_who_never_scans_stays(database: Database, tmp_path: Path) -> None:
    scanner, silent, early = persons = synthetic.people(database, 3)
    incident, case = traced.opened(database, [])
    append(database, *(item for each in persons for item in (stay(each, f"{each}"), companion(each, case))))
    days_ago = ((scanner, 1), (case, 1), (early, 9))
    events = [
        lakes.scan(number, at=NOON - timedelta(days=days), person=who) for number, (who, days) in enumerate(days_ago)
    ]
    lakes.put_segment(tmp_path, 1, events)
    lakes.roll_all(tmp_path, NOON)

    with database.write(Purpose.BATCH) as write:
        scanned = lake_scans.from_lake(tmp_path, lakes.PERMIT)
        screenings.begin(write, incident, LOADED, by="li.na", at=NOON, scanned=scanned)

    assert reasons(database, incident, [scanner, silent, early]) == ["scans_apart", "together", "together"]


def test_who_scanned_at_all_is_found_in_the_lake() -> None:
    people = np.array([3, 5, 2**28 - 1], np.uint32)
    days = [
        layout.partition(10, np.array([7, 7]), np.array([0, 1_439]), np.array([3, 4])),
        layout.partition(11, np.array([2**25 - 1]), np.array([1_439]), np.array([2**28 - 1])),
    ]

    assert lake_scans.scanned_among(days, people).tolist() == [3, 2**28 - 1]
