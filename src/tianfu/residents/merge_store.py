"""SQL of doubled people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from tianfu.ids import PersonRef
from tianfu.platform import binary
from tianfu.platform.database import Read, Write

_ROW: Final = (
    "select merge_ref, kept_ref, merged_ref, reason, asked_at, asked_by, merged_at, approved_by, undo_asked_at,"
    " undo_asked_by, undone_at, undo_approved_by from person_merge"
)


class MergeRow(NamedTuple):
    """One merge as stored."""

    merge_ref: int
    kept: PersonRef
    merged: PersonRef
    reason: str
    asked_at: datetime
    asked_by: str
    merged_at: datetime | None
    approved_by: str | None
    undo_asked_at: datetime | None
    undo_asked_by: str | None
    undone_at: datetime | None
    undo_approved_by: str | None


def lock(write: Write) -> None:
    """Merges are made one at a time, so that two of them cannot tie a knot."""
    write.execute("lock table person_merge in share row exclusive mode")


def stars(read: Read, persons: Sequence[PersonRef], at: datetime | None) -> list[tuple[PersonRef, PersonRef]]:
    """(kept, merged) of every merge that stood at `at` (None: stands now) around any of `persons`."""
    return read.rows(
        """
        with hub as (
            select kept_ref from person_merge
            where (kept_ref = any(%(persons)s::bigint[]) or merged_ref = any(%(persons)s::bigint[]))
              and merged_at <= coalesce(%(at)s::timestamptz, 'infinity')
              and (undone_at is null or undone_at > coalesce(%(at)s::timestamptz, 'infinity'))
        )
        select distinct m.kept_ref, m.merged_ref from person_merge m join hub using (kept_ref)
        where m.merged_at <= coalesce(%(at)s::timestamptz, 'infinity')
          and (m.undone_at is null or m.undone_at > coalesce(%(at)s::timestamptz, 'infinity'))
        """,
        {"persons": binary.bigints(persons), "at": at},
    )


def standing(read: Read) -> list[tuple[PersonRef, PersonRef]]:
    """(kept, merged) of every merge that stands: a few thousand in a province."""
    return read.rows("select kept_ref, merged_ref from person_merge where merged_at is not null and undone_at is null")


def ever(read: Read) -> list[PersonRef]:
    """The numbers of every merge that stood at any time, of both sides, ascending."""
    rows = read.rows(
        "select kept_ref from person_merge where merged_at is not null"
        " union select merged_ref from person_merge where merged_at is not null order by 1"
    )
    return [row[0] for row in rows]


def insert(write: Write, *, kept: PersonRef, merged: PersonRef, reason: str, at: datetime, by: str) -> int:
    """A merge that was asked for; its number."""
    number: int = write.value(
        "insert into person_merge (kept_ref, merged_ref, reason, asked_at, asked_by)"
        " values (%s, %s, %s, %s, %s) returning merge_ref",
        (kept, merged, reason, at, by),
    )
    return number


def find(write: Write, merge_ref: int) -> MergeRow | None:
    """The merge, held until the transaction ends."""
    row = write.row(_ROW + " where merge_ref = %s for update", (merge_ref,))
    return None if row is None else MergeRow(*row)


def approve(write: Write, merge_ref: int, *, at: datetime, by: str) -> None:
    """The merge stands from `at` on."""
    write.execute("update person_merge set merged_at = %s, approved_by = %s where merge_ref = %s", (at, by, merge_ref))


def ask_undo(write: Write, merge_ref: int, *, at: datetime, by: str) -> None:
    """Somebody asks that it be undone; whoever asked before is replaced."""
    write.execute(
        "update person_merge set undo_asked_at = %s, undo_asked_by = %s where merge_ref = %s", (at, by, merge_ref)
    )


def end(write: Write, merge_ref: int, *, at: datetime, by: str) -> None:
    """The merge stands no longer."""
    write.execute(
        "update person_merge set undone_at = %s, undo_approved_by = %s where merge_ref = %s", (at, by, merge_ref)
    )


def existing(read: Read, persons: Sequence[PersonRef]) -> set[PersonRef]:
    """Which of `persons` there are."""
    rows = read.rows("select person_ref from person where person_ref = any(%s::bigint[])", (binary.bigints(persons),))
    return {row[0] for row in rows}


def history(read: Read, *, person: PersonRef | None, after: int, limit: int) -> list[MergeRow]:
    """Merges by number beyond `after`, undone ones too; of one person or of everybody."""
    rows = read.rows(
        _ROW + " where merge_ref > %(after)s"
        " and (%(person)s::bigint is null or kept_ref = %(person)s or merged_ref = %(person)s)"
        " order by merge_ref limit %(limit)s",
        {"after": after, "person": person, "limit": limit},
    )
    return [MergeRow(*row) for row in rows]


def same_phone(read: Read, *, after: tuple[PersonRef, PersonRef], limit: int) -> list[tuple[PersonRef, PersonRef]]:
    """Pairs of holders with one phone number who are not merged, in order, beyond the pair `after`."""
    return read.rows(
        """
        select a.person_ref, b.person_ref
        from resident a join resident b on b.phone_index = a.phone_index and b.person_ref > a.person_ref
        where (a.person_ref, b.person_ref) > (%s, %s)
          and not exists (
              select from person_merge m where m.merged_at is not null and m.undone_at is null
                and (m.kept_ref, m.merged_ref) in ((a.person_ref, b.person_ref), (b.person_ref, a.person_ref))
          )
        order by a.person_ref, b.person_ref limit %s
        """,
        (*after, limit),
    )
