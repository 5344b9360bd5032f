"""SQL of what the signed lists say: which credentials are not green now, and the lists' numbers.

Plainly green is who has a status, which is green, has not lapsed, and whose popups do not withhold the code: what the
gate would show of them as a green code. Everybody else's credentials are listed, and those that were killed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from tianfu.platform.database import Read, Write
from tianfu.status.read import LAPSE_GRACE_SECONDS

_LAPSE_GRACE: Final = timedelta(seconds=LAPSE_GRACE_SECONDS)
# A scanner accepts what ended seconds ago by its clock; it is listed for so much longer.
_LISTED_AFTER_END: Final = timedelta(seconds=60)

# Each part reads an index of its own size, however many credentials live (migration 0014): what was killed, people who
# are not plainly green, lapsed decisions, holders without one. About 5 µs for each person who is not green. The first
# condition on colours repeats that of the index; only of a popup that blocks anything is the text parsed.
_MEMBERS: Final = """
    select credential_id from credential where killed_at is not null and expires_at > %(ended)s
    union
    select c.credential_id from status s join credential c on c.person_ref = s.person_ref
    where c.expires_at > %(ended)s
        and (s.colour <> 'green' or s.decision like '%%"blocks":["%%')
        and (s.colour <> 'green' or s.decision::jsonb @? '$.popups[*].blocks[*] ? (@ == "code")')
    union
    select c.credential_id from status s join credential c on c.person_ref = s.person_ref
    where c.expires_at > %(ended)s and s.next_change_at < %(lapsed)s
    union
    select c.credential_id from credential c
    where c.undecided and c.expires_at > %(ended)s
        and not exists (select from status s where s.person_ref = c.person_ref)
    limit %(limit)s
"""
_HAS_NEWS: Final = """
    select exists (select from credential where sequence > %(killed)s) or exists (
        select from status s join credential c on c.person_ref = s.person_ref
        where s.sequence > %(status)s and c.expires_at > %(at)s and (
            s.colour <> 'green' or s.next_change_at < %(lapsed)s
            or (s.decision like '%%"blocks":["%%' and s.decision::jsonb @? '$.popups[*].blocks[*] ? (@ == "code")')
        )
    )
"""


def members(read: Read, at: datetime, *, limit: int) -> list[bytes]:
    """The credentials that are not green at `at`; at most `limit`."""
    values = {"ended": at - _LISTED_AFTER_END, "lapsed": at - _LAPSE_GRACE, "limit": limit}
    rows = read.rows(_MEMBERS, values)
    return [bytes(credential_id) for (credential_id,) in rows]


def has_news(read: Read, at: datetime, *, status_sequence: int, killed_sequence: int) -> bool:
    """Whether since those sequences a credential was killed, or a holder of one ceased to be plainly green."""
    values = {"killed": killed_sequence, "status": status_sequence, "at": at, "lapsed": at - _LAPSE_GRACE}
    news: bool = read.value(_HAS_NEWS, values)
    return news


def next_number(write: Write, kind: str, at: datetime) -> int:
    """The number of the next list of a kind, above every number before.

    It is the second of its making, or one more than the last where that is more: a database that is set back to a
    backup does not fall behind the numbers that scanners have seen.
    """
    number: int = write.value(
        "insert into signed_list (kind, number, issued_at) values (%(kind)s, %(least)s, %(at)s)"
        " on conflict (kind) do update set number = greatest(signed_list.number + 1, excluded.number),"
        " issued_at = excluded.issued_at returning number",
        {"kind": kind, "least": int(at.timestamp()), "at": at},
    )
    return number
