"""SQL of what follow-up has to be kept up with. Transactions belong to the caller."""

from __future__ import annotations

from typing import NamedTuple

from tianfu.platform.database import Read


class Standing(NamedTuple):
    """An incident with contacts to follow; `mark` differs when something was confirmed, judged or traced anew."""

    number: str
    mark: tuple[object, ...]


def standing(read: Read) -> list[Standing]:
    """The incidents with confirmed contacts, and those of which somebody is still followed, closed ones too.

    The run of a confirmed row is the last one that changed it: a run that finds what was there leaves the mark.
    """
    rows = read.rows(
        """
        select i.number, i.rules, t.people, t.run_ref, c.decided_at, c.withdrawn_at, j.judgement_ref
        from incident i
        cross join lateral (
            select count(*) as people, max(run_ref) as run_ref from traced
            where incident_ref = i.incident_ref and state = 'confirmed' and state <> 'proposed'
        ) as t
        cross join lateral (
            select max(coalesce(decided_at, stated_at)) filter (where state <> 'waiting') as decided_at,
                   max(withdrawn_at) as withdrawn_at
            from contact_confirmation where incident_ref = i.incident_ref
        ) as c
        cross join lateral (
            select max(judgement_ref) as judgement_ref from field_judgement where incident_ref = i.incident_ref
        ) as j
        where i.incident_ref in (select incident_ref from followup where closed_at is null)
           or i.closed_at is null and (t.people > 0 or c.decided_at is not null)
        order by i.incident_ref
        """
    )
    return [Standing(row[0], tuple(row[1:])) for row in rows]
