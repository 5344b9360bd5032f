"""By when something is to be done, the rule set of its incident says: indicators and their names go by it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.support.clock import NOON
from tests.support.evidence import people
from tests.support.followed import COUNTY, NEIGHBOUR, ninth, open_incident, put_on_list
from tianfu.clock import day_start
from tianfu.platform.database import Database, Purpose
from tianfu.tracing import indicators, rule_clocks, rule_files
from tianfu.tracing.followup import handover, planning
from tianfu.tracing.indicators import Line
from tianfu.tracing.rule_clocks import CLOCKS

HOUR = timedelta(hours=1)
DAY = date(2022, 3, 1)
# What follows the number of hours in a rule file.
BODY = (rule_files.FOLDER / "ninth-protocol.toml").read_text()


def rules(folder: Path, name: str, since: date, *, local: bool = False, **hours: int) -> None:
    """Write a rule set that is the ninth protocol with other clocks."""
    body = BODY.replace('name = "ninth-protocol"', f'name = "{name}"')
    body = body.replace(
        "effective_from = 2022-06-28", f"effective_from = {since}" + ("\nlocal = true" if local else "")
    )
    lines = body.splitlines()
    begin = lines.index("[clocks]")
    for clock, value in hours.items():
        place = next(number for number in range(begin, len(lines)) if lines[number].startswith(f"{clock} = "))
        lines[place] = f"{clock} = {value}"
    (folder / f"{name}.toml").write_text("\n".join(lines) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four hours until the first of March, eight from then on; a local set of two."""
    rules(tmp_path, "old", date(2021, 5, 1), core_facts=4, quarantine=24)
    rules(tmp_path, "new", DAY, core_facts=8, tell_contacts=6, quarantine=5, test_symptomatic=1, contact_list=1)
    rules(tmp_path, "quick", date(2020, 1, 1), local=True, core_facts=2)
    return tmp_path


def interviewed(database: Database, incident_ref: int, case: int, after: timedelta) -> None:
    with database.write(Purpose.OPERATOR) as write:
        write.execute(
            "insert into case_interview (incident_ref, person_ref, core_facts_at, recorded_by)"
            " select incident_ref, person_ref, added_at + %s, 'epidemiologist' from incident_case"
            " where incident_ref = %s and person_ref = %s",
            (after, incident_ref, case),
        )


def named(database: Database, incident_ref: int, name: str) -> None:
    with database.write(Purpose.OPERATOR) as write:
        write.execute("update incident set rules = %s where incident_ref = %s", (name, incident_ref))


def lines_of(database: Database, folder: Path, day: date = DAY) -> dict[str, Line]:
    at = day_start(day + timedelta(days=1))
    with database.read(Purpose.OPERATOR) as read:
        found = indicators.report(read, day=day, place="", at=at, scope="", rules=folder)
    return {line.indicator.name: line for line in found.lines}


def counted(line: Line) -> tuple[int, int]:
    assert line.day is not None
    return line.day.hits, line.day.of


@pytest.mark.parametrize(
    ("name", "hits", "hours"), [(None, 1, 8), ("quick", 0, 2), ("quick:45", 0, 2), ("old", 0, 4), ("not-there", 1, 8)]
)
def test_an_incident_is_measured_by_its_own_rules_or_those_in_force(
    database: Database, folder: Path, name: str | None, hits: int, hours: int
) -> None:
    (case,) = people(database, 1)
    incident = open_incident(database, [case])
    interviewed(database, incident.incident_ref, case, 6 * HOUR)
    if name is not None:
        named(database, incident.incident_ref, name)

    line = lines_of(database, folder)["core_facts"]

    assert counted(line) == (hits, 1)
    assert line.hours == (hours, hours)
    assert line.zh == f"阳性至核心信息 {hours} 小时内"
    assert line.en == f"positive to core facts in {hours} h"


def test_a_clock_goes_by_the_rules_of_the_day_on_which_it_begins(database: Database, folder: Path) -> None:
    before, after = people(database, 2)
    for case, at, number in ((before, NOON - 24 * HOUR, "001"), (after, NOON, "002")):
        incident = open_incident(database, [case], number=f"2022-{COUNTY}-{number}", at=at)
        interviewed(database, incident.incident_ref, case, 6 * HOUR)

    line = lines_of(database, folder)["core_facts"]

    assert line.week is not None
    assert (line.week.hits, line.week.of) == (1, 2)
    assert counted(line) == (1, 1)
    # Both days stand in one line, so its name says both.
    assert line.hours == (4, 8)
    assert line.en == "positive to core facts in 4-8 h"
    assert counted(lines_of(database, folder, DAY - timedelta(days=1))["core_facts"]) == (0, 1)


def test_the_list_behind_a_number_says_the_hours_of_each(database: Database, folder: Path) -> None:
    first, second = people(database, 2)
    slow = open_incident(database, [first])
    quick = open_incident(database, [second], number=f"2022-{COUNTY}-002")
    named(database, quick.incident_ref, "quick")
    window = indicators.window(DAY, "", NOON + 6 * HOUR, clocks=rule_clocks.load(folder))

    with database.read(Purpose.OPERATOR) as read:
        found = indicators.subjects(read, "core_facts", window, hit=None, after=None, limit=9)
        cases = indicators.subjects(read, "new_cases", window, hit=None, after=None, limit=9)

    # Six hours on, one is late and the other has two hours left.
    assert [(one.incident_ref, one.hours, one.hit) for one in found] == [
        (slow.incident_ref, 8, None),
        (quick.incident_ref, 2, False),
    ]
    assert [one.hours for one in cases] == [None, None]


def test_every_clock_of_contacts_goes_by_the_rules(database: Database, folder: Path) -> None:
    case, moved, symptomatic = people(database, 3)
    incident = open_incident(database, [case])
    put_on_list(database, incident, [moved, symptomatic], case=case)
    planning.plan_incident(database, incident, ninth, at=NOON + HOUR)
    with database.write(Purpose.OPERATOR) as write:
        for person, kind, outcome, at in (
            (moved, "move", "moved", NOON + 6 * HOUR),
            (symptomatic, "visit", "symptomatic", NOON + 7 * HOUR),
            (symptomatic, "test", "negative", NOON + 9 * HOUR),
        ):
            write.execute(
                "update followup_task set state = 'done', outcome = %s, done_at = %s, done_by = 'worker' where task_ref"
                " = (select min(task_ref) from followup_task where person_ref = %s and kind = %s)",
                (outcome, at, person, kind),
            )

    by_new = lines_of(database, folder)
    named(database, incident.incident_ref, "old")
    by_old = lines_of(database, folder)

    names = ("contact_list", "told", "quarantined", "symptomatic_tested")
    assert [by_new[name].hours for name in names] == [(1, 1), (6, 6), (5, 5), (1, 1)]
    assert [by_old[name].hours for name in names] == [(4, 4), (12, 12), (24, 24), (12, 12)]
    # One was moved after six hours, the other was told after seven and tested two hours later.
    assert [counted(by_new[name]) for name in names] == [(1, 1), (1, 2), (0, 2), (0, 1)]
    assert [counted(by_old[name]) for name in names] == [(1, 1), (2, 2), (1, 1), (1, 1)]


def test_a_letter_is_due_when_it_says_and_its_name_tells_the_hours(database: Database, folder: Path) -> None:
    case, person = people(database, 2)
    incident = open_incident(database, [case])
    put_on_list(database, incident, [person], case=case)
    planning.plan_incident(database, incident, ninth, at=NOON)
    with database.write(Purpose.OPERATOR) as write:
        handover.ask(
            write,
            incident.incident_ref,
            [person],
            from_place=COUNTY,
            to_place=NEIGHBOUR,
            by="a",
            at=NOON,
            answer_hours=6,
        )

    lines = lines_of(database, folder)

    assert lines["letters_answered"].en == "answered in 6 h"
    assert counted(lines["letters_answered"]) == (0, 1)
    assert lines["letters_overdue"].zh == "逾 6 小时未答复"


def test_without_anybody_to_count_the_name_tells_the_hours_in_force(database: Database, folder: Path) -> None:
    assert lines_of(database, folder)["core_facts"].hours == (8, 8)
    assert lines_of(database, folder, DAY - timedelta(days=1))["core_facts"].hours == (4, 4)
    # Before the first set there were no rules; what happened then is measured by the first.
    assert lines_of(database, folder, date(2020, 1, 5))["core_facts"].hours == (4, 4)
    assert lines_of(database, folder)["new_cases"].hours is None


def test_every_clock_has_its_hours_in_every_set_here() -> None:
    found = rule_clocks.load()

    assert set(found.named) == {loaded.asked for loaded in rule_files.every()}
    assert [day for day, _ in found.dated] == sorted(day for day, _ in found.dated)
    assert {clock: found.in_force(clock, date(2022, 7, 1)) for clock in CLOCKS} == {
        "core_facts": 4,
        "contact_list": 4,
        "tell_contacts": 12,
        "quarantine": 24,
        "test_symptomatic": 12,
        "handover": 24,
    }


def test_only_local_sets_are_no_rules_in_force(tmp_path: Path) -> None:
    rules(tmp_path, "quick", DAY, local=True)

    with pytest.raises(rule_files.TracingRulesNotFoundError):
        rule_clocks.load(tmp_path)
