"""Indicators over a small outbreak, counted by hand; what was never written down is no data; small cells hide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from tests.support import tracing
from tests.support.clock import NOON
from tests.support.database import TestServer
from tests.support.evidence import people
from tests.support.followed import COUNTY, NEIGHBOUR, ninth, open_incident, put_on_list
from tianfu.ids import PersonRef
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose
from tianfu.tracing import indicators
from tianfu.tracing.followup import handover, planning
from tianfu.tracing.incidents import Incident
from tianfu.tracing.indicator_table import INDICATORS, IndicatorNotFoundError
from tianfu.tracing.indicators import Figure, Report

HOUR = timedelta(hours=1)
DAY = date(2022, 3, 1)
# Ten in the evening in Shanghai of the first day, and of the next.
EVENING = NOON + 10 * HOUR
NEXT_EVENING = EVENING + 24 * HOUR


class Outbreak:
    """A case at noon with six contacts, and in the evening a second case: one of the contacts."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.case, self.alone, *self.contacts = people(database, 8)
        self.incident: Incident = open_incident(database, [self.case, self.alone])
        put_on_list(database, self.incident, self.contacts, case=self.case)
        planning.plan_incident(database, self.incident, ninth, at=NOON + HOUR)
        moved, told, symptomatic, second = self.contacts[:4]
        self.done(moved, "move", "moved", NOON + 5 * HOUR)
        self.done(told, "visit", "well", NOON + 2 * HOUR)
        self.done(symptomatic, "visit", "symptomatic", NOON + 3 * HOUR)
        self.done(symptomatic, "test", "negative", NOON + 4 * HOUR)
        self.run(
            "insert into case_interview (incident_ref, person_ref, core_facts_at, recorded_by)"
            " values (%s, %s, %s, 'epidemiologist')",
            self.incident.incident_ref,
            self.case,
            NOON + 3 * HOUR,
        )
        self.run(
            "insert into incident_case (incident_ref, person_ref, infectious_from, added_at, added_by)"
            " values (%s, %s, %s, %s, 'epidemiologist')",
            self.incident.incident_ref,
            second,
            NOON + 8 * timedelta(days=1),
            NOON + 8 * HOUR,
        )

    def run(self, statement: str, *values: object) -> None:
        with self.database.write(Purpose.OPERATOR) as write:
            write.execute(statement, values)

    def done(self, person: PersonRef, kind: str, outcome: str, at: datetime) -> None:
        self.run(
            "update followup_task set state = 'done', outcome = %s, done_at = %s, done_by = 'worker'"
            " where task_ref = (select min(task_ref) from followup_task where person_ref = %s and kind = %s)",
            outcome,
            at,
            person,
            kind,
        )

    def report(self, *, at: datetime = EVENING, place: str = "", scope: str = "", day: date = DAY) -> Report:
        with self.database.read(Purpose.OPERATOR) as read:
            return indicators.report(read, day=day, place=place, at=at, scope=scope)


@pytest.fixture(scope="module")
def outbreak(postgres_server: TestServer) -> Iterator[Outbreak]:
    name = postgres_server.create()
    with Database.open(postgres_server.url_of(name), settings.load({}).database) as database:
        yield Outbreak(database)
    postgres_server.drop(name)


def figures(report: Report) -> dict[str, tuple[int, int] | None]:
    return {line.indicator.name: None if line.day is None else (line.day.hits, line.day.of) for line in report.lines}


def test_every_number_is_the_one_counted_by_hand(outbreak: Outbreak) -> None:
    found = figures(outbreak.report())

    assert found == {
        "new_cases": (3, 3),
        "known_contacts": (1, 3),
        "in_quarantine": (0, 3),
        "without_source": (2, 3),
        "chains": (1, 1),
        # The second and third by onset have one before them; one of the two came eight days later and more.
        "long_gaps": (1, 2),
        # In time; too late without; the third has time until midnight.
        "core_facts": (1, 2),
        # Twenty seconds after noon for two; the third's run has time.
        "contact_list": (2, 2),
        # Three of six told; for the others twelve hours are not over.
        "told": (3, 3),
        "quarantined": (1, 1),
        "interviewed": (1, 3),
        "no_contacts": (1, 2),
        "few_contacts": (0, 2),
        "reached": (3, 6),
        "seen": (2, 6),
        "lost": (0, 2),
        "not_seen": (0, 6),
        "symptomatic_tested": (1, 1),
        "overdue_tests": (0, 0),
        "letters_sent": None,
        "letters_answered": None,
        "letters_overdue": None,
    }


def test_time_makes_what_was_open_late_and_tells_how_old_the_oldest_is(outbreak: Outbreak) -> None:
    # The same day as known on the next one is the same: a day ends at midnight.
    assert figures(outbreak.report(at=NEXT_EVENING))["told"] == (3, 6)

    later = outbreak.report(at=NEXT_EVENING, day=DAY + timedelta(days=1))

    lines = {line.indicator.name: line for line in later.lines}
    told, quarantined = lines["told"], lines["quarantined"]
    assert told.week == Figure(hits=3, of=6, open_since=NOON)
    assert quarantined.week == Figure(hits=1, of=6, open_since=NOON)
    assert lines["new_cases"].day == Figure(hits=0, of=0)
    assert lines["new_cases"].week is not None
    assert lines["new_cases"].week.hits == 3


def test_the_list_behind_a_number_has_as_many_lines(outbreak: Outbreak) -> None:
    window = indicators.window(DAY, "", EVENING)
    found = figures(outbreak.report())
    with outbreak.database.read(Purpose.OPERATOR) as read:
        for indicator in INDICATORS:
            counted = found[indicator.name]
            hits = indicators.subjects(read, indicator.name, window, hit=True, after=None, limit=500)
            misses = indicators.subjects(read, indicator.name, window, hit=False, after=None, limit=500)
            if counted is not None:
                assert (len(hits), len(hits) + len(misses)) == counted, indicator.name
        known = indicators.subjects(read, "known_contacts", window, hit=True, after=None, limit=500)
        pages = []
        after = None
        while part := indicators.subjects(read, "reached", window, hit=None, after=after, limit=4):
            pages.append([one.subject for one in part])
            after = (part[-1].at, part[-1].incident_ref, part[-1].subject)
    assert [one.subject for one in known] == [outbreak.contacts[3]]
    assert [len(page) for page in pages] == [4, 2]
    assert sorted(person for page in pages for person in page) == sorted(outbreak.contacts)


def test_below_the_province_small_cells_are_hidden(outbreak: Outbreak) -> None:
    county = {line.indicator.name: line.day for line in outbreak.report(place=COUNTY, scope=COUNTY).lines}
    province = {line.indicator.name: line.day for line in outbreak.report(place=COUNTY, scope="51").lines}

    assert province["reached"] == Figure(hits=3, of=6, open_since=NOON + HOUR)
    assert county["reached"] == Figure(hits=0, of=0, hidden=True)
    assert county["new_cases"] is not None
    assert county["new_cases"].hidden
    # Nobody of six is told: there is no small cell in it.
    assert county["not_seen"] is not None
    assert (county["not_seen"].hits, county["not_seen"].of, county["not_seen"].hidden) == (0, 6, False)


def test_another_county_has_nothing(outbreak: Outbreak) -> None:
    found = figures(outbreak.report(place=NEIGHBOUR))

    assert {name: counted for name, counted in found.items() if counted not in {None, (0, 0)}} == {}
    with outbreak.database.read(Purpose.OPERATOR) as read:
        counties = indicators.counties(read, "reached", day=DAY, place="", at=EVENING, scope="")
    assert counties == [(COUNTY, Figure(hits=3, of=6, open_since=NOON + HOUR))]


def test_what_was_never_written_down_is_no_data(database: Database) -> None:
    with database.read(Purpose.OPERATOR) as read:
        empty = indicators.report(read, day=DAY, place="", at=EVENING, scope="")

    assert all(line.day is None and line.week is None for line in empty.lines)
    assert empty.funnel is None


def test_letters_are_sent_answered_and_overdue(database: Database) -> None:
    case, *persons = people(database, 3)
    incident = open_incident(database, [case])
    put_on_list(database, incident, persons, case=case)
    planning.plan_incident(database, incident, ninth, at=NOON)
    with database.write(Purpose.OPERATOR) as write:
        first, _ = (
            handover.ask(write, incident.incident_ref, [person], from_place=COUNTY, to_place=NEIGHBOUR, by="a", at=NOON)
            for person in persons
        )
        handover.accept(write, first.handover_ref, by="b", at=NOON + HOUR)

    with database.read(Purpose.OPERATOR) as read:
        found = [
            figures(indicators.report(read, day=day, place="", at=at, scope=""))
            for day, at in ((DAY, EVENING), (DAY + timedelta(days=1), NEXT_EVENING))
        ]

    assert [one["letters_sent"] for one in found] == [(2, 2), (0, 0)]
    assert [one["letters_answered"] for one in found] == [(1, 1), (0, 0)]
    assert [one["letters_overdue"] for one in found] == [(0, 0), (1, 1)]


def test_an_unknown_indicator_is_not_found(outbreak: Outbreak) -> None:
    with outbreak.database.read(Purpose.OPERATOR) as read, pytest.raises(IndicatorNotFoundError):
        indicators.counties(read, "beds", day=DAY, place="", at=EVENING, scope="")


def test_the_funnel_is_told_by_the_latest_run_of_each_screening(database: Database) -> None:
    (case,) = people(database, 1)
    incident = open_incident(database, [case])
    with database.write(Purpose.BATCH) as write:
        screening = write.value(
            "insert into screening (incident_ref, funnel, funnel_hash, as_of, created_by)"
            " values (%s, 'province', %s, %s, 'epidemiologist') returning screening_ref",
            (incident.incident_ref, bytes(32), NOON),
        )
        for removed in (1, 700):
            run = write.value(
                "insert into screening_run (screening_ref, action, definition, undone, judged_until, at, made_by,"
                " people, listed) values (%s, 'run', '{}', '{}', 0, %s, 'epidemiologist', 1000, 303) returning run_ref",
                (screening, NOON),
            )
            step = (
                f'{{"name": "venues", "undone": false, "before": 1000, "after": {1003 - removed},'
                f' "added": {{"met": 3}}, "kept": {{}}, "removed": {{"never": {removed}}}, "milliseconds": 40}}'
            )
            write.execute("insert into screening_step (run_ref, position, result) values (%s, 0, %s)", (run, step))

    def steps(scope: str) -> list[tuple[str, int | None, int | None, int | None, int | None, int]]:
        with database.read(Purpose.OPERATOR) as read:
            found = indicators.report(read, day=DAY, place=scope, at=EVENING, scope=scope).funnel
        return [
            (step.name, step.before, step.after, step.added, step.removed, step.milliseconds) for step in found or ()
        ]

    assert steps("") == [("venues", 1000, 303, 3, 700, 40)]
    assert steps(COUNTY) == [("venues", 1000, 303, None, None, 40)]
    assert steps(NEIGHBOUR) == []


def test_a_real_run_that_listed_a_case_before_makes_it_known_and_gives_it_a_source(
    database: Database, tmp_path: Path
) -> None:
    index, contact, stranger = tracing.people(database, 3, resident_in=COUNTY)
    (canteen,) = tracing.venues(database, ["catering"])
    meal = tracing.NOON - 30 * HOUR
    tracing.fill(tmp_path, [(index, canteen, meal), (contact, canteen, meal)])
    number = tracing.opened(database)
    tracing.add(database, number, index, tracing.NOON - 72 * HOUR)
    tracing.traced(database, tmp_path, number)
    assert [row[0] for row in tracing.listed(database, number)] == [contact]

    tracing.add(database, number, contact, tracing.NOON - 48 * HOUR)
    tracing.add(database, number, stranger, tracing.NOON - 48 * HOUR)
    tracing.traced(database, tmp_path, number)

    # Each of the two who ate together reaches the other, and neither is on the list any more.
    assert tracing.listed(database, number) == []
    counted = indicators.window(date(2022, 7, 15), "", tracing.NOON + HOUR)
    with database.read(Purpose.OPERATOR) as read:
        assert read.value("select count(*) from trace_support") == 2
        found = {
            name: [one.subject for one in indicators.subjects(read, name, counted, hit=True, after=None, limit=9)]
            for name in ("new_cases", "known_contacts", "without_source")
        }
    assert found == {
        "new_cases": [index, contact, stranger],
        "known_contacts": [contact],
        "without_source": [index, stranger],
    }
