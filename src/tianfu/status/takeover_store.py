"""SQL of takeovers: how far each is, and the next people whom a change of policy can concern."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write
from tianfu.policy.affected import Affected

# Kinds that nearly everybody has statements of: their people are found among the statuses, not by the index
# `evidence_kind_person`, which leaves these kinds out in the same words.
COMMON_KINDS: Final = frozenset({"test", "sampling", "declaration", "vaccination"})
# Counting more than this takes seconds (0.2 µs a row of an index); beyond it the planner's estimate will do.
COUNTED_MAX: Final = 1_000_000


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """The people of one earlier policy: whom the new one can concern, and how many of them were looked at.

    `after` is the last person looked at. `finished_at` None: under way, or interrupted.
    """

    old_hash: str
    new_hash: str
    publication_id: int
    scope: Affected
    total: int
    done: int = 0
    after: int = 0
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None


def forget_others(write: Write, new_hash: str, publication_id: int) -> None:
    """Drop what is remembered of other takeovers: while another policy governs, people may come under any."""
    write.execute(
        "delete from policy_takeover where (new_hash, publication_id) is distinct from (%s, %s)",
        (new_hash, publication_id),
    )


def save(write: Write, stretch: Stretch) -> None:
    """Write down how far a stretch is."""
    write.execute(
        """
        insert into policy_takeover
            (new_hash, publication_id, old_hash, everybody, kinds, total, done, after_person, started_at, updated_at,
             finished_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (new_hash, publication_id, old_hash) do update set
            total = excluded.total,
            done = excluded.done,
            after_person = excluded.after_person,
            updated_at = excluded.updated_at,
            finished_at = excluded.finished_at
        """,
        (
            stretch.new_hash,
            stretch.publication_id,
            stretch.old_hash,
            stretch.scope.everybody,
            list(stretch.scope.kinds),
            stretch.total,
            stretch.done,
            stretch.after,
            stretch.started_at,
            stretch.updated_at,
            stretch.finished_at,
        ),
    )


def stretches(read: Read, new_hash: str, publication_id: int) -> list[Stretch]:
    """What is known of the takeover by one publication, by hash of the earlier policy."""
    rows = read.rows(
        """
        select old_hash, new_hash, publication_id, everybody, kinds, total, done, after_person, started_at, updated_at,
               finished_at
        from policy_takeover
        where new_hash = %s and publication_id = %s
        order by old_hash
        """,
        (new_hash, publication_id),
    )
    return [_stretch(row) for row in rows]


def _stretch(row: tuple[Any, ...]) -> Stretch:
    old_hash, new_hash, publication_id, everybody, kinds, total, done, after, started_at, updated_at, finished_at = row
    return Stretch(
        old_hash=old_hash,
        new_hash=new_hash,
        publication_id=publication_id,
        scope=Affected(everybody=everybody, kinds=tuple(kinds)),
        total=total,
        done=done,
        after=after,
        started_at=started_at,
        updated_at=updated_at,
        finished_at=finished_at,
    )


def people_with(read: Read, kind: str, *, after: PersonRef, limit: int) -> list[PersonRef]:
    """The next people, by number, with a statement of a kind that is not common: a walk along one index."""
    rows = read.rows(
        """
        select distinct person_ref from evidence
        where kind = %s and kind not in ('test', 'sampling', 'declaration', 'vaccination') and person_ref > %s
        order by person_ref
        limit %s
        """,
        (kind, after, limit),
    )
    return [row[0] for row in rows]


def having(read: Read, persons: Sequence[PersonRef], kinds: Sequence[str]) -> set[PersonRef]:
    """Which of `persons` have a statement of one of `kinds`."""
    rows = read.rows(
        """
        select wanted.person_ref from unnest(%s::bigint[]) as wanted (person_ref)
        where exists (
            select from evidence e where e.person_ref = wanted.person_ref and e.kind = any(%s::text[])
        )
        """,
        (list(persons), list(kinds)),
    )
    return {row[0] for row in rows}


def count_with(read: Read, kinds: Sequence[str]) -> int:
    """How many people have a statement of a kind that is not common, from the first `COUNTED_MAX` statements."""
    counted: int = read.value(
        """
        select count(distinct person_ref) from (
            select person_ref from evidence
            where kind = any(%s::text[]) and kind not in ('test', 'sampling', 'declaration', 'vaccination')
            limit %s
        ) as counted
        """,
        (list(kinds), COUNTED_MAX),
    )
    return counted


def count_people_with(read: Read, kinds: Sequence[str]) -> int:
    """How many people have a statement of one of `kinds`; reads all of them."""
    people: int = read.value("select count(distinct person_ref) from evidence where kind = any(%s)", (list(kinds),))
    return people
