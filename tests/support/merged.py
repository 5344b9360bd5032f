"""People who are found to be one, and parted again, each time by two."""

from __future__ import annotations

from datetime import datetime

from tests.support.clock import NOON
from tianfu.evidence import merges
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.residents import merging


def merge(database: Database, kept: PersonRef, merged: PersonRef, at: datetime = NOON) -> int:
    """Merge `merged` into `kept`; the number of the merge."""
    with database.write(Purpose.OPERATOR) as write:
        number = merging.ask(write, kept=kept, merged=merged, reason="card-and-passport", by="li.na", at=at)
        merges.approve(write, number, by="wang.wei", at=at)
    return number


def part(database: Database, number: int, at: datetime = NOON) -> None:
    """Undo a merge."""
    with database.write(Purpose.OPERATOR) as write:
        merging.ask_undo(write, number, by="wang.wei", at=at)
        merges.approve_undo(write, number, by="li.na", at=at)
