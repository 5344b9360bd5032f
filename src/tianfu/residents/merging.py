"""Doubled people: two numbers that are one human being, merged with a way back (重复人员合并与撤销).

Somebody came with an identity card once and with a passport later, and has two numbers, two codes, two colours. A
merge moves nothing. It says that the two are one, and from then on what is known of either counts for both: both codes
show one colour, and a trace that meets one meets the other. Undoing ends it, and each is exactly what they would be had
it never been made, with whatever came in meanwhile under their own document.

Merges form stars: several numbers merged into one that is kept. A number that was merged into another keeps nobody
itself, so an answer never needs more than one step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from tianfu.access.two_people import are_two, require_word
from tianfu.errors import NotFoundError, TianfuError
from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write
from tianfu.residents import merge_store
from tianfu.residents.merge_store import MergeRow


class MergeNeedsTwoError(TianfuError):
    """The same person asked for a merge, or for its undoing, and approved it."""

    code = "merge_needs_two"
    status = 422
    zh = "合并人员或撤销合并，须由两名不同的人员分别提交和批准。"
    en = "Merging people, and undoing it, needs two different people: one to ask, another to approve."


class MergeSelfError(TianfuError):
    """Both references are the same."""

    code = "merge_self"
    status = 422
    zh = "两个编号相同，无需合并。"
    en = "The two references are the same; there is nothing to merge."


class MergeKnotError(TianfuError):
    """One of the two is part of another merge in a way that would make a chain."""

    code = "merge_knot"
    status = 409
    zh = "其中一人已被合并到他人名下，或已有他人并入；请合并到保留的那个编号。"
    en = "One of the two is merged already, or others are merged into it: merge into the reference that is kept."


class PersonUnknownError(NotFoundError):
    """There is no such person."""

    code = "person_unknown"
    zh = "没有这个编号的人。"
    en = "There is no person of this reference."


class MergeNotFoundError(NotFoundError):
    """There is no such merge, or it was undone already."""

    code = "merge_not_found"
    zh = "没有这项合并，或已撤销。"
    en = "There is no such merge, or it has been undone already."


def ask(write: Write, *, kept: PersonRef, merged: PersonRef, reason: str, by: str, at: datetime) -> int:
    """`by` asks that `merged` and `kept` be one; the number under which somebody else approves. Changes nothing yet.

    Raises `MergeSelfError`, `MergeKnotError`, `PersonUnknownError`, `InputInvalidError`.
    """
    require_word("reason", reason)
    require_word("by", by)
    if kept == merged:
        raise MergeSelfError
    if len(merge_store.existing(write, [kept, merged])) < 2:  # noqa: PLR2004 - the two
        raise PersonUnknownError
    _require_no_knot(write, kept, merged)
    return merge_store.insert(write, kept=kept, merged=merged, reason=reason, at=at, by=by)


def approve(write: Write, merge_ref: int, *, by: str, at: datetime) -> MergeRow:
    """From `at` on the two are one. Whoever calls queues both for a new decision (`evidence.merges` does).

    Approving twice changes nothing. Raises `MergeNeedsTwoError`, `MergeKnotError` (another merge came first),
    `MergeNotFoundError`, also for one that was undone.
    """
    require_word("by", by)
    merge_store.lock(write)
    row = _found(write, merge_ref)
    if not are_two(row.asked_by, by):
        raise MergeNeedsTwoError
    if row.merged_at is None:
        _require_no_knot(write, row.kept, row.merged)
        merge_store.approve(write, merge_ref, at=at, by=by)
    return row


def ask_undo(write: Write, merge_ref: int, *, by: str, at: datetime) -> None:
    """`by` asks that a merge that stands be undone. Raises `MergeNotFoundError`, `InputInvalidError`."""
    require_word("by", by)
    if _found(write, merge_ref).merged_at is None:
        raise MergeNotFoundError
    merge_store.ask_undo(write, merge_ref, at=at, by=by)


def approve_undo(write: Write, merge_ref: int, *, by: str, at: datetime) -> MergeRow:
    """From `at` on the two are two again. Raises `MergeNeedsTwoError`, `MergeNotFoundError` (nobody asked)."""
    require_word("by", by)
    merge_store.lock(write)
    row = _found(write, merge_ref)
    if row.undo_asked_by is None:
        raise MergeNotFoundError
    if not are_two(row.undo_asked_by, by):
        raise MergeNeedsTwoError
    merge_store.end(write, merge_ref, at=at, by=by)
    return row


def _found(write: Write, merge_ref: int) -> MergeRow:
    row = merge_store.find(write, merge_ref)
    if row is None or row.undone_at is not None:
        raise MergeNotFoundError
    return row


def _require_no_knot(read: Read, kept: PersonRef, merged: PersonRef) -> None:
    for hub, leaf in merge_store.stars(read, [kept, merged], None):
        if kept == leaf or merged in (hub, leaf):
            raise MergeKnotError


def partners(
    read: Read, persons: Sequence[PersonRef], *, at: datetime | None = None
) -> dict[PersonRef, frozenset[PersonRef]]:
    """The other numbers of each of `persons` who had any at `at` (None: now); who has none is not in it."""
    members: dict[PersonRef, set[PersonRef]] = defaultdict(set)
    for kept, merged in merge_store.stars(read, persons, at):
        members[kept] |= {kept, merged}
    asked = set(persons)
    return {person: frozenset(group - {person}) for group in members.values() for person in group if person in asked}


def together(read: Read, persons: Iterable[PersonRef]) -> list[PersonRef]:
    """`persons` and all their other numbers, ascending, each once."""
    everybody = set(persons)
    for others in partners(read, sorted(everybody)).values():
        everybody |= others
    return sorted(everybody)


def kept_of(read: Read, persons: Sequence[PersonRef]) -> dict[PersonRef, PersonRef]:
    """The number that is kept, for those of `persons` that were merged into another."""
    asked = set(persons)
    return {merged: kept for kept, merged in merge_store.stars(read, persons, None) if merged in asked}
