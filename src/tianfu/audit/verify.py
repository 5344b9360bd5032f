"""Whether the trail is whole: every row follows from the one before.

The chain alone cannot show that its newest rows were cut off. Whoever wants proof of that notes a `Head` outside the
database from time to time and gives it to the next `verify`.
"""

from __future__ import annotations

import enum

import msgspec

from tianfu.audit.trail import GENESIS_HASH, chain_hash, stored_rows
from tianfu.platform.database import Read


class Head(msgspec.Struct, frozen=True):
    """The newest row at some moment. With number 0 and the genesis hash: an empty trail."""

    trail_id: int
    hash: bytes


class Damage(enum.Enum):
    """What is wrong with the first row that does not fit."""

    CHANGED = "changed"
    """Its content does not give its hash."""
    MISSING_BEFORE = "missing_before"
    """It is not chained to the row before it: rows are missing there, or were slipped in."""
    HEAD_MISSING = "head_missing"
    """The trail does not hold the head that was noted."""


class Verdict(msgspec.Struct, frozen=True):
    """What `verify` found: the rows that fit, the last of them, and the first that does not, if any.

    `broken_at` is the number of that row; for a missing head it is the number the head had.
    """

    rows: int
    head: Head
    broken_at: int | None = None
    damage: Damage | None = None

    @property
    def intact(self) -> bool:
        """Whether everything fits."""
        return self.damage is None


def verify(read: Read, *, noted: Head | None = None) -> Verdict:
    """Walk the whole trail, oldest row first, in constant memory, up to the first row that does not fit.

    `noted` is the head of an earlier verdict that must still be in the trail.
    """
    head = Head(trail_id=0, hash=GENESIS_HASH)
    rows = 0
    noted_seen = noted is None or noted == head
    for row in stored_rows(read):
        if row.previous_hash != head.hash:
            return Verdict(rows=rows, head=head, broken_at=row.trail_id, damage=Damage.MISSING_BEFORE)
        if chain_hash(row.previous_hash, row.entry) != row.hash:
            return Verdict(rows=rows, head=head, broken_at=row.trail_id, damage=Damage.CHANGED)
        rows += 1
        head = Head(trail_id=row.trail_id, hash=row.hash)
        noted_seen = noted_seen or noted == head
    if noted is not None and not noted_seen:
        return Verdict(rows=rows, head=head, broken_at=noted.trail_id, damage=Damage.HEAD_MISSING)
    return Verdict(rows=rows, head=head)
