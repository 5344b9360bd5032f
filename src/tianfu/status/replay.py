"""Proof that no status was set by hand: every one is decided again from the ledger and compared.

A chunk is read in one snapshot. People who are queued, due, or decided by a policy that is being replaced are not
compared but counted as behind: their stored status is about to change and nobody claims otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from tianfu.evidence import changes, ledger
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.policy.compile import Policy
from tianfu.policy.decide import decide
from tianfu.policy.model import Decision
from tianfu.status import store
from tianfu.status.recompute import is_new

CHUNK_PEOPLE: Final = 5_000


class Difference(msgspec.Struct, frozen=True):
    """A stored decision that the ledger does not bear out. `fields` names what differs."""

    person: PersonRef
    fields: tuple[str, ...]
    stored: Decision
    decided: Decision


class Chunk(msgspec.Struct, frozen=True):
    """What was compared in one step: people compared, people behind, and differences."""

    compared: int
    behind: int
    differences: tuple[Difference, ...]


def replay(database: Database, policy: Policy, at: datetime) -> Iterator[Chunk]:
    """Compare every status with the decision at `at`, in order of person; reads only.

    Since a decision holds until its `next_change_at`, deciding at `at` must say what was stored, whenever that was.
    """
    after = PersonRef(0)
    while True:
        with database.read(Purpose.BATCH) as read:
            statuses = store.page(read, after=after, limit=CHUNK_PEOPLE)
            persons = [status.person for status in statuses]
            waiting = changes.waiting(read, persons)
            evidence = ledger.about_many(read, persons)
        if not statuses:
            return
        after = statuses[-1].person
        settled = [status for status in statuses if status.person not in waiting and _settled(status, policy, at)]
        differences = tuple(
            Difference(status.person, _differing(status.decision, decided), status.decision, decided)
            for status in settled
            if is_new(status.decision, decided := decide(policy, evidence[status.person], at))
        )
        yield Chunk(len(settled), len(statuses) - len(settled), differences)


def _settled(status: store.Status, policy: Policy, at: datetime) -> bool:
    decision = status.decision
    lapses_at = decision.next_change_at
    return decision.policy_hash == policy.hash and decision.at <= at and (lapses_at is None or at < lapses_at)


def _differing(stored: Decision, decided: Decision) -> tuple[str, ...]:
    names = (name for name in stored.__struct_fields__ if name != "at")
    return tuple(name for name in names if getattr(stored, name) != getattr(decided, name))
