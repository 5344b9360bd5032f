"""Merging doubled people, with its consequences: both are decided and traced anew by the same transaction."""

from __future__ import annotations

from datetime import datetime

from tianfu.evidence import changes, company_changes
from tianfu.ids import PersonRef
from tianfu.platform.database import Write
from tianfu.residents import merging


def approve(write: Write, merge_ref: int, *, by: str, at: datetime) -> tuple[PersonRef, PersonRef]:
    """`residents.merging.approve`; (kept, merged). What is known of either counts for both."""
    row = merging.approve(write, merge_ref, by=by, at=at)
    changes.mark(write, merging.together(write, [row.kept]), at)
    company_changes.note_people(write, [row.kept, row.merged], at, merged=True)
    return row.kept, row.merged


def approve_undo(write: Write, merge_ref: int, *, by: str, at: datetime) -> tuple[PersonRef, PersonRef]:
    """`residents.merging.approve_undo`; (kept, merged). Each is decided by their own evidence again."""
    row = merging.approve_undo(write, merge_ref, by=by, at=at)
    changes.mark(write, merging.together(write, [row.kept, row.merged]), at)
    company_changes.note_people(write, [row.kept, row.merged], at, merged=True)
    return row.kept, row.merged
