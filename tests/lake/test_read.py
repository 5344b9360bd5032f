from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tests.architecture.tree import name, python_files, tree
from tests.support.clock import NOON
from tests.support.lake import PERMIT, put_segment, roll_all, scan, visits_in, write_day
from tianfu.access.decide import ForbiddenError, Grant, Principal
from tianfu.access.roles import Purpose, Role
from tianfu.audit import trail
from tianfu.lake import days, layout, permit, read, state
from tianfu.lake.days import DayTakenError
from tianfu.lake.permit import Permit, PermitRefusedError
from tianfu.lake.state import LakeBrokenError
from tianfu.platform import database as platform_database
from tianfu.platform.database import Database

INCIDENT = "2022-510112-003"
COUNTY = "510112"
FIRST, LAST = date(2022, 2, 27), date(2022, 3, 1)
TRACER = Principal(7, (Grant(Role.EPIDEMIOLOGIST, "5101"),))


def open_incident(database: Database) -> None:
    with database.write(platform_database.Purpose.OPERATOR) as write:
        write.execute(
            "insert into incident (number, place, opened_at, opened_by, automatic) values (%s, %s, %s, 'li.na', false)",
            (INCIDENT, COUNTY, NOON),
        )


def last_rows(database: Database) -> Iterator[trail.Row]:
    with database.read(platform_database.Purpose.OPERATOR) as look:
        yield from list(trail.stored_rows(look))


def test_days_between_first_and_last_are_read_and_no_other(tmp_path: Path) -> None:
    for day in range(19_049, 19_055):
        write_day(tmp_path, day, [(5, 100, day)])
    assert layout.day_of(19_050) == date(2022, 2, 27)

    with read.open_days(tmp_path, PERMIT, FIRST, LAST) as visits:
        assert [part.day for part in visits.partitions] == [19_050, 19_051, 19_052]
        assert isinstance(visits.partitions[0].by_venue, np.memmap)
    with pytest.raises(RuntimeError):
        _ = visits.partitions


def test_a_lake_without_days_is_empty_and_not_an_error(tmp_path: Path) -> None:
    with read.open_days(tmp_path, PERMIT, FIRST, LAST) as visits:
        assert visits.partitions == ()


def test_an_empty_part_can_be_read(tmp_path: Path) -> None:
    write_day(tmp_path, 19_050, [])
    assert visits_in(tmp_path) == []


@pytest.mark.parametrize("harm", ["cut", "longer", "out of order", "gone"])
def test_a_damaged_array_is_refused(tmp_path: Path, harm: str) -> None:
    write_day(tmp_path, 19_050, [(venue, 5, 1) for venue in range(200)])
    (path,) = (tmp_path / "days").rglob(days.BY_VENUE)
    data = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes({"cut": data[:-8], "longer": data + bytes(8), "out of order": data[800:] + data[:800]}[harm])

    with pytest.raises(LakeBrokenError), read.open_days(tmp_path, PERMIT, FIRST, LAST):
        pass


def test_a_day_that_has_visits_is_not_written_over(tmp_path: Path) -> None:
    put_segment(tmp_path, 3, [scan(1)])
    roll_all(tmp_path)

    with pytest.raises(DayTakenError):
        write_day(tmp_path, layout.day_number(NOON.date()), [(1, 2, 3)])
    assert len(visits_in(tmp_path)) == 1


def test_who_comes_between_the_state_and_the_files_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_segment(tmp_path, 3, [scan(1)])
    roll_all(tmp_path)
    old = state.load(tmp_path)
    put_segment(tmp_path, 3, [scan(2)])
    roll_all(tmp_path)
    days.remove_retired(tmp_path, state.load(tmp_path), 2**40)
    loaded = iter([old, state.load(tmp_path)])
    monkeypatch.setattr(state, "load", lambda _lake: next(loaded))

    with read.open_days(tmp_path, PERMIT, FIRST, LAST) as visits:
        assert sum(len(part.by_venue) for part in visits.partitions) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        Permit(incident="", purpose=Purpose.INVESTIGATION, actor="x", trail_id=1),
        Permit(incident=INCIDENT, purpose=Purpose.INVESTIGATION, actor="", trail_id=1),
        Permit(incident=INCIDENT, purpose=Purpose.INVESTIGATION, actor="x", trail_id=0),
    ],
)
def test_a_permit_that_no_trail_knows_opens_nothing(tmp_path: Path, wrong: Permit) -> None:
    with pytest.raises(PermitRefusedError), read.open_days(tmp_path, wrong, FIRST, LAST):
        pass


def test_each_permit_is_a_row_in_the_trail(database: Database) -> None:
    open_incident(database)
    with database.write(platform_database.Purpose.OPERATOR) as write:
        made = [
            permit.for_operator(
                write, TRACER, "zhou.min", incident=INCIDENT, place=COUNTY, purpose=Purpose.INVESTIGATION, at=NOON
            ),
            permit.for_system(write, incident=INCIDENT, at=NOON),
            permit.for_terminal(write, username="os:li", incident=INCIDENT, purpose=Purpose.INVESTIGATION, at=NOON),
        ]

    found = {row.trail_id: row.entry for row in last_rows(database)}
    assert [found[item.trail_id].actor for item in made] == ["zhou.min", "tracer", "os:li"]
    assert [found[item.trail_id].actor_kind for item in made] == ["operator", "system", "operator"]
    for item in made:
        entry = found[item.trail_id]
        assert (entry.action, entry.purpose, entry.subject) == ("lake_read", "investigation", f"incident:{INCIDENT}")
        item.require()
    assert found[made[0].trail_id].detail == {"place": COUNTY, "role": "epidemiologist", "channel": "console"}


@pytest.mark.parametrize(
    ("principal", "purpose", "place", "incident", "error"),
    [
        (Principal(7, (Grant(Role.GUARD, "5101"),)), Purpose.INVESTIGATION, COUNTY, INCIDENT, ForbiddenError),
        (Principal(7, ()), Purpose.INVESTIGATION, COUNTY, INCIDENT, ForbiddenError),
        (TRACER, Purpose.CONSULTATION, COUNTY, INCIDENT, ForbiddenError),
        (TRACER, Purpose.INVESTIGATION, "510700", INCIDENT, ForbiddenError),
        (TRACER, Purpose.INVESTIGATION, "510104", INCIDENT, PermitRefusedError),
        (TRACER, Purpose.INVESTIGATION, COUNTY, "2022-510112-004", PermitRefusedError),
        (TRACER, Purpose.INVESTIGATION, COUNTY, "rumour", PermitRefusedError),
    ],
)
def test_without_role_place_purpose_and_incident_there_is_no_permit_and_no_row(
    database: Database,
    principal: Principal,
    purpose: Purpose,
    place: str,
    incident: str,
    error: type[Exception],
) -> None:
    open_incident(database)
    with pytest.raises(error), database.write(platform_database.Purpose.OPERATOR) as write:
        permit.for_operator(write, principal, "zhou.min", incident=incident, place=place, purpose=purpose, at=NOON)
    assert list(last_rows(database)) == []


def test_neither_the_system_nor_the_terminal_reads_for_an_incident_that_does_not_exist(database: Database) -> None:
    with database.write(platform_database.Purpose.OPERATOR) as write:
        with pytest.raises(PermitRefusedError):
            permit.for_system(write, incident=INCIDENT, at=NOON)
        with pytest.raises(PermitRefusedError):
            permit.for_terminal(write, username="os:li", incident=INCIDENT, purpose=Purpose.INVESTIGATION, at=NOON)
    assert list(last_rows(database)) == []


def test_only_the_module_of_permits_makes_one() -> None:
    made = [
        name(path)
        for path in python_files("src")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", 1)[-1] == "Permit"
    ]
    assert made == ["src/tianfu/lake/permit.py"]
