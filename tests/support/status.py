"""Statuses for tests: the province's rule set, a batch of evidence, and recomputation until nothing is left."""

from __future__ import annotations

import functools
from datetime import datetime, timedelta

from tests.support.clock import NOON
from tianfu.evidence import ledger
from tianfu.evidence.model import NewEvidence
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.compile import Policy
from tianfu.policy.load import load
from tianfu.status import recompute, store

POLICY_FILE = PROJECT_ROOT / "policies" / "sichuan-core.toml"


@functools.cache
def core_policy() -> Policy:
    """The province's rule set."""
    return load(POLICY_FILE)


@functools.cache
def next_policy() -> Policy:
    """The same rules under another number: another policy."""
    body = POLICY_FILE.read_text(encoding="utf-8")
    number = core_policy().number
    return load(body.replace(f"number = {number}\n", f"number = {number + 1}\n").encode())


def append(database: Database, *items: NewEvidence, at: datetime = NOON) -> ledger.Appended:
    with database.write(Purpose.WORKER) as write:
        return ledger.append(write, items, received_at=at)


def recompute_all(database: Database, at: datetime = NOON, policy: Policy | None = None) -> int:
    """Recompute until nothing is left; how many statuses changed."""
    changed = 0
    while True:
        with database.write(Purpose.WORKER) as write:
            result = recompute.batch(write, policy or core_policy(), at + timedelta(microseconds=1))
        if result.people == 0:
            return changed
        changed += result.changed


def statuses(database: Database, persons: list[PersonRef]) -> dict[PersonRef, store.Status]:
    with database.read(Purpose.WORKER) as read:
        return store.read_many(read, persons)


def colours(database: Database, persons: list[PersonRef]) -> list[str]:
    """The stored colour of each of `persons`; a person without status is a failure."""
    found = statuses(database, persons)
    return [found[person].decision.colour.value for person in persons]
