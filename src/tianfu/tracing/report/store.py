"""SQL of the report: counts, never rows of people other than cases."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from tianfu.platform.database import Read


class CaseRow(NamedTuple):
    """One case that stands."""

    person: int
    place: str | None
    infectious_from: datetime
    added_at: datetime
    through: int | None
    tier: str | None
    setting: str | None
    traced: int


class RunRow(NamedTuple):
    """The last run that was finished."""

    as_of: datetime
    rules: str
    hops: int
    scanned: int
    milliseconds: int


def cases(read: Read, incident_ref: int, limit: int) -> list[CaseRow]:
    """Cases by the beginning of their infectious time, with whom they were known to be a contact of before."""
    rows = read.rows(
        """
        select c.person_ref, r.district, c.infectious_from, c.added_at, k.case_ref, k.tier, k.setting,
               (select count(*) from trace_support s
                where s.incident_ref = c.incident_ref and s.case_ref = c.person_ref)
        from incident_case c
        left join resident r on r.person_ref = c.person_ref
        left join case_known k on k.incident_ref = c.incident_ref and k.person_ref = c.person_ref
        where c.incident_ref = %s and c.withdrawn_at is null
        order by c.infectious_from, c.person_ref limit %s
        """,
        (incident_ref, limit),
    )
    return [CaseRow(*row) for row in rows]


def run(read: Read, incident_ref: int) -> RunRow | None:
    """The last finished run, None before the first; `scanned` is of all runs: each looks at what is new only."""
    row = read.row(
        "select as_of, rules, hops, sum(scanned) over ()::bigint, milliseconds from trace_run"
        " where incident_ref = %s and finished_at is not null order by run_ref desc limit 1",
        (incident_ref,),
    )
    return None if row is None else RunRow(*row)


def cases_by_day(read: Read, incident_ref: int) -> dict[date, int]:
    """Cases by the Shanghai day on which they were added."""
    rows = read.rows(
        "select (added_at at time zone 'Asia/Shanghai')::date, count(*) from incident_case"
        " where incident_ref = %s and withdrawn_at is null group by 1",
        (incident_ref,),
    )
    return dict(rows)


def exposed_by_day(read: Read, incident_ref: int) -> list[tuple[date, str, int]]:
    """(Shanghai day of the first exposure, tier, people) of those on the list who were not dropped."""
    return read.rows(
        "select (exposed_at at time zone 'Asia/Shanghai')::date, tier, count(*) from traced"
        " where incident_ref = %s and state <> 'dropped' group by 1, 2 order by 1, 2",
        (incident_ref,),
    )


def by_place(read: Read, incident_ref: int) -> list[tuple[str | None, str, str, int]]:
    """(county, tier, state, people) of the list."""
    return read.rows(
        "select place, tier, state, count(*) from traced where incident_ref = %s group by 1, 2, 3 order by 1, 2, 3",
        (incident_ref,),
    )


def announcements(read: Read, incident_ref: int) -> tuple[int, int]:
    """How many places are announced, and how many scans were withheld from the list."""
    row = read.row(
        "select count(*), coalesce(sum(scans), 0) from place_announcement where incident_ref = %s", (incident_ref,)
    )
    return (0, 0) if row is None else (int(row[0]), int(row[1]))
