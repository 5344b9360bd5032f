"""SQL of people who are followed under several numbers: one human being has one follow-up, and is a case by each."""

from __future__ import annotations

from tianfu.platform.database import Read


def doubled(read: Read, incident_ref: int) -> set[int]:
    """Who was merged into a number that is confirmed in this incident as well, and is followed under that one."""
    rows = read.rows(
        """
        select m.merged_ref from person_merge m
        where m.merged_at is not null and m.undone_at is null and (
            exists (
                select from traced t
                where t.incident_ref = %(incident)s and t.person_ref = m.kept_ref and t.state = 'confirmed'
            ) or exists (
                select from contact_confirmed k
                where k.incident_ref = %(incident)s and k.person_ref = m.kept_ref and k.withdrawn_at is null
            )
        )
        """,
        {"incident": incident_ref},
    )
    return {person for (person,) in rows}


def cases_otherwise(read: Read, incident_ref: int) -> set[int]:
    """Who is a case of this incident under another number of theirs."""
    rows = read.rows(
        """
        with standing as (
            select kept_ref, merged_ref from person_merge where merged_at is not null and undone_at is null
        ), other as (
            select kept_ref as person_ref, merged_ref as other_ref from standing
            union all select merged_ref, kept_ref from standing
            union all select a.merged_ref, b.merged_ref from standing a join standing b using (kept_ref)
        )
        select distinct o.person_ref from other o join incident_case c on c.person_ref = o.other_ref
        where c.incident_ref = %(incident)s and c.withdrawn_at is null
        """,
        {"incident": incident_ref},
    )
    return {person for (person,) in rows}
