"""From evidence to status: who may have changed is decided anew, and what changed is stored under a new number.

One transaction takes people from the queue, reads their evidence, decides and stores; it either does all of that or
nothing, so a crash costs only time. A person whose decision fails is logged by kind of error, put back for later and
does not stop the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tianfu.evidence import changes, delays, derived, ledger
from tianfu.evidence.model import Evidence
from tianfu.ids import PersonRef
from tianfu.platform.database import Write
from tianfu.policy.compile import Policy
from tianfu.policy.decide import decide
from tianfu.policy.model import Decision
from tianfu.status import expire, store
from tianfu.status.add_ons import NONE, add_ons
from tianfu.status.store import Written

# At about 20,000 people a second a batch takes 0.2 s: long enough to be worth its commit, short enough that a fresh
# result behind a full queue is never far from its turn.
BATCH_PEOPLE_MAX: Final = 4_000
# A person whose decision fails is tried again after this: 288 attempts a day, each in the log.
RETRY_AFTER: Final = timedelta(minutes=5)


class Recomputed(msgspec.Struct, frozen=True):
    """What a batch did: people decided, what was written of them, and failures by kind of error."""

    people: int = 0
    written: Written = Written()
    failures: tuple[tuple[str, int], ...] = ()

    @property
    def changed(self) -> int:
        """How many statuses changed."""
        return len(self.written.statuses)


def batch(write: Write, policy: Policy, at: datetime, *, limit: int = BATCH_PEOPLE_MAX) -> Recomputed:
    """Decide up to `limit` people anew: queued ones first, then those whose time has come.

    Nothing left to do is `people` = 0. The caller repeats until then.
    """
    store.lock(write)
    persons = changes.take(write, limit=limit, at=at)
    queued = frozenset(persons)
    if len(persons) < limit:
        persons = sorted({*persons, *expire.due(write, at, limit - len(persons))})
    return _decide_all(write, policy, persons, at, queued)


def people(write: Write, policy: Policy, persons: Sequence[PersonRef], at: datetime) -> Recomputed:
    """Decide `persons` anew whether or not they are queued."""
    store.lock(write)
    return _decide_all(write, policy, persons, at)


def _decide_all(
    write: Write,
    policy: Policy,
    persons: Sequence[PersonRef],
    at: datetime,
    queued: frozenset[PersonRef] = frozenset(),
) -> Recomputed:
    if not persons:
        return Recomputed()
    evidence = ledger.about_many(write, persons)
    # Whoever this changes is queued again by it and decided in the next batch, others among them.
    derived.derive(write, evidence, at)
    decided: list[tuple[PersonRef, Decision]] = []
    failed: list[PersonRef] = []
    errors: Counter[str] = Counter()
    for person in persons:
        decision = _decide_one(policy, evidence[person], at)
        if isinstance(decision, str):
            failed.append(person)
            errors[decision] += 1
        else:
            decided.append((person, decision))
    beside = {person: found for person, _ in decided if (found := add_ons(evidence[person], at)) is not NONE}
    written = store.upsert(write, decided, beside)
    # Of whom new evidence changed, the statement received last is the one whose age is measured.
    newest = (
        max(evidence[status.person], key=_receipt)
        for status in written.statuses
        if status.person in queued and evidence[status.person]
    )
    delays.note_status(write, ((statement.source, statement.received_at) for statement in newest), at)
    changes.postpone(write, failed, at + RETRY_AFTER)
    return Recomputed(people=len(persons), written=written, failures=tuple(sorted(errors.items())))


def _receipt(statement: Evidence) -> tuple[datetime, int]:
    return statement.received_at, statement.evidence_id


def is_new(stored: Decision, decision: Decision) -> bool:
    """Whether the two differ in anything but the instant they were made at."""
    return msgspec.structs.replace(stored, at=decision.at) != decision


def _decide_one(policy: Policy, evidence: Sequence[Evidence], at: datetime) -> Decision | str:
    """The decision, or the name of the error: one person's odd evidence must not stop the province."""
    try:
        return decide(policy, evidence, at)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is counted, logged by the caller and tried again
        return type(error).__name__
