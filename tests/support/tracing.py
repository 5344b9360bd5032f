"""A small place with people, venues, a lake of a few days, and incidents in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from tianfu.access import accounts
from tianfu.ids import PersonRef
from tianfu.lake import days, layout, permit
from tianfu.lake.permit import Permit
from tianfu.platform.database import Database, Purpose, Write
from tianfu.tracing import cases, incidents, run
from tianfu.tracing.acting import TRACER, Actor
from tianfu.tracing.infectious import Period
from tianfu.tracing.run import Report

COUNTY = "510112"
# Noon in Shanghai on a day of the ninth protocol: two hops, meals and entertainment go on.
NOON = datetime(2022, 7, 15, 4, 0, tzinfo=UTC)
ANALYST = Actor("operator", "epidemiologist", {"role": "epidemiologist"})

Visit = tuple[int, int, datetime]
"""Person, venue, instant."""


def people(database: Database, count: int, *, resident_in: str | None = None) -> list[PersonRef]:
    """`count` new people, ascending; with `resident_in` all of them hold a code and live there."""
    with database.write(Purpose.BATCH) as write:
        rows = write.rows(
            "insert into person (first_seen_at) select %s from generate_series(1, %s) returning person_ref",
            (NOON - timedelta(days=30), count),
        )
        found = sorted(PersonRef(row[0]) for row in rows)
        if resident_in is not None:
            write.execute(
                "insert into resident (person_ref, document_type, name_sealed, document_sealed, phone_sealed,"
                " phone_index, seal_key, district, language, proofing_provider, proofing_reference, claimed_at)"
                " select person, 'resident_id', 'x', 'x', 'x', sha256('x'), 'k', %s, 'zh', 'sandbox', 'x', %s"
                " from unnest(%s::bigint[]) as person",
                (resident_in, NOON - timedelta(days=30), [int(person) for person in found]),
            )
    return found


def venues(database: Database, categories: Sequence[str]) -> list[int]:
    """A new venue of each category, ascending."""
    with database.write(Purpose.BATCH) as write:
        manager = accounts.find(write, "manager-of-venues") or accounts.create(
            write, username="manager-of-venues", display_name="M", password="correct horse battery", at=NOON
        )
        del manager
        found = accounts.find(write, "manager-of-venues")
        assert found is not None
        rows = write.rows(
            "insert into venue (venue_id, name, category, district, manager, created_at, sequence)"
            " select decode(md5(n || category || clock_timestamp()::text), 'hex'), category || ' ' || n, category,"
            " %s, %s, %s, nextval('venue_sequence')"
            " from unnest(%s::text[]) with ordinality as listed (category, n) order by n returning venue_ref",
            (COUNTY, found.account_ref, NOON - timedelta(days=60), list(categories)),
        )
    return sorted(row[0] for row in rows)


def fill(lake: Path, visits: Iterable[Visit]) -> None:
    """Make the visits closed days of the lake, each of which must have none yet."""
    by_day: dict[int, list[tuple[int, int, int]]] = {}
    for person, venue, at in visits:
        minute = layout.absolute_minute(at)
        by_day.setdefault(minute // layout.DAY_MINUTES, []).append((venue, minute % layout.DAY_MINUTES, person))
    for day, rows in sorted(by_day.items()):
        columns = np.array(rows, np.int64).T
        days.write_arrays(lake, layout.partition(day, columns[0], columns[1], columns[2]))


def opened(database: Database, *, rules: str | None = None, place: str = COUNTY) -> str:
    """A new incident's number."""
    with database.write(Purpose.OPERATOR) as write:
        return incidents.open_incident(write, ANALYST, place=place, rules=rules, at=NOON).number


def add(database: Database, number: str, person: int, since: datetime, until: datetime | None = None) -> None:
    """Make a person a case by hand."""
    with database.write(Purpose.OPERATOR) as write:
        cases.add(write, ANALYST, number, PersonRef(person), Period(since, until), at=NOON, stated=True)


def withdraw(database: Database, number: str, person: int) -> None:
    """Take a case out."""
    with database.write(Purpose.OPERATOR) as write:
        cases.withdraw(write, ANALYST, number, PersonRef(person), at=NOON)


def traced(database: Database, lake: Path, number: str, *, as_of: datetime = NOON, everything: bool = False) -> Report:
    """One run by the system."""

    def allowed(write: Write) -> Permit:
        return permit.for_system(write, incident=number, at=NOON)

    return run.trace(
        database, lake, number, actor=TRACER, permit_for=allowed, as_of=as_of, at=NOON, everything=everything
    )


def listed(database: Database, number: str) -> list[tuple[object, ...]]:
    """The stored list without what names the incident and the run."""
    with database.read(Purpose.OPERATOR) as read:
        return read.rows(
            "select person_ref, hop, tier, setting, strong, exposed_at, parent_ref, venue_ref, cases, traced.place,"
            " state from traced join incident using (incident_ref) where number = %s order by person_ref",
            (number,),
        )


def announced(database: Database, number: str) -> list[tuple[object, ...]]:
    """The stored announcements."""
    with database.read(Purpose.OPERATOR) as read:
        return read.rows(
            "select venue_ref, begins_at, ends_at, scans from place_announcement join incident using (incident_ref)"
            " where number = %s order by venue_ref, begins_at",
            (number,),
        )
