"""From a synthetic town to a traced incident in a real installation: people, venues, days, a case, its contacts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tests.support.feeds import csv_file, pseudonym
from tests.support.town import reach
from tianfu.access import accounts
from tianfu.access.decide import Principal
from tianfu.access.roles import Role
from tianfu.feeds import intake
from tianfu.feeds.contracts import CONTRACTS
from tianfu.lake import layout, permit, read
from tianfu.lake.days import DayTakenError
from tianfu.platform.database import Database, Purpose
from tianfu.synth.province import departments, identities, install, outbreak, sources, world
from tianfu.synth.province.departments import Departments
from tianfu.synth.province.install import Numbers
from tianfu.synth.province.model import Settings
from tianfu.synth.province.outbreak import Plan
from tianfu.synth.province.world import World
from tianfu.tracing import copresence
from tianfu.tracing.model import PerVenue, Sources

SETTINGS = Settings(people=2_000, days=14, seed=5, first_day=date(2022, 2, 14))
INCIDENT = "2022-510117-001"


def managers(database: Database) -> list[Principal]:
    with database.write(Purpose.BATCH) as write:
        accounts.create(
            write,
            username="venue-manager",
            display_name="合成管理员",
            password="synthetic-2022",
            at=layout.instant_of(27_000_000),
        )
        accounts.grant(write, username="venue-manager", role=Role.VENUE_MANAGER, district="510117")
        account = accounts.find(write, "venue-manager")
    assert account is not None
    return [account.principal]


def test_an_incident_of_a_synthetic_town_is_traced_from_its_feed_and_scans(database: Database, tmp_path: Path) -> None:
    town, names = world.make(SETTINGS), pseudonym(tmp_path)
    spread = outbreak.spread(town, Plan(imported=4, vigour=3.0))
    at = (SETTINGS.day_number(SETTINGS.days) * 1440) - 1
    now = departments.instant(at)
    people = identities.make(town)
    numbers = Numbers(
        install.number_people(database, people, pseudonym=names, at=now),
        install.make_venues(database, town, managers(database), at=now),
    )
    scans = install.write_days(tmp_path / "lake", town, spread.infections, numbers)
    sent = dict(Departments(town, spread, people, at=at).files())
    cases = list(sent["cases"])
    loaded = intake.load(
        database,
        csv_file(CONTRACTS["cases"], cases),
        contract=CONTRACTS["cases"],
        source="health",
        pseudonym=names,
        at=now,
    )
    with database.write(Purpose.BATCH) as write:
        write.execute(
            """
            insert into incident (number, place, opened_at, opened_by, automatic)
            values (%s, '510117', %s, 'tests', true)
            """,
            (INCIDENT, now),
        )
        leave = permit.for_system(write, incident=INCIDENT, at=now)
    with database.read(Purpose.BATCH) as ledger:
        sick = {row[0] for row in ledger.rows("select person_ref from evidence where kind = 'case'")}

    known = sources.windows(spread.infections, as_of=at, look_back_days=4)
    first, last = layout.day_of(SETTINGS.day_number(0)), layout.day_of(SETTINGS.day_number(SETTINGS.days - 1))
    with read.open_days(tmp_path / "lake", leave, first, last) as visits:
        hop = copresence.hop(
            visits.partitions,
            Sources(numbers.person[known.person], known.since, known.until),
            reach=reach(),
            venue_type=types_of(town, numbers),
            people=int(numbers.person.max()) + 1,
        )
        in_lake = sum(len(part.by_venue) for part in visits.partitions)

    assert loaded.accepted == len(cases) == len(known.person) > 3
    assert sick == set(numbers.person[known.person].tolist())
    assert scans == in_lake
    # Who is reached in the installation is who is reached in the world, under its numbers.
    records = sources.records(town, spread, known, as_of=at, reach=reach())
    expected = np.sort(numbers.person[records.reached.person.astype(np.int64) - 1])
    assert np.array_equal(hop.reached.person, expected)
    assert len(expected) > 20
    # The numbers are the installation's own, and giving them again changes nothing.
    assert np.array_equal(install.number_people(database, people, pseudonym=names, at=now), numbers.person)
    with pytest.raises(DayTakenError):
        install.write_days(tmp_path / "lake", town, spread.infections, numbers)


def types_of(town: World, numbers: Numbers) -> PerVenue:
    types = np.zeros(int(numbers.venue.max()) + 1, np.uint8)
    types[numbers.venue] = town.sites.kind[: town.sites.posters]
    return types
