"""Published policies in the database. Rows are only ever added; the database refuses anything else."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from tianfu.clock import Instant
from tianfu.platform.database import Read, Write

PUBLICATIONS_PAGE_MAX: Final = 100


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """One policy taking effect once. The same body may be published again, which is how a change is rolled back."""

    publication_id: int
    policy_hash: str
    name: str
    number: int
    effective_from: Instant
    published_at: Instant
    published_by: str
    approved_by: str


def insert(write: Write, publication: Publication, body: str) -> int:
    """Add a row and return its number; the `publication_id` given is ignored."""
    return int(
        write.value(
            """
            insert into policy_publication
                (policy_hash, name, number, body, effective_from, published_at, published_by, approved_by)
            values (%s, %s, %s, %s, %s, %s, %s, %s)
            returning publication_id
            """,
            (
                publication.policy_hash,
                publication.name,
                publication.number,
                body,
                publication.effective_from,
                publication.published_at,
                publication.published_by,
                publication.approved_by,
            ),
        )
    )


def lock(write: Write) -> None:
    """Let one publication at a time be checked and written, until the transaction ends; readers are not held up."""
    write.execute("lock table policy_publication in share row exclusive mode")


def in_force(read: Read, at: datetime) -> Publication | None:
    """The publication that governs `at`: the latest effective one; of several for one instant the last published."""
    row = read.row(
        """
        select publication_id, policy_hash, name, number, effective_from, published_at, published_by, approved_by
        from policy_publication
        where effective_from <= %s
        order by effective_from desc, publication_id desc
        limit 1
        """,
        (at,),
    )
    return None if row is None else _publication(row)


def number_stands_for(read: Read, number: int) -> str | None:
    """The hash of the rule set that was published under a number; None when none was."""
    found = read.value("select policy_hash from policy_publication where number = %s limit 1", (number,))
    return None if found is None else str(found)


def hashes_like(read: Read, beginning: str) -> list[str]:
    """The hashes of published rule sets that begin so (hexadecimal, so nothing in it is a pattern); at most two."""
    rows = read.rows(
        "select distinct policy_hash from policy_publication where starts_with(policy_hash, %s) limit 2", (beginning,)
    )
    return [row[0] for row in rows]


def next_effective(read: Read, after: datetime) -> datetime | None:
    """The first instant after `after` at which a publication takes effect; None when none is waiting."""
    found = read.value("select min(effective_from) from policy_publication where effective_from > %s", (after,))
    return found if isinstance(found, datetime) else None


def body(read: Read, policy_hash: str) -> str | None:
    """The text of a published policy; None when no such policy was ever published."""
    text = read.value(
        "select body from policy_publication where policy_hash = %s order by publication_id desc limit 1",
        (policy_hash,),
    )
    return None if text is None else str(text)


def page(read: Read, *, limit: int = PUBLICATIONS_PAGE_MAX) -> list[Publication]:
    """The publications, the last to take effect first; at most `PUBLICATIONS_PAGE_MAX`."""
    rows = read.rows(
        """
        select publication_id, policy_hash, name, number, effective_from, published_at, published_by, approved_by
        from policy_publication
        order by effective_from desc, publication_id desc
        limit %s
        """,
        (min(limit, PUBLICATIONS_PAGE_MAX),),
    )
    return [_publication(row) for row in rows]


def _publication(row: tuple[Any, ...]) -> Publication:
    number, policy_hash, name, set_number, effective_from, published_at, published_by, approved_by = row
    return Publication(
        publication_id=number,
        policy_hash=policy_hash,
        name=name,
        number=set_number,
        effective_from=effective_from,
        published_at=published_at,
        published_by=published_by,
        approved_by=approved_by,
    )
