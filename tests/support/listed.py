"""Rows of an incident for tests that do not trace themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.support.clock import NOON
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose

NUMBER = "2022-510107-001"


def incident(database: Database, *, place: str = "510107", number: str = NUMBER, at: datetime = NOON) -> int:
    """An open incident with one finished run; its key."""
    with database.write(Purpose.BATCH) as write:
        reference: int = write.value(
            "insert into incident (number, place, rules, opened_at, opened_by, automatic)"
            " values (%s, %s, null, %s, 'li.na', false) returning incident_ref",
            (number, place, at),
        )
        write.execute(
            "insert into trace_run (incident_ref, as_of, started_at, finished_at, rules, rules_hash, hops, cases)"
            " values (%s, %s, %s, %s, 'ninth-protocol', %s, 2, 1)",
            (reference, at, at, at, bytes(32)),
        )
    return reference


def case_of(database: Database, incident_ref: int, person: PersonRef, *, at: datetime = NOON) -> None:
    """A case infectious for two days until `at`."""
    with database.write(Purpose.BATCH) as write:
        write.execute(
            "insert into incident_case (incident_ref, person_ref, infectious_from, infectious_to, added_at, added_by)"
            " values (%s, %s, %s, %s, %s, 'li.na')",
            (incident_ref, person, at - timedelta(days=2), at, at),
        )


def listed(  # noqa: PLR0913 - the columns of the row
    database: Database,
    incident_ref: int,
    person: PersonRef,
    parent: PersonRef,
    *,
    place: str | None = "510107",
    tier: str = "close",
    hop: int = 1,
    state: str = "proposed",
    exposed_at: datetime = NOON - timedelta(days=1),
    venue: int | None = None,
) -> None:
    """A traced person, supported by the case `parent`."""
    with database.write(Purpose.BATCH) as write:
        run = write.value("select max(run_ref) from trace_run where incident_ref = %s", (incident_ref,))
        write.execute(
            "insert into traced (incident_ref, person_ref, hop, tier, setting, strong, exposed_at, parent_ref,"
            " venue_ref, cases, run_ref, place, state)"
            " values (%s, %s, %s, %s, 'venue', false, %s, %s, %s, 1, %s, %s, %s)",
            (incident_ref, person, hop, tier, exposed_at, parent, venue, run, place, state),
        )
        write.execute(
            "insert into trace_support (incident_ref, case_ref, person_ref, hop, tier, setting, strong, exposed_at,"
            " parent_ref, venue_ref) values (%s, %s, %s, %s, %s, 'venue', false, %s, %s, %s)",
            (incident_ref, parent, person, hop, tier, exposed_at, parent, venue),
        )
