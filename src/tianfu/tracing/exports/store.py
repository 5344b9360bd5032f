"""SQL of exported lists: pages by key, so that a million rows need the memory of one page."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from tianfu.platform.database import Read


class ContactRow(NamedTuple):
    """One traced person."""

    person: int
    hop: int
    tier: str
    setting: str
    strong: bool
    exposed_at: datetime
    parent: int
    venue_name: str | None
    cases: int
    place: str | None
    state: str


class CaseRow(NamedTuple):
    """One case of the line list. `known_as` and `through`: as whose contact the incident knew the person before."""

    person: int
    place: str | None
    infectious_from: datetime
    infectious_to: datetime | None
    known_as: str | None
    through: int | None
    contacts: int
    added_at: datetime
    withdrawn_at: datetime | None


class PlaceRow(NamedTuple):
    """One announced place."""

    venue_ref: int
    name: str
    district: str
    begins_at: datetime
    ends_at: datetime
    scans: int


Key = tuple[int, datetime, int]
"""Where a page of contacts ended: hop, exposure, person."""


def contacts(
    read: Read, incident_ref: int, *, districts: list[str], tiers: list[str] | None, after: Key | None, limit: int
) -> list[ContactRow]:
    """The next people in order of hop, exposure and number whose county begins with one of `districts`."""
    hop, exposed_at, person = after or (0, None, 0)
    rows = read.rows(
        """
        select t.person_ref, t.hop, t.tier, t.setting, t.strong, t.exposed_at, t.parent_ref, v.name, t.cases,
               t.place, t.state
        from traced t left join venue v on v.venue_ref = t.venue_ref
        where t.incident_ref = %(incident)s
          and (t.hop, t.exposed_at, t.person_ref)
              > (%(hop)s::smallint, coalesce(%(exposed_at)s::timestamptz, '-infinity'), %(person)s::integer)
          and (%(everywhere)s or t.place like any(%(patterns)s::text[]))
          and (%(tiers)s::text[] is null or t.tier = any(%(tiers)s))
        order by t.hop, t.exposed_at, t.person_ref
        limit %(limit)s
        """,
        {
            "incident": incident_ref,
            "hop": hop,
            "exposed_at": exposed_at,
            "person": person,
            "everywhere": "" in districts,
            "patterns": [f"{district}%" for district in districts],
            "tiers": tiers,
            "limit": limit,
        },
    )
    return [ContactRow(*row) for row in rows]


def cases(read: Read, incident_ref: int, *, after: int, limit: int) -> list[CaseRow]:
    """The next cases by person's number, withdrawn ones too."""
    rows = read.rows(
        """
        select c.person_ref, r.district,
               c.infectious_from, c.infectious_to, k.tier, k.case_ref,
               (select count(*) from trace_support s
                where s.incident_ref = c.incident_ref and s.case_ref = c.person_ref),
               c.added_at, c.withdrawn_at
        from incident_case c
        left join resident r on r.person_ref = c.person_ref
        left join case_known k on k.incident_ref = c.incident_ref and k.person_ref = c.person_ref
        where c.incident_ref = %s and c.person_ref > %s
        order by c.person_ref limit %s
        """,
        (incident_ref, after, limit),
    )
    return [CaseRow(*row) for row in rows]


def places(read: Read, incident_ref: int, *, districts: list[str], limit: int) -> list[PlaceRow]:
    """Announced places, the earliest first."""
    rows = read.rows(
        """
        select a.venue_ref, v.name, v.district, a.begins_at, a.ends_at, a.scans
        from place_announcement a join venue v using (venue_ref)
        where a.incident_ref = %(incident)s and (%(everywhere)s or v.district like any(%(patterns)s::text[]))
        order by a.begins_at, a.venue_ref limit %(limit)s
        """,
        {
            "incident": incident_ref,
            "everywhere": "" in districts,
            "patterns": [f"{district}%" for district in districts],
            "limit": limit,
        },
    )
    return [PlaceRow(*row) for row in rows]
