"""Incidents, their cases and lists as rows, for tests of what comes after the list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tests.support.clock import NOON
from tianfu.evidence.care_kinds import IsolationStage
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose, Read
from tianfu.tracing import incidents
from tianfu.tracing.followup.schedule import Schedule, Stage
from tianfu.tracing.incidents import Incident
from tianfu.tracing.model import Tier

COUNTY, NEIGHBOUR = "510112", "510107"
NUMBER = f"2022-{COUNTY}-001"
LAST_EXPOSURE = NOON - timedelta(days=1)

NINTH = {
    Tier.CLOSE: Schedule(
        rules="ninth",
        stages=(
            Stage(stage=IsolationStage.CENTRAL, days=7, tests=(1, 2, 3, 5, 7)),
            Stage(stage=IsolationStage.HOME, days=3, tests=(3,)),
        ),
    ),
    Tier.SECONDARY: Schedule(rules="ninth", stages=(Stage(stage=IsolationStage.HOME, days=7, tests=(1, 4, 7)),)),
    Tier.COPRESENT: Schedule(rules="ninth"),
    Tier.GENERAL: Schedule(rules="ninth"),
}


def ninth(tier: Tier) -> Schedule:
    """The ninth edition's schedule of a tier, as `planning.Schedules`."""
    return NINTH[tier]


def open_incident(
    database: Database, cases: Sequence[PersonRef] = (), *, number: str = NUMBER, at: datetime = NOON
) -> Incident:
    """An incident with these cases, infectious for the two days before, and one run over them."""
    with database.write(Purpose.OPERATOR) as write:
        incident_ref = write.value(
            "insert into incident (number, place, opened_at, opened_by, automatic)"
            " values (%s, %s, %s, 'epidemiologist', false) returning incident_ref",
            (number, number[5:11], at),
        )
        for person in cases:
            write.execute(
                "insert into incident_case (incident_ref, person_ref, infectious_from, added_at, added_by)"
                " values (%s, %s, %s, %s, 'epidemiologist')",
                (incident_ref, person, at - timedelta(days=2), at),
            )
        write.execute(
            "insert into trace_run (incident_ref, as_of, started_at, finished_at, rules, rules_hash, hops, cases)"
            " values (%s, %s, %s, %s, 'ninth', %s, 2, %s)",
            (incident_ref, at, at, at + timedelta(seconds=20), bytes(32), len(cases)),
        )
        return incidents.find(write, number)


def put_on_list(
    database: Database,
    incident: Incident,
    persons: Sequence[PersonRef],
    *,
    case: PersonRef,
    tier: Tier = Tier.CLOSE,
    place: str | None = COUNTY,
    exposed_at: datetime = LAST_EXPOSURE,
    state: str = "confirmed",
) -> None:
    """Put people on the incident's list, reached by `case` at a venue."""
    with database.write(Purpose.BATCH) as write:
        run = write.value("select max(run_ref) from trace_run where incident_ref = %s", (incident.incident_ref,))
        for person in persons:
            row = (incident.incident_ref, person, 1, tier.value, "venue", True, exposed_at, case)
            write.execute(
                "insert into trace_support (incident_ref, person_ref, hop, tier, setting, strong, exposed_at,"
                " parent_ref, case_ref) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (*row, case),
            )
            write.execute(
                "insert into traced (incident_ref, person_ref, hop, tier, setting, strong, exposed_at, parent_ref,"
                " cases, run_ref, place, state) values (%s, %s, %s, %s, %s, %s, %s, %s, 1, %s, %s, %s)",
                (*row, run, place, state),
            )


def tasks_of(read: Read, incident: Incident, person: PersonRef) -> list[tuple[str, int, str, str | None]]:
    """Kind, day, state and outcome of each task of one person, in order."""
    return read.rows(
        "select kind, day, state, outcome from followup_task where incident_ref = %s and person_ref = %s"
        " order by day, kind, task_ref",
        (incident.incident_ref, person),
    )
