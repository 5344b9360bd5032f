"""SQL of what somebody decided about contacts alone, which adds up over a day."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tianfu.platform.database import Read, Write

# First key of the advisory lock of who decides alone ("CF").
_LOCK: Final = 0x4346


def confirmed_since(read: Read, since: datetime) -> list[tuple[str, int]]:
    """(who, people) of what was confirmed after `since` by one person alone, taken back since or not."""
    return read.rows(
        "select stated_by, sum(people)::bigint from contact_confirmation"
        " where decided_at > %s and approved_by is null group by stated_by",
        (since,),
    )


def taken_back_since(read: Read, since: datetime) -> list[tuple[str, int]]:
    """(who, people) of what one person alone took back after `since`, by withdrawal or by judging no contact."""
    return read.rows(
        """
        select who, sum(people)::bigint from (
            select withdrawn_by as who, people from contact_confirmation
            where withdrawn_at > %(since)s and withdrawal_approved_by is null and decided_at is not null
            union all
            select j.judged_by, 1 from field_judgement j
            where j.tier is null and j.at > %(since)s and exists (
                select from contact_confirmed c
                where c.incident_ref = j.incident_ref and c.person_ref = j.person_ref and c.withdrawn_at = j.at
            )
        ) as taken group by who
        """,
        {"since": since},
    )


def lock(write: Write) -> None:
    """Wait until nobody else decides alone, in whatever incident: what one did within a day is added up by one."""
    write.execute("select pg_advisory_xact_lock(%s, 0)", (_LOCK,))
